//! `oomph serve`, asked over its socket about the process of this test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Server {
    child: Child,
    at: String,
}

impl Server {
    fn start(more: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-heap-walk"])
            .args(more)
            .arg(std::process::id().to_string())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let at = said.trim().strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix("/metrics"));
        let at = at.unwrap_or_else(|| panic!("{said}")).to_owned();
        Server { child, at }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.at).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn it_answers_metrics_and_nothing_else() {
    let server = Server::start(&[]);
    let answer = server.ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    assert!(body.contains(&format!("oomph_up{{pid=\"{}\"}} 1\n", std::process::id())), "{body}");
    assert!(body.contains("oomph_pool_bytes{") && body.ends_with("# EOF\n"), "{body}");
    let head = server.ask("HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(server.ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    let refused = server.ask("DELETE /metrics HTTP/1.1\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("Allow: GET, HEAD\r\n"), "{refused}");
}

#[test]
fn who_asks_again_within_the_time_gets_the_same_answer() {
    let server = Server::start(&["--every", "1h"]);
    let ask = || server.ask("GET /metrics HTTP/1.1\r\n\r\n");
    assert_eq!(ask(), ask());
}

#[test]
fn a_client_that_says_nothing_holds_nobody_up() {
    let server = Server::start(&[]);
    let mut silent = TcpStream::connect(&server.at).unwrap();
    silent.write_all(b"GET /metr").unwrap();
    assert!(server.ask("GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
    let mut answer = String::new();
    silent.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn another_address_than_loopback_has_to_be_given_and_is_said() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(["serve", "--listen", "0.0.0.0:0", &std::process::id().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = [lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap()];
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said[1].starts_with("warning: 0.0.0.0:"), "{said:?}");
}
