//! What RocksDB calls back: the merge operator of list state, and the compaction filter of state that expires.
//!
//! A panic in any of these would abort the process, as nothing may unwind into C++; none of them can.
#![allow(unsafe_code, reason = "called by RocksDB")]

use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::owned::Owned;
use super::table::{CompactionFilter, MergeOperator, Table};

/// What stands between the elements of a list: `RocksDBListState.DELIMITER` of Flink.
const DELIMITER: u8 = b',';

/// The merge operator that Flink sets for every state, `RocksDBKeyedStateBackend.MERGE_OPERATOR_NAME` (`stringappendtest`).
///
/// It is RocksDB's `StringAppendTESTOperator` (`utilities/merge_operators/string_append/stringappend2.cc`, alike in 5.17.2,
/// 6.20.3 and 8.10.0) by way of the C interface, which has no other way to set it in all three: operands stay apart until
/// they meet a value or the end, and are put behind it then.
pub(super) fn merge_operator(table: &Table) -> *mut MergeOperator {
    // SAFETY: there is no state; the functions are what RocksDB expects.
    unsafe {
        (table.all.rocksdb_mergeoperator_create)(
            ptr::null_mut(),
            nothing_to_destroy,
            append,
            keep_apart,
            free_appended,
            name_of_append,
        )
    }
}

unsafe extern "C" fn nothing_to_destroy(_: *mut c_void) {}

unsafe extern "C" fn name_of_append(_: *mut c_void) -> *const c_char {
    c"StringAppendTESTOperator".as_ptr()
}

unsafe extern "C" fn append(
    _: *mut c_void,
    _: *const c_char,
    _: usize,
    value: *const c_char,
    value_length: usize,
    operands: *const *const c_char,
    lengths: *const usize,
    count: c_int,
    success: *mut c_uchar,
    length: *mut usize,
) -> *mut c_char {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: RocksDB hands over as many operands as it says, each as long as it says, and room for the two results.
    unsafe {
        let existing = if value.is_null() { None } else { Some(bytes(value, value_length)) };
        let operands = (0..count).map(|index| bytes(*operands.add(index), *lengths.add(index)));
        let parts = existing.into_iter().chain(operands);
        // Exact, so that the box below does not copy it.
        let room = parts.clone().map(|part| part.len() + 1).sum::<usize>().saturating_sub(1);
        let mut appended = Vec::with_capacity(room);
        for (index, part) in parts.enumerate() {
            if index > 0 {
                appended.push(DELIMITER);
            }
            appended.extend_from_slice(part);
        }
        *success = 1;
        *length = appended.len();
        Box::into_raw(appended.into_boxed_slice()).cast()
    }
}

unsafe extern "C" fn keep_apart(
    _: *mut c_void,
    _: *const c_char,
    _: usize,
    _: *const *const c_char,
    _: *const usize,
    _: c_int,
    success: *mut c_uchar,
    length: *mut usize,
) -> *mut c_char {
    // SAFETY: room for the two results. The C interface copies the result before it looks at the success: nothing, but from
    // somewhere.
    unsafe {
        *success = 0;
        *length = 0;
    }
    ptr::NonNull::dangling().as_ptr()
}

unsafe extern "C" fn free_appended(_: *mut c_void, value: *const c_char, length: usize) {
    // SAFETY: what `append` or `keep_apart` returned, with its length; a box of no bytes owns no memory.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(value.cast_mut().cast::<u8>(), length)) });
}

/// When entries of a state expire.
pub(super) struct Expiring {
    ttl: u64,
    now: Arc<AtomicU64>,
}

/// A compaction filter for state that expires, in place of Flink's `FlinkCompactionFilter`, which only the forks have and only
/// the JVM can set: the first eight bytes of a value are the number of the record that wrote it, big-endian as Flink writes
/// its timestamps, and `now` is the number of the record that is being taken. Shorter values stay.
///
/// RocksDB holds only its address: it has to outlive the database.
pub(super) fn expiry_filter(table: &Table, ttl: u64, now: Arc<AtomicU64>) -> Owned<CompactionFilter> {
    let state = Box::into_raw(Box::new(Expiring { ttl, now }));
    // SAFETY: the state is a box that `destroy_expiring` takes back; the functions are what RocksDB expects.
    unsafe {
        let filter =
            (table.all.rocksdb_compactionfilter_create)(state.cast(), destroy_expiring, expired, name_of_expiry);
        // What 5.17.2 has to be told, the later ones cannot do otherwise (`CompactionFilter::IgnoreSnapshots`).
        (table.all.rocksdb_compactionfilter_set_ignore_snapshots)(filter, 1);
        Owned::new(filter, table.all.rocksdb_compactionfilter_destroy)
    }
}

