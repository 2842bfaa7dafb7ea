//! The input's own lines with what is wrong, as rustc shows them.

use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Entry, Sink, Spot, Totals, moved};
use crate::check::edits::Lines;
use crate::flink::sensitive;
use crate::model::{Finding, Severity};

/// Writes each input at once, and a line at the end.
pub struct Text {
    width: usize,
}

impl Text {
    /// No line is wider than this, but for a word or a path that is.
    pub fn new(width: usize) -> Text {
        Text { width }
    }
}

impl Sink for Text {
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        for shown in &entry.findings {
            writeln!(out, "{}\n", shown.snippet)?;
        }
        if !entry.moved.is_empty() {
            writeln!(out, "{}: what moves in the budget\n{}", entry.path, moved::lines(&entry.moved))?;
        }
        Ok(())
    }

    fn finish(&mut self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", textwrap::fill(&totals.sentence(), self.width))
    }
}

/// Lines that are shown above and below one another without a gap.
const NEAR: u32 = 3;

/// A finding with the lines it is about, in colours; a secret on them is masked.
pub fn snippet(finding: &Finding, spots: &[Spot], path: &str, lines: &Lines<'_>, width: usize) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    // `error[OOM102]: `
    let taken = finding.severity.name().len() + finding.code.len() + 4;
    let title = wrapped(&finding.title, width.saturating_sub(taken));
    let window = Window::around(lines, spots);
    let mut source = Snippet::source(window.text.clone()).line_start(window.first).path(path.to_owned());
    let mut beside = Vec::new();
    for (index, (label, spot)) in finding.labels.iter().zip(spots).enumerate() {
        let Some(span) = window.span(*spot) else { continue };
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(span);
        // A label stands behind its mark on one line; what has no room there is a note.
        let taken = digits(window.last) + 3 + usize::try_from(spot.end).unwrap_or(0);
        let fits = taken + label.text.chars().count() <= width;
        source = source.annotation(match label.text.is_empty() || !fits {
            true => annotation,
            false => annotation.label(label.text.clone()),
        });
        if !fits && !label.text.is_empty() {
            beside.push(match spots.len() {
                1 => label.text.clone(),
                _ => format!("line {}: {}", spot.line, label.text),
            });
        }
    }
    if finding.labels.is_empty() {
        source = source.annotation(AnnotationKind::Primary.span(0..window.text.lines().next().map_or(0, str::len)));
    }
    let mut group = level.primary_title(title).id(finding.code).element(source);
    // `  = note: ` with the number of the line before it.
    let margin = width.saturating_sub(12 + digits(window.last));
    if let Some(subject) = &finding.subject {
        group = group.element(Level::NOTE.with_name("in").message(wrapped(subject, margin)));
    }
    for note in beside.iter().chain(&finding.notes) {
        group = group.element(Level::NOTE.message(wrapped(note, margin)));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(wrapped(help, margin)));
    }
    if let Some(fix) = &finding.fix {
        let flag = if fix.safe { "--fix" } else { "--unsafe-fixes" };
        group =
            group.element(Level::HELP.with_name("fix").message(wrapped(&format!("{} ({flag})", fix.title), margin)));
    }
    let groups: [Group<'_>; 1] = [group];
    Renderer::styled().term_width(width).render(&groups)
}

/// Broken at blanks alone, and never between a number and its unit.
fn wrapped(text: &str, width: usize) -> String {
    const KEPT: char = '\u{a0}';
    let mut joined: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let unit = ["B", "KiB", "MiB", "GiB", "TiB"].contains(&word.trim_end_matches([',', '.', ')', ';']));
        match joined.last_mut() {
            Some(number) if unit && number.ends_with(|c: char| c.is_ascii_digit()) => {
                *number += &format!("{KEPT}{word}")
            }
            _ => joined.push(word.to_owned()),
        }
    }
    let options = textwrap::Options::new(width.max(20))
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .break_words(false);
    textwrap::fill(&joined.join(" "), options).replace(KEPT, " ")
}

fn digits(n: usize) -> usize {
    n.to_string().len()
}

/// The lines of a text that a finding is about, with the secrets on them masked.
struct Window {
    text: String,
    first: usize,
    last: usize,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl Window {
    fn around(lines: &Lines<'_>, spots: &[Spot]) -> Window {
        let numbers = || spots.iter().map(|spot| spot.line);
        let (first, last) = (numbers().min().unwrap_or(1).max(1), numbers().max().unwrap_or(1).max(1));
        let wanted = |number: u32| numbers().any(|line| line.abs_diff(number) <= NEAR);
        let mut window = Window {
            text: String::new(),
            first: usize::try_from(first).unwrap_or(1),
            last: usize::try_from(last).unwrap_or(1),
            starts: Vec::new(),
        };
        let count = usize::try_from(last - first + 1).unwrap_or(1);
        for number in (first..=last).take(count) {
            let Some(line) = lines.line(number) else { break };
            window.starts.push(window.text.len());
            // What is folded away need not be masked line by line.
            if wanted(number) {
                window.text += &sensitive::masked_line(line);
            }
            window.text.push('\n');
        }
        window
    }

    /// A stretch of a line in bytes of the window's text.
    fn span(&self, spot: Spot) -> Option<Range<usize>> {
        let index = usize::try_from(spot.line).ok()?.checked_sub(self.first)?;
        let start = *self.starts.get(index)?;
        let line = self.text[start..].lines().next().unwrap_or_default();
        let byte = |column: u32| {
            let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
            line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(skip).unwrap_or(line.len())
        };
        Some(start + byte(spot.column)..start + byte(spot.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tried::checked;
    use crate::model::Source;

    #[test]
    fn a_finding_is_shown_by_its_own_lines_however_long_the_rest_is() {
        let text = "parallelism.default: 1\nparallelism.default: 2\n";
        let finding = checked("flink-conf.yaml", text).findings.remove(0);
        let long = text.to_owned() + &"# filler\n".repeat(2_000_000);
        let lines = Lines::new(Source::Stdin, &long);
        let spots: Vec<Spot> = finding.labels.iter().map(|label| Spot::of(label, &lines)).collect();
        let start = std::time::Instant::now();
        for _ in 0..200 {
            assert!(!snippet(&finding, &spots, "flink-conf.yaml", &lines, 80).contains("filler"));
        }
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
