//! `OutOfMemoryError` in any text: which memory it names, with the numbers that stand in its detail, and what the JVM
//! prints beside it. HotSpot of JDK 7 to 25 (`universe.cpp`, `jvm.cpp`, `debug.cpp`, `java.nio.Bits`), Netty's own error
//! (`PlatformDependent.incrementMemoryCounter`, shaded or not), and the sentences by which Flink replaces the detail
//! (`ClusterEntryPointExceptionUtils`, `TaskManagerExceptionUtils`).

use std::sync::LazyLock;

use regex::Regex;

use super::excerpt::Excerpt;
use super::part::{first, last, line_before};
use crate::model::Bytes;

/// The words by which such lines are found in a large log.
pub const ANCHORS: &[&str] = &["MemoryError", "pthread_create failed ("];

/// Which memory an error names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exhausted {
    /// `Java heap space`.
    Heap,
    /// `GC overhead limit exceeded`.
    GcOverhead,
    /// An array, a string or a collection beyond what can be addressed.
    ArraySize,
    /// `Metaspace`.
    Metaspace,
    /// `Compressed class space`.
    ClassSpace,
    /// `PermGen space`, up to JDK 7.
    PermGen,
    /// Direct buffers of the JDK, or of Netty's own counter.
    Direct,
    /// Flink's network buffers, which are direct memory too.
    NetworkBuffers,
    /// A thread that could not be started.
    Threads,
    /// `Map failed`: a file that could not be mapped.
    Map,
    /// Memory of `malloc` or the swap.
    Native,
    /// The error bears no detail.
    Unnamed,
}

/// How an error comes to be in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was thrown.
    Thrown,
    /// The JVM ended itself for it: `Terminating due to`, `Aborting due to`, `OnOutOfMemoryError`.
    Ended,
    /// It came while another was being handled: thrown from an `UncaughtExceptionHandler`, at a signal.
    Again,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// Where it stands.
    pub offset: usize,
    /// Which memory.
    pub exhausted: Exhausted,
    /// How it is told.
    pub told: Told,
    /// What was asked for.
    pub requested: Option<Bytes>,
    /// What was in use.
    pub used: Option<Bytes>,
    /// What may be used.
    pub limit: Option<Bytes>,
    /// The container or machine in which the task failed, where a JobManager says so.
    pub unit: Option<String>,
    /// Whether a program provoked it after another error, so that the JVM's flags act (Cassandra's `JVMStabilityInspector`).
    pub provoked: bool,
}

/// More errors in one text tell nothing more.
const MOST: usize = 256;
/// As many bytes of a detail as are looked at.
const DETAIL: usize = 420;
/// As many bytes before an error as are looked at.
const BEFORE: usize = 160;
/// As many bytes before an error as are searched for the task that failed.
const TASK: usize = 16_000;
/// As many bytes behind an error as may be the count of such errors.
const COUNT: usize = 80;
/// As many bytes as an error's package has at most, a shaded one's included.
const PACKAGE: usize = 200;

/// The errors of a text, in its order.
pub fn errors(excerpt: &Excerpt) -> Vec<OutOfMemory> {
    let text = excerpt.text();
    let mut found = Vec::new();
    let mut provoked = false;
    for (offset, name) in names(text) {
        let line = line_before(text, offset, BEFORE);
        if line.trim_end().ends_with("Force heap space") {
            provoked = true;
            continue;
        }
        let Some(after) = text.get(offset + name.len()..) else { continue };
        if is_no_error(line, after) {
            continue;
        }
        let detail = detail(after);
        let (exhausted, [requested, used, limit]) = exhausted(name, &detail, after);
        let (told, framed) = (told(line, after), is_framed(after));
        // A name without a detail that the JVM is known to give, in the midst of a line, is talked of and not thrown.
        let begins = line.trim_end().is_empty() || line.trim_end().ends_with([':', '：']) || line.contains("JVMDUMP");
        if exhausted == Exhausted::Unnamed && told == Told::Thrown && !framed && !begins {
            continue;
        }
        if !framed && is_prose(line) {
            continue;
        }
        let unit = unit(text, offset);
        let provoked = provoked && exhausted == Exhausted::Heap;
        found.push(OutOfMemory { offset, exhausted, told, requested, used, limit, unit, provoked });
        if found.len() == MOST {
            break;
        }
    }
    found.extend(sentences(text, &found));
    found.sort_by_key(|error| error.offset);
    found
}

