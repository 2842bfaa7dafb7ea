//! Which configuration values are secrets: they are never shown.

/// Parts of a key that make its value a secret. The first group is Flink's own
/// (`GlobalConfiguration.SENSITIVE_KEYS`, 1.9 to 2.3), the second one is what that list leaves open.
const WORDS: [&str; 22] = [
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
    // ours
    "passwd",
    "passphrase",
    "credential",
    "access-key",
    "access.key",
    "accesskey",
    "private-key",
    "private.key",
    "privatekey",
    "account.key",
    "signature",
];

/// What stands where a secret would: Flink's own mask (`GlobalConfiguration.HIDDEN_CONTENT`).
pub const MASK: &str = "******";

/// Whether a key's value is a secret.
pub fn is_sensitive(key: &str) -> bool {
    let key = key.to_lowercase();
    WORDS.iter().any(|word| key.contains(word))
}

/// The value as it may be shown.
pub fn shown<'a>(key: &str, value: &'a str) -> &'a str {
    if is_sensitive(key) { MASK } else { value }
}

/// A line that could not be read as a setting, as it may be shown: from the first sensitive word on, nothing.
pub fn shown_line(line: &str) -> String {
    let lower = line.to_lowercase();
    let first = WORDS.iter().filter_map(|word| lower.find(word).map(|at| at + word.len())).min();
    match first.filter(|at| line.is_char_boundary(*at)) {
        // Lower case can have another length than the text; then it is safer to show nothing.
        Some(at) if lower.len() == line.len() => format!("{}{MASK}", &line[..at]),
        Some(_) => MASK.to_owned(),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_by_their_key_in_any_case() {
        assert_eq!(shown("s3.SECRET-key", "abc"), MASK);
        assert_eq!(shown("security.ssl.keystore-password", "abc"), MASK);
        assert_eq!(shown("s3.access-key", "abc"), MASK);
        assert_eq!(shown("taskmanager.memory.process.size", "4g"), "4g");
    }

    #[test]
    fn a_line_that_is_no_setting_shows_nothing_behind_a_sensitive_word() {
        assert_eq!(shown_line("s3.secret-key:abc"), format!("s3.secret{MASK}"));
        assert_eq!(shown_line("taskmanager.memory.process.size:4g"), "taskmanager.memory.process.size:4g");
    }
}
