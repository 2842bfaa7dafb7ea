//! Hadoop's configuration files, of which `yarn-site.xml` is the one that bears on Flink's memory:
//! `<configuration><property><name/><value/><final/></property></configuration>`. Recognised by content; a
//! `capacity-scheduler.xml` has the same form.

use roxmltree::{Document, Node, ParsingOptions};

use super::Value;
use super::subject::{Of, Placed, Subject};
use crate::model::{Place, Position, Source};

/// More elements, texts and comments than this are no file that somebody wrote.
const MAX_NODES: u32 = 200_000;

/// What sets Hadoop's form apart from other files with a `<configuration>`: Logback's has `<property name=".."/>`.
const MARKS: [&str; 2] = ["<configuration", "<property>"];

/// A file that is no XML, or none that oomph reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlError {
    /// What is wrong, and what to do.
    pub reason: String,
    /// Where; nothing where it is about the text as a whole.
    pub position: Option<Position>,
}

/// Whether a text is a configuration file of Hadoop's.
pub fn is_hadoop_xml(text: &str) -> bool {
    let begins = text.trim_start_matches('\u{feff}').trim_start().starts_with('<');
    begins && MARKS.iter().all(|mark| text.contains(mark))
}

/// Its properties. One that is `<final>` is not replaced by what stands behind it (`Configuration.loadProperty`).
pub fn subject(source: &Source, text: &str) -> Result<Subject, XmlError> {
    // Neither entities nor a document type: nothing that stands for more than itself.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| xml_error(text, &error))?;
    let lines = LineStarts::of(text);
    let mut subject = Subject { of: Of::Yarn, ..Subject::default() };
    let mut finals: Vec<&str> = Vec::new();
    for element in document.root_element().children().filter(Node::is_element) {
        match element.tag_name().name() {
            "property" => {}
            // Another file lies in it: there may be more properties than are visible.
            "include" => {
                subject.open = true;
                continue;
            }
            _ => continue,
        }
        let (Some(name), Some(value)) = (child(element, "name"), child(element, "value")) else { continue };
        let Some((name, name_at)) = content(name) else { continue };
        if finals.contains(&name) {
            continue;
        }
        let (value, value_at) = content(value).unwrap_or(("", value.range()));
        subject.settings.push(Placed {
            key: name.to_owned(),
            value: Value::text(value),
            place: Place { source: source.clone(), position: Some(lines.position(text, value_at)) },
            written: Some(lines.position(text, name_at)),
        });
        if child(element, "final").and_then(content).is_some_and(|(flag, _)| flag == "true") {
            finals.push(name);
        }
    }
    Ok(subject)
}

fn child<'a, 'input>(element: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    element.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

/// An element's text without the blanks around it, and the bytes it stands in.
fn content<'a>(element: Node<'a, '_>) -> Option<(&'a str, std::ops::Range<usize>)> {
    let node = element.children().find(Node::is_text)?;
    let whole = node.text()?;
    let bare = whole.trim();
    let range = node.range();
    let (start, end) = (whole.len() - whole.trim_start().len(), whole.len() - whole.trim_end().len());
    let inner = range.start + start..range.end.saturating_sub(end);
    if bare.is_empty() {
        return None;
    }
    // An escaped character or a CDATA section is longer in the file than in the value, so the range can turn out empty.
    Some((bare, if inner.start < inner.end { inner } else { range }))
}

fn xml_error(text: &str, error: &roxmltree::Error) -> XmlError {
    let at = error.pos();
    let reason = match error {
        roxmltree::Error::DtdDetected => "it has a document type (<!DOCTYPE>), which oomph does not read".to_owned(),
        roxmltree::Error::NodesLimitReached => {
            format!("more than {MAX_NODES} elements; oomph does not follow further")
        }
        other => {
            let words = other.to_string();
            format!("no XML: {}", words.rsplit_once(" at ").map_or(&*words, |(what, _)| what))
        }
    };
    let starts = LineStarts::of(text);
    let line = usize::try_from(at.row).ok().and_then(|row| starts.0.get(row.checked_sub(1)?).copied());
    let position = line.map(|start| Position { line: at.row, column: at.col, start, end: start });
    XmlError { reason, position }
}

