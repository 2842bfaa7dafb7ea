//! What a name says of the value behind it.

/// Parts of a name, without its separators, that other programs give to what is secret: `keytool -storepass`, `AccountKey=`
/// of Azure's connection strings, `Authorization:` of HTTP.
const PARTS: [&str; 18] = [
    "storepass",
    "keypass",
    "passcode",
    "pwd",
    "authorization",
    "bearer",
    "cookie",
    "accountkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "apikey",
    "sharedkey",
    "authkey",
    "licensekey",
    "encryptionkey",
    "connectionstring",
    "proxyuser",
];

/// Words of a name that say so wherever they stand in it.
const WORDS: [&str; 4] = ["pass", "pw", "creds", "cred"];

/// Words of a name that say so at its end.
const LAST: [&str; 3] = ["key", "auth", "sig"];

/// Whether a name that no configuration of Flink has is that of a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let joined: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if PARTS.iter().any(|part| joined.contains(part)) {
        return true;
    }
    let words = words(name);
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        || words.last().is_some_and(|last| LAST.contains(&last.as_str()))
}

/// `s3.sslKey-file` is s3, ssl, key and file.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && was_small) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        was_small = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Flink's options that sizes are reckoned from: their names never stand before a secret.
pub(super) const MEMORY: [&str; 4] =
    ["taskmanager.memory.", "jobmanager.memory.", "taskmanager.network.", "taskmanager.numberOfTaskSlots"];

/// Whether a word of a command line says something of memory and nothing else: a flag of the JVM, an option of Flink's. The
/// flags that hold a command to run when memory is out are none.
pub(super) fn is_of_memory(word: &[u8]) -> bool {
    let commands: [&[u8]; 2] = [b"-XX:OnError", b"-XX:OnOutOfMemoryError"];
    if word.starts_with(b"-X") {
        // A text that only begins like a flag holds others behind it.
        let is_one = !word.iter().any(u8::is_ascii_whitespace);
        return is_one && !commands.iter().any(|flag| word.starts_with(flag)) && !word.contains(&b'@');
    }
    let name = word.strip_prefix(b"-D").unwrap_or(word);
    MEMORY.iter().any(|memory| name.starts_with(memory.as_bytes())) && !word.iter().any(u8::is_ascii_whitespace)
}
