//! Whole lines at the end of a file, or as much of them as the disk takes.

use std::fs::File;
use std::io::{self, Write};

/// What lines are put behind: a file, opened for appending.
pub trait Disk: Write {
    /// Has what was written reach the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Disk for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Puts lines behind one another, so that none is ever joined to a half one.
#[derive(Debug)]
pub struct Appender<D> {
    disk: D,
    length: u64,
    torn: bool,
}

impl<D: Disk> Appender<D> {
    /// Behind a disk's `length` bytes, which end within a line where `torn`.
    pub fn behind(disk: D, length: u64, torn: bool) -> Appender<D> {
        Appender { disk, length, torn }
    }

    /// How long it is.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Writes a line with one call of the kernel. Behind half a line it begins with a newline of its own; a half line
    /// is what a full disk leaves, and is never tried to be mended or completed.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        let mended;
        let bytes = if self.torn {
            mended = format!("\n{line}");
            mended.as_bytes()
        } else {
            line.as_bytes()
        };
        let written = loop {
            match self.disk.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.length += written as u64;
        if written == bytes.len() {
            self.torn = false;
            return Ok(());
        }
        if written > 0 {
            // Only the newline itself mends what was torn; any letter behind it is torn again.
            self.torn = !(self.torn && written == 1);
        }
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    /// Has it reach the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        self.disk.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk on which only so many bytes are free.
    struct Small {
        holds: Vec<u8>,
        free: usize,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.free == 0 {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            let taken = bytes.len().min(self.free);
            self.free -= taken;
            self.holds.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk for Small {
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_fills_up_and_is_emptied_joins_no_lines() {
        for free in 0..24 {
            for then in 0..4 {
                let mut on = Appender::behind(Small { holds: Vec::new(), free }, 0, false);
                let mut done: Vec<&str> = Vec::new();
                for (number, line) in ["first\n", "second\n", "third\n", "fourth\n"].into_iter().enumerate() {
                    // The disk gives a few bytes, then plenty.
                    on.disk.free += if number == 2 { then } else { 0 };
                    on.disk.free += if number == 3 { 100 } else { 0 };
                    if on.line(line).is_ok() {
                        done.push(line.trim_end());
                    }
                }
                assert_eq!(on.length(), on.disk.holds.len() as u64);
                let text = String::from_utf8(on.disk.holds).unwrap();
                assert_eq!(done.last(), Some(&"fourth"));
                let whole: Vec<&str> = text.split_inclusive('\n').map(|line| line.trim_end()).collect();
                assert!(done.iter().all(|line| whole.contains(line)), "{free} {then}: {done:?} in {text:?}");
                let lines = ["first", "second", "third", "fourth"];
                assert!(
                    whole.iter().all(|line| lines.iter().any(|of| of.starts_with(line))),
                    "{free} {then}: a line is joined to half of another: {text:?}"
                );
            }
        }
    }

    #[test]
    fn a_file_that_takes_nothing_is_an_error_and_no_more() {
        let full = File::options().append(true).open("/dev/full").unwrap();
        let mut on = Appender::behind(full, 0, false);
        assert_eq!(on.line("a\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(on.length(), 0);
    }
}
