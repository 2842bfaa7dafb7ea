//! Lines of unified logging, `-Xlog:gc*`: what stands behind `GC(NUMBER)`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Change, Collection, Kind, size};

/// `GC(38) Pause Full (Ergonomics) 73M->73M(77M) 4.422ms`; ZGC's `GC(11) Garbage Collection (Allocation Stall)
/// 198M(52%)->198M(52%)`, with `Minor` and `Major Collection` where it has generations.
fn pause() -> Option<&'static Regex> {
    static PAUSE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"GC\((\d+)\)[\s>|]+(?:[yYoO]: )?(Pause[\s>|]+[A-Z][A-Za-z ]*?|Garbage Collection|M(?:inor|ajor) Collection)\s*((?:\((?:[^()\n]|\([^()\n]*\)){0,80}\)\s*){0,4})[\s>|]*(\d+)([BKMG])(?:\((\d+)%\))?-(?:>|&gt;)(\d+)([BKMG])\((\d+)([BKMG%])\)",
        )
        .ok()
    });
    PAUSE.as_ref()
}

/// `GC(38) Metaspace: 911K(1088K)->897K(1088K)`, without the bracket before the arrow up to JDK 15, and the lines on room
/// that was missing.
fn beside() -> Option<&'static Regex> {
    static BESIDE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"GC\((\d+)\)\s+(?:Metaspace: (\d+)([KM])(?:\(\d+[KM]\))?-(?:>|&gt;)(\d+)([KM])\((\d+)([KM])\)|(To-space exhausted|[^\n]{0,60}Evacuation Failure|Promotion failed|Concurrent Mode Failure))",
        )
        .ok()
    });
    BESIDE.as_ref()
}

pub(super) fn read(text: &str, collections: &mut Vec<Collection>) {
    let (Some(pause), Some(beside)) = (pause(), beside()) else { return };
    let first = collections.len();
    collections.extend(pause.captures_iter(text).filter_map(|found| collection(&found)));
    let mut rest = collections.get_mut(first..).unwrap_or_default();
    // The lines of one collection follow one another, so each looks for its own among those that come next.
    for found in beside.captures_iter(text) {
        let Some(number) = found.get(1).and_then(|digits| digits.as_str().parse().ok()) else { continue };
        let offset = found.get(0).map_or(0, |whole| whole.start());
        while rest.len() > 1 && rest.first().is_some_and(|first| first.number != Some(number) && first.offset < offset)
        {
            let (_, others) = rest.split_at_mut(1);
            rest = others;
        }
        if let Some(own) = rest.iter_mut().take(3).find(|collection| collection.number == Some(number)) {
            let part = |group| found.get(group).map_or("", |part| part.as_str());
            if found.get(8).is_some() {
                own.exhausted = true;
            } else if let (Some(before), Some(after)) = (size(part(2), part(3)), size(part(4), part(5))) {
                own.metaspace = Some(Change { before, after, capacity: size(part(6), part(7)), percent: None });
            }
        }
    }
}

fn collection(found: &Captures) -> Option<Collection> {
    let part = |group| found.get(group).map_or("", |part| part.as_str());
    let name = part(2);
    let kind = if name.starts_with("Pause") && name.ends_with("Full") {
        Kind::Full
    } else if name.starts_with("Pause") {
        Kind::Young
    } else {
        Kind::Concurrent
    };
    let (capacity, percent) = match part(10) {
        "%" => (None, part(9).parse().ok()),
        unit => (size(part(9), unit), None),
    };
    // The last bracket is the cause; those before it say how: `(Young) (Normal) (G1 Evacuation Pause)`.
    let cause = part(3).trim().trim_end_matches(')');
    let cause = cause.rsplit_once(" (").map_or_else(|| cause.trim_start_matches('('), |(_, last)| last);
    let cause = if cause.ends_with("System.gc(") { "System.gc()" } else { cause };
    Some(Collection {
        offset: found.get(0)?.start(),
        number: part(1).parse().ok(),
        kind,
        cause: cause.to_owned(),
        heap: Change { before: size(part(4), part(5))?, after: size(part(7), part(8))?, capacity, percent },
        metaspace: None,
        is_perm: false,
        exhausted: name.contains("Degenerated") || part(3).contains("Evacuation Failure"),
    })
}
