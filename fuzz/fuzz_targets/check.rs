//! The whole of `oomph check` on one text: it never panics, its edits fit the text, and what they make can be checked too.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use oomph::check::baseline::fingerprint;
use oomph::check::edits::{Lines, applied};
use oomph::check::{Policy, Selection, Told, check};
use oomph::config::FileKind;
use oomph::config::load::TextInput;
use oomph::config::template::Templates;
use oomph::flink::profile::Profile;
use oomph::model::Source;
use oomph::report::check::{Spot, snippet};

fuzz_target!(|data: (u8, u8, &str)| {
    let (version, name, text) = data;
    let profiles = Profile::all();
    let told = Told {
        version: (version != 255).then(|| profiles[usize::from(version) % profiles.len()].version()),
        ..Told::default()
    };
    let name = ["flink-conf.yaml", "config.yaml", "any.yaml", "job.sql", "run.sh", "Dockerfile", "yarn-site.xml"]
        [usize::from(name) % 7];
    let input = TextInput {
        source: Source::File(Arc::from(name)),
        text: text.to_owned(),
        kind_by_name: FileKind::of_name(name),
        distribution: None,
        templates: Templates::Masked,
    };
    let look = |input: &TextInput| check(input, &told, &Policy::default(), None, &Selection::default());
    let Ok(checked) = look(&input) else { return };
    let lines = Lines::new(input.source.clone(), text);
    for finding in &checked.findings {
        let spots: Vec<Spot> = finding.labels.iter().map(|label| Spot::of(label, &lines)).collect();
        let _ = fingerprint(finding, name, &lines);
        let _ = snippet(finding, &spots, name, &lines, 80);
        if let Some(fix) = &finding.fix {
            let new = applied(text, &fix.edits).expect("an edit fits the text that it is of");
            let _ = look(&TextInput { text: new, ..input.clone() });
        }
    }
});
