//! Hadoop's XML: never panics, and every place is within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::yarn_site;
use oomph::model::Source;

fuzz_target!(|text: &str| {
    let _ = yarn_site::is_hadoop_xml(text);
    let Ok(subject) = yarn_site::subject(&Source::Stdin, text) else { return };
    for setting in subject.settings {
        if let Some(position) = setting.place.position {
            assert!(text.get(position.start..position.end).is_some());
        }
    }
});
