//! JVM errors: any text is read, in order, and no error lies outside it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{excerpt::Excerpt, jvm_oom};

fuzz_target!(|text: &str| {
    let excerpt = Excerpt::plain(text);
    let errors = jvm_oom::errors(&excerpt);
    assert!(errors.windows(2).all(|two| two[0].offset <= two[1].offset));
    assert!(errors.iter().all(|error| error.offset < excerpt.text().len()));
    let _ = (jvm_oom::threads(&excerpt), jvm_oom::heap_dumps(&excerpt));
});