/// Where an error's name begins, with its package, and the name; words of which it is only a part are none.
fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    const NAMES: [&str; 3] = ["OutOfMemoryError", "OutOfDirectMemoryError", "OutOfMemoryException"];
    text.match_indices("OutOf").filter_map(move |(at, _)| {
        let rest = text.get(at..)?;
        let name = NAMES.into_iter().find(|name| rest.starts_with(name))?;
        let before = last(text.get(..at)?, PACKAGE);
        let package = before.len() - before.trim_end_matches(is_of_package).len();
        let start = at - package;
        // `ExitOnOutOfMemoryError`, `OutOfMemoryErrors`; a name that stands by itself has nothing or a package before it.
        let own = package == 0 || before.ends_with(['.', '/']);
        let next = rest.get(name.len()..)?.chars().next();
        let whole = !next.is_some_and(|next| next.is_alphanumeric() || next == '_');
        // .NET, Spark and Hive know exceptions of that name; of those only Arrow's and Netty's are memory of the JVM.
        let known = name != "OutOfMemoryException" || before.ends_with("arrow.memory.");
        (own && whole && known).then(|| text.get(start..at + name.len()).map(|whole| (start, whole)))?
    })
}

fn is_of_package(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || ['.', '/', '_', '$'].contains(&letter)
}

/// Flags, methods and counters that have the name in them.
fn is_no_error(line: &str, after: &str) -> bool {
    let code =
        after.strip_prefix('.').is_some_and(|rest| rest.starts_with(|next: char| next.is_alphabetic() || next == '<'));
    let counter =
        after.starts_with("s ") || after.starts_with('=') || after.trim_start().starts_with("and StackOverflow");
    // The history of a crash report is not what ended the JVM, nor are its counts: `OutOfMemoryError java_heap_errors=2`.
    let counts = first(after, COUNT).split_whitespace().next().is_some_and(|word| word.contains("_errors="));
    let past = line.contains("Event: ") || after.starts_with(' ') && counts;
    // A program's text that holds the name, `throw new X("java.lang.OutOfMemoryError`, and a count of a heap dump.
    let quoted = line.ends_with("(\"") || after.starts_with(" instances");
    past || code
        || counter
        || quoted
        || line.ends_with("-XX:")
        || line.ends_with("import ")
        || line.ends_with("catch (")
}

/// What stands behind the error's name, on one line and with single blanks; empty where nothing does.
fn detail(after: &str) -> String {
    let head = first(after, DETAIL);
    let separated = head.trim_start_matches([' ', '\t', '`']);
    // `Exception <a 'java/lang/OutOfMemoryError'{0x00000000f5a01c38}: Java heap space>` of -Xlog:exceptions.
    let object = separated.strip_prefix('\'').map(|rest| rest.split_once('}').map_or(rest, |(_, rest)| rest));
    let separated = object.map_or(separated, |object| object.trim_start_matches('>'));
    let Some(rest) = separated.strip_prefix([':', '：', '(']).or_else(|| separated.strip_prefix("- ")) else {
        return String::new();
    };
    // A frame or an entry of its own ends it; a hard wrap, with what a mail or a comment puts before a line, does not.
    static END: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"\s+at\s+[\w.$/<>]+\(|\n\s*\n|\\n|\n\s*\.\.\. |\n\S*\d\d:\d\d|\n\s*Caused by|<br"#).ok()
    });
    let end = END.as_ref().and_then(|end| end.find(rest)).map_or(rest.len(), |end| end.start());
    let mut words = String::new();
    for line in rest.get(..end).unwrap_or_default().split('\n') {
        let line = line
            .trim_start_matches(|letter: char| letter.is_whitespace() || ['>', '#', '/', '|', '*'].contains(&letter));
        for word in line.split_whitespace() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
    }
    words
}

