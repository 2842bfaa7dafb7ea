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
    /// The size of a page by which the table of processes comes to what was used of physical memory.
    pub page: Option<u64>,
}

impl Figures {
    /// Those of a kill; `over` is what the NodeManager's log says in bytes of the same container.
    pub fn of(kill: &Kill, over: Option<OverLimit>) -> Figures {
        let pair = match kill.memory {
            Memory::Physical => kill.physical,
            Memory::Virtual => kill.virtual_memory,
        };
        let Some(pair) = pair else {
            let sum = Sum::of(kill, |_| true);
            let usage = sum.map(|sum| Bytes::new(sum.bytes));
            let limit = usage.zip(kill.excess).and_then(|(usage, excess)| usage.checked_sub(Bytes::new(excess)));
            // Nothing was printed by which one size of pages could be told from another.
            return Figures { limit, usage, exact: limit.is_some(), page: None };
        };
        let sum = Sum::of(kill, |bytes| pair.usage.fits(bytes));
        let page = sum.and_then(|sum| sum.page);
        let sum = sum.map(|sum| sum.bytes);
        if let Some(over) = over.filter(|over| pair.limit.fits(over.limit.get()) && pair.usage.fits(over.usage.get())) {
            return Figures { limit: Some(over.limit), usage: Some(over.usage), exact: true, page };
        }
        match kill.excess {
            Some(excess) if pair.limit.is_exact() => Figures {
                limit: Some(pair.limit.bytes),
                usage: pair.limit.bytes.get().checked_add(excess).map(Bytes::new),
                exact: true,
                page,
            },
            Some(excess) => {
                let limit = sum.and_then(|sum| sum.checked_sub(excess)).filter(|limit| pair.limit.fits(*limit));
                let exact = limit.is_some();
                let limit = limit.unwrap_or(pair.limit.bytes.get());
                let usage = limit.checked_add(excess).map(Bytes::new);
                Figures { limit: Some(Bytes::new(limit)), usage, exact, page }
            }
            None => Figures {
                limit: Some(pair.limit.bytes),
                usage: Some(sum.map_or(pair.usage.bytes, Bytes::new)),
                exact: pair.limit.is_exact() && (sum.is_some() || pair.usage.is_exact()),
                page,
            },
        }
    }
}

/// The sum of the table where all of it is there and, with one of the sizes of pages, comes to what was printed. It
/// does not where YARN reads resident memory elsewhere: from smaps, or from cgroups.
#[derive(Clone, Copy)]
struct Sum {
    bytes: u64,
    /// The size of a page with which it does; nothing for virtual memory, which is told in bytes.
    page: Option<u64>,
}

impl Sum {
    fn of(kill: &Kill, fits: impl Fn(u64) -> bool) -> Option<Sum> {
        match kill.memory {
            Memory::Virtual => {
                kill.tree.mapped(kill.pid).filter(|bytes| fits(*bytes)).map(|bytes| Sum { bytes, page: None })
            }
            Memory::Physical => {
                let pages = kill.tree.resident_pages(kill.pid)?;
                let sums = PAGES
                    .into_iter()
                    .filter_map(|page| Some(Sum { bytes: pages.checked_mul(page)?, page: Some(page) }));
                sums.into_iter().find(|sum| fits(sum.bytes))
            }
        }
    }
}
