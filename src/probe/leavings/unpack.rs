//! Packed files, told by their first bytes: gzip, Zstandard and tar, one in the other.

use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::artefact::recording;

/// A Zstandard frame that looks further back than this would take that much memory.
const LARGEST_WINDOW: u64 = 8 << 20;
/// At most so much is asked of the decoder at once: it keeps what it was asked for.
const AT_ONCE: usize = 64 << 10;
/// So much of a file's start tells what it is: up to where tar has its mark.
const START: u64 = 512;

/// A reader with what was read of its start.
pub(super) type Begun<R> = Chain<Cursor<Vec<u8>>, R>;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
    Tar,
    /// In a way that is not read, or no text at all; and what would let it be read.
    Unread(&'static str, Option<&'static str>),
}

/// What a file that would be read once it is unpacked asks for.
const UNPACK: Option<&str> = Some("unpack it first");

impl Packing {
    fn of(start: &[u8]) -> Packing {
        match start {
            [0x1f, 0x8b, 8, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Packing::Unread("it is packed with xz", UNPACK),
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Packing::Unread("it is packed with bzip2", UNPACK),
            [0x04, 0x22, 0x4d, 0x18, ..] => Packing::Unread("it is packed with lz4", UNPACK),
            [b'P', b'K', 3, 4, ..] => Packing::Unread("it is a zip or jar file", UNPACK),
            [0x7f, b'E', b'L', b'F', ..] => Packing::Unread("it is a program or a core dump", None),
            [b'J', b'A', b'V', b'A', b' ', b'P', b'R', b'O', b'F', b'I', b'L', b'E', b' ', ..] => {
                Packing::Unread("it is a heap dump", None)
            }
            [b'F', b'L', b'R', 0, ..] => Packing::Unread("it is a recording of the JVM's flight recorder", None),
            // Its parts lie beside one another, which only files do.
            _ if recording::is_begun(start) => {
                Packing::Unread("it is a recording of oomph", Some("put it into a file and name that"))
            }
            _ if start.get(257..262) == Some(b"ustar") => Packing::Tar,
            _ => Packing::None,
        }
    }
}

/// Reads the start of a file and tells how it is packed.
pub(super) fn begin<R: Read>(mut reader: R) -> io::Result<(Packing, Begun<R>)> {
    let mut start = Vec::new();
    let failed = reader.by_ref().take(START).read_to_end(&mut start).err();
    if let Some(error) = failed.filter(|error| start.is_empty() && error.kind() != io::ErrorKind::WouldBlock) {
        return Err(error);
    }
    let packing = Packing::of(&start);
    Ok((packing, Cursor::new(start).chain(reader)))
}

/// Unpacks gzip, also of several files behind one another.
pub(super) fn gzip<R: Read>(reader: R) -> MultiGzDecoder<R> {
    MultiGzDecoder::new(reader)
}

/// Unpacks Zstandard, frame by frame.
pub(super) struct Zstd<R: Read> {
    state: State<R>,
}

/// A frame, which begins with a header that is already read.
type Frame<R> = Box<StreamingDecoder<Begun<R>, FrameDecoder>>;

enum State<R: Read> {
    Between(R),
    Within(Frame<R>),
    Ended,
}

impl<R: Read> Zstd<R> {
    pub(super) fn new(reader: R) -> Zstd<R> {
        Zstd { state: State::Between(reader) }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer.len().min(AT_ONCE);
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(reader) => {
                    if let Some(frame) = next_frame(reader)? {
                        self.state = State::Within(frame);
                    }
                }
                State::Within(mut frame) => {
                    let count = frame.read(buffer)?;
                    if count > 0 {
                        self.state = State::Within(frame);
                        return Ok(count);
                    }
                    let (_, reader) = frame.into_inner().into_inner();
                    self.state = State::Between(reader);
                }
            }
        }
    }
}

/// The next frame that has something in it; `None` at the end.
fn next_frame<R: Read>(mut reader: R) -> io::Result<Option<Frame<R>>> {
    loop {
        let mut header = Vec::new();
        reader.by_ref().take(8).read_to_end(&mut header)?;
        match header.as_slice() {
            [] => return Ok(None),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d] => {
                let length = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
                io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
            }
            [0x28, 0xb5, 0x2f, 0xfd, descriptor, ..] => {
                // The longest header: window, dictionary and size.
                let rest = header_length(*descriptor).saturating_sub(header.len() as u64);
                reader.by_ref().take(rest).read_to_end(&mut header)?;
                let window = window(&header).ok_or(io::ErrorKind::UnexpectedEof)?;
                if window > LARGEST_WINDOW {
                    let why = format!(
                        "its Zstandard window has {} MiB, and at most {} MiB are read: unpack it first",
                        window.div_ceil(1 << 20),
                        LARGEST_WINDOW >> 20
                    );
                    return Err(io::Error::other(why));
                }
                let frame = StreamingDecoder::new(Cursor::new(header).chain(reader)).map_err(io::Error::other)?;
                return Ok(Some(Box::new(frame)));
            }
            _ => return Err(io::Error::other("what follows is no Zstandard frame")),
        }
    }
}

/// How long a frame's header is (RFC 8878, 3.1.1.1).
fn header_length(descriptor: u8) -> u64 {
    let single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = match descriptor >> 6 {
        0 => u64::from(single),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    4 + 1 + u64::from(!single) + dictionary + size
}

/// How far back a frame looks.
fn window(header: &[u8]) -> Option<u64> {
    let descriptor = *header.get(4)?;
    if descriptor & 0x20 == 0 {
        let byte = u64::from(*header.get(5)?);
        let base = 1_u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * (byte & 7));
    }
    let from = 5 + [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = header.get(from..usize::try_from(header_length(descriptor)).ok()?)?;
    let number = size.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Some(if size.len() == 2 { number + 256 } else { number })
}