/// Details by their beginning, in lower case: Flink compares them so too.
const DETAILS: &[(&str, Exhausted)] = &[
    ("java heap space", Exhausted::Heap),
    ("gc overhead limit exceeded", Exhausted::GcOverhead),
    ("garbage-collected heap size exceeded", Exhausted::Heap),
    ("requested array size exceeds vm limit", Exhausted::ArraySize),
    ("required array length", Exhausted::ArraySize),
    ("required array size", Exhausted::ArraySize),
    ("required length exceeds implementation limit", Exhausted::ArraySize),
    ("overflow: string length out of range", Exhausted::ArraySize),
    ("utf16 string size is", Exhausted::ArraySize),
    ("metaspace", Exhausted::Metaspace),
    ("compressed class space", Exhausted::ClassSpace),
    ("permgen space", Exhausted::PermGen),
    ("direct buffer memory", Exhausted::Direct),
    ("cannot reserve", Exhausted::Direct),
    ("failed to allocate", Exhausted::Direct),
    ("failure allocating buffer", Exhausted::Direct),
    ("unable to allocate buffer of size", Exhausted::Direct),
    ("can't allocate enough direct buffer", Exhausted::Direct),
    ("could not allocate enough memory segments for networkbufferpool", Exhausted::NetworkBuffers),
    ("unable to create new native thread", Exhausted::Threads),
    ("unable to create native thread", Exhausted::Threads),
    ("failed to create a thread", Exhausted::Threads),
    ("map failed", Exhausted::Map),
    ("out of swap space", Exhausted::Native),
    ("requested ", Exhausted::Native),
    ("unable to allocate ", Exhausted::Native),
    ("native memory exhausted", Exhausted::Native),
    ("c heap space", Exhausted::Native),
];

/// Which memory, and what was asked for, in use and allowed.
fn exhausted(name: &str, detail: &str, after: &str) -> (Exhausted, [Option<Bytes>; 3]) {
    let words = detail.trim_start_matches(['\'', '"', '`', ' ']).to_ascii_lowercase();
    let none = [None; 3];
    if name.ends_with("OutOfDirectMemoryError") {
        return (Exhausted::Direct, numbers(&words));
    }
    if words.is_empty() {
        return (of_frames(after), none);
    }
    let known = DETAILS.iter().find(|(start, _)| words.starts_with(start)).map(|(_, exhausted)| *exhausted);
    match known {
        Some(Exhausted::Direct) => (Exhausted::Direct, numbers(&words)),
        // `requested 32756 bytes for ChunkPool::allocate. Out of swap space?`
        Some(Exhausted::Native) if words.starts_with("requested ") && !words.contains("out of swap") => {
            (Exhausted::Unnamed, none)
        }
        Some(known) => (known, none),
        // A detail of a library's own; it says nothing of what was full, unless the JVM's words stand within.
        None => {
            let within =
                DETAILS.iter().take(13).find(|(start, _)| words.contains(start)).map(|(_, exhausted)| *exhausted);
            (within.unwrap_or(Exhausted::Unnamed), none)
        }
    }
}

/// Which memory a detail names that stands without the error's name: `OutOfMemory encountered: Java heap space`.
pub fn of_detail(detail: &str) -> Exhausted {
    exhausted("OutOfMemoryError", detail, "").0
}

/// `Cannot reserve 4194304 bytes of direct buffer memory (allocated: 138616873, limit: 142606338)` and Netty's
/// `failed to allocate 16777216 byte(s) of direct memory (used: 1056964615, max: 1073741824)`.
fn numbers(words: &str) -> [Option<Bytes>; 3] {
    static NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:reserve|allocate) (\d+) ?byte(?:s|\(s\))? of direct (?:buffer )?memory ?\((?:allocated|used): ?(\d+), ?(?:limit|max): ?(\d+)",
        )
        .ok()
    });
    let Some(found) = NUMBERS.as_ref().and_then(|numbers| numbers.captures(words)) else { return [None; 3] };
    [1, 2, 3].map(|group| found.get(group).and_then(|digits| digits.as_str().parse().ok()).map(Bytes::new))
}

/// An error without detail is thrown by the JDK's own classes: what they asked for stands in the first frames.
fn of_frames(after: &str) -> Exhausted {
    let frames = first(after, 300);
    let asks = |names: &[&str]| names.iter().any(|name| frames.contains(name));
    if asks(&["Unsafe.allocateMemory", "Unsafe.reallocateMemory", "Deflater.init", "Inflater.init"]) {
        Exhausted::Native
    } else if asks(&["hugeCapacity", "hugeLength", "newCapacity", "Files.read", "InputStream.readNBytes"]) {
        Exhausted::ArraySize
    } else {
        Exhausted::Unnamed
    }
}

