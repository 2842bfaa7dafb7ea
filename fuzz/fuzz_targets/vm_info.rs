//! `VM.info` and `VM.flags`: any text gives what it holds, and ranges are never empty.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::vm_flags::VmFlags;
use oomph::artefact::vm_info::VmInfo;

fuzz_target!(|text: &str| {
    let info = VmInfo::parse(text);
    let ranges = [info.heap, info.cds, info.class_space].into_iter().flatten();
    let ranges = ranges.chain(info.code_heaps.iter().map(|heap| heap.reserved));
    for range in ranges.chain(info.tables.iter().map(|table| table.at)) {
        assert!(range.size() > 0);
    }
    let flags = VmFlags::parse(text);
    for (name, _) in flags.iter() {
        let _ = (flags.number(name), flags.is_on(name));
    }
});
