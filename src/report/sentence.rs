//! The beginning of a sentence.

/// What is written small wherever it stands.
const NAMES: [&str; 8] = ["glibc", "jemalloc", "kubelet", "malloc", "netty", "oomph", "systemd", "systemd-oomd"];

/// A sentence with its first letter large, unless it begins with a name: of a program, an option, a class or a file.
pub fn capital(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default().trim_end_matches([',', ':', ';', '.']);
    let is_word = first.chars().all(|sign| sign.is_ascii_lowercase() || sign == '-');
    let mut signs = text.chars();
    match signs.next() {
        Some(sign) if is_word && !NAMES.contains(&first) => sign.to_uppercase().chain(signs).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("write a whole number", "Write a whole number")]
    #[case("off-heap memory is full", "Off-heap memory is full")]
    #[case("so, again", "So, again")]
    #[case("oomph plan lists changes", "oomph plan lists changes")]
    #[case("java.nio.Bits calls System.gc()", "java.nio.Bits calls System.gc()")]
    #[case("state.backend: rocksdb", "state.backend: rocksdb")]
    #[case("numberOfTaskSlots", "numberOfTaskSlots")]
    #[case("-Xmx is set", "-Xmx is set")]
    #[case("4 GiB are left", "4 GiB are left")]
    #[case("", "")]
    fn a_sentence_begins_large_and_a_name_stays_as_it_is_written(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(capital(text), expected);
    }
}
