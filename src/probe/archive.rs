//! Names of members of a tar archive that do not fit into its headers, read without trusting their lengths: the library
//! would read a name of any length into memory.

use std::io::{self, Read};

use tar::{Entry, EntryType};

/// A path that is longer than the kernel takes is none.
const LONGEST_PATH: u64 = 4096;

/// What pax writes around a path: lengths, other keys, their values.
const AROUND: u64 = 1024;

/// Whether an entry is the name of the one behind it.
pub(super) fn is_name(kind: EntryType) -> bool {
    matches!(kind, EntryType::GNULongName | EntryType::XHeader)
}

/// The name that such an entry gives the one behind it; nothing where it tells something else of it.
pub(super) fn name(entry: &mut Entry<'_, impl Read>) -> io::Result<Option<Vec<u8>>> {
    let kind = entry.header().entry_type();
    let mut text = Vec::new();
    entry.take(LONGEST_PATH + AROUND).read_to_end(&mut text)?;
    Ok(match kind {
        EntryType::XHeader => {
            let path = tar::PaxExtensions::new(&text).flatten().find(|extension| extension.key_bytes() == b"path");
            path.map(|extension| extension.value_bytes().to_vec())
        }
        _ => text.split(|byte| *byte == 0).next().map(<[u8]>::to_vec),
    })
}
