//! A text in blocks of whole lines, searched on two cores where there are two.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{self, TrySendError};
use std::thread;

use memchr::{memchr, memchr_iter, memrchr};

use super::MOST_OF_A_LINE;
use super::windows::Windows;
use crate::artefact::anchors::{Anchors, Hit};

/// A block stays in a core's own cache between being read, searched and counted.
pub(super) const BLOCK: usize = 512 << 10;
/// Blocks that wait for one before them.
const WAITING: usize = 6;

/// Whole lines.
#[derive(Debug, Default)]
struct Block {
    /// The block's bytes and, behind them, room.
    buffer: Vec<u8>,
    length: usize,
    /// How many bytes of its only line are not in it.
    beyond: u64,
    hits: Vec<Hit>,
    newlines: usize,
}

impl Block {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    fn search(&mut self, anchors: &Anchors) {
        self.hits.clear();
        let bytes = self.buffer.get(..self.length).unwrap_or_default();
        anchors.find(bytes, &mut self.hits);
        self.newlines = memchr_iter(b'\n', bytes).count();
    }
}

/// Cuts what a reader gives into blocks.
pub(super) struct Blocks<R> {
    reader: R,
    size: usize,
    /// The start of a line whose end is not yet read.
    carried: Vec<u8>,
    ended: bool,
    read: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(reader: R, size: usize) -> Blocks<R> {
        Blocks { reader, size: size.max(1), carried: Vec::new(), ended: false, read: 0, failed: None }
    }

    /// Bytes that were read, and why it ended where that was not the end of the text.
    pub(super) fn outcome(self) -> (u64, Option<io::Error>) {
        (self.read, self.failed)
    }

    fn fill(&mut self, into: &mut [u8]) -> usize {
        if self.ended {
            return 0;
        }
        loop {
            match self.reader.read(into) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.read += count as u64;
                    return count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // The end of what a device or a pipe of the kernel has now.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.ended = true,
                Err(error) => {
                    self.failed = Some(error);
                    self.ended = true;
                }
            }
            return 0;
        }
    }

    /// Makes the next block out of one that is done with. False at the end.
    fn next(&mut self, block: &mut Block) -> bool {
        block.length = 0;
        block.beyond = 0;
        if block.buffer.len() < self.size.max(self.carried.len()) {
            block.buffer.resize(self.size.max(self.carried.len()), 0);
        }
        if let Some(start) = block.buffer.get_mut(..self.carried.len()) {
            start.copy_from_slice(&self.carried);
            block.length = self.carried.len();
        }
        self.carried.clear();
        let mut searched = 0;
        loop {
            while !self.ended && block.length < block.buffer.len() {
                block.length += self.fill(block.buffer.get_mut(block.length..).unwrap_or_default());
            }
            let fresh = block.bytes().get(searched..).unwrap_or_default();
            if let Some(end) = memrchr(b'\n', fresh) {
                let end = searched + end + 1;
                // At the end of the text a last line without its end belongs to the block.
                if !self.ended {
                    self.carried.extend_from_slice(block.bytes().get(end..).unwrap_or_default());
                    block.length = end;
                }
                return true;
            }
            if self.ended {
                return block.length > 0;
            }
            searched = block.length;
            if block.length > MOST_OF_A_LINE {
                self.cut(block);
                return true;
            }
            let larger = (block.buffer.len() * 2).min(MOST_OF_A_LINE + 1).max(block.length + 1);
            block.buffer.resize(larger, 0);
        }
    }

    /// Reads to the end of a line of which enough is known.
    fn cut(&mut self, block: &mut Block) {
        block.beyond = (block.length - MOST_OF_A_LINE) as u64;
        block.length = MOST_OF_A_LINE;
        let mut piece = vec![0; 64 << 10];
        while !self.ended {
            let count = self.fill(&mut piece);
            let read = piece.get(..count).unwrap_or_default();
            let Some(end) = memchr(b'\n', read) else {
                block.beyond += count as u64;
                continue;
            };
            block.beyond += end as u64;
            if let Some(place) = block.buffer.get_mut(block.length) {
                *place = b'\n';
                block.length += 1;
            }
            self.carried.extend_from_slice(read.get(end + 1..).unwrap_or_default());
            return;
        }
    }
}

/// Reads to the end and hands every block with its words to the windows, in order.
pub(super) fn run<R: Read>(blocks: &mut Blocks<R>, anchors: &Anchors, windows: &mut Windows<'_>, two_threads: bool) {
    if two_threads && on_two_threads(blocks, anchors, windows) {
        return;
    }
    let mut block = Block::default();
    while blocks.next(&mut block) {
        block.search(anchors);
        windows.block(block.bytes(), &block.hits, block.newlines, block.beyond);
    }
}

/// One thread reads and, when the other has enough to do, searches too. False where there is no second thread.
fn on_two_threads<R: Read>(blocks: &mut Blocks<R>, anchors: &Anchors, windows: &mut Windows<'_>) -> bool {
    thread::scope(|scope| {
        let (work, to_do) = mpsc::sync_channel::<(u64, Block)>(2);
        let (done, results) = mpsc::channel::<(u64, Block)>();
        let searching = move || {
            for (number, mut block) in to_do {
                block.search(anchors);
                if done.send((number, block)).is_err() {
                    break;
                }
            }
        };
        if thread::Builder::new().spawn_scoped(scope, searching).is_err() {
            return false;
        }
        let mut work = Some(work);
        let mut waiting: VecDeque<Option<Block>> = VecDeque::new();
        let mut first: u64 = 0;
        let mut spare: Vec<Block> = Vec::new();
        while work.is_some() || !waiting.is_empty() {
            if waiting.len() >= WAITING || work.is_none() {
                let Ok((number, block)) = results.recv() else { return true };
                put(&mut waiting, first, number, block);
            }
            for (number, block) in results.try_iter() {
                put(&mut waiting, first, number, block);
            }
            while let Some(Some(_)) = waiting.front() {
                if let Some(Some(block)) = waiting.pop_front() {
                    windows.block(block.bytes(), &block.hits, block.newlines, block.beyond);
                    spare.push(block);
                }
                first += 1;
            }
            let Some(to_work) = work.as_ref().filter(|_| waiting.len() < WAITING) else { continue };
            let mut block = spare.pop().unwrap_or_default();
            if !blocks.next(&mut block) {
                work = None;
                continue;
            }
            let number = first + waiting.len() as u64;
            waiting.push_back(None);
            if let Err(TrySendError::Full((_, mut block)) | TrySendError::Disconnected((_, mut block))) =
                to_work.try_send((number, block))
            {
                block.search(anchors);
                put(&mut waiting, first, number, block);
            }
        }
        true
    })
}

fn put(waiting: &mut VecDeque<Option<Block>>, first: u64, number: u64, block: Block) {
    let place = usize::try_from(number.saturating_sub(first)).ok().and_then(|index| waiting.get_mut(index));
    if let Some(place) = place {
        *place = Some(block);
    }
}
