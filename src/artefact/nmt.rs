//! HotSpot's native memory tracking, as `VM.native_memory` prints it: `summary`, `summary.diff` and `detail`, in any of its
//! units (JDK 8 to 25; `memReporter.cpp`). Tracked is what the JVM allocates itself: nothing of RocksDB or another library
//! is in it, and "committed" is what may be used, not what is resident.

use super::vm_info::AddressRange;
use crate::model::{Seen, Unseen};

/// The start-up option that lets a JVM be asked, and what it costs.
pub const GRANT: &str = "start the JVM with -XX:NativeMemoryTracking=summary, for example in env.java.opts.taskmanager; \
                         it cannot be switched on later, and each malloc of the JVM then takes 16 bytes more, and \
                         some time, for which the JDK's documentation gives 5 to 10 %";

/// Reserved and committed bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Address space.
    pub reserved: u64,
    /// What of it may be used.
    pub committed: u64,
    /// How much more is committed than in the baseline; only in a `diff`.
    pub change: Option<i64>,
}

/// Bytes in a number of pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// In use.
    pub bytes: u64,
    /// Pieces; nothing where the JVM prints none.
    pub count: Option<u64>,
}

/// What metaspace or the class space say of themselves within the category `Class` (JDK 9 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetaspaceUse {
    /// Address space and what of it may be used.
    pub extent: Extent,
    /// In use.
    pub used: Option<u64>,
}

/// One category, `-  NAME (reserved=…, committed=…)`. Figures are rounded down to the unit of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// `Java Heap`, `Class`, `Thread`, `Code`, `GC`, `Other`, …; they differ between JDKs.
    pub name: String,
    /// All of it.
    pub extent: Extent,
    /// By malloc.
    pub malloc: Option<Allocated>,
    /// By mmap.
    pub mmap: Option<Extent>,
    /// Arenas: pieces of malloc that are shared out further.
    pub arena: Option<Allocated>,
    /// The stacks, in the category `Thread`.
    pub stack: Option<Extent>,
    /// Threads, in the category `Thread`; classes, in `Class`.
    pub number: Option<u64>,
    /// The metaspace without the class space, in the category `Class`.
    pub metadata: Option<MetaspaceUse>,
    /// The class space, in the category `Class`.
    pub class_space: Option<MetaspaceUse>,
}

/// A reserved region of `detail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where.
    pub at: AddressRange,
    /// The category it is for.
    pub category: String,
    /// What of it is committed.
    pub committed: Vec<AddressRange>,
}

/// What native memory tracking says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nmt {
    /// The text's unit in bytes: figures are rounded down to it.
    pub unit: u64,
    /// All categories.
    pub total: Extent,
    /// What of it is malloc'ed; JDK 8 and 11 do not sum it up.
    pub malloc: Option<Allocated>,
    /// What of it is mapped; JDK 8 and 11 do not sum it up.
    pub mmap: Option<Extent>,
    /// In the order of the text. Those below one unit are not there.
    pub categories: Vec<Category>,
    /// Of `detail`; else empty.
    pub regions: Vec<Region>,
}

impl Nmt {
    /// Reads the text of a reply. Lines that are not known are left out.
    ///
    /// # Errors
    ///
    /// Where tracking is off, with what would switch it on; where there is no total.
    pub fn parse(text: &str) -> Seen<Nmt> {
        let mut found: Option<Nmt> = None;
        let mut part = Part::Category;
        for line in text.lines() {
            let trimmed = line.trim_end();
            let Some(nmt) = &mut found else {
                found = total(trimmed);
                continue;
            };
            if trimmed == "Details:" {
                break;
            } else if trimmed.trim_start().starts_with("[0x") {
                nmt.read_region(trimmed);
            } else if let Some(category) = category(trimmed) {
                part = Part::Category;
                nmt.categories.push(category);
            } else if let Some(last) = nmt.categories.last_mut() {
                part = last.read(trimmed.trim_start(), part);
            } else {
                nmt.read_sums(trimmed.trim_start());
            }
        }
        found.ok_or_else(|| why_not(text))
    }

    /// A category by its name.
    pub fn category(&self, name: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.name == name)
    }

    /// `malloc: 175402KB #322042`, `malloc=12407KB #5568`, `mmap:   reserved=…KB, committed=…KB`.
    fn read_sums(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("malloc") {
            self.malloc = self.malloc.or_else(|| allocated(rest.trim_start_matches([':', '=', ' '])));
        } else if let Some(rest) = line.strip_prefix("mmap:") {
            self.mmap = self.mmap.or_else(|| extent(rest));
        }
    }

    /// `[0x… - 0x…] reserved and committed 524288KB for Java Heap from`, and below it `[0x… - 0x…] committed 8KB from`.
    fn read_region(&mut self, line: &str) {
        let Some((range, rest)) = line.trim_start().trim_start_matches('[').split_once(']') else { return };
        let Some(at) =
            range.split_once(" - ").and_then(|(start, end)| AddressRange::new(address(start)?, address(end)?))
        else {
            return;
        };
        let rest = rest.trim_start();
        if rest.starts_with("reserved") {
            let Some((how, category)) = rest.split_once(" for ") else { return };
            let committed = if how.starts_with("reserved and committed") { vec![at] } else { Vec::new() };
            let category = category.trim_end_matches(" from").to_owned();
            self.regions.push(Region { at, category, committed });
        } else if rest.starts_with("committed")
            && let Some(last) = self.regions.last_mut()
            && last.committed.first() != Some(&last.at)
            && last.at.start <= at.start
            && at.end <= last.at.end
        {
            last.committed.push(at);
        }
    }
}

