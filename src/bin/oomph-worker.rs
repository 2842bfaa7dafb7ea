//! The worker of experiments with the C library's malloc.
#![allow(unsafe_code, reason = "glibc tells what its malloc holds by a function of C")]

use std::process::ExitCode;

use oomph::harness::worker::{self, Allocated, Program};

fn main() -> ExitCode {
    worker::main(Program { allocated })
}

/// What all arenas hold: in use, with what was mapped alone, and free.
#[cfg(target_env = "gnu")]
fn allocated() -> Allocated {
    // SAFETY: it takes nothing, locks what it looks at, and gives a value.
    let all = unsafe { libc::mallinfo2() };
    Allocated { used: (all.uordblks + all.hblkhd) as u64, kept: all.fordblks as u64 }
}

/// Another C library does not tell.
#[cfg(not(target_env = "gnu"))]
fn allocated() -> Allocated {
    Allocated::default()
}
