//! What a file tells oomph about itself, in comments: `# oomph: flink=1.20 deployment=yarn` and
//! `# oomph: ignore[OOM401] reason`.

use crate::config::workload::{self, Workload};
use crate::model::{Position, Role};

/// A comment that is for oomph.
#[derive(Clone, Debug, PartialEq)]
pub struct Directive {
    /// Where it begins.
    pub position: Position,
    /// What it says.
    pub says: Says,
}

/// What a directive says.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// Findings that are known and wanted.
    Ignore(Ignore),
    /// Facts about the job: fields of a workload, and the one role whose whole configuration the text is.
    Facts(Box<Workload>, Option<Role>),
    /// Something that cannot be read, with what is wrong.
    Unread(String),
}

/// Findings that are known and wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Codes, beginnings of codes, or names.
    pub selectors: Vec<String>,
    /// Why.
    pub reason: String,
    /// The line whose findings are meant.
    pub line: u32,
}

/// What introduces a directive.
const MARK: &str = "oomph:";

/// Every directive of a text.
pub fn read(text: &str) -> Vec<Directive> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let targets = next_lines(text);
    let mut found = Vec::new();
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some((at, body)) = body(line) {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let column = u32::try_from(line[..at].chars().count() + 1).unwrap_or(u32::MAX);
            let end = start + line.trim_end().len();
            let position = Position { line: number, column, start: start + at, end };
            let own_line = line[..at].trim().is_empty();
            let target = if own_line { targets.get(index).copied().unwrap_or(number) } else { number };
            found.push(Directive { position, says: says(body, target) });
        }
        start += line.len();
    }
    found
}

/// Where a comment for oomph begins in a line, and what stands behind its mark.
fn body(line: &str) -> Option<(usize, &str)> {
    let mark = line.find(MARK)?;
    let before = &line[..mark];
    let bare = before.trim_end();
    let marker = ["<!--", "--", "#"].into_iter().find(|marker| bare.ends_with(marker))?;
    let at = bare.len() - marker.len();
    // `a#b` is a value in YAML.
    if marker == "#" && !(at == 0 || before[..at].ends_with([' ', '\t'])) {
        return None;
    }
    let body = line[mark + MARK.len()..].trim_end();
    Some((at, body.strip_suffix("-->").unwrap_or(body).trim()))
}

/// For each line the one that a comment on it is about: the next that is neither blank nor a comment, or itself where
/// none follows.
fn next_lines(text: &str) -> Vec<u32> {
    let is_content = |line: &str| {
        let bare = line.trim();
        !bare.is_empty() && !["#", "--", "<!--"].iter().any(|marker| bare.starts_with(marker)) || bare == "---"
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut next = None;
    let mut targets: Vec<u32> = (1..).take(lines.len()).collect();
    for (target, line) in targets.iter_mut().zip(lines).rev() {
        let number = *target;
        *target = next.unwrap_or(number);
        if is_content(line) {
            next = Some(number);
        }
    }
    targets
}

fn says(body: &str, line: u32) -> Says {
    if let Some(rest) = body.strip_prefix("ignore") {
        let inside = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let Some((selectors, reason)) = inside else {
            return Says::Unread("write which findings: ignore[OOM401] and a reason".to_owned());
        };
        let selectors: Vec<String> =
            selectors.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect();
        let reason = reason.trim_start_matches([':', ' ', '-']).trim().to_owned();
        if selectors.is_empty() {
            return Says::Unread("no code stands in the brackets".to_owned());
        }
        if reason.is_empty() {
            return Says::Unread("a reason is required behind the bracket; until then nothing is ignored".to_owned());
        }
        return Says::Ignore(Ignore { selectors, reason, line });
    }
    let mut role = None;
    let mut yaml = String::new();
    for pair in body.split_whitespace() {
        match pair.split_once('=') {
            Some(("role", value)) => match Role::of_key(value) {
                Some(named) => role = Some(named),
                None => return Says::Unread("role is taskmanager or jobmanager".to_owned()),
            },
            // 1.20 is no number.
            Some(("flink", value)) => yaml += &format!("flink: \"{}\"\n", value.replace(['"', '\\'], "")),
            Some((name, value)) => yaml += &format!("{name}: {value}\n"),
            None => {
                let reason = format!("`{pair}` is neither name=value nor ignore[CODE] with a reason");
                return Says::Unread(reason);
            }
        }
    }
    if yaml.is_empty() && role.is_none() {
        return Says::Unread("nothing stands behind it".to_owned());
    }
    match workload::parse(&yaml) {
        Ok(workload) => Says::Facts(Box::new(workload), role),
        Err(error) => Says::Unread(error.reason),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn one(text: &str) -> Says {
        let mut all = read(text);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0).says
    }

    #[rstest]
    #[case("a: 1 # oomph: ignore[OOM401] known\n", 1)]
    #[case("# oomph: ignore[OOM401] known\n\n# more\na: 1\n", 4)]
    #[case("-- oomph: ignore[OOM401] known\nSET 'a' = 'b';\n", 2)]
    #[case("<a/> <!-- oomph: ignore[OOM401] known -->\n", 1)]
    fn an_ignore_is_about_its_line_or_the_next(#[case] text: &str, #[case] line: u32) {
        let expected = Ignore { selectors: vec!["OOM401".into()], reason: "known".into(), line };
        assert_eq!(one(text), Says::Ignore(expected));
    }

    #[rstest]
    #[case("# oomph: ignore[OOM401]\n", "reason is required")]
    #[case("# oomph: ignore OOM401 because\n", "which findings")]
    #[case("# oomph: ignore[] because\n", "no code")]
    #[case("# oomph: hello\n", "neither")]
    #[case("# oomph: flink=next\n", "is a version")]
    #[case("# oomph: role=taskmanger states=4\n", "role is taskmanager or jobmanager")]
    #[case("# oomph:\n", "nothing")]
    fn what_cannot_be_read_is_said(#[case] text: &str, #[case] reason: &str) {
        assert!(matches!(one(text), Says::Unread(text) if text.contains(reason)), "{:?}", one(text));
    }

    #[test]
    fn facts_are_fields_of_a_workload() {
        let Says::Facts(workload, role) = one("# oomph: flink=1.18 deployment=yarn states=4 role=taskmanager\n") else {
            panic!("no facts");
        };
        assert_eq!((workload.flink, workload.states), (Some("1.18".parse().unwrap()), Some(4)));
        assert_eq!(role, Some(Role::TaskManager));
    }

    #[test]
    fn a_value_is_no_comment() {
        assert!(read("a: b#oomph: ignore[OOM1] x\nurl: oomph:8081\n").is_empty());
    }
}
