//! The little of HTTP/1.1 (RFC 9112) that a scrape needs: one request a connection, without a body.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::report::attach::openmetrics::MEDIA_TYPE;

/// A request's line and headers together; Prometheus sends some hundred bytes.
const MOST_BYTES: usize = 8 << 10;

/// A client has so long to send its request, and as long again to take the answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// `/metrics`, by `GET` or by `HEAD`.
    Metrics { head: bool },
    /// Something that is answered by a status alone.
    Refused(u16, &'static str),
}

/// Answers one request. What goes wrong with a client concerns nobody else.
pub(super) fn answer(mut client: TcpStream, metrics: impl FnOnce() -> Arc<str>) {
    let _ = client.set_nodelay(true);
    let asked = match request(&mut client, Instant::now() + PATIENCE) {
        Ok(head) => asked(&head),
        Err(refused) => refused,
    };
    let (status, media, body, is_head): (String, &str, Arc<str>, bool) = match asked {
        Asked::Metrics { head } => ("200 OK".to_owned(), MEDIA_TYPE, metrics(), head),
        Asked::Refused(status, why) => {
            (format!("{status} {why}"), "text/plain; charset=utf-8", format!("{why}; ask for /metrics\n").into(), false)
        }
    };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if !is_head {
        answer += &body;
    }
    let _ = send(&mut client, answer.as_bytes(), Instant::now() + PATIENCE);
}

/// A request up to its empty line.
fn request(client: &mut TcpStream, until: Instant) -> Result<Vec<u8>, Asked> {
    let late = Asked::Refused(408, "Request Timeout");
    let mut head = Vec::new();
    let mut part = [0_u8; 1024];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || client.set_read_timeout(Some(left)).is_err() {
            return Err(late);
        }
        let read = match client.read(&mut part) {
            Ok(0) => return Err(Asked::Refused(400, "Bad Request")),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(late),
        };
        head.extend_from_slice(part.get(..read).unwrap_or_default());
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(head);
        }
        if head.len() > MOST_BYTES {
            return Err(Asked::Refused(431, "Request Header Fields Too Large"));
        }
    }
}

/// `GET /metrics?x HTTP/1.1`.
fn asked(head: &[u8]) -> Asked {
    let bad = Asked::Refused(400, "Bad Request");
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return bad };
    let mut words = line.split(' ');
    let (Some(method), Some(path), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return bad;
    };
    if !version.starts_with("HTTP/1.") {
        return bad;
    }
    let path = path.split('?').next().unwrap_or_default();
    match (method, path) {
        ("GET", "/metrics") => Asked::Metrics { head: false },
        ("HEAD", "/metrics") => Asked::Metrics { head: true },
        ("GET" | "HEAD", _) => Asked::Refused(404, "Not Found"),
        _ => Asked::Refused(405, "Method Not Allowed"),
    }
}

/// Writes all of it, or as much as a client takes in time.
fn send(client: &mut TcpStream, mut bytes: &[u8], until: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        client.set_write_timeout(Some(left))?;
        match client.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("GET /metrics HTTP/1.1\r\n\r\n", Asked::Metrics { head: false })]
    #[case("HEAD /metrics?name=x HTTP/1.0\r\n\r\n", Asked::Metrics { head: true })]
    #[case("GET / HTTP/1.1\r\n\r\n", Asked::Refused(404, "Not Found"))]
    #[case("GET /metrics/../etc HTTP/1.1\r\n\r\n", Asked::Refused(404, "Not Found"))]
    #[case("POST /metrics HTTP/1.1\r\n\r\n", Asked::Refused(405, "Method Not Allowed"))]
    #[case("GET  /metrics HTTP/1.1\r\n\r\n", Asked::Refused(400, "Bad Request"))]
    #[case("GET /metrics SPDY/3\r\n\r\n", Asked::Refused(400, "Bad Request"))]
    #[case("\r\n\r\n", Asked::Refused(400, "Bad Request"))]
    fn only_metrics_can_be_had(#[case] request: &str, #[case] expected: Asked) {
        assert_eq!(asked(request.as_bytes()), expected);
    }
}
