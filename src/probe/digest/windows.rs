//! Which lines of a large text are kept: its start, its end, and those around words that matter. Where that is too
//! much, the first and the last of each word stay, and the others are counted.

use std::collections::{BTreeMap, VecDeque};

use memchr::{memchr, memchr_iter, memrchr};

use super::window::{Hits, Wanted, Window, growth, lines};
use super::{LeftOut, MOST_OF_A_LINE};
use crate::artefact::anchors::{Anchors, Hit};

/// Kept of the start and of the end, whatever stands there: start-up figures and last words.
const EDGE: usize = 64 << 10;
/// Before a word, no more bytes than these.
const BEFORE_BYTES: usize = 64 << 10;
/// Behind a word, no line begins that many bytes after it.
const AFTER_BYTES: usize = 256 << 10;
/// Where windows run into one another, a new one begins after so many bytes.
const WINDOW: usize = 128 << 10;
/// Of each word so many windows are kept, first ones and as many last ones, if there is room for them.
const OF_EACH: usize = 256;
/// Bytes of all windows.
pub(super) const ROOM: usize = 24 << 20;

/// The window that is being filled.
#[derive(Debug)]
struct Open {
    window: Window,
    /// The last line that belongs to it.
    until: u32,
    /// Bytes that may still come behind the last word.
    bytes_left: usize,
    /// Bytes that may still come at the start of the text, words or not.
    edge_left: usize,
    /// Whose extent reaches until then.
    owner: Wanted,
}

impl Open {
    fn ends_before(&self, line: u32) -> bool {
        (line > self.until || self.bytes_left == 0) && self.edge_left == 0
    }
}

/// Takes a text block by block, with the words found in it, and keeps windows of it.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    anchors: &'a Anchors,
    /// The number of the next line.
    line: u32,
    open: Option<Open>,
    /// The lines before the next one that are in no window: at least as many as an edge has, whole lines.
    skipped: VecDeque<Skipped>,
    skipped_bytes: usize,
    kept: BTreeMap<u64, Window>,
    next_id: u64,
    cost: usize,
    shares: Vec<Share>,
    /// Lines of windows that were let go.
    gone: u64,
}

/// Lines that were passed over, as one piece.
#[derive(Debug)]
struct Skipped {
    bytes: Vec<u8>,
    beyond: u64,
}

/// What is kept for one word.
#[derive(Clone, Debug)]
struct Share {
    most: usize,
    first: Vec<u64>,
    last: VecDeque<u64>,
    gone: Option<Hits>,
}

impl<'a> Windows<'a> {
    pub(super) fn new(anchors: &'a Anchors) -> Windows<'a> {
        let share = Share { most: OF_EACH, first: Vec::new(), last: VecDeque::new(), gone: None };
        let edge = Wanted { edge: true, anchors: Vec::new() };
        let window = Window { first: 1, wanted: edge, ..Window::default() };
        let open = Open { window, until: 0, bytes_left: 0, edge_left: EDGE, owner: Wanted::default() };
        Windows {
            anchors,
            line: 1,
            open: Some(open),
            skipped: VecDeque::new(),
            skipped_bytes: 0,
            kept: BTreeMap::new(),
            next_id: 0,
            cost: 0,
            shares: vec![share; anchors.all().len()],
            gone: 0,
        }
    }

    /// The next lines: whole ones, the last of the text perhaps without its end. Of a line that is a block of its own
    /// `beyond` bytes are not in it.
    pub(super) fn block(&mut self, block: &[u8], hits: &[Hit], newlines: usize, beyond: u64) {
        let mut from = 0;
        let mut counted = 0;
        let (mut looked, mut line_start) = (0, 0);
        for hit in hits {
            // A line may be a megabyte of words that matter: it is looked through once, and not for each of them.
            if let Some(end) = memrchr(b'\n', block.get(looked..hit.offset).unwrap_or_default()) {
                line_start = looked + end + 1;
            }
            looked = hit.offset;
            let word = self.anchors.get(hit.anchor);
            let Some(anchor) = word.filter(|anchor| hit.offset + anchor.word.len() <= line_start + MOST_OF_A_LINE)
            else {
                continue;
            };
            counted += self.pass(block.get(from..line_start).unwrap_or_default(), None, 0);
            from = from.max(line_start);
            self.hit(hit.anchor, anchor.before, anchor.after);
        }
        self.pass(block.get(from..).unwrap_or_default(), Some(newlines.saturating_sub(counted)), beyond);
    }

    /// Lines without a word in any but the first, which may have been hit: into the open window as far as that goes.
    /// Gives how many line ends they have.
    fn pass(&mut self, lines: &[u8], newlines: Option<usize>, beyond: u64) -> usize {
        let mut rest = lines;
        let mut taken = 0;
        while !rest.is_empty() && self.open.is_some() {
            let (line, after) = match memchr(b'\n', rest) {
                Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default()),
                None => (rest, &[][..]),
            };
            if !self.keep(line, beyond) {
                break;
            }
            taken += usize::from(line.len() < rest.len());
            rest = after;
        }
        if rest.is_empty() {
            return taken;
        }
        let skipped = match newlines {
            Some(all) => all.saturating_sub(taken),
            None => memchr_iter(b'\n', rest).count(),
        };
        self.skip(rest, beyond);
        let unended = usize::from(rest.last() != Some(&b'\n'));
        self.line = self.line.saturating_add(u32::try_from(skipped + unended).unwrap_or(u32::MAX));
        taken + skipped
    }

