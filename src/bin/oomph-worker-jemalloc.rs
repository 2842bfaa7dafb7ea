//! The worker of experiments with jemalloc: the one program that names it. It has C's own names there, so that RocksDB's
//! C++ allocates from it too, whether it is linked or loaded.

use std::process::ExitCode;

use oomph::harness::worker::{self, Allocated, Program};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    worker::main(Program { allocated })
}

/// jemalloc's own statistics, as of now.
fn allocated() -> Allocated {
    use tikv_jemalloc_ctl::{epoch, stats};
    let told = epoch::advance().and_then(|_| Ok((stats::allocated::read()?, stats::resident::read()?)));
    match told {
        Ok((used, resident)) => Allocated { used: used as u64, kept: resident.saturating_sub(used) as u64 },
        Err(_) => Allocated::default(),
    }
}
