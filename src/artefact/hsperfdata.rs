//! HotSpot's performance data, `hsperfdata_USER/PID`: the shared memory that `jstat` reads (`perfMemory.hpp`,
//! `perfData.hpp`; format 2.0, JDK 5 to 25). The JVM keeps writing while it is read: each counter is whole, but two counters
//! may be from different moments.

mod gauges;

pub use gauges::{Collector, CollectorKind, Generation, HsPerf, Refreshed, Space};

use thiserror::Error;

/// `0xcafec0c0`, always big-endian (`PERFDATA_MAGIC`).
const MAGIC: [u8; 4] = [0xca, 0xfe, 0xc0, 0xc0];

/// `PERFDATA_MAJOR_VERSION` of all JDKs since 5; 1 was JDK 1.4.2's, laid out differently.
const MAJOR: u8 = 2;

/// The size of `PerfDataPrologue`.
const PROLOGUE: usize = 32;

/// The size of `PerfDataEntry` before its name.
const ENTRY: usize = 20;

/// Why bytes are no performance data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotPerfData {
    /// Less than a prologue.
    #[error("{0} bytes are too few for performance data")]
    Short(usize),
    /// Another file.
    #[error("no performance data: the file begins with {0:02x?}, not with cafec0c0")]
    Magic([u8; 4]),
    /// A byte order that does not exist.
    #[error("no performance data: byte order {0} is neither 0 (big) nor 1 (little)")]
    Order(u8),
    /// A format that no JVM since JDK 5 writes.
    #[error("performance data of format {0}.{1}: only 2.x is known")]
    Version(u8, u8),
}

/// What a counter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Long(i64),
    /// A text, cut by the JVM after 1,024 bytes (`PerfMaxStringConstLength`).
    Text(String),
}

/// What a number counts, `PerfData::Units`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterUnit {
    /// No unit.
    None,
    /// Bytes.
    Bytes,
    /// Ticks of the clock whose frequency is `sun.os.hrt.frequency`.
    Ticks,
    /// Events.
    Events,
    /// A text.
    Text,
    /// Hertz.
    Hertz,
    /// One that is not known.
    Other(u8),
}

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Its name: `sun.gc.generation.0.space.0.used`.
    pub name: String,
    /// What it counts.
    pub unit: CounterUnit,
    /// What it holds.
    pub value: Value,
}

/// The counters of one JVM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerfData {
    /// Whether the JVM had finished its start; before, counters are missing.
    pub accessible: bool,
    /// Bytes of counters that did not fit (`-XX:PerfDataMemorySize`).
    pub overflow: u32,
    /// By name.
    counters: Vec<Counter>,
    /// What is wrong with the file, one sentence each; at most a few.
    pub remarks: Vec<String>,
}

impl PerfData {
    /// Reads the bytes of a file. Where entries are cut or lie about their lengths, those before are given, and a remark.
    ///
    /// # Errors
    ///
    /// Where the bytes are no performance data of format 2.
    pub fn parse(bytes: &[u8]) -> Result<PerfData, NotPerfData> {
        let prologue: &[u8; PROLOGUE] = bytes.first_chunk().ok_or(NotPerfData::Short(bytes.len()))?;
        let [a, b, c, d, order, major, minor, accessible, ..] = *prologue;
        if [a, b, c, d] != MAGIC {
            return Err(NotPerfData::Magic([a, b, c, d]));
        }
        let little = match order {
            0 => false,
            1 => true,
            other => return Err(NotPerfData::Order(other)),
        };
        if major != MAJOR {
            return Err(NotPerfData::Version(major, minor));
        }
        let read = Reader { bytes, little };
        let used = read.u32(8).unwrap_or_default();
        let mut found = PerfData {
            accessible: accessible != 0,
            overflow: read.u32(12).unwrap_or_default(),
            counters: Vec::new(),
            remarks: Vec::new(),
        };
        if !found.accessible {
            found.remarks.push("the JVM had not finished its start: counters may be missing".to_owned());
        }
        if found.overflow > 0 {
            found.remarks.push(format!("{} bytes of counters did not fit (-XX:PerfDataMemorySize)", found.overflow));
        }
        if u64::from(used) > bytes.len() as u64 {
            found.remarks.push(format!("cut: {} of {used} bytes are there", bytes.len()));
        }
        found.read_entries(&read);
        // Of two counters of one name the first counts, as for jstat.
        found.counters.sort_by(|one, other| one.name.cmp(&other.name));
        found.counters.dedup_by(|later, earlier| later.name == earlier.name);
        Ok(found)
    }

