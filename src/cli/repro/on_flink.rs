//! Scenarios that run on a real Flink: where it lies, what its processes go through.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::harness::child::Door;
use crate::harness::conduct::{Conductor, WORKER};
use crate::harness::flink::distribution::Distribution;
use crate::harness::flink::jdk::Jdk;
use crate::harness::flink::process::Gate;
use crate::harness::flink::{self, Stage};
use crate::harness::leftovers::RunDirectory;
use crate::repro::outcome::Trial;
use crate::repro::scenarios::OnFlink;

/// Where compiled submitters are kept from run to run: below the user's cache.
fn cache(base: &Path) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    home.map_or_else(|| base.join("oomph-submitters"), |cache| cache.join("oomph").join("submitters"))
}

/// Sets the stage for runs on one distribution.
pub fn staged<T>(
    home: &Path,
    base: &Path,
    workers: &Path,
    directory: &Path,
    stop: &AtomicBool,
    then: impl FnOnce(&Stage<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let failed = |error: &dyn std::fmt::Display| format!("could not {error}");
    let distribution = Distribution::at(home).map_err(|error| failed(&error))?;
    let jdk = Jdk::find().map_err(|error| failed(&error))?;
    let door = Door::of(workers.join(WORKER));
    then(&Stage {
        distribution: &distribution,
        jdk: &jdk,
        directory,
        cache: &cache(base),
        // Where there is no worker beside us, processes start as they are.
        gate: Gate { door: Some(&door).filter(|door| door.program.is_file()), group: None },
        disk: None,
        interrupted: stop,
        say: &|line| anstream::eprintln!("{line}"),
    })
}

/// Runs one on one distribution.
pub fn run(conductor: &Conductor<'_>, scenario: &OnFlink, home: &Path, factor: u32) -> Result<Trial, String> {
    let failed = |error: &dyn std::fmt::Display| format!("could not {error}");
    let directory = RunDirectory::create(conductor.root, Some(&conductor.base), scenario.name);
    let directory = directory.map_err(|error| failed(&error))?;
    staged(home, &conductor.base, &conductor.workers, directory.path(), conductor.stop, |stage| {
        let trial = flink::run(&Stage { disk: conductor.disk, ..*stage }, scenario.name, factor);
        trial
            .ok_or_else(|| format!("could not run {}: there is no such scenario", scenario.name))?
            .map_err(|error| failed(&error))
    })
}
