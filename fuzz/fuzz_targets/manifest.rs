//! Kubernetes manifests and docker-compose files: every subject can be assembled by every version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::layers::Layers;
use oomph::config::manifest;
use oomph::flink::profile::Profile;
use oomph::model::Source;

fuzz_target!(|text: &str| {
    let _ = manifest::is_manifest(text);
    let Ok(subjects) = manifest::subjects(&Source::Stdin, text) else { return };
    assert!(!subjects.is_empty());
    for subject in subjects {
        let layers = Layers {
            shipped: subject.shipped,
            file: subject.file,
            settings: subject.settings,
            environment: subject.environment,
            arguments: subject.arguments,
            ..Layers::default()
        };
        for profile in [&Profile::all()[0], Profile::newest()] {
            let _ = layers.assemble(profile);
        }
    }
});
