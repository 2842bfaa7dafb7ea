//! A scenario: a failure that can be run, its cure, what must happen, and the check that it did.

use crate::model::{Area, Bytes, Experiment, Killer, Limit, Malloc};

use super::outcome::{Run, Statement};

/// What a scenario needs beside this program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A real Flink, `--flink-home`.
    pub flink: bool,
    /// `python3`.
    pub python: bool,
    /// A tmpfs of its own.
    pub tmpfs: bool,
    /// A group of the kernel with a limit: without it there is nothing to see.
    pub group: bool,
}

/// What bounds a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// What the container leaves to native memory: managed memory and JVM overhead of the run's own configuration.
    Native,
    /// The same of the failing run's configuration, so that both runs have the same room.
    NativeOfTheFirst,
    /// So much, whatever the configuration.
    Fixed(Bytes),
    /// Nothing.
    None,
}

/// Where a run's databases lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In the run directory, on a disk.
    Disk,
    /// On a tmpfs of this size, whose pages the kernel charges to the group.
    Tmpfs(Bytes),
}

/// One run of a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// `fails`, `cured`, or what it is.
    pub label: &'static str,
    /// Flink's configuration, as a file of it would have it.
    pub configuration: &'static str,
    /// The workload, where it is not that of the scenario.
    pub workload: Option<&'static str>,
    /// The allocator.
    pub malloc: Malloc,
    /// The limit.
    pub bound: Bound,
    /// Where the data lies.
    pub home: Home,
    /// Seconds after which it is ended, however far it is.
    pub seconds: u64,
    /// Seconds that it takes on two cores.
    pub usual_seconds: u64,
}

impl Variant {
    /// With glibc, on a disk, bounded by what the container leaves, for at most 90 s.
    pub const fn new(label: &'static str, configuration: &'static str) -> Variant {
        Variant {
            label,
            configuration,
            workload: None,
            malloc: Malloc::Glibc { arenas: None },
            bound: Bound::Native,
            home: Home::Disk,
            seconds: 300,
            usual_seconds: 30,
        }
    }

    /// The run that must fail.
    pub const fn fails(configuration: &'static str) -> Variant {
        Variant::new(FAILS, configuration)
    }

    /// The run that must live.
    pub const fn cured(configuration: &'static str) -> Variant {
        Variant::new(CURED, configuration)
    }
}

/// The label of the run that must fail.
pub const FAILS: &str = "fails";
/// The label of the run that must live.
pub const CURED: &str = "cured";

/// What `diagnose` has to say of the failing run, where what it proposes first cures it.
#[derive(Clone, Copy, Debug)]
pub struct Closes {
    /// Who ended it.
    pub killers: &'static [Killer],
    /// What filled the memory.
    pub areas: &'static [Area],
}

impl Closes {
    /// Killed by the kernel at the limit of its container, filled by one of these.
    pub const fn killed_full_of(areas: &'static [Area]) -> Closes {
        Closes { killers: &[Killer::KernelMemcg], areas }
    }
}

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// What happens and why, for people.
    pub story: &'static str,
    /// What must happen, in one sentence each.
    pub states: &'static [&'static str],
    /// What it needs.
    pub needs: Needs,
    /// The workload, as its file has it.
    pub workload: &'static str,
    /// The runs, the failing one first.
    pub variants: &'static [Variant],
    /// Whether `loop` runs it without a real Flink, and what has to be said then.
    pub closes: Option<Closes>,
    /// Whether each run is repeated with every RocksDB that is given.
    pub compares_engines: bool,
    /// Holds the runs against what is stated. Runs come in the order of the variants.
    pub judge: fn(&[Run]) -> Vec<Statement>,
}

/// What a run came from, for those who show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// What is run.
    pub experiment: Experiment,
    /// Flink's configuration behind it.
    pub configuration: String,
    /// What the container leaves to native memory by that configuration.
    pub native: Limit,
    /// The deadline.
    pub seconds: u64,
    /// The label.
    pub label: String,
    /// Where its data lies.
    pub home: Home,
}
