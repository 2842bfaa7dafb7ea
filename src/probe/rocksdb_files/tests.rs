//! Directories laid out as those of a real TaskManager, with its files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::artefact::rocksdb_directory::Store;
use crate::model::Bytes;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/rocksdb/");
const JOB: &str = "job_0ed5fc2d9ab987b870aafa8652bbbab5_op_KeyedProcessOperator_4bf7c1955ffe56e2106d666433eaf137_";
const PID: u32 = 77;

/// A machine with one process.
struct Machine(TempDir);

impl Machine {
    fn new() -> Machine {
        let machine = Machine(TempDir::new().unwrap());
        fs::create_dir_all(machine.at("/proc/77/fd")).unwrap();
        machine
    }

    fn root(&self) -> Root {
        Root::captured(self.0.path())
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path.strip_prefix('/').unwrap_or(path))
    }

    /// A database of Flink 2.3, with its log in Flink's directory; gives its directory.
    fn database(&self, subtask: u32, log: &[u8]) -> String {
        let directory = format!("/opt/rocks/{JOB}_{subtask}_2__uuid_de83d481-e13d-421b-a149-e9c4922adcf{subtask}/db");
        fs::create_dir_all(self.at(&directory)).unwrap();
        for name in ["000044.sst", "000045.sst", "MANIFEST-000005", "OPTIONS-000013"] {
            fs::copy(Path::new(DATA).join("flink-2.3").join(name), self.at(&directory).join(name)).unwrap();
        }
        fs::write(self.at(&directory).join("CURRENT"), "MANIFEST-000005\n").unwrap();
        fs::create_dir_all(self.at("/data/flink/log")).unwrap();
        fs::write(self.at("/data/flink/log").join(log_name(&directory)), log).unwrap();
        directory
    }

    fn open(&self, number: u32, path: &str) {
        symlink(path, self.at(&format!("/proc/77/fd/{number}"))).unwrap();
    }

    fn look(&self, directories: &[&str], effort: &Effort) -> Databases {
        let directories: Vec<PathBuf> = directories.iter().map(PathBuf::from).collect();
        of_process(&self.root(), PID, &directories, effort).unwrap()
    }
}

fn log_name(directory: &str) -> String {
    format!("{}_LOG", directory.trim_start_matches('/').replace('/', "_"))
}

fn captured(name: &str) -> Vec<u8> {
    fs::read(Path::new(DATA).join(name)).unwrap()
}

#[test]
fn the_databases_of_a_process_are_found_by_its_open_files() {
    let machine = Machine::new();
    let directory = machine.database(1, &captured("flink-2.3/LOG"));
    machine.database(2, b"");
    machine.open(3, &format!("{directory}/MANIFEST-000005"));
    machine.open(4, "/opt/flink/lib/flink-dist.jar");
    machine.open(5, "socket:[1]");
    let found = machine.look(&[], &Effort::default());
    let [instance] = &found.instances[..] else { panic!("{found:?}") };
    assert!(instance.open);
    assert_eq!(instance.directory, Path::new(&directory));
    let owner = instance.owner.as_ref().unwrap();
    assert_eq!((owner.store, owner.subtask, owner.of), (Store::RocksDb, 1, 2));
    assert_eq!(instance.version(), Some("8.10.0"));
    assert_eq!(instance.arena_block(), Some(Bytes::mib(1)));
    assert!(instance.block_cache().is_some() && instance.write_buffer_manager().is_some());
    assert_eq!(instance.manifest_bytes, Ok(Bytes::new(5414)));
    assert_eq!(instance.levels().unwrap()[&1].0, 1);
    let tables = instance.tables.as_ref().unwrap();
    assert_eq!((tables.files, tables.bytes.get(), tables.unlisted), (2, 5152 + 6013, Some((0, Bytes::ZERO))));
    assert_eq!((tables.opened, tables.from_log, tables.vanished), (2, 0, 0));
    assert!(tables.index.is_whole() && tables.index.known > Bytes::ZERO);
    assert_eq!(tables.filter.estimate(), Some(Bytes::ZERO));
    assert_eq!(found.table_bytes(), tables.bytes);
}

#[test]
fn without_open_files_a_directory_has_to_be_named() {
    let machine = Machine::new();
    machine.database(1, &captured("flink-2.3/LOG"));
    fs::remove_dir(machine.at("/proc/77/fd")).unwrap();
    let refused = of_process(&machine.root(), PID, &[], &Effort::default()).unwrap_err();
    assert!(refused.why.contains("/proc/77/fd"), "{refused}");
    let found = machine.look(&["/opt"], &Effort::default());
    assert_eq!((found.instances.len(), found.unseen.len()), (1, 1));
    assert!(!found.instances[0].open && found.instances[0].log.is_ok());
}

#[test]
fn a_directory_that_is_not_there_is_said() {
    let machine = Machine::new();
    let found = machine.look(&["/nowhere"], &Effort::default());
    assert_eq!(found.instances.len(), 0);
    assert!(found.unseen[0].why.contains("/nowhere"), "{:?}", found.unseen);
}