    fn read_entries(&mut self, read: &Reader<'_>) {
        let mut at = read.u32(24).unwrap_or_default() as usize;
        let announced = read.u32(28).unwrap_or_default();
        let mut unknown = 0_u32;
        for number in 0..announced {
            let Some((length, entry)) = read.entry(at) else {
                self.remarks
                    .push(format!("{number} of {announced} counters could be read: the next, at byte {at}, is broken"));
                break;
            };
            match entry {
                Some(counter) => self.counters.push(counter),
                None => unknown += 1,
            }
            at += length;
        }
        if unknown > 0 {
            self.remarks.push(format!("{unknown} counters are of a type that is not known"));
        }
    }

    /// All, by name.
    pub fn counters(&self) -> &[Counter] {
        &self.counters
    }

    fn counter(&self, name: &str) -> Option<&Counter> {
        let at = self.counters.binary_search_by(|counter| counter.name.as_str().cmp(name)).ok()?;
        self.counters.get(at)
    }

    /// A number that is not negative.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.counter(name)?.value {
            Value::Long(number) => u64::try_from(number).ok(),
            Value::Text(_) => None,
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.counter(name)?.value {
            Value::Text(text) => Some(text),
            Value::Long(_) => None,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Reader<'_> {
    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn i64(&self, at: usize) -> Option<i64> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little { i64::from_le_bytes(bytes) } else { i64::from_be_bytes(bytes) })
    }

    /// How long the entry is, and its counter where its type is known; nothing where it does not lie within the bytes.
    /// An entry is never shorter than its head, so a file has at most a twentieth of its bytes in entries.
    fn entry(&self, at: usize) -> Option<(usize, Option<Counter>)> {
        let length = self.u32(at)? as usize;
        let end = at.checked_add(length)?;
        let bytes = self.bytes.get(at..end).filter(|_| length >= ENTRY)?;
        let inside = Reader { bytes, little: self.little };
        let name_at = inside.u32(4)? as usize;
        let vector = inside.u32(8)? as usize;
        let [kind, _flags, unit, _variability] = *bytes.get(12..)?.first_chunk::<4>()?;
        let data_at = inside.u32(16)? as usize;
        let name = until_zero(bytes.get(name_at..data_at.max(name_at))?);
        let value = match (kind, vector) {
            // A long (`J`), which the JVM aligns to 8 bytes.
            (b'J', 0) => Some(Value::Long(inside.i64(data_at)?)),
            // A vector of bytes (`B`) is a text that ends with a zero.
            (b'B', 1..) => Some(Value::Text(until_zero(bytes.get(data_at..data_at.checked_add(vector)?)?))),
            _ => None,
        };
        Some((length, value.map(|value| Counter { name, unit: CounterUnit::of(unit), value })))
    }
}

impl CounterUnit {
    fn of(code: u8) -> CounterUnit {
        match code {
            1 => CounterUnit::None,
            2 => CounterUnit::Bytes,
            3 => CounterUnit::Ticks,
            4 => CounterUnit::Events,
            5 => CounterUnit::Text,
            6 => CounterUnit::Hertz,
            other => CounterUnit::Other(other),
        }
    }
}

fn until_zero(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests;
