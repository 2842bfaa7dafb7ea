//! A page in Markdown for people at a terminal: its headings as lines, its text filled, its examples as they are.

/// The page, without its tables.
pub fn filled(markdown: &str, width: usize) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut in_example = false;
    let flush = |paragraph: &mut String, out: &mut String| {
        if !paragraph.is_empty() {
            let indent = if paragraph.starts_with("- ") { "  " } else { "" };
            let options = textwrap::Options::new(width)
                .subsequent_indent(indent)
                .word_splitter(textwrap::WordSplitter::NoHyphenation)
                .break_words(false);
            *out += &format!("{}\n", textwrap::fill(paragraph, options));
            paragraph.clear();
        }
    };
    for line in markdown.lines() {
        if line.starts_with("```") {
            flush(&mut paragraph, &mut out);
            in_example = !in_example;
            if let Some((_, file)) = line.split_once(' ') {
                out += &format!("    # {file}\n");
            }
        } else if in_example {
            out += format!("    {line}").trim_end();
            out.push('\n');
        } else if line.is_empty() || line.starts_with('#') || line.starts_with("- ") || line.starts_with('|') {
            flush(&mut paragraph, &mut out);
            match line.trim_start_matches('#').trim() {
                title if line.starts_with('#') => out += &format!("{title}\n"),
                _ if line.starts_with("- ") => line.clone_into(&mut paragraph),
                _ if line.starts_with('|') => {}
                _ => out.push('\n'),
            }
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph += line.trim_start();
        }
    }
    flush(&mut paragraph, &mut out);
    out
}
