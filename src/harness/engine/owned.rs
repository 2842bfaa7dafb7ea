//! Values of RocksDB that are given up by a function of theirs, texts of RocksDB, and texts for it.
#![allow(unsafe_code, reason = "the C interface of RocksDB")]

use std::ffi::{CStr, CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use super::EngineError;
use super::table::{Everywhere, Failure};

/// A value of RocksDB that is ours, and the function that gives it up.
pub(super) struct Owned<T> {
    raw: *mut T,
    give_up: unsafe extern "C" fn(*mut T),
}

// SAFETY: none of RocksDB's values is bound to the thread that made it; those whose use needs a lock are wrapped in types that
// take `&mut self`.
unsafe impl<T> Send for Owned<T> {}
// SAFETY: as above; options and caches may be read by several threads at once.
unsafe impl<T> Sync for Owned<T> {}

impl<T> Owned<T> {
    /// Takes what RocksDB has made.
    ///
    /// # Safety
    /// `raw` is null or was made for us, nobody else gives it up, and `give_up` is the function that does.
    pub(super) unsafe fn new(raw: *mut T, give_up: unsafe extern "C" fn(*mut T)) -> Owned<T> {
        Owned { raw, give_up }
    }

    /// The pointer, which is good for as long as this lives.
    pub(super) fn raw(&self) -> *mut T {
        self.raw
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: by the promise of `new`.
            unsafe { (self.give_up)(self.raw) }
        }
    }
}

/// Calls something that leaves a text where it fails.
pub(super) fn calling<R>(all: &Everywhere, call: impl FnOnce(Failure) -> R) -> Result<R, String> {
    let mut failure: *mut c_char = ptr::null_mut();
    let result = call(&raw mut failure);
    if failure.is_null() { Ok(result) } else { Err(taken(all, failure)) }
}

/// A text of RocksDB, copied and freed; empty where there is none.
pub(super) fn taken(all: &Everywhere, text: *mut c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: RocksDB's texts end with a zero and are malloc's; `rocksdb_free` is its free.
    unsafe {
        let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
        (all.rocksdb_free)(text.cast());
        copy
    }
}

/// A path for RocksDB.
pub(super) fn path_for_c(path: &Path) -> Result<CString, EngineError> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| EngineError::Zero { text: path.display().to_string() })
}

/// A name for RocksDB.
pub(super) fn text_for_c(text: &str) -> Result<CString, EngineError> {
    CString::new(text).map_err(|_| EngineError::Zero { text: text.to_owned() })
}