#[test]
fn the_process_s_own_root_is_looked_through() {
    let machine = Machine::new();
    let inner = Machine(TempDir::new().unwrap());
    let directory = inner.database(1, &captured("flink-2.3/LOG"));
    symlink(inner.0.path(), machine.at("/proc/77/root")).unwrap();
    machine.open(3, &format!("{directory}/MANIFEST-000005"));
    let found = machine.look(&[], &Effort::default());
    assert_eq!(found.instances[0].version(), Some("8.10.0"));
    assert_eq!(found.instances[0].tables.as_ref().unwrap().files, 2);
}

#[test]
fn databases_with_one_cache_are_one_slot() {
    let machine = Machine::new();
    machine.database(1, &captured("flink-2.3/LOG"));
    machine.database(2, &captured("flink-2.3/LOG"));
    machine.database(3, &captured("flink-1.20/LOG"));
    machine.database(4, b"cut off");
    let found = machine.look(&["/opt/rocks"], &Effort::default());
    let slots = found.slots();
    let instances: Vec<&[usize]> = slots.iter().map(|slot| &slot.instances[..]).collect();
    assert_eq!(instances, [&[0, 1][..], &[2][..]]);
    assert!(slots.iter().all(|slot| slot.write_buffer_managers.len() == 1 && slot.strict == Some(false)));
    assert_eq!(slots[0].capacity, Some(Bytes::new(223_696_216)));
    assert!(slots[0].families >= 6);
}

#[test]
fn of_many_files_some_are_opened_and_the_rest_is_estimated() {
    let machine = Machine::new();
    let directory = machine.database(1, b"");
    let bytes = captured("flink-2.3/000044.sst");
    for number in 100..120 {
        fs::write(machine.at(&directory).join(format!("{number:06}.sst")), &bytes).unwrap();
    }
    let found = machine.look(&["/opt/rocks"], &Effort { tables: 4, ..Effort::default() });
    let tables = found.instances[0].tables.as_ref().unwrap();
    assert_eq!((tables.files, tables.opened), (22, 4));
    assert_eq!(tables.unlisted.unwrap().0, 20);
    assert!(!tables.index.is_whole());
    let whole = machine.look(&["/opt/rocks"], &Effort::default());
    let whole = whole.instances[0].tables.as_ref().unwrap().index;
    assert!(whole.is_whole());
    let (estimate, truth) = (tables.index.estimate().unwrap().get(), whole.known.get());
    assert!(estimate.abs_diff(truth) * 10 < truth, "{estimate} for {truth}");
}

#[test]
fn what_the_log_tells_of_is_not_opened() {
    let machine = Machine::new();
    let log = b"2026/11/21-08:20:10.717661 1 EVENT_LOG_v1 {\"event\": \"table_file_creation\", \"file_number\": 44, \
        \"file_size\": 5152, \"table_properties\": {\"data_size\": 4000, \"index_size\": 11, \"filter_size\": 7}}\n\
        2026/11/21-08:20:10.717661 1 EVENT_LOG_v1 {\"event\": \"table_file_creation\", \"file_number\": 45, \
        \"file_size\": 9, \"table_properties\": {\"data_size\": 1, \"index_size\": 1, \"filter_size\": 1}}\n";
    machine.database(1, log);
    let found = machine.look(&["/opt/rocks"], &Effort::default());
    let tables = found.instances[0].tables.as_ref().unwrap();
    assert_eq!((tables.from_log, tables.opened), (1, 1));
    assert_eq!(tables.filter.known, Bytes::new(7));
}

#[test]
fn a_long_log_is_read_at_its_ends() {
    let machine = Machine::new();
    let text = captured("flink-2.3/LOG");
    machine.database(1, &text);
    let found = machine.look(&["/opt/rocks"], &Effort { log_head: 20_000, log_tail: 10_000, ..Effort::default() });
    let log = found.instances[0].log.as_ref().unwrap();
    assert!(log.gap_after.is_some() && log.version.is_some());
    assert_eq!(log.last, rocksdb_log(&text).last);
}

fn rocksdb_log(text: &[u8]) -> crate::artefact::rocksdb_log::RocksDbLog {
    crate::artefact::rocksdb_log::read(text)
}

#[test]
fn neither_links_nor_pipes_are_followed() {
    let machine = Machine::new();
    let directory = machine.database(1, b"");
    symlink(Path::new(DATA).join("flink-2.3/000044.sst"), machine.at(&directory).join("000099.sst")).unwrap();
    let pipe = machine.at(&directory).join("LOG");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let found = machine.look(&["/opt/rocks"], &Effort::default());
    let instance = &found.instances[0];
    assert!(instance.log.as_ref().unwrap_err().why.contains("not a plain file"));
    assert_eq!(instance.tables.as_ref().unwrap().unreadable.0, 1);
}

#[test]
fn no_more_databases_are_read_than_asked_for() {
    let machine = Machine::new();
    (1..=3).for_each(|subtask| drop(machine.database(subtask, b"")));
    let found = machine.look(&["/opt/rocks"], &Effort { databases: 2, ..Effort::default() });
    assert_eq!((found.instances.len(), found.left_out), (2, 1));
}
