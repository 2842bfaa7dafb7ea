//! One profile a Flink version: its options and how it behaves, compiled in from `profiles/flink/*.yaml`.

use thiserror::Error;

use super::Version;

include!(concat!(env!("OUT_DIR"), "/flink_profiles.rs"));

/// A Flink version as oomph knows it.
#[derive(Debug)]
pub struct Profile {
    major: u16,
    minor: u16,
    patch: u16,
    /// The release whose own classes answered the golden tables.
    pub tested: &'static str,
    /// The RocksDB inside `flink-dist`.
    pub rocksdb: RocksDbRelease,
    /// The JDK in the official image that names none in its tag.
    pub image_jdk: u16,
    /// What the configuration file of the distribution, and so of the official image, sets about memory as it is
    /// shipped.
    pub shipped: &'static [(&'static str, &'static str)],
    /// How this version differs from others where it differs.
    pub behaviour: Behaviour,
    options: &'static [Option<OptionRow>],
}

/// The RocksDB that a `flink-dist` carries.
#[derive(Debug)]
pub struct RocksDbRelease {
    /// Its version.
    pub version: &'static str,
    /// What it takes for an arena block where Flink sets none.
    pub arena_block: ArenaBlock,
}

/// How RocksDB sizes an arena block when `arena_block_size` is not set (`SanitizeOptions` in `db/column_family.cc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArenaBlock {
    /// `write_buffer_size / 8`, rounded up to 4 KiB.
    EighthOfWriteBuffer,
    /// The same, but never more than 1 MiB (RocksDB 6.21 and later).
    EighthOfWriteBufferAtMostOneMebibyte,
}

/// One option of one version.
#[derive(Debug)]
pub struct OptionRow {
    /// The type of its value.
    pub kind: OptionKind,
    /// The default as Flink prints it; nothing where the option has none.
    pub default: Option<&'static str>,
    /// Old names that still work and are warned about.
    pub deprecated: &'static [&'static str],
    /// Other options that are read in its place.
    pub fallback: &'static [&'static str],
    /// The constant in Flink's source, as `Class.FIELD`.
    pub source: &'static str,
}

/// The type of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A `MemorySize`.
    Size,
    /// A 32-bit float.
    Float,
    /// A 64-bit float.
    Double,
    /// A 32-bit integer.
    Int,
    /// true or false.
    Boolean,
    /// A text (also what has no type in Flink 1.9).
    String,
    /// A list of texts.
    List,
    /// A map of texts.
    Map,
}

/// Named switches: behaviour that changed between versions. A version's YAML file names the Flink class of each.
#[derive(Debug)]
pub struct Behaviour {
    /// Which file of a configuration directory counts.
    pub configuration_file: ConfigurationFile,
    /// What the message about a missing file shows in parentheses.
    pub missing_file_shows: MissingFileShows,
    /// What the warning about a line that is no `key: value` shows.
    pub unread_line_shows: UnreadLineShows,
    /// How a TaskManager's memory is derived.
    pub taskmanager_model: TaskmanagerModel,
    /// How a JobManager's memory is derived.
    pub jobmanager_model: JobmanagerModel,
    /// What happens to an int or float that cannot be read.
    pub unreadable_number: UnreadableNumber,
    /// Whether a rejected TaskManager configuration is reported behind `TaskManager memory configuration failed: `.
    pub taskmanager_rejection_prefix: bool,
    /// Whether a rejected JobManager configuration is reported behind `JobManager memory configuration failed: `.
    pub jobmanager_rejection_prefix: bool,
    /// How the message about a missing total names the totals.
    pub missing_total_names: MissingTotalNames,
    /// What is said when the process is smaller than its parts.
    pub process_below_flink: ProcessBelowFlink,
    /// How the notice about an overhead that is not its fraction is worded.
    pub overhead_mismatch: OverheadMismatch,
    /// Whether `taskmanager.heap.*` and `jobmanager.heap.*` of Flink 1.9 are read in place of the new totals.
    pub legacy_heap_keys: bool,
    /// Whether `taskmanager.network.numberOfBuffers` is read.
    pub number_of_buffers: bool,
    /// Which names the consumers of managed memory have.
    pub consumer_names: ConsumerNames,
    /// How the message about a bad item of a map is worded.
    pub map_item_error: MapItemError,
    /// Whether a map may be written as one key for each entry.
    pub prefixed_map_keys: bool,
    /// Whether the text of a list or map is tried as YAML first.
    pub structures_as_yaml: bool,
    /// Which dynamic properties a TaskManager is started with.
    pub dynamic_properties: DynamicProperties,
    /// Whether a JobManager is started with dynamic properties.
    pub jobmanager_dynamic_properties: bool,
    /// How external resources appear among the dynamic properties.
    pub external_resources: ExternalResources,
    /// How many decimals of `taskmanager.cpu.cores` are kept.
    pub cpu_decimals: CpuDecimals,
    /// Whether Flink compares RocksDB's arena block with the write-buffer manager.
    pub arena_check: bool,
    /// Whether the start-up log has the block "Final … Memory configuration".
    pub memory_block_logged: bool,
    /// Whether `-jm` of YARN's client wins over a dynamic property; `-tm` never does.
    pub yarn_master_flag_wins: bool,
    /// How many floating buffers an input gate must and may have.
    pub gate_floating: GateFloating,
    /// What becomes of a result partition whose most buffers are fewer than those it must have.
    pub narrow_partition: NarrowPartition,
    /// How many buffers a sorted result partition may have.
    pub sort_partition_most: SortPartitionMost,
    /// Whether these are constants: 2 buffers a channel, 8 floating a gate, 20 overdraft, blocking shuffle always sorted,
    /// and netty's arenas and threads are as many as the slots.
    pub fixed_network_buffers: bool,
    /// How much netty takes at a time for an arena.
    pub netty_chunk: NettyChunk,
    /// Which options the message about too few network buffers names.
    pub insufficient_buffers_names: InsufficientBuffersNames,
    /// What state on the Java heap is called in `state.backend`.
    pub heap_backend: HeapBackend,
    /// Whether the official image preloads jemalloc.
    pub image_jemalloc: bool,
    /// Which scripts ask for G1 where no options of the JVM are configured.
    pub g1_asked_for: G1AskedFor,
}