/// The first byte of each line.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> LineStarts {
        LineStarts(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn position(&self, text: &str, range: std::ops::Range<usize>) -> Position {
        let line = self.0.partition_point(|start| *start <= range.start);
        let start = line.checked_sub(1).and_then(|index| self.0.get(index)).copied().unwrap_or_default();
        let column = text.get(start..range.start).map_or(0, |before| before.chars().count()) + 1;
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            start: range.start,
            end: range.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn read(text: &str) -> Subject {
        subject(&Source::Stdin, text).unwrap()
    }

    #[rstest]
    #[case("<?xml version=\"1.0\"?>\n<configuration>\n<property>", true)]
    #[case("\u{feff}<configuration supports_final=\"true\"><property>", true)]
    #[case("<configuration><property name=\"a\" value=\"b\"/>", false)]
    #[case("a: <configuration><property>\n", false)]
    #[case("<project><properties/></project>", false)]
    fn hadoops_files_are_recognised_by_content(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_hadoop_xml(text), expected);
    }

    #[test]
    fn a_value_has_its_line_column_and_bytes() {
        let text = "<?xml version=\"1.0\"?>\n<configuration>\n  <!-- für Flink -->\n  <property>\n    <name>a.b</name>\n    \
                    <value>\n      ü1\n    </value>\n  </property>\n</configuration>\n";
        let found = read(text);
        let setting = &found.settings[0];
        let (value, key) = (setting.place.position.unwrap(), setting.written.unwrap());
        assert_eq!((&text[value.start..value.end], value.line, value.column), ("ü1", 7, 7));
        assert_eq!((&text[key.start..key.end], key.line, key.column), ("a.b", 5, 11));
        assert_eq!((setting.value.java_text(), found.of), ("ü1".into(), Of::Yarn));
    }

    #[test]
    fn what_is_final_stays_and_else_the_last_one_counts() {
        let property = |name: &str, value: &str, rest: &str| {
            format!("<property><name>{name}</name><value>{value}</value>{rest}</property>")
        };
        let last = "<final>true</final>";
        let text = [property("a", "1", last), property("a", "2", ""), property("b", "1", ""), property("b", "2", "")];
        let found = read(&format!("<configuration>{}</configuration>", text.concat()));
        let values: Vec<_> = found.settings.iter().map(|s| format!("{}={}", s.key, s.value.java_text())).collect();
        assert_eq!(values, ["a=1", "b=1", "b=2"]);
    }

    #[test]
    fn escaped_and_empty_values_are_read() {
        let text = "<configuration><property><name>a</name><value>x&amp;y</value></property>\
                    <property><name>b</name><value/></property><property><name>c</name></property></configuration>";
        let values: Vec<_> = read(text).settings.iter().map(|s| s.value.java_text().into_owned()).collect();
        assert_eq!(values, ["x&y", ""]);
    }

    #[test]
    fn an_included_file_leaves_it_open() {
        let text = "<configuration xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"more.xml\"/>\
                    <property><name>a</name><value>1</value></property></configuration>";
        assert!(read(text).open);
    }

    #[rstest]
    #[case("<configuration>\n<property></configuration>", "no XML", Some(2))]
    #[case("<!DOCTYPE a [<!ENTITY b \"c\">]>\n<configuration><property>", "document type", None)]
    fn what_is_no_xml_is_said_with_its_line(#[case] text: &str, #[case] reason: &str, #[case] line: Option<u32>) {
        let error = subject(&Source::Stdin, text).unwrap_err();
        assert!(error.reason.contains(reason), "{error:?}");
        assert!(line.is_none_or(|line| error.position.unwrap().line == line), "{error:?}");
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_read_or_refused_and_places_are_its_own(inside in "\\PC{0,40}", value in "[^<&\\]]{0,20}") {
            let _ = subject(&Source::Stdin, &format!("<configuration><property>{inside}"));
            let text = format!("<configuration><property>\n<name>é</name><value>{value}</value></property></configuration>");
            if let Ok(found) = subject(&Source::Stdin, &text) {
                let setting = &found.settings[0];
                let position = setting.place.position.unwrap();
                prop_assume!(!value.trim().is_empty());
                // Line ends are normalised, as XML says.
                let raw = text[position.start..position.end].replace("\r\n", "\n").replace('\r', "\n");
                prop_assert_eq!(raw.trim(), &*setting.value.java_text());
            }
        }
    }

    #[test]
    fn neither_depth_nor_number_of_elements_hurts() {
        let deep = format!("<configuration><property>{}", "<a>".repeat(1_000_000));
        assert!(subject(&Source::Stdin, &deep).is_err());
        let many = format!("<configuration>{}</configuration>", "<property></property>".repeat(300_000));
        assert!(subject(&Source::Stdin, &many).unwrap_err().reason.contains("200000"));
    }
}
