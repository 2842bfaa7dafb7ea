//! A RocksDB to call: linked in, or loaded out of a file.
#![allow(unsafe_code, reason = "loads the library of RocksDB")]

use std::ffi::{CStr, c_void};
use std::fs::{self, File};
use std::io::Read;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libloading::os::unix::{Library as Loaded, RTLD_LAZY, RTLD_LOCAL};

use super::owned::{Owned, calling, path_for_c};
use super::release::{CacheArguments, ManagerBy, Release};
use super::table::{
    Everywhere, JniCache4, JniCache5, JniDisposeManager, JniNewManager, JniSetManager, JniVersion, MakeCache,
    ManagerCalls, NOBODY, Since6, Since8, Table,
};
use super::{EngineError, embedded};
use crate::model::StoreSettings;

/// The library that this process has loaded, if any.
static LOADED: OnceLock<(PathBuf, Library)> = OnceLock::new();

/// A RocksDB. Copies are cheap and mean the same one.
#[derive(Clone)]
pub struct Library {
    inner: Arc<Inner>,
}

struct Inner {
    table: Table,
    release: Release,
    path: Option<PathBuf>,
}

impl Library {
    /// The RocksDB that oomph is built with.
    ///
    /// # Errors
    /// [`EngineError::NotBuiltIn`] in a build without the feature `rocksdb`.
    pub fn embedded() -> Result<Library, EngineError> {
        let (table, release) = embedded::table()?;
        Ok(Library { inner: Arc::new(Inner { table, release, path: None }) })
    }

    /// Loads a library that was taken out of flink-dist. Loading the same file again gives the same library.
    ///
    /// It is opened lazily: that of Flink 1.9 to 1.13 wants jemalloc's `malloc_stats_print`, which is only called to dump
    /// statistics. `LD_BIND_NOW` in the environment would have the loader refuse it.
    ///
    /// # Errors
    /// Where it is no library, one for another machine, no RocksDB, or none of the [known ones](super::RELEASES); where
    /// another one is loaded already.
    pub fn load(path: &Path) -> Result<Library, EngineError> {
        let path =
            &fs::canonicalize(path).map_err(|why| EngineError::Files { doing: "load", path: path.to_owned(), why })?;
        if let Some(loaded) = same(path) {
            return loaded;
        }
        held_against_this_machine(path)?;
        // SAFETY: it is a library that the user named, to be run; its initialisers are those of C++'s statics. It is loaded
        // into a worker, whose crash is seen from outside.
        let loaded = unsafe { Loaded::open(Some(path), RTLD_LAZY | RTLD_LOCAL) };
        let loaded = loaded.map_err(|error| {
            let said = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            let why = said.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&said).to_owned();
            EngineError::NotLoaded { path: path.clone(), why }
        })?;
        // Never unloaded, even where it is refused: its background threads run on.
        let loaded = ManuallyDrop::new(loaded);
        let (table, release) = Exports { path, library: &loaded }.table()?;
        let library = Library { inner: Arc::new(Inner { table, release, path: Some(path.clone()) }) };
        let (first, _) = LOADED.get_or_init(|| (path.clone(), library.clone()));
        if first == path {
            return Ok(library);
        }
        Err(EngineError::SecondLibrary { path: path.clone(), other: first.clone() })
    }

    /// Which RocksDB it is.
    pub fn release(&self) -> Release {
        self.inner.release
    }

    /// Whether it is linked in.
    pub fn is_embedded(&self) -> bool {
        self.inner.path.is_none()
    }

    /// What of these settings cannot be set up as Flink does, a sentence each.
    pub fn deviations(&self, settings: &StoreSettings) -> Vec<String> {
        let mut deviations = Vec::new();
        if let (MakeCache::C, Some(pool)) = (&self.inner.table.make_cache, settings.pool)
            && pool.high_priority_percent != DEFAULT_HIGH_PRIORITY_PERCENT
        {
            deviations.push(format!(
                "the part of the block cache for index and filter blocks is {DEFAULT_HIGH_PRIORITY_PERCENT} %, RocksDB's \
                 default, not {} %: the C interface of RocksDB {} cannot set it, and the embedded one has no other",
                pool.high_priority_percent, self.inner.release
            ));
        }
        deviations
    }

    /// What may be called.
    pub(super) fn table(&self) -> &Table {
        &self.inner.table
    }
}

/// `LRUCacheOptions::high_pri_pool_ratio` where nobody sets it (`include/rocksdb/cache.h`, 8.10.0: 0.5).
const DEFAULT_HIGH_PRIORITY_PERCENT: u8 = 50;

