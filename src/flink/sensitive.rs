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

/// What may be shown of a line that is no setting: the option it begins with. Whatever stands behind that may be a
/// secret, and so may a line that begins with none: that is only called what the caller calls it.
pub fn shown_line(line: &str, otherwise: &str) -> String {
    let line = line.trim();
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(line.len());
    let (option, rest) = line.split_at(end);
    // Longer words are no part of a name, but of a token or a key in base64.
    let is_word = |word: &str| (1..=32).contains(&word.len());
    let dotted = option.contains('.') && option.split('.').all(is_word);
    match rest {
        "" if dotted => format!("`{option}`"),
        ":" if is_word(option) => format!("`{option}:`"),
        _ if dotted => format!("`{option}`..."),
        _ => otherwise.to_owned(),
    }
}

/// A line of a file as it may be shown, as long as it was: what stands behind a secret's name is masked, whether the line
/// is `key: value`, `key = value`, an option such as `-Dkey=value`, JSON or XML.
pub fn masked_line(line: &str) -> String {
    // Only ASCII, as the words are: `İ` is longer in lower case, and places would not agree.
    let lower = line.to_ascii_lowercase();
    let mut names: Vec<(usize, &str)> = WORDS.iter().flat_map(|word| lower.match_indices(word)).collect();
    names.sort_unstable();
    let mut out = line.to_owned();
    let mut from = 0;
    for (at, word) in names {
        if at < from {
            continue;
        }
        let behind = at + word.len();
        let Some(separator) = line[behind..].find([':', '=', '>', ' ']).map(|n| behind + n) else { break };
        let Some(start) = line[separator + 1..].find(|c: char| !" \t\"'=:>".contains(c)).map(|n| separator + 1 + n)
        else {
            break;
        };
        // An argument among others ends with a blank; a value of its own goes on to the end.
        let argument = line[..at].rsplit([' ', '\'', '"']).next().is_some_and(|word| word.starts_with("-D"));
        let ends: &[char] = if argument { &[' ', '"', '\''] } else { &['"', '\'', '<'] };
        let end = line[start..].find(ends).map_or(line.len(), |n| start + n);
        let length = end - start;
        let stars = MASK.len().min(length);
        out.replace_range(start..end, &format!("{}{}", "*".repeat(stars), " ".repeat(length - stars)));
        from = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn secrets_are_masked_by_their_key_in_any_case() {
        assert_eq!(shown("s3.SECRET-key", "abc"), MASK);
        assert_eq!(shown("security.ssl.keystore-password", "abc"), MASK);
        assert_eq!(shown("s3.access-key", "abc"), MASK);
        assert_eq!(shown("taskmanager.memory.process.size", "4g"), "4g");
    }

    #[rstest]
    #[case("s3.secret-key:abc", "`s3.secret-key`...")]
    #[case("s3.storage s3://user:abc@bucket", "`s3.storage`...")]
    #[case("  taskmanager.memory.process.size", "`taskmanager.memory.process.size`")]
    #[case("taskmanager:", "`taskmanager:`")]
    #[case("MIIEvQIBADANBgkqhkiG9w0BAQEF", "this line")]
    #[case("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "this line")]
    #[case(": abc", "this line")]
    #[case("abc", "this line")]
    fn a_line_that_is_no_setting_shows_its_option_at_most(#[case] line: &str, #[case] shown: &str) {
        assert_eq!(shown_line(line, "this line"), shown);
    }

    #[rstest]
    #[case("s3.secret-key: abcdefghij", "s3.secret-key: ******    ")]
    #[case("    secret-key: 'ab c'  # x", "    secret-key: '****'  # x")]
    #[case("a: -Djavax.password=geheim -Xmx1g", "a: -Djavax.password=****** -Xmx1g")]
    #[case("\"s3.access-key\": \"abc\", \"a\": 1", "\"s3.access-key\": \"***\", \"a\": 1")]
    #[case("İ: 1, s3.secret-key: 'abc', b: '\u{212a}'", "İ: 1, s3.secret-key: '***', b: '\u{212a}'")]
    #[case("taskmanager.memory.process.size: 4g", "taskmanager.memory.process.size: 4g")]
    fn a_secret_on_a_line_is_masked_and_the_line_keeps_its_length(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(masked_line(line), expected);
    }
}