unsafe extern "C" fn destroy_expiring(state: *mut c_void) {
    // SAFETY: the box of `expiry_filter`, given up once.
    drop(unsafe { Box::from_raw(state.cast::<Expiring>()) });
}

unsafe extern "C" fn name_of_expiry(_: *mut c_void) -> *const c_char {
    c"oomph.expiry".as_ptr()
}

unsafe extern "C" fn expired(
    state: *mut c_void,
    _: c_int,
    _: *const c_char,
    _: usize,
    value: *const c_char,
    value_length: usize,
    _: *mut *mut c_char,
    _: *mut usize,
    value_changed: *mut c_uchar,
) -> c_uchar {
    // SAFETY: the state of `expiry_filter`, which lives as long as the filter; a value as long as it says.
    let (expiring, value) = unsafe {
        *value_changed = 0;
        (&*state.cast::<Expiring>(), bytes(value, value_length))
    };
    c_uchar::from(is_expired(value, expiring.ttl, expiring.now.load(Ordering::Relaxed)))
}

/// Whether a value was written so many records ago: `FlinkCompactionFilter` drops what was written at `now - ttl` or before.
fn is_expired(value: &[u8], ttl: u64, now: u64) -> bool {
    value.first_chunk().is_some_and(|written| u64::from_be_bytes(*written).saturating_add(ttl) <= now)
}

/// Bytes of RocksDB.
///
/// # Safety
/// `length` bytes from `start` on are readable for as long as the result is used, or `length` is zero.
pub(super) unsafe fn bytes<'b>(start: *const c_char, length: usize) -> &'b [u8] {
    if length == 0 {
        return &[];
    }
    // SAFETY: by the promise of the caller.
    unsafe { slice::from_raw_parts(start.cast(), length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls the merge operator as RocksDB does.
    fn appended(existing: Option<&str>, operands: &[&str]) -> String {
        let pointers: Vec<*const c_char> = operands.iter().map(|operand| operand.as_ptr().cast()).collect();
        let lengths: Vec<usize> = operands.iter().map(|operand| operand.len()).collect();
        let (value, value_length) =
            existing.map_or((ptr::null(), 0), |existing| (existing.as_ptr().cast::<c_char>(), existing.len()));
        let (mut success, mut length) = (0, 0);
        // SAFETY: as many operands as said, each as long as said.
        unsafe {
            let made = append(
                ptr::null_mut(),
                ptr::null(),
                0,
                value,
                value_length,
                pointers.as_ptr(),
                lengths.as_ptr(),
                i32::try_from(operands.len()).unwrap(),
                &raw mut success,
                &raw mut length,
            );
            let text = String::from_utf8(bytes(made, length).to_vec()).unwrap();
            free_appended(ptr::null_mut(), made, length);
            assert_eq!(success, 1);
            text
        }
    }

    #[test]
    fn elements_are_appended_with_a_comma_between_them() {
        assert_eq!(appended(Some("a"), &["b", "c"]), "a,b,c");
        assert_eq!(appended(None, &["b", "c"]), "b,c");
        assert_eq!(appended(None, &["b"]), "b");
        assert_eq!(appended(Some(""), &["b"]), ",b");
        assert_eq!(appended(None, &[""]), "");
        assert_eq!(appended(None, &["", ""]), ",");
    }

    #[test]
    fn a_value_expires_when_its_time_has_passed() {
        let written = 100_u64.to_be_bytes();
        assert!(!is_expired(&written, 10, 109));
        assert!(is_expired(&written, 10, 110));
        assert!(!is_expired(&written[..7], 10, 1000));
        assert!(!is_expired(&u64::MAX.to_be_bytes(), 10, 1000));
    }
}