fn told(line: &str, after: &str) -> Told {
    let line = line.trim_end();
    let ends = ["Terminating due to", "Aborting due to", "terminated due to"].iter().any(|words| line.ends_with(words));
    if ends || first(after, 200).contains("-XX:OnOutOfMemoryError=") {
        Told::Ended
    } else if first(after, 120).trim_start().starts_with("thrown from the UncaughtExceptionHandler")
        || first(after, 120).trim_start().starts_with("occurred dispatching signal")
    {
        Told::Again
    } else {
        Told::Thrown
    }
}

/// Whether frames of a stack follow.
fn is_framed(after: &str) -> bool {
    first(after, 600).lines().take(4).skip(1).any(|line| line.contains("\tat ") || line.trim_start().starts_with("at "))
}

/// Whether the name stands in a sentence about such errors: advice, or the description of a setting.
fn is_prose(line: &str) -> bool {
    static PROSE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i)\b(?:if|whenever|avoid(?:s|ing)?|prevent(?:s|ing)?|such as|e\.g\.?|for example|might|may|could|would|usually|likely|unless|in case of|risk of|leads? to|leading to|results? in|runs? into|throws|experience|encounter)\b[^.;:!?]{0,80}$",
        )
        .ok()
    });
    PROSE.as_ref().is_some_and(|prose| prose.is_match(line))
}

/// `Source (1/2) (…) switched from RUNNING to FAILED on container_1642_0004_01_000012 @ host (dataPort=40090).`, below which
/// the task's error stands with its causes, up to the next entry of the log.
fn unit(text: &str, offset: usize) -> Option<String> {
    static UNIT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"to FAILED on\s+(\S{1,200}) @ \S+ \(dataPort=-?\d+\)").ok());
    let before = last(text.get(..offset)?, TASK);
    let task = before.get(before.rfind("to FAILED on")?..)?;
    let is_entry = |line: &str| line.starts_with(|first: char| first.is_ascii_digit() || first == '[');
    if task.split('\n').skip(1).any(is_entry) {
        return None;
    }
    UNIT.as_ref()?.captures(task)?.get(1).map(|unit| unit.as_str().to_owned())
}

/// Flink's sentences, where the name of the error is not before them, and what other programs print in place of the error.
fn sentences(text: &str, known: &[OutOfMemory]) -> Vec<OutOfMemory> {
    static SENTENCES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"The\s+(direct|metaspace)\s+out-of-memory\s+error\s+has\s+occurred|A\s+(heap)\s+space-related\s+out-of-memory\s+error\s+has|IOException:\s+(Map failed)|(Cannot\s+reserve\s+\d+\s+bytes\s+of\s+direct\s+buffer\s+memory|failed\s+to\s+allocate\s+\d+\s+byte\(s\)\s+of\s+direct\s+memory)\s+\([^)]{5,80}\)|(?:Error: |rror from thread \[[^\]\n]{1,200}\]:\s)(Java heap space|GC overhead limit exceeded|Metaspace\b|Direct buffer memory|PermGen space|unable to create)",
        )
        .ok()
    });
    if !["out-of-memory", "Error: ", "rror from thread", "Map failed", " of direct"]
        .iter()
        .any(|word| text.contains(word))
    {
        return Vec::new();
    }
    let Some(sentences) = SENTENCES.as_ref() else { return Vec::new() };
    let mut found = Vec::new();
    for sentence in sentences.captures_iter(text).take(MOST) {
        let Some(whole) = sentence.get(0) else { continue };
        let offset = whole.start();
        let first = known.partition_point(|error| error.offset <= offset);
        let near =
            first.checked_sub(1).and_then(|last| known.get(last)).is_some_and(|last| offset - last.offset <= 200);
        if near || last(text.get(..offset).unwrap_or_default(), 40).ends_with("OutOfMemory") {
            continue;
        }
        let word = (1..=5).find_map(|group| sentence.get(group)).map_or("", |word| word.as_str()).to_ascii_lowercase();
        let exhausted = match word.as_str() {
            "direct" | "direct buffer memory" => Exhausted::Direct,
            "metaspace" => Exhausted::Metaspace,
            "permgen space" => Exhausted::PermGen,
            "gc overhead limit exceeded" => Exhausted::GcOverhead,
            "unable to create" => Exhausted::Threads,
            reserved if reserved.ends_with("memory") => Exhausted::Direct,
            // The error is its cause, and tells it itself where the cause is not cut off.
            "map failed" if known.iter().any(|error| error.exhausted == Exhausted::Map) => continue,
            "map failed" => Exhausted::Map,
            _ => Exhausted::Heap,
        };
        let told = Told::Thrown;
        let unit = unit(text, offset);
        let words = whole.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        let [requested, used, limit] = numbers(&words);
        found.push(OutOfMemory { offset, exhausted, told, requested, used, limit, unit, provoked: false });
    }
    found
}

