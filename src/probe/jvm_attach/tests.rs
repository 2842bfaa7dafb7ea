#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use super::*;

#[test]
fn a_request_has_always_three_arguments() {
    assert_eq!(request("VM.flags"), b"1\0jcmd\0VM.flags\0\0\0");
}

#[test]
fn a_capture_is_never_asked() {
    let unseen = Attached::open(&Root::captured(Path::new("/nowhere")), 1, Handshake::Allowed, PATIENCE).unwrap_err();
    assert_eq!(unseen.why, "a capture has no socket to ask");
}

#[test]
fn a_process_that_is_no_jvm_gets_no_signal() {
    // This test is one: it does not catch SIGQUIT and would end.
    let unseen = Attached::open(&Root::live(), std::process::id(), Handshake::Allowed, PATIENCE).unwrap_err();
    assert!(unseen.why.contains("no HotSpot JVM"), "{unseen}");
    let unseen = Attached::open(&Root::live(), std::process::id(), Handshake::Never, PATIENCE).unwrap_err();
    assert!(unseen.grant.unwrap().contains("allow the handshake"));
}

#[test]
fn each_command_that_disturbs_says_its_price() {
    for command in Disturbing::ALL {
        assert!(!command.price().is_empty());
        assert!(Command::ALL.iter().all(|quiet| quiet.words() != command.words()));
    }
}
