//! A text of metrics, from a file or a URL, line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use thiserror::Error;
use ureq::http::header;

use super::base::{BaseUrl, shown_of};
use super::{Patience, RestError, agent, error, refused};
use crate::artefact::prometheus::{self, Line, Sample};

/// What is read of one text: a federation of a thousand TaskManagers.
const LARGEST: u64 = 1 << 30;

/// Prometheus itself takes label values of some kilobytes; a longer line is passed over.
const LONGEST_LINE: u64 = 1 << 20;

/// What a text had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scraped {
    /// Values.
    pub samples: u64,
    /// Lines that follow no grammar.
    pub broken: u64,
    /// Whether the text is an OpenMetrics one with its end.
    pub ended: bool,
}

/// Why a text could not be had.
#[derive(Debug, Error)]
pub enum ScrapeError {
    /// The URL.
    #[error(transparent)]
    Rest(#[from] RestError),
    /// The file, or the connection while it was read.
    #[error("{at}: {error}")]
    Io {
        /// The file or URL.
        at: String,
        /// What the system says.
        error: io::Error,
    },
    /// It is something else.
    #[error("{at}: no line is a metric; see that it is the reporter's port and path (http://HOST:9249/metrics)")]
    NotMetrics {
        /// The file or URL.
        at: String,
    },
}

/// Hands every sample of a file or of `http://HOST:PORT/metrics` to a view. A path that has `://` is a URL.
///
/// # Errors
///
/// Where there is no such text, it does not come in time, or nothing in it is a metric.
pub fn scrape(target: &str, patience: Patience, mut take: impl FnMut(&Sample<'_>)) -> Result<Scraped, ScrapeError> {
    if !target.contains("://") {
        let file = File::open(target).map_err(|error| ScrapeError::Io { at: target.to_owned(), error })?;
        return lines(BufReader::new(file.take(LARGEST)), target, &mut take);
    }
    let base = BaseUrl::parse(target)?;
    let query = target.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
    let query = query.split('#').next().unwrap_or_default();
    let mut request = agent(patience).get(base.at(query)).header(header::ACCEPT, "text/plain;version=0.0.4, */*;q=0.1");
    if let Some(authorization) = base.authorization() {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let shown = base.shown().to_owned();
    let fail = |cause| error::of_ureq(cause, &shown, patience.answer, LARGEST);
    let mut answer = request.call().map_err(fail)?;
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
        return Err(RestError::Redirected { url: shown, to: shown_of(to) }.into());
    }
    if !status.is_success() {
        let mut said = Vec::new();
        let _ = answer.body_mut().as_reader().take(LONGEST_LINE).read_to_end(&mut said);
        return Err(refused(status, &said, shown).into());
    }
    let body = answer.body_mut().with_config().limit(LARGEST).reader();
    lines(BufReader::new(body), &shown, &mut take)
}

fn lines(mut from: impl BufRead, at: &str, take: &mut impl FnMut(&Sample<'_>)) -> Result<Scraped, ScrapeError> {
    let mut scraped = Scraped::default();
    let mut line = Vec::new();
    let fail = |error: io::Error| ScrapeError::Io { at: at.to_owned(), error };
    loop {
        line.clear();
        let length = (&mut from).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(fail)?;
        if length == 0 {
            break;
        }
        if length as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
            scraped.broken += 1;
            from.skip_until(b'\n').map_err(fail)?;
            continue;
        }
        match prometheus::line(&String::from_utf8_lossy(&line)) {
            Ok(Line::Sample(sample)) => {
                scraped.samples += 1;
                take(&sample);
            }
            Ok(Line::End) => {
                scraped.ended = true;
                break;
            }
            Ok(Line::Nothing | Line::About { .. }) => {}
            Err(_) => scraped.broken += 1,
        }
    }
    if scraped.samples == 0 && scraped.broken > 0 {
        return Err(ScrapeError::NotMetrics { at: at.to_owned() });
    }
    Ok(scraped)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn a_line_without_end_is_passed_over_and_the_next_is_read() {
        let mut text = b"a 1\n".to_vec();
        text.extend(vec![b'x'; 3 << 20]);
        text.extend(b"\nb 2\r\n# EOF\nc 3\n");
        let mut names = Vec::new();
        let scraped =
            lines(text.as_slice(), "t", &mut |sample: &Sample<'_>| names.push(sample.name.to_string())).unwrap();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(scraped, Scraped { samples: 2, broken: 1, ended: true });
    }

    #[test]
    fn a_page_is_no_text_of_metrics() {
        let page = b"<html>\n<body>\n".as_slice();
        let said = lines(page, "t", &mut |_: &Sample<'_>| {}).unwrap_err().to_string();
        assert!(said.contains("no line is a metric"), "{said}");
    }
}
