//! The options a JVM runs with, as `VM.flags` prints them: `-XX:` options in a line, or with `-all` (and from
//! `-XX:+PrintFlagsFinal`) a table.

use std::collections::BTreeMap;

/// What an option is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagValue {
    /// `-XX:+Name`, `-XX:-Name`, `true`, `false`.
    Switch(bool),
    /// A whole number. The largest, 18446744073709551615, stands for "without limit".
    Number(i128),
    /// Anything else: texts, fractions.
    Text(String),
}

/// Options by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmFlags {
    flags: BTreeMap<String, FlagValue>,
}

impl VmFlags {
    /// Reads both forms. What is in neither is left out; of two the later counts, as for the JVM.
    pub fn parse(text: &str) -> VmFlags {
        let mut flags = BTreeMap::new();
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with("-XX:") {
                flags.extend(options(line));
            } else if let Some((name, value)) = row(line) {
                flags.insert(name.to_owned(), value);
            }
        }
        VmFlags { flags }
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FlagValue)> {
        self.flags.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> Option<bool> {
        match self.flags.get(name)? {
            FlagValue::Switch(on) => Some(*on),
            FlagValue::Number(_) | FlagValue::Text(_) => None,
        }
    }

    /// A number that is not negative: bytes, where the option is a size.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.flags.get(name)? {
            FlagValue::Number(number) => u64::try_from(*number).ok(),
            FlagValue::Switch(_) | FlagValue::Text(_) => None,
        }
    }
}

/// The options of a line. A value may have blanks in it (`-XX:OnOutOfMemoryError=kill -9 %p`), so only ` -XX:` ends one.
fn options(line: &str) -> impl Iterator<Item = (String, FlagValue)> {
    line.split(" -XX:").filter_map(|option| {
        let option = option.strip_prefix("-XX:").unwrap_or(option).trim();
        let (name, value) = match option.strip_prefix(['+', '-']) {
            Some(name) => (name, FlagValue::Switch(option.starts_with('+'))),
            None => option.split_once('=').map(|(name, value)| (name, value_of(value)))?,
        };
        is_name(name).then(|| (name.to_owned(), value))
    })
}

/// A row `uintx MaxHeapSize = 536870912 {product} {ergonomic}`; `:=` is JDK 8's for what is not the default.
fn row(line: &str) -> Option<(&str, FlagValue)> {
    let (left, right) = line.split_once('=')?;
    let mut words = left.trim_end_matches([' ', ':']).split_whitespace();
    let (_kind, name) = (words.next()?, words.next()?);
    // The braces close the row; a value may be empty.
    let value = right.rfind("} {").map_or(right, |at| &right[..at]);
    let value = value.rfind('{').map(|at| value[..at].trim())?;
    (words.next().is_none() && is_name(name)).then(|| (name, value_of(value)))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn value_of(text: &str) -> FlagValue {
    match text {
        "true" => FlagValue::Switch(true),
        "false" => FlagValue::Switch(false),
        _ => text.parse().map_or_else(|_| FlagValue::Text(text.to_owned()), FlagValue::Number),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    /// Of a Flink 1.20.5 TaskManager, OpenJDK 17.0.21.
    const LINE: &str = "-XX:CICompilerCount=2 -XX:CompressedClassSpaceSize=218103808 -XX:+IgnoreUnrecognizedVMOptions \
                        -XX:MaxHeapSize=536870912 -XX:-THPStackMitigation -XX:+UseCompressedOops -XX:+UseG1GC ";

    #[test]
    fn a_line_of_options_is_read() {
        let flags = VmFlags::parse(LINE);
        assert_eq!(flags.iter().count(), 7);
        assert_eq!(flags.number("MaxHeapSize"), Some(536_870_912));
        assert_eq!(flags.is_on("UseG1GC"), Some(true));
        assert_eq!(flags.is_on("THPStackMitigation"), Some(false));
        assert_eq!(flags.is_on("UseZGC"), None);
    }

    #[test]
    fn a_value_keeps_its_blanks() {
        let flags = VmFlags::parse("-XX:+UseG1GC -XX:OnOutOfMemoryError=kill -9 %p -XX:G1HeapRegionSize=1048576");
        let value = flags.iter().find(|(name, _)| *name == "OnOutOfMemoryError").unwrap().1;
        assert_eq!(value, &FlagValue::Text("kill -9 %p".to_owned()));
        assert_eq!(flags.number("G1HeapRegionSize"), Some(1_048_576));
    }

    #[test]
    fn the_table_is_read_with_both_signs() {
        let flags = VmFlags::parse(concat!(
            "[Global flags]\n",
            "      int ActiveProcessorCount                     = -1                              {product} {default}\n",
            "    ccstr AOTLibrary                               =                                 {product} {default}\n",
            "   size_t MaxMetaspaceSize                         = 18446744073709551615            {product} {default}\n",
            "   double InitialRAMPercentage                     = 1.562500                        {product} {default}\n",
            "     bool UseG1GC                                 := true                            {product}\n",
        ));
        assert_eq!(flags.number("MaxMetaspaceSize"), Some(u64::MAX));
        assert_eq!(flags.number("ActiveProcessorCount"), None);
        assert_eq!(flags.is_on("UseG1GC"), Some(true));
        let text = |name: &str| flags.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        assert_eq!(text("AOTLibrary"), FlagValue::Text(String::new()));
        assert_eq!(text("InitialRAMPercentage"), FlagValue::Text("1.562500".to_owned()));
        assert_eq!(flags.iter().count(), 5);
    }

    #[test]
    fn a_text_without_options_has_none() {
        assert_eq!(VmFlags::parse("java.lang.IllegalArgumentException: Unknown diagnostic command").iter().count(), 0);
    }
}