    /// Puts a line into the open window, unless that ends before it.
    fn keep(&mut self, line: &[u8], beyond: u64) -> bool {
        let Some(open) = &mut self.open else { return false };
        if open.ends_before(self.line) {
            self.close();
            return false;
        }
        self.begin_anew_where_full();
        if let Some(open) = &mut self.open {
            open.bytes_left = open.bytes_left.saturating_sub(line.len() + 1);
            open.edge_left = open.edge_left.saturating_sub(line.len() + 1);
            open.window.push(self.line, line, beyond);
        }
        self.line = self.line.saturating_add(1);
        true
    }

    /// The next line has a word.
    fn hit(&mut self, anchor: usize, before: u32, after: u32) {
        let line = self.line;
        let until = line.saturating_add(after);
        if self.open.as_ref().is_some_and(|open| open.ends_before(line)) {
            self.close();
        }
        let mut owner = Wanted::default();
        owner.add(anchor);
        if self.open.is_some() {
            self.begin_anew_where_full();
        } else {
            let window = self.window_before(before);
            self.open = Some(Open { window, until, bytes_left: AFTER_BYTES, edge_left: 0, owner: owner.clone() });
        }
        if let Some(open) = &mut self.open {
            open.window.hit(anchor, line);
            open.bytes_left = open.bytes_left.max(AFTER_BYTES);
            if until >= open.until {
                open.until = until;
                open.owner = owner;
            }
        }
    }

    /// Stores a window that is full; those whose lines go on have the next one too.
    fn begin_anew_where_full(&mut self) {
        let Some(open) = self.open.as_mut().filter(|open| open.window.bytes.len() >= WINDOW) else { return };
        let next = Window { first: self.line, wanted: open.owner.clone(), ..Window::default() };
        let full = std::mem::replace(&mut open.window, next);
        self.store(full);
    }

