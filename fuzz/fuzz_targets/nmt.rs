//! Native memory tracking: any text is read or refused, and no region has committed parts outside itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::nmt::Nmt;

fuzz_target!(|text: &str| {
    if let Ok(nmt) = Nmt::parse(text) {
        assert!(nmt.categories.len() + nmt.regions.len() <= text.lines().count());
        for region in &nmt.regions {
            for part in &region.committed {
                assert!(region.at.start <= part.start && part.end <= region.at.end);
            }
        }
    }
});