/// What this process has loaded, held against what it is to load.
fn same(path: &Path) -> Option<Result<Library, EngineError>> {
    let (first, library) = LOADED.get()?;
    Some(if first == path {
        Ok(library.clone())
    } else {
        Err(EngineError::SecondLibrary { path: path.to_owned(), other: first.clone() })
    })
}

/// Reads the head of an ELF file: whether this machine can run it.
///
/// The loader would say `cannot open shared object file: No such file or directory` for a library of other processors.
fn held_against_this_machine(path: &Path) -> Result<(), EngineError> {
    let unread = |why| EngineError::Files { doing: "read", path: path.to_owned(), why };
    let mut head = Vec::new();
    File::open(path).map_err(unread)?.take(20).read_to_end(&mut head).map_err(unread)?;
    let [0x7f, b'E', b'L', b'F', class, order, .., low, high] = head[..] else {
        return Err(EngineError::NoLibrary { path: path.to_owned() });
    };
    // `e_ident[EI_DATA]`: 1 is little-endian, 2 is big-endian.
    let machine = if order == 2 { u16::from_be_bytes([low, high]) } else { u16::from_le_bytes([low, high]) };
    let found = architecture(class, machine);
    if found == std::env::consts::ARCH {
        return Ok(());
    }
    Err(EngineError::OtherArchitecture { path: path.to_owned(), found })
}

/// `e_ident[EI_CLASS]` and `e_machine` of an ELF head, in the names of Rust (elf(5), `linux/elf-em.h`).
fn architecture(class: u8, machine: u16) -> String {
    match (class, machine) {
        (1, 3) => "x86".to_owned(),
        (2, 62) => "x86_64".to_owned(),
        (2, 183) => "aarch64".to_owned(),
        (2, 21) => "powerpc64".to_owned(),
        (2, 22) => "s390x".to_owned(),
        (2, 243) => "riscv64".to_owned(),
        (class, machine) => format!("machine {machine} of ELF class {class}"),
    }
}

/// What a loaded library exports.
struct Exports<'l> {
    path: &'l Path,
    library: &'l Loaded,
}

