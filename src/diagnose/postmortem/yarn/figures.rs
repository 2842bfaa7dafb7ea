//! What was used and what was allowed, as exactly as a kill tells.

use crate::artefact::yarn_container::{Kill, Memory, OverLimit};
use crate::model::Bytes;

/// Pages of x86, of arm64 and ppc64le as many distributions build them, and of some other arm64.
const PAGES: [u64; 3] = [4096, 65_536, 16_384];

/// Of the memory that the kill is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub limit: Option<Bytes>,
    pub usage: Option<Bytes>,
    /// Whether both are to the byte.
    pub exact: bool,
}

impl Figures {
    /// Those of a kill; `over` is what the NodeManager's log says in bytes of the same container.
    pub fn of(kill: &Kill, over: Option<OverLimit>) -> Figures {
        let pair = match kill.memory {
            Memory::Physical => kill.physical,
            Memory::Virtual => kill.virtual_memory,
        };
        let Some(pair) = pair else {
            let usage = sum(kill, |_| true).map(Bytes::new);
            let limit = usage.zip(kill.excess).and_then(|(usage, excess)| usage.checked_sub(Bytes::new(excess)));
            return Figures { limit, usage, exact: limit.is_some() };
        };
        if let Some(over) = over.filter(|over| pair.limit.fits(over.limit.get()) && pair.usage.fits(over.usage.get())) {
            return Figures { limit: Some(over.limit), usage: Some(over.usage), exact: true };
        }
        let sum = sum(kill, |bytes| pair.usage.fits(bytes));
        match kill.excess {
            Some(excess) if pair.limit.is_exact() => Figures {
                limit: Some(pair.limit.bytes),
                usage: pair.limit.bytes.get().checked_add(excess).map(Bytes::new),
                exact: true,
            },
            Some(excess) => {
                let limit = sum.and_then(|sum| sum.checked_sub(excess)).filter(|limit| pair.limit.fits(*limit));
                let exact = limit.is_some();
                let limit = limit.unwrap_or(pair.limit.bytes.get());
                let usage = limit.checked_add(excess).map(Bytes::new);
                Figures { limit: Some(Bytes::new(limit)), usage, exact }
            }
            None => Figures {
                limit: Some(pair.limit.bytes),
                usage: Some(sum.map_or(pair.usage.bytes, Bytes::new)),
                exact: pair.limit.is_exact() && (sum.is_some() || pair.usage.is_exact()),
            },
        }
    }
}

/// The sum of the table where all of it is there and, with one of the sizes of pages, comes to what was printed. It
/// does not where YARN reads resident memory elsewhere: from smaps, or from cgroups.
fn sum(kill: &Kill, fits: impl Fn(u64) -> bool) -> Option<u64> {
    match kill.memory {
        Memory::Virtual => kill.tree.mapped(kill.pid).filter(|bytes| fits(*bytes)),
        Memory::Physical => {
            let pages = kill.tree.resident_pages(kill.pid)?;
            PAGES.into_iter().filter_map(|page| pages.checked_mul(page)).find(|bytes| fits(*bytes))
        }
    }
}
