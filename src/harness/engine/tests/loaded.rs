//! The checks of `tests.rs` on the libraries of the distributions of Flink that `OOMPH_FLINK_HOMES` names, each in a process of
//! its own, as a process can hold one only.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::{CHECKS, EngineError, Library, directory};
use crate::harness::engine::jar;

/// Which library the child process is to load.
const LIBRARY: &str = "OOMPH_ENGINE_LIBRARY";

/// The libraries of the distributions that `OOMPH_FLINK_HOMES` names, each with what it is from.
fn libraries(into: &Path) -> Vec<(String, PathBuf)> {
    let homes = env::var("OOMPH_FLINK_HOMES").expect("OOMPH_FLINK_HOMES is not set");
    let homes = homes.split(':').filter(|home| !home.is_empty()).enumerate();
    let taken = homes.map(|(number, home)| {
        let own = into.join(number.to_string());
        fs::create_dir(&own).unwrap();
        (home.to_owned(), jar::take_out(&jar::find(Path::new(home)).unwrap(), &own).unwrap())
    });
    taken.collect()
}

/// Runs a test of this file in a process of its own, which is to load this library.
fn in_a_process_of_its_own(test: &str, library: &Path) -> Result<(), String> {
    let (_, module) = module_path!().split_once("::").unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", &format!("{module}::{test}")])
        .env(LIBRARY, library)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.contains("1 passed") {
        return Ok(());
    }
    Err(format!("{}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

#[test]
#[ignore = "needs OOMPH_FLINK_HOMES: distributions of Flink, with colons between them"]
fn the_libraries_of_these_distributions_of_flink_do_all_of_it_too() {
    if let Some(library) = env::var_os(LIBRARY) {
        let library = Library::load(Path::new(&library)).unwrap();
        assert!(!library.is_embedded());
        for (name, check) in CHECKS {
            println!("{}: {name}", library.release());
            check(&library);
        }
        return;
    }
    let directory = directory();
    for (home, library) in libraries(directory.path()) {
        in_a_process_of_its_own("the_libraries_of_these_distributions_of_flink_do_all_of_it_too", &library)
            .unwrap_or_else(|said| panic!("{home}: {said}"));
    }
}

#[test]
#[ignore = "needs OOMPH_FLINK_HOMES: distributions of Flink, with colons between them"]
fn a_process_holds_one_library_of_these_distributions() {
    let Some(library) = env::var_os(LIBRARY) else {
        let directory = directory();
        for (home, library) in libraries(directory.path()) {
            in_a_process_of_its_own("a_process_holds_one_library_of_these_distributions", &library)
                .unwrap_or_else(|said| panic!("{home}: {said}"));
        }
        return;
    };
    let (directory, library) = (directory(), Path::new(&library));
    let copy = directory.path().join("copy.so");
    fs::copy(library, &copy).unwrap();
    let first = Library::load(library).unwrap();
    assert_eq!(Library::load(library).unwrap().release(), first.release());
    let second = Library::load(&copy).err().unwrap();
    assert!(matches!(&second, EngineError::SecondLibrary { other, .. } if other == library), "{second}");
}

/// `mov eax, NUMBER`: all that `Java_org_rocksdb_RocksDB_version` does, but for returning.
#[cfg(target_arch = "x86_64")]
fn renumbered(library: &[u8], number: [u8; 3]) -> Option<Vec<u8>> {
    let [major, minor, patch] = number;
    let code = [0xb8, patch, minor, major, 0, 0xc3];
    let at = library.windows(code.len()).position(|bytes| bytes == code)?;
    let mut changed = library.to_vec();
    changed[at + 2] += 1;
    Some(changed)
}

#[cfg(target_arch = "x86_64")]
#[test]
#[ignore = "needs OOMPH_FLINK_HOMES: distributions of Flink, with colons between them"]
fn a_library_of_these_distributions_with_another_number_is_refused() {
    if let Some(library) = env::var_os(LIBRARY) {
        let error = Library::load(Path::new(&library)).err().unwrap().to_string();
        assert!(error.contains("it is RocksDB 6.21.3; known are 5.17.2 (Flink 1.9 to 1.13), 6.20.3"), "{error}");
        return;
    }
    let directory = directory();
    let mut changed = 0;
    for (home, library) in libraries(directory.path()) {
        if let Some(library_of_another_number) = renumbered(&fs::read(&library).unwrap(), [6, 20, 3]) {
            fs::write(&library, library_of_another_number).unwrap();
            in_a_process_of_its_own("a_library_of_these_distributions_with_another_number_is_refused", &library)
                .unwrap_or_else(|said| panic!("{home}: {said}"));
            changed += 1;
        }
    }
    assert!(changed > 0, "name a Flink from 1.14 to 1.20 too");
}
