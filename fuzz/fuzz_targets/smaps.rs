//! Mappings of a process, what each is, and the account of all: every resident byte is in one pool.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{process_status, smaps};
use oomph::diagnose::account::Account;
use oomph::diagnose::layout::{self, Hints};

fuzz_target!(|bytes: &[u8]| {
    let _ = process_status::ProcessStatus::parse(bytes);
    let _ = process_status::ProcessLimits::parse(bytes);
    let _ = process_status::started(bytes);
    let _ = process_status::allocator_variables(bytes);
    let _ = process_status::stack_pointer(bytes);
    let Ok(smaps) = smaps::parse(bytes) else { return };
    let hints = Hints { max_heap: Some(512 << 20), class_space: vec![208 << 20], ..Hints::default() };
    for metaspace_committed in [None, Some(40 << 20)] {
        let placed = layout::place(&smaps, &Hints { metaspace_committed, ..hints.clone() });
        assert_eq!(placed.len(), smaps.mappings.len());
        assert_eq!(Account::of_mappings(&smaps, &placed).rss().get(), smaps.rss());
    }
});