    /// A window that starts with up to so many of the lines that were passed over.
    fn window_before(&mut self, most: u32) -> Window {
        let mut window = Window::default();
        let mut count = 0;
        let mut bytes = 0;
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        'pieces: while let Some(mut last) = self.skipped.pop_back() {
            let mut start = last.bytes.len();
            while start > 0 {
                let text = last.bytes.get(..start - 1).unwrap_or_default();
                let begins = memrchr(b'\n', text).map_or(0, |end| end + 1);
                bytes += start - begins;
                if count == most || bytes > BEFORE_BYTES || last.beyond > 0 {
                    pieces.push(last.bytes.split_off(start));
                    break 'pieces;
                }
                count += 1;
                start = begins;
            }
            pieces.push(last.bytes);
        }
        self.skipped.clear();
        self.skipped_bytes = 0;
        window.first = self.line.saturating_sub(count);
        for piece in pieces.iter().rev() {
            window.bytes.extend_from_slice(piece);
        }
        window.grows = lines(&window.bytes).map(growth).sum();
        window.lines = count as usize;
        window
    }

    /// Remembers the last of lines that are passed over.
    fn skip(&mut self, lines: &[u8], beyond: u64) {
        let start = suffix(lines, EDGE);
        if start > 0 {
            self.skipped.clear();
            self.skipped_bytes = 0;
        }
        let mut bytes = lines.get(start..).unwrap_or_default().to_vec();
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        self.skipped_bytes += bytes.len();
        self.skipped.push_back(Skipped { bytes, beyond });
        while let Some(first) = self.skipped.front() {
            if self.skipped_bytes - first.bytes.len() < EDGE {
                break;
            }
            self.skipped_bytes -= first.bytes.len();
            self.skipped.pop_front();
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.store(open.window);
        }
    }

    /// Keeps a window that is full, and lets others go where there is no room.
    fn store(&mut self, mut window: Window) {
        if window.bytes.is_empty() {
            return;
        }
        window.bytes.shrink_to_fit();
        let id = self.next_id;
        self.next_id += 1;
        let anchors = window.wanted.anchors.clone();
        self.cost += window.cost();
        self.kept.insert(id, window);
        for anchor in anchors {
            let Some(share) = self.shares.get_mut(anchor) else { continue };
            if share.first.len() < share.most {
                share.first.push(id);
            } else {
                share.last.push_back(id);
                self.shrink(anchor);
            }
        }
        while self.cost > ROOM && self.tighten() {}
    }

    /// Lets go what is beyond a word's share.
    fn shrink(&mut self, anchor: usize) {
        let mut gone = Vec::new();
        if let Some(share) = self.shares.get_mut(anchor) {
            // Those that are no longer among the first are older than all the last ones.
            for id in share.first.drain(share.most.min(share.first.len())..).rev() {
                share.last.push_front(id);
            }
            while share.last.len() > share.most {
                gone.extend(share.last.pop_front());
            }
        }
        for id in gone {
            self.let_go(id, anchor);
        }
    }

    fn let_go(&mut self, id: u64, anchor: usize) {
        let Some(window) = self.kept.get_mut(&id) else { return };
        window.wanted.anchors.retain(|wanting| *wanting != anchor);
        if !window.wanted.nobody() {
            return;
        }
        let Some(window) = self.kept.remove(&id) else { return };
        self.cost -= window.cost();
        self.gone += window.lines as u64;
        for hits in &window.hits {
            let Some(share) = self.shares.get_mut(hits.anchor) else { continue };
            share.gone = Some(share.gone.map_or(*hits, |gone| Hits {
                count: gone.count + hits.count,
                first: gone.first.min(hits.first),
                last: gone.last.max(hits.last),
                ..*hits
            }));
        }
    }

    /// Halves the share of the word that takes the most room. False where no word takes any.
    fn tighten(&mut self) -> bool {
        let mut taken = vec![0; self.shares.len()];
        for window in self.kept.values() {
            for anchor in &window.wanted.anchors {
                if let Some(bytes) = taken.get_mut(*anchor) {
                    *bytes += window.cost();
                }
            }
        }
        // One window of a word goes only where no other word has two.
        let most = (0..taken.len())
            .filter(|anchor| taken.get(*anchor) != Some(&0))
            .max_by_key(|anchor| (self.shares.get(*anchor).is_some_and(|share| share.most > 1), taken.get(*anchor)));
        let Some(anchor) = most else { return false };
        if let Some(share) = self.shares.get_mut(anchor) {
            share.most /= 2;
        }
        self.shrink(anchor);
        true
    }

    /// The windows in order, and what is not in them.
    pub(super) fn finish(mut self) -> (VecDeque<Window>, Vec<LeftOut>, u32) {
        self.close();
        let all = self.line - 1;
        let bytes: Vec<u8> = self.skipped.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
        let start = suffix(&bytes, EDGE);
        let last = bytes.get(start..).unwrap_or_default();
        if !last.is_empty() {
            let count = memchr_iter(b'\n', last).count();
            let first = self.line.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
            let mut window = Window { first, wanted: Wanted { edge: true, anchors: Vec::new() }, ..Window::default() };
            let beyond = self.skipped.back().map_or(0, |piece| piece.beyond);
            for (number, line) in (first..).zip(lines(last)) {
                window.push(number, line, if number == all { beyond } else { 0 });
            }
            self.cost += window.cost();
            self.kept.insert(self.next_id, window);
            while self.cost > ROOM && self.tighten() {}
        }
        let mut left_out = Vec::new();
        let kept: u64 = self.kept.values().map(|window| window.lines as u64).sum();
        let far = u64::from(all).saturating_sub(kept + self.gone);
        if far > 0 {
            left_out.push(LeftOut::Lines { count: far });
        }
        for gone in self.shares.iter().filter_map(|share| share.gone) {
            if let Some(anchor) = self.anchors.get(gone.anchor) {
                let word = anchor.word;
                left_out.push(LeftOut::Repeated { word, count: gone.count, first: gone.first, last: gone.last });
            }
        }
        (self.kept.into_values().collect(), left_out, all)
    }
}

/// Where the fewest last lines start that have so many bytes.
fn suffix(lines: &[u8], bytes: usize) -> usize {
    match lines.len().checked_sub(bytes) {
        None | Some(0) => 0,
        // A line that starts right there is whole, so its end is looked for one byte before.
        Some(from) => {
            let before = lines.get(..=from).unwrap_or_default();
            let before = before.get(..before.len() - 1).unwrap_or_default();
            memrchr(b'\n', before).map_or(0, |end| end + 1)
        }
    }
}