/// Which part of a category the lines are of.
#[derive(Clone, Copy)]
enum Part {
    Category,
    Metadata,
    ClassSpace,
}

impl Category {
    /// One line within a category; says which part the next is of.
    fn read(&mut self, line: &str, part: Part) -> Part {
        let Some(line) = line.strip_prefix('(') else { return part };
        let line = line.trim_start();
        let metaspace = match part {
            Part::Category => None,
            Part::Metadata => Some(&mut self.metadata),
            Part::ClassSpace => Some(&mut self.class_space),
        };
        if line.starts_with("Metadata") {
            return Part::Metadata;
        } else if line.starts_with("Class space") {
            return Part::ClassSpace;
        } else if let Some(rest) = line.strip_prefix("malloc=") {
            self.malloc = self.malloc.or_else(|| allocated(rest));
        } else if let Some(rest) = line.strip_prefix("arena=") {
            self.arena = self.arena.or_else(|| allocated(rest));
        } else if let Some(rest) = line.strip_prefix("mmap:") {
            self.mmap = self.mmap.or_else(|| extent(rest));
        } else if let Some(rest) = line.strip_prefix("stack:") {
            self.stack = self.stack.or_else(|| extent(rest));
        } else if let Some(rest) =
            ["thread #", "threads #", "classes #"].iter().find_map(|start| line.strip_prefix(start))
        {
            self.number = self.number.or_else(|| digits(rest).map(|(number, _)| number));
        } else if let Some(slot) = metaspace {
            if let Some(extent) = extent(line) {
                *slot = Some(MetaspaceUse { extent, used: None });
            } else if let Some((slot, rest)) = slot.as_mut().zip(line.strip_prefix("used=")) {
                slot.used = amount(rest).map(|(used, _)| used);
            }
        }
        part
    }
}

/// `Total: reserved=1411366KB, committed=845738KB`, with the unit of the text.
fn total(line: &str) -> Option<Nmt> {
    let total = line.trim_start().strip_prefix("Total:")?;
    let unit = total.split_once("reserved=").and_then(|(_, rest)| unit(digits(rest)?.1)).map_or(1, |(unit, _)| unit);
    Some(Nmt { unit, total: extent(total)?, ..Nmt::default() })
}

/// `-                 Java Heap (reserved=524288KB, committed=524288KB)`.
fn category(line: &str) -> Option<Category> {
    let (name, rest) = line.trim_start().strip_prefix('-')?.split_once(" (")?;
    let extent = extent(rest)?;
    Some(Category { name: name.trim().to_owned(), extent, ..Category::default() })
}

/// `reserved=98304KB +4KB, committed=98304KB +4KB`, wherever it begins.
fn extent(text: &str) -> Option<Extent> {
    let (_, rest) = text.split_once("reserved=")?;
    let (reserved, rest) = amount(rest)?;
    let (committed, rest) = amount(rest.split_once("committed=")?.1)?;
    Some(Extent { reserved, committed, change: change(rest) })
}

/// `1168KB #22444) (at peak)`, `61KB +2KB #573 +5`, `197KB tag=Class #4674`; JDK 8 and 11 add `type=`.
fn allocated(text: &str) -> Option<Allocated> {
    let (bytes, rest) = amount(text)?;
    // A comma or a bracket ends what is now; the peak is behind.
    let now = rest.split([')', ',']).next().unwrap_or_default();
    let count = now.split_once('#').and_then(|(_, count)| digits(count)).map(|(count, _)| count);
    Some(Allocated { bytes, count })
}

/// ` +123KB` or ` -5KB` directly behind an amount.
fn change(rest: &str) -> Option<i64> {
    let rest = rest.strip_prefix(' ')?;
    let (bytes, _) = amount(rest.strip_prefix(['+', '-'])?)?;
    let bytes = i64::try_from(bytes).ok()?;
    Some(if rest.starts_with('-') { -bytes } else { bytes })
}

/// A number with its unit, in bytes, and what is behind.
fn amount(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = digits(text)?;
    let (unit, rest) = unit(rest)?;
    Some((number.checked_mul(unit)?, rest))
}

fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

/// The JVM prints none for bytes, or `B` up to JDK 8, and `KB`, `MB`, `GB`, which are powers of 1,024.
fn unit(text: &str) -> Option<(u64, &str)> {
    let units = [("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("B", 1), ("", 1)];
    units.into_iter().find_map(|(name, unit)| Some((unit, text.strip_prefix(name)?)))
}

fn address(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// As many letters of an unknown reply as are shown.
const SHOWN: usize = 120;

fn why_not(text: &str) -> Unseen {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("an empty reply").trim();
    let first: String = first.chars().take(SHOWN).collect();
    if first.contains("racking is not enabled") {
        return Unseen::because("native memory tracking is off in this JVM").granted_by(GRANT);
    }
    if first.contains("racking has been shutdown") {
        return Unseen::because("native memory tracking was switched off in this JVM").granted_by(GRANT);
    }
    Unseen::because(format!("no native memory tracking: the JVM answered \"{first}\""))
}

#[cfg(test)]
mod tests;