impl Exports<'_> {
    /// The table, filled as its release needs it.
    fn table(&self) -> Result<(Table, Release), EngineError> {
        let mut find = |name: &'static CStr| self.find(name);
        // SAFETY: here and below, the signatures are those of the release that the library says it is; `Everywhere` is alike
        // in all that are known, and what is called of it to find out the release has not changed since there is RocksDB.
        let all = unsafe { Everywhere::find(&mut find) }?;
        // SAFETY: the address of a function with that signature.
        let make_cache = unsafe { self.function::<JniCache4>(c"Java_org_rocksdb_LRUCache_newLRUCache") }?;
        let release = self.release(&all)?;
        let make_cache = match release.cache {
            CacheArguments::HighPriority => MakeCache::Jni4(make_cache),
            // SAFETY: the same function, with the arguments that it has in this release.
            CacheArguments::HighAndLowPriority => {
                MakeCache::Jni5(unsafe { self.function::<JniCache5>(c"Java_org_rocksdb_LRUCache_newLRUCache") }?)
            }
        };
        // SAFETY: as above.
        let since6 = if release.since6 { Some(unsafe { Since6::find(&mut find) }?) } else { None };
        // SAFETY: as above.
        let since8 = if release.since8 { Some(unsafe { Since8::find(&mut find) }?) } else { None };
        let manager = match release.manager {
            ManagerBy::Java => self.manager()?,
            ManagerBy::C => ManagerCalls::C,
        };
        Ok((Table { all, since6, since8, make_cache, manager }, release))
    }

    /// The Java interface's entry points for write-buffer managers, which Flink's fork has from Flink 1.10 on.
    fn manager(&self) -> Result<ManagerCalls, EngineError> {
        if self.find(c"Java_org_rocksdb_WriteBufferManager_newWriteBufferManager").is_err() {
            return Ok(ManagerCalls::Missing);
        }
        // SAFETY: addresses of functions with these signatures.
        unsafe {
            Ok(ManagerCalls::Jni {
                new: self.function::<JniNewManager>(c"Java_org_rocksdb_WriteBufferManager_newWriteBufferManager")?,
                set: self.function::<JniSetManager>(c"Java_org_rocksdb_Options_setWriteBufferManager")?,
                dispose: self.function::<JniDisposeManager>(c"Java_org_rocksdb_WriteBufferManager_disposeInternal")?,
            })
        }
    }

    /// Which release it is, by its own word.
    fn release(&self, all: &Everywhere) -> Result<Release, EngineError> {
        let unknown = |found: String| EngineError::UnknownRelease { path: self.path.to_owned(), found };
        // SAFETY: an address of a function with that signature.
        let number = match unsafe { self.function::<JniVersion>(c"Java_org_rocksdb_RocksDB_version") } {
            // SAFETY: it returns three numbers that are compiled in.
            Ok(version) => Release::unpacked(unsafe { version(NOBODY, NOBODY) }),
            Err(_) => self.number_written(all)?.ok_or_else(|| unknown("of no number that it would tell".to_owned()))?,
        };
        let [major, minor, patch] = number;
        Release::of(number).ok_or_else(|| unknown(format!("{major}.{minor}.{patch}")))
    }

    /// The number that an empty database's `OPTIONS` file states: what a library that is too old to tell it otherwise is asked.
    fn number_written(&self, all: &Everywhere) -> Result<Option<[u8; 3]>, EngineError> {
        let unread = |why| EngineError::Files { doing: "make a directory for", path: self.path.to_owned(), why };
        let directory = tempfile::tempdir().map_err(unread)?;
        let name = path_for_c(directory.path())?;
        // SAFETY: these functions are alike in all releases; options and database are given up once.
        unsafe {
            let options = Owned::new((all.rocksdb_options_create)(), all.rocksdb_options_destroy);
            (all.rocksdb_options_set_create_if_missing)(options.raw(), 1);
            let opened = calling(all, |failure| (all.rocksdb_open)(options.raw(), name.as_ptr(), failure));
            let opened =
                opened.map_err(|why| EngineError::refused("open an empty database in", directory.path(), why))?;
            (all.rocksdb_close)(opened);
        }
        let files = fs::read_dir(directory.path()).map_err(unread)?.filter_map(Result::ok).map(|entry| entry.path());
        let mut written = files.filter(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("OPTIONS-"))
        });
        Ok(written.find_map(|path| Release::written(&fs::read_to_string(path).ok()?)))
    }

    /// A function by its name, as a pointer of its type.
    ///
    /// # Safety
    /// `F` is the type of that function, a pointer.
    unsafe fn function<F: Copy>(&self, name: &'static CStr) -> Result<F, EngineError> {
        // SAFETY: by the promise of the caller; the library is never unloaded.
        let found = unsafe { self.library.get::<F>(name.to_bytes_with_nul()) };
        found.map(|symbol| *symbol).map_err(|_| self.lacks(name))
    }

    /// The address of a function.
    fn find(&self, name: &'static CStr) -> Result<*mut c_void, EngineError> {
        // SAFETY: a symbol's address is a pointer; nothing is read through it here.
        unsafe { self.function::<*mut c_void>(name) }
    }

    fn lacks(&self, name: &CStr) -> EngineError {
        EngineError::NoFunction { path: self.path.to_owned(), name: name.to_string_lossy().into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_for_other_processors_is_told_from_one_for_these_and_from_other_files() {
        let directory = tempfile::tempdir().unwrap();
        let head = |class: u8, machine: u16| {
            let path = directory.path().join(format!("{class}-{machine}.so"));
            let mut bytes = vec![0x7f, b'E', b'L', b'F', class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0];
            bytes.extend(machine.to_le_bytes());
            bytes.resize(64, 0);
            fs::write(&path, bytes).unwrap();
            Library::load(&path).map(|library| library.release()).unwrap_err().to_string()
        };
        assert!(head(2, 22).contains("it is built for s390x, and this machine is"), "{}", head(2, 22));
        assert!(head(1, 3).contains("it is built for x86,"), "{}", head(1, 3));
        let text = directory.path().join("a.so");
        fs::write(&text, "not a library").unwrap();
        assert!(Library::load(&text).is_err_and(|error| error.to_string().ends_with("it is no ELF library")));
        let missing = Library::load(&directory.path().join("b.so"));
        assert!(missing.is_err_and(|error| error.to_string().contains("No such file or directory")));
    }

    #[test]
    fn a_library_that_is_no_rocksdb_is_refused_by_the_first_function_that_it_lacks() {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let libc = maps.lines().find_map(|line| line.split_whitespace().nth(5).filter(|path| path.contains("libc.so")));
        let error = Library::load(Path::new(libc.unwrap())).map(|library| library.release()).unwrap_err();
        assert!(error.to_string().contains("does not export rocksdb_free"), "{error}");
    }
}
