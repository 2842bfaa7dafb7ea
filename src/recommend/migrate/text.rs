//! The rewritten configuration as text, for a file.

use super::Migration;
use crate::config::writing;
use crate::flink::sensitive;

/// What stands in the place of a secret.
pub const NOT_SHOWN: &str = "<not shown>";

/// How long a line of comment is at most.
const WIDTH: usize = 78;

/// Whether the values of keys that look like secrets are in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are masked: for whatever is shown.
    Masked,
    /// They are written: for a proof that nobody sees.
    Written,
}

impl Migration {
    /// The settings as lines of the new version's file. Why a line is there, where it was not carried over as it stood,
    /// is in comments of their own above it: a `#` in a line of `flink-conf.yaml` would end it.
    pub fn text(&self, secrets: Secrets) -> String {
        let mut out =
            format!("# {} for Flink {}, rewritten from Flink {}\n", self.kind, self.to.version(), self.from.version());
        for entry in &self.entries {
            for line in entry.why.iter().flat_map(|why| comment(why)) {
                out += &line;
            }
            if secrets == Secrets::Masked && sensitive::is_sensitive(&entry.key) {
                out += &format!("{}: {NOT_SHOWN}\n", entry.key);
                continue;
            }
            let option = self.to.option(&entry.key).map(|row| row.kind);
            // What cannot be written was left out before.
            if let Ok(line) = writing::line(self.kind, &entry.key, &entry.value, option) {
                out += &line;
                out.push('\n');
            }
        }
        out
    }

    /// The keys whose values are masked.
    pub fn secrets(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.key.as_str()).filter(|key| sensitive::is_sensitive(key)).collect()
    }
}

/// A sentence as lines of comment.
fn comment(text: &str) -> Vec<String> {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 1 && length + 1 + word.chars().count() > WIDTH {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}
