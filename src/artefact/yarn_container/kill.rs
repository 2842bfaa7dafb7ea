//! The kill for memory, `ContainersMonitorImpl.formatErrorMessage` and its forerunners, and what Spark makes of it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::plain::{Blanks, Plain};
use super::size::Rounded;
use super::tree::Tree;

/// Which memory was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Memory {
    /// Resident.
    Physical,
    /// Mapped.
    Virtual,
}

/// What was used, and what was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Used by the processes of the container.
    pub usage: Rounded,
    /// The container's.
    pub limit: Rounded,
}

/// A container that the NodeManager killed for memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Where the sentence begins.
    pub at: usize,
    /// The root of the process tree.
    pub pid: Option<u32>,
    /// `container_e36_1586139242205_122975_01_000011`.
    pub container: Option<String>,
    /// Which memory, by the words of the sentence alone: usage and limit of both are always printed.
    pub memory: Memory,
    /// Hadoop 2.9 and later: bytes over the limit.
    pub excess: Option<u64>,
    /// Physical memory.
    pub physical: Option<Pair>,
    /// Virtual memory.
    pub virtual_memory: Option<Pair>,
    /// The processes.
    pub tree: Tree,
}

/// What Spark says instead: `Container killed by YARN for exceeding physical memory limits. 5.5 GB of 5.5 GB physical
/// memory used.` (`YarnAllocator`, to 3.x).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparkKill {
    /// Where the sentence begins.
    pub at: usize,
    /// Which memory.
    pub memory: Memory,
    /// Used and allowed.
    pub pair: Option<Pair>,
}

/// Of the sentence, so much may stand before the word by which it is found, and behind it.
const BEFORE: usize = 400;
const BEHIND: usize = 700;
/// Of a dump so much is read: 200 processes with long class paths.
const LONGEST_DUMP: usize = 1 << 20;

/// The sentence without blanks. `memory-limits` is that of Hadoop 0.23.0, for virtual memory alone.
static SENTENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let size = r"([\d.,]+[kmgtp]?i?b)(?:ytes)?";
    Regex::new(&format!(
        concat!(
            r"(?i)(?:\[pid=(\d*),(?:containerid|tipid)=([A-Za-z0-9_]*)\])?",
            r"(?:(?:is)?running(?:(\d+)b)?)?beyond(?:the)?",
            r#"['"]?(?:(physical|virtual)['"]?memory|memory-)limits?[.,;]?(?:currentusage:?{size}"#,
            r"(?:of{size}physicalmemoryused(?:[;,]?{size}of{size}virtualmemoryused)?|[.,]?limit:?{size}))?",
        ),
        size = size,
    ))
    .ok()
});

static SPARK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)killedbyyarnforexceeding(physical|virtual)?memorylimits?[.,]?",
        r"(?:([\d.,]+[kmgtp]?b)of([\d.,]+[kmgtp]?b)(physical|virtual)memoryused)?",
    ))
    .ok()
});

/// The kills that a text tells of, in order; one that is told twice is twice there.
pub fn kills(text: &str) -> Vec<Kill> {
    let Some(sentence) = SENTENCE.as_ref() else { return Vec::new() };
    let mut found: Vec<Kill> = Vec::new();
    for (from, to) in windows(text, "beyond") {
        let plain = Plain::of(text, from, to, Blanks::Dropped);
        let Some(caught) = sentence.captures(&plain.text) else { continue };
        // Others only name the sentence: it is said of a process, or of a container, or with what was used.
        if [1, 2, 3, 5].iter().all(|group| caught.get(*group).is_none_or(|part| part.is_empty())) {
            continue;
        }
        let start = caught.get(0).map_or(0, |whole| whole.start());
        let raw = plain.raw(start);
        let line = text.get(raw..to).unwrap_or_default();
        let before = line.find("pid=").and_then(|pid| line.get(..pid)).unwrap_or(line);
        let at = raw + ["Container", "container", "TaskTree"].iter().find_map(|word| before.rfind(word)).unwrap_or(0);
        found.push(kill(&caught, at));
    }
    // The dump of each reaches to the next.
    let starts: Vec<usize> = found.iter().map(|kill| kill.at).skip(1).chain([text.len()]).collect();
    for (kill, until) in found.iter_mut().zip(starts) {
        let until = floor(text, until.min(kill.at.saturating_add(LONGEST_DUMP)));
        kill.tree = Tree::read(text, kill.at, until);
    }
    found
}

/// What Spark tells of kills, in order.
pub fn spark_kills(text: &str) -> Vec<SparkKill> {
    let Some(spark) = SPARK.as_ref() else { return Vec::new() };
    let mut found = Vec::new();
    for (from, to) in windows(text, "killed by YARN") {
        let plain = Plain::of(text, from, to, Blanks::Dropped);
        let Some(caught) = spark.captures(&plain.text) else { continue };
        let named = caught.get(1).or_else(|| caught.get(4)).and_then(|word| memory(word.as_str()));
        let Some(memory) = named else { continue };
        let at = text.get(from..to).and_then(|part| part.find("killed by YARN")).map_or(from, |found| from + found);
        found.push(SparkKill { at, memory, pair: pair(&caught, 2) });
    }
    found
}

/// The parts of a text around a word. They overlap no more than twice.
fn windows<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
    let mut places = memchr::memmem::find_iter(text.as_bytes(), word).peekable();
    let mut last = 0;
    std::iter::from_fn(move || {
        let place = places.next()?;
        let from = ceil(text, place.saturating_sub(BEFORE).max(last));
        let next = places.peek().copied().unwrap_or(text.len());
        let to = floor(text, place.saturating_add(BEHIND).min(next));
        last = place + word.len();
        Some((from.min(to), to))
    })
}

fn kill(caught: &Captures<'_>, at: usize) -> Kill {
    let of = |group: usize| caught.get(group).map(|part| part.as_str()).filter(|part| !part.is_empty());
    let without_kind = of(9).and_then(Rounded::parse).zip(of(5).and_then(Rounded::parse));
    let only_limit = without_kind.map(|(limit, usage)| Pair { usage, limit });
    Kill {
        at,
        pid: of(1).and_then(|digits| digits.parse().ok()),
        container: of(2).filter(|id| is_container(id)).map(str::to_owned),
        memory: of(4).and_then(memory).unwrap_or(Memory::Virtual),
        excess: of(3).and_then(|digits| digits.parse().ok()),
        physical: pair(caught, 5).filter(|_| of(6).is_some()),
        virtual_memory: pair(caught, 7).or(only_limit),
        tree: Tree::default(),
    }
}

fn pair(caught: &Captures<'_>, group: usize) -> Option<Pair> {
    let size = |group: usize| caught.get(group).and_then(|part| Rounded::parse(part.as_str()));
    Some(Pair { usage: size(group)?, limit: size(group + 1)? })
}

fn memory(word: &str) -> Option<Memory> {
    match word.as_bytes().first()?.to_ascii_lowercase() {
        b'p' => Some(Memory::Physical),
        b'v' => Some(Memory::Virtual),
        _ => None,
    }
}

fn is_container(id: &str) -> bool {
    id.starts_with("container_") && id.len() > "container_".len()
}

/// The next place at or before an offset where a letter begins.
pub(super) fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

/// The next place at or behind an offset where a letter begins.
pub(super) fn ceil(text: &str, offset: usize) -> usize {
    text.ceil_char_boundary(offset)
}
