//! Masked templates: lines and columns stay where they are, and every kind of text can be read with the masks in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::layers::Layers;
use oomph::config::load::{self, TextInput};
use oomph::config::template::{self, Templates};
use oomph::model::Source;

fuzz_target!(|text: &str| {
    if let Some(masked) = template::mask(text) {
        let shape = |text: &str| text.split('\n').map(|line| line.chars().count()).collect::<Vec<_>>();
        assert_eq!(shape(&masked.text), shape(text));
    }
    let input = TextInput {
        source: Source::Stdin,
        text: text.to_owned(),
        kind_by_name: None,
        distribution: None,
        templates: Templates::Masked,
    };
    for loaded in load::interpret(input, None).unwrap_or_default() {
        let _ = load::assemble(&loaded, &Layers::default());
    }
});
