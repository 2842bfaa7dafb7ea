//! Lines of the collectors' own logging, up to JDK 8: one collection may be spread over lines, and others be torn into it.

use std::sync::LazyLock;

use regex::Regex;

use super::{Change, Collection, Kind, size};

/// As many bytes as one collection has at most, those of references and of concurrent phases between included.
const LONGEST: usize = 2500;

/// `[GC (Allocation Failure) `, `[Full GC 85238.030: [CMS…`, `[GC pause (G1 Evacuation Pause) (young)`.
fn start() -> Option<&'static Regex> {
    static START: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\[(Full )?GC(?: pause|--)?(?: ?\(((?:[^()\n]|\(\)){1,60})\))?(?:--)?[ \[\d]").ok()
    });
    START.as_ref()
}

/// `PSYoungGen: 488K->0K(2560K)`, ` 608K->578K(9728K)`, `CMS Perm : 262143K->262143K(262144K)`, G1's `Heap:
/// 1023.9M(1024.0M)->1022.5M(1024.0M)`; a part has its name before the colon, the heap has none.
fn change() -> Option<&'static Regex> {
    static CHANGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:([A-Za-z][A-Za-z ]{0,20}|\))\s?:\s?)?(\d+(?:[.,]\d+)?)([BKMG])(?:\([\d.,]+[BKMG]\))?-(?:>|&gt;)(\d+(?:[.,]\d+)?)([BKMG])\((\d+(?:[.,]\d+)?)([BKMG])\)",
        )
        .ok()
    });
    CHANGE.as_ref()
}

pub(super) fn read(text: &str, collections: &mut Vec<Collection>) {
    let (Some(start), Some(change)) = (start(), change()) else { return };
    let mut starts = start.captures_iter(text).peekable();
    while let Some(found) = starts.next() {
        let Some(whole) = found.get(0) else { continue };
        let next = starts.peek().and_then(|next| next.get(0)).map_or(text.len(), |next| next.start());
        let most = next.min(whole.start().saturating_add(LONGEST)).min(text.len());
        let end = (whole.end()..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(whole.end());
        let Some(body) = text.get(whole.start()..end) else { continue };
        let (mut heap, mut named, mut metaspace, mut is_perm) = (None, None, None, false);
        for part in change.captures_iter(body) {
            let of = |group| part.get(group).map_or("", |part| part.as_str());
            let (Some(before), Some(after)) = (size(of(2), of(3)), size(of(4), of(5))) else { continue };
            let read = Change { before, after, capacity: size(of(6), of(7)), percent: None };
            match of(1).trim() {
                "" => heap = heap.or(Some(read)),
                // The unit of the figure before may stand before it: `0.0B Heap`.
                name if name.ends_with("Heap") => named = named.or(Some(read)),
                "Metaspace" => metaspace = metaspace.or(Some(read)),
                name if name.ends_with("Perm") || name.ends_with("PermGen") => {
                    metaspace = metaspace.or(Some(read));
                    is_perm = true;
                }
                _ => {}
            }
        }
        let Some(heap) = heap.or(named) else { continue };
        collections.push(Collection {
            offset: whole.start(),
            number: None,
            kind: if found.get(1).is_some() { Kind::Full } else { Kind::Young },
            cause: found.get(2).map_or("", |cause| cause.as_str()).to_owned(),
            heap,
            metaspace,
            is_perm,
            exhausted: [
                "to-space exhausted",
                "to-space overflow",
                "promotion failed",
                "concurrent mode failure",
                "GC--",
            ]
            .iter()
            .any(|words| body.contains(words)),
        });
    }
}
