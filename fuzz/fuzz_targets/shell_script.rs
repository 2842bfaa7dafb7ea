//! Shell scripts and Dockerfiles: every subject can be assembled by every version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::layers::Layers;
use oomph::config::shell_script;
use oomph::flink::profile::Profile;
use oomph::model::Source;

fuzz_target!(|text: &str| {
    let _ = shell_script::begins_as_script(text) || shell_script::has_command(text);
    let Ok(subjects) = shell_script::subjects(&Source::Stdin, text) else { return };
    assert!(!subjects.is_empty());
    for subject in subjects {
        let layers = Layers {
            shipped: subject.shipped,
            file: subject.file,
            environment: subject.environment,
            yarn: subject.yarn,
            arguments: subject.arguments,
            ..Layers::default()
        };
        for profile in [&Profile::all()[0], Profile::newest()] {
            let _ = layers.assemble(profile);
        }
    }
});