/// Which file of a configuration directory counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigurationFile {
    /// `flink-conf.yaml` alone.
    LegacyOnly,
    /// `flink-conf.yaml` if there is one, even an empty one; else `config.yaml`.
    LegacyElseStandard,
    /// `config.yaml` alone.
    StandardOnly,
}

/// What the message about a missing configuration file shows in parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingFileShows {
    /// The directory.
    Directory,
    /// The file.
    File,
}

/// What the warning about a line that is no `key: value` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadLineShows {
    /// The line itself.
    Line,
    /// What is wrong with it.
    Reason,
}

/// How a TaskManager's memory is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskmanagerModel {
    /// A container minus a cut-off.
    CutOff,
    /// FLIP-49.
    Unified,
}

/// How a JobManager's memory is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobmanagerModel {
    /// A container minus a cut-off.
    CutOff,
    /// FLIP-116.
    Unified,
}

/// What happens to an int or float that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableNumber {
    /// A warning, and the default counts.
    Default,
    /// The process does not start.
    Error,
}

/// How the message about a missing total names the totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingTotalNames {
    /// By their keys.
    Keys,
    /// By their options, with default and fallback keys.
    Options,
}

/// What is said when the process is smaller than its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessBelowFlink {
    /// `bytes must be >= 0`.
    NegativeBytes,
    /// A sentence with the sizes.
    Message,
}

/// How the notice about an overhead that is not its fraction is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverheadMismatch {
    /// "configured … JVM OVerhead".
    ConfiguredOVerhead,
    /// "configured or default … JVM OVerhead".
    ConfiguredOrDefaultOVerhead,
    /// "configured or default … JVM Overhead".
    ConfiguredOrDefaultOverhead,
}

/// Which names the consumers of managed memory have in `taskmanager.memory.managed.consumer-weights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerNames {
    /// There are no weights.
    None,
    /// DATAPROC (operators and state backend) and PYTHON; any other name is fatal.
    Dataproc,
    /// OPERATOR and STATE_BACKEND, each falling back to DATAPROC, and PYTHON; other names are ignored.
    UseCasesOrDataproc,
    /// OPERATOR, STATE_BACKEND and PYTHON; other names are ignored.
    UseCases,
}

/// How the message about a bad item of a map is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapItemError {
    /// "Could not parse pair in the map [x]".
    Pair,
    /// "Map item is not a key-value pair (missing ':'?)".
    Item,
}

/// Which dynamic properties a TaskManager is started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DynamicProperties {
    /// Flink memory and cores; the text ends with a space.
    MemoryOnly,
    /// Metaspace and overhead too.
    WithJvm,
    /// Slots and external resources too.
    WithSlots,
}

/// How external resources appear among the dynamic properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalResources {
    /// Not at all.
    Ignored,
    /// `a;b`.
    Plain,
    /// `"a;b"`.
    Quoted,
}

/// How many decimals of `taskmanager.cpu.cores` are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuDecimals {
    /// All.
    All,
    /// Eight, the rest cut off.
    Eight,
}

/// How many floating buffers an input gate must and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateFloating {
    /// None must be there; as many as there are, but for a bounded exchange no more than are configured.
    UnboundedUnlessBounded,
    /// None must be there; no more than are configured.
    NoneRequired,
    /// One must be there; no more than are configured.
    OneRequired,
    /// What a gate must have is capped, by default for batch; beyond it, exclusive buffers turn into floating ones.
    Capped,
}

/// What becomes of a result partition whose most buffers are fewer than those it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NarrowPartition {
    /// The task fails.
    Refused,
    /// The most is raised to the least.
    Raised,
}

/// How many buffers a sorted result partition may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortPartitionMost {
    /// As many as there are.
    Unbounded,
    /// Four for each subpartition, if those are more than it must have.
    FourASubpartition,
}

