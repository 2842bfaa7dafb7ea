//! The examples on a rule's page.

use super::rule::Rule;

/// One file of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The heading it stands under: `Bad` or `Good`.
    pub heading: String,
    /// Its file name.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// The page as Markdown, without the column of blanks that its doc comment has.
pub fn page(rule: &Rule) -> String {
    let lines: Vec<&str> = rule.page.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().to_owned() + "\n"
}

/// Every fenced block whose fence names a file, as "```yaml config.yaml" does.
pub fn examples(rule: &Rule) -> Vec<Example> {
    let mut found = Vec::new();
    let mut heading = String::new();
    let mut open: Option<Example> = None;
    for line in page(rule).lines() {
        match &mut open {
            Some(example) if line.trim_end() != "```" => example.text += &format!("{line}\n"),
            Some(_) => found.extend(open.take()),
            None => {
                if let Some(title) = line.strip_prefix("### ") {
                    title.clone_into(&mut heading);
                } else if let Some((_, file)) = line.strip_prefix("```").and_then(|fence| fence.split_once(' ')) {
                    open = Some(Example { heading: heading.clone(), file: file.to_owned(), text: String::new() });
                }
            }
        }
    }
    found
}

/// A rule's page with its code, name and what else is fixed about it, as it stands in `docs/rules`.
pub fn document(rule: &Rule) -> String {
    format!(
        "# {} {}\n\n| severity | confidence | Flink | fix |\n|---|---|---|---|\n| {} | {} | {} | {} |\n\n{}",
        rule.code,
        rule.name,
        rule.severity,
        rule.confidence,
        rule.versions(),
        rule.fix.words(),
        page(rule)
    )
}
