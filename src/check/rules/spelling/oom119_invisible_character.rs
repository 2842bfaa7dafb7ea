use super::{declared_type, known};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::Severity;

rule! {
    /// A character that cannot be seen is part of a key or a value.
    ///
    /// ### Why
    /// A byte-order mark at the start of `flink-conf.yaml` becomes part of the first key, and Flink does not know that key. A
    /// no-break space, as pages and chats put into what is copied from them, is not white space to Java's `trim`: it stays in
    /// the key or the value.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// jobmanager.rpc.address: "localhost "
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// jobmanager.rpc.address: "localhost"
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration.loadYAMLResource`, Flink 1.9 to 1.18, and `loadLegacyYAMLResource`, 1.19 and 1.20, run on files
    ///   with a byte-order mark.
    /// - `String.trim` of Java, which `MemorySize.parse` and the reader of `flink-conf.yaml` use: up to U+0020 and no further.
    "OOM119" "invisible-character" {
        severity: Severity::Error,
        fix: FixKind::Safe,
        check: check,
    }
}

/// Characters that no editor shows: no-break spaces, spaces without width, marks.
const INVISIBLE: [char; 9] =
    ['\u{a0}', '\u{ad}', '\u{2007}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{202f}', '\u{2060}', '\u{feff}'];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for written in case.settings().filter(known::is_typed) {
        if let Some(letter) = written.key.chars().find(|letter| INVISIBLE.contains(letter)) {
            let clean: String = written.key.chars().filter(|letter| !INVISIBLE.contains(letter)).collect();
            let fix = if case.exactly(&clean).is_none() { case.rename(written, &clean) } else { None };
            found
                .find(format!("the key {clean} holds {}", name(letter)))
                .at(&written.key_place(), "Flink does not know this key")
                .help("type the key anew")
                .safe_fix("take it out", fix);
        }
    }
    for (written, row) in declared_type::options(case) {
        // A size is refused, and told as such.
        let text = written.text();
        let Some(letter) = around(&text).filter(|_| !declared_type::is_size(row)) else { continue };
        found
            .find(format!("the value of {} begins or ends with {}", written.key, name(letter)))
            .at(written.place(), "part of the value")
            .help("type the value anew")
            .safe_fix("take it out", case.set(written, text.trim_matches(INVISIBLE)));
    }
}

/// What cannot be seen at the beginning or end of a value.
pub(super) fn around(text: &str) -> Option<char> {
    let ends = [text.chars().next(), text.chars().next_back()];
    ends.into_iter().flatten().find(|letter| INVISIBLE.contains(letter))
}

fn name(letter: char) -> &'static str {
    match letter {
        '\u{feff}' => "a byte-order mark",
        '\u{a0}' | '\u{2007}' | '\u{202f}' => "a no-break space",
        '\u{ad}' => "a soft hyphen",
        _ => "a character without width",
    }
}

#[cfg(test)]
mod tests {
    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    #[test]
    fn a_byte_order_mark_is_taken_out() {
        let text = "\u{feff}parallelism.default: 4\n";
        let finding = find("OOM119", "flink-conf.yaml", text);
        assert!(finding.title.contains("byte-order mark"));
        assert_eq!(applied(text, &finding.fix.unwrap().edits).unwrap(), "parallelism.default: 4\n");
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM101"));
        assert!(!codes("config.yaml", text).contains(&"OOM119"));
    }

    #[test]
    fn letters_of_any_language_can_be_seen() {
        assert!(!codes("config.yaml", "pipeline.name: \"Aufträge\"\nmy.key: 注文\n").contains(&"OOM119"));
    }
}