/// A thread that the JVM could not start: `[0.123s][warning][os,thread] Failed to start thread "GC Thread#9" -
/// pthread_create failed (EAGAIN) for attributes: stacksize: 1024k, guardsize: 0k, detached.` (JDK 11 and later, the name
/// from 17 on; `os_linux.cpp`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadFailed {
    /// Where it stands.
    pub offset: usize,
    /// The thread, where it has a name.
    pub name: Option<String>,
    /// `EAGAIN`, `ENOMEM`, `EPERM`; none in the line that only names the Java thread.
    pub error: Option<String>,
    /// The stack that was asked for.
    pub stack: Option<Bytes>,
}

/// The threads that could not be started.
pub fn threads(excerpt: &Excerpt) -> Vec<ThreadFailed> {
    static THREAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"Failed\s+to\s+start\s+(?:thread(?:\s+"([^"\n]{0,200})")?\s+-\s+(?:pthread_create|_beginthreadex)\s+failed\s+\(([A-Z0-9 ]{1,24})\)(?:\s+for\s+attributes:\s+stacksize:\s+(\d+)k)?|the\s+native\s+thread\s+for\s+java.lang.Thread\s+"([^"\n]{0,200})")"#,
        )
        .ok()
    });
    let text = excerpt.text();
    if !text.contains("Failed to start") {
        return Vec::new();
    }
    let Some(thread) = THREAD.as_ref() else { return Vec::new() };
    let each = thread.captures_iter(text).take(MOST).filter_map(|found| {
        let part = |group| found.get(group).map(|part| part.as_str());
        let stack = part(3).and_then(|kib| kib.parse::<u64>().ok()?.checked_mul(1024)).map(Bytes::new);
        let name = part(1).or(part(4)).filter(|name| *name != "Unknown thread").map(str::to_owned);
        Some(ThreadFailed { offset: found.get(0)?.start(), name, error: part(2).map(str::to_owned), stack })
    });
    each.collect()
}

/// A heap dump: `Dumping heap to java_pid76.hprof ...`, `Heap dump file created [1610612736 bytes in 12.345 secs]`,
/// `Unable to create java_pid76.hprof: Permission denied`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapDump {
    /// Where it stands.
    pub offset: usize,
    /// The file.
    pub path: Option<String>,
    /// The process, where the file has the name that `HeapDumpOnOutOfMemoryError` gives it.
    pub pid: Option<u32>,
    /// Its size.
    pub size: Option<Bytes>,
    /// Why it could not be written.
    pub failed: Option<String>,
}

/// The heap dumps.
pub fn heap_dumps(excerpt: &Excerpt) -> Vec<HeapDump> {
    static DUMP: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"Dumping heap to (\S{1,400}) ?\.\.\.|Heap dump file created \[(\d+) bytes in|Unable to create (\S{1,400}?\.hprof[\w.]*): ([^\n]{1,80})",
        )
        .ok()
    });
    static PID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"java_pid(\d+)\.hprof").ok());
    let text = excerpt.text();
    if !text.contains("heap to ") && !text.contains("Heap dump") && !text.contains(".hprof") {
        return Vec::new();
    }
    let (Some(dump), Some(pid)) = (DUMP.as_ref(), PID.as_ref()) else { return Vec::new() };
    let each = dump.captures_iter(text).take(MOST).filter_map(|found| {
        let part = |group| found.get(group).map(|part| part.as_str());
        let path = part(1).or(part(3));
        Some(HeapDump {
            offset: found.get(0)?.start(),
            path: path.map(str::to_owned),
            pid: path.and_then(|path| pid.captures(path)?.get(1)?.as_str().parse().ok()),
            size: part(2).and_then(|bytes| bytes.parse().ok()).map(Bytes::new),
            failed: part(4).map(|why| why.trim_end().to_owned()),
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests;
