//! JUnit's XML: a suite a file, a failed case a finding; what has none is one case that passed.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Entry, Sink, Totals, message};
use crate::model::{Finding, Severity};

/// Keeps the suites until the end, because the first line counts them.
#[derive(Default)]
pub struct Junit {
    suites: Vec<Suite>,
}

struct Suite {
    path: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    failure: Option<(String, String, String)>,
}

fn case(path: &str, finding: &Finding, line: u32, column: u32) -> Case {
    let place = format!("{path}:{line}:{column}");
    let name = format!("{} {} at {line}:{column}", finding.code, finding.name);
    // A note fails no build.
    let failure = (finding.severity > Severity::Note).then(|| {
        let text = format!("{place}: {}[{}] {}", finding.severity, finding.code, message(finding));
        (finding.title.clone(), finding.severity.name().to_owned(), text)
    });
    Case { name, failure }
}

impl Sink for Junit {
    fn entry(&mut self, entry: &Entry, _: &mut dyn Write) -> io::Result<()> {
        let mut cases: Vec<Case> = Vec::new();
        for shown in &entry.findings {
            cases.push(case(&entry.path, &shown.finding, shown.spot().line, shown.spot().column));
        }
        if let Some(reason) = &entry.unread {
            let text = format!("could not {reason}");
            cases.push(Case { name: "read".to_owned(), failure: Some((text.clone(), "error".to_owned(), text)) });
        }
        if cases.is_empty() {
            cases.push(Case { name: "check".to_owned(), failure: None });
        }
        self.suites.push(Suite { path: entry.path.clone(), cases });
        Ok(())
    }

    fn finish(&mut self, _: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let failures = |cases: &[Case]| cases.iter().filter(|case| case.failure.is_some()).count();
        let tests: usize = self.suites.iter().map(|suite| suite.cases.len()).sum();
        let failed: usize = self.suites.iter().map(|suite| failures(&suite.cases)).sum();
        let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.create_element("testsuites")
            .with_attributes([
                ("name", "oomph check"),
                ("tests", &*tests.to_string()),
                ("failures", &*failed.to_string()),
            ])
            .write_inner_content(|xml| {
                for suite in &self.suites {
                    let (tests, failed) = (suite.cases.len().to_string(), failures(&suite.cases).to_string());
                    xml.create_element("testsuite")
                        .with_attributes([("name", &*suite.path), ("tests", &*tests), ("failures", &*failed)])
                        .write_inner_content(|xml| write_cases(xml, suite))?;
                }
                Ok(())
            })?;
        writeln!(out)
    }
}

fn write_cases<W: Write>(xml: &mut Writer<W>, suite: &Suite) -> io::Result<()> {
    for case in &suite.cases {
        let element =
            xml.create_element("testcase").with_attributes([("name", &*case.name), ("classname", &*suite.path)]);
        match &case.failure {
            None => element.write_empty()?,
            Some((title, severity, text)) => element.write_inner_content(|xml| {
                xml.create_element("failure")
                    .with_attributes([("message", &**title), ("type", &**severity)])
                    .write_text_content(BytesText::new(text))?;
                Ok(())
            })?,
        };
    }
    Ok(())
}
