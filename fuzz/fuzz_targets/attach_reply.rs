//! What a JVM, or whoever listens in its place, answers: read or refused, and the text is what was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::probe::jvm_attach::Reply;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reply) = Reply::parse(bytes)
        && let std::borrow::Cow::Borrowed(text) = reply.text
    {
        assert!(bytes.ends_with(text.as_bytes()));
    }
});