/// How much netty takes at a time for an arena: 8 KiB shifted left by `NettyBufferPool.MAX_ORDER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NettyChunk {
    /// Order 11.
    SixteenMebibytes,
    /// Order 9.
    FourMebibytes,
}

/// Which options the message about too few network buffers names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsufficientBuffersNames {
    /// `taskmanager.network.memory.*`.
    TaskmanagerNetworkMemory,
    /// `taskmanager.memory.network.*`.
    TaskmanagerMemoryNetwork,
}

/// What state on the Java heap is called in `state.backend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapBackend {
    /// `filesystem`.
    Filesystem,
    /// `hashmap`.
    Hashmap,
}

/// Which scripts ask for G1 for a TaskManager where no options of the JVM are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum G1AskedFor {
    /// `bin/taskmanager.sh`.
    ByStandaloneScript,
    /// That and `bin/kubernetes-taskmanager.sh`.
    ByScripts,
    /// Neither: the options are never empty.
    Never,
}

/// How a version came to its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The profile is of this very minor line.
    Line,
    /// There is no profile of this line; the newest that is not newer stands in.
    NewestKnown,
}

/// A version before the oldest that oomph knows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Flink {asked} is not known: the oldest version oomph can plan is {oldest}")]
pub struct UnknownVersion {
    /// What was asked for.
    pub asked: Version,
    /// The oldest with a profile.
    pub oldest: Version,
}

impl Profile {
    /// Every profile, oldest first.
    pub fn all() -> &'static [Profile] {
        &PROFILES
    }

    /// The newest profile.
    pub fn newest() -> &'static Profile {
        &PROFILES[PROFILES.len() - 1]
    }

    /// The profile for a version: the newest that is not newer than it. A version named without a patch release
    /// stands for the last release of its line.
    pub fn of(version: Version) -> Result<(&'static Profile, Match), UnknownVersion> {
        let asked = (version.major, version.minor, version.patch.unwrap_or(u16::MAX));
        let profile = PROFILES
            .iter()
            .rev()
            .find(|p| (p.major, p.minor, p.patch) <= asked)
            .ok_or_else(|| UnknownVersion { asked: version, oldest: PROFILES[0].version() })?;
        let found = if profile.version().line() == version.line() { Match::Line } else { Match::NewestKnown };
        Ok((profile, found))
    }

    /// The newest profile for which the condition holds.
    pub fn newest_where(condition: impl Fn(&Profile) -> bool) -> Option<&'static Profile> {
        PROFILES.iter().rev().find(|p| condition(p))
    }

    /// The minor line it describes.
    pub fn version(&self) -> Version {
        Version { major: self.major, minor: self.minor, patch: (self.patch != 0).then_some(self.patch) }
    }

    /// Where it stands among all profiles, oldest first.
    pub(crate) fn index(&self) -> usize {
        PROFILES.iter().position(|p| std::ptr::eq(p, self)).unwrap_or_default()
    }

    /// The option with this index (`Key::index`), where this version has it.
    pub(crate) fn option_at(&self, index: usize) -> Option<&'static OptionRow> {
        self.options.get(index).and_then(Option::as_ref)
    }

    /// The option with this name, where this version has it.
    pub fn option(&self, name: &str) -> Option<&'static OptionRow> {
        KEYS.binary_search(&name).ok().and_then(|index| self.option_at(index))
    }

    /// Every option of this version, by name.
    pub fn options(&self) -> impl Iterator<Item = (&'static str, &'static OptionRow)> {
        KEYS.iter().copied().zip(self.options).filter_map(|(key, row)| row.as_ref().map(|row| (key, row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_in_order_and_reach_from_1_9_to_the_newest() {
        let lines: Vec<_> = Profile::all().iter().map(|p| (p.major, p.minor, p.patch)).collect();
        assert!(lines.is_sorted());
        assert_eq!(lines.first(), Some(&(1, 9, 0)));
    }

    #[test]
    fn a_patch_release_has_the_profile_of_its_line() {
        let (profile, found) = Profile::of("1.20.5".parse().unwrap()).unwrap();
        assert_eq!((profile.version(), found), (Version::minor(1, 20), Match::Line));
    }

    #[test]
    fn an_unknown_newer_version_has_the_newest_known_and_says_so() {
        let (profile, found) = Profile::of("9.0".parse().unwrap()).unwrap();
        assert_eq!((profile.version(), found), (Profile::newest().version(), Match::NewestKnown));
        let (between, found) = Profile::of("1.21".parse().unwrap()).unwrap();
        assert_eq!((between.version(), found), (Version::minor(1, 20), Match::NewestKnown));
    }

    #[test]
    fn a_version_before_the_oldest_is_refused() {
        let error = Profile::of("1.8".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("1.8") && error.contains("1.9"), "{error}");
    }

    #[test]
    fn network_memory_lost_its_upper_bound_in_1_17() {
        let max =
            |v: &str| Profile::of(v.parse().unwrap()).unwrap().0.option("taskmanager.memory.network.max").unwrap();
        assert_eq!(max("1.16").default, Some("1 gb"));
        assert_eq!(max("1.17").default, Some("9223372036854775807 bytes"));
    }
}
