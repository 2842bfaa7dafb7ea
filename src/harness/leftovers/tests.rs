#![allow(clippy::unwrap_used, reason = "a test")]

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A directory as an oomph has left it: without a lock.
fn left(base: &Path, name: &str, owner: &Owner, more: &[Left]) -> PathBuf {
    let path = base.join(name);
    DirBuilder::new().mode(0o700).create(&path).unwrap();
    let file = File::create(path.join(OWNER)).unwrap();
    line(&file, owner).unwrap();
    more.iter().for_each(|left| line(&file, left).unwrap());
    path
}

/// A process that is no more.
fn dead() -> u32 {
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    ended.id()
}

fn owner(pid: u32) -> Owner {
    Owner { pid, started: Some(1), ..Owner::this(&Root::live()) }
}

/// What was taken away below a base, and why what else was looked at is still there.
fn swept(base: &Path) -> Vec<(PathBuf, Option<String>)> {
    let below = sweep(&Root::live(), Some(base)).into_iter().filter(|swept| swept.path.starts_with(base));
    below.map(|swept| (swept.path, swept.kept)).collect()
}

#[test]
fn a_run_has_a_directory_of_its_own_that_goes_with_it() {
    let base = tempfile::tempdir().unwrap();
    let run = RunDirectory::create(&Root::live(), Some(base.path()), "Soft cache/2").unwrap();
    assert_eq!(run.name(), format!("oomph-{}-soft-cache-2", std::process::id()));
    assert_eq!(run.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    fs::create_dir_all(run.path().join("db/0")).unwrap();
    let again = RunDirectory::create(&Root::live(), Some(base.path()), "soft-cache-2").unwrap_err();
    assert!(again.to_string().ends_with("there is one already"), "{again}");
    assert_eq!(swept(base.path()), []);
    drop(run);
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
fn a_base_that_is_not_there_is_an_error_and_nothing_is_left() {
    let error = RunDirectory::create(&Root::live(), Some(Path::new("/nowhere/at/all")), "x").unwrap_err();
    assert!(error.to_string().starts_with("write /nowhere/at/all/"), "{error}");
}

#[test]
fn what_a_dead_process_left_goes() {
    let base = tempfile::tempdir().unwrap();
    let pid = dead();
    let path = left(base.path(), &name(pid, "x"), &owner(pid), &[]);
    assert_eq!(swept(base.path()), [(path.clone(), None)]);
    assert!(!path.exists());
}

#[test]
fn a_process_id_that_another_program_has_now_is_no_owner() {
    let base = tempfile::tempdir().unwrap();
    // This process, which did not start with the machine.
    let path = left(base.path(), &name(std::process::id(), "x"), &owner(std::process::id()), &[]);
    assert_eq!(swept(base.path()), [(path, None)]);
}

#[test]
fn what_a_living_process_has_stays_even_where_its_lock_does_not_hold() {
    let base = tempfile::tempdir().unwrap();
    let root = Root::live();
    let path = left(base.path(), &name(std::process::id(), "x"), &Owner::this(&root), &[]);
    assert_eq!(swept(base.path()), []);
    // Its start is not known: the id alone has to do.
    let unknown = Owner { started: None, ..Owner::this(&root) };
    let other = left(base.path(), &name(std::process::id(), "y"), &unknown, &[]);
    assert_eq!(swept(base.path()), []);
    assert!(path.exists() && other.exists());
}

#[test]
fn in_another_namespace_only_the_lock_tells_whether_it_lives() {
    let base = tempfile::tempdir().unwrap();
    let pid = dead();
    let stranger = Owner { namespace: Some("pid:[1]".to_owned()), ..owner(pid) };
    let path = left(base.path(), &name(pid, "x"), &stranger, &[]);
    let lock = File::open(path.join(OWNER)).unwrap();
    lock.lock().unwrap();
    assert_eq!(swept(base.path()), []);
    drop(lock);
    assert_eq!(swept(base.path()), [(path, None)]);
}

#[test]
fn what_is_not_provably_ours_is_not_touched() {
    let base = tempfile::tempdir().unwrap();
    let pid = dead();
    // Others may write into it.
    let open = left(base.path(), &name(pid, "open"), &owner(pid), &[]);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    // Its name is of another process than its owner file.
    let other = left(base.path(), &name(pid + 1, "other"), &owner(pid), &[]);
    // No owner file; a torn one; a name that is not of our form; a link; a directory that has no name yet.
    let empty = base.path().join(name(pid, "empty"));
    DirBuilder::new().mode(0o700).create(&empty).unwrap();
    let torn = base.path().join(name(pid, "torn"));
    DirBuilder::new().mode(0o700).create(&torn).unwrap();
    fs::write(torn.join(OWNER), "{\"pid\":").unwrap();
    let foreign = left(base.path(), "oomph-results", &owner(pid), &[]);
    let link = base.path().join(name(pid, "link"));
    std::os::unix::fs::symlink(&foreign, &link).unwrap();
    let nameless = left(base.path(), &format!(".{}", name(pid, "new")), &owner(pid), &[]);
    assert_eq!(swept(base.path()), []);
    for path in [open, other, empty, torn, foreign, link, nameless] {
        assert!(path.symlink_metadata().is_ok(), "{}", path.display());
    }
}

#[test]
fn only_what_has_the_runs_own_name_is_taken_away_beside_it() {
    let base = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let pid = dead();
    let own = elsewhere.path().join(name(pid, "x"));
    let foreign = elsewhere.path().join("data");
    fs::create_dir(&own).unwrap();
    fs::create_dir(&foreign).unwrap();
    let listed = [
        Left::Directory(own.clone()),
        Left::Directory(foreign.clone()),
        Left::Group(foreign.clone()),
        Left::Mount(foreign.clone()),
    ];
    let path = left(base.path(), &name(pid, "x"), &owner(pid), &listed);
    assert_eq!(swept(base.path()), [(path, None)]);
    assert!(!own.exists() && foreign.exists());
}

#[test]
fn groups_and_mounts_of_elsewhere_are_not_looked_for_here() {
    let base = tempfile::tempdir().unwrap();
    let groups = tempfile::tempdir().unwrap();
    let pid = dead();
    let group = groups.path().join(name(pid, "x"));
    fs::create_dir(&group).unwrap();
    fs::write(group.join("cgroup.procs"), "").unwrap();
    let before = Owner { boot: Some("another".to_owned()), ..owner(pid) };
    let path = left(base.path(), &name(pid, "x"), &before, &[Left::Group(group.clone())]);
    assert_eq!(swept(base.path()), [(path, None)]);
    assert!(group.exists());
}

#[test]
fn names_are_of_a_process_and_a_scenario() {
    assert_eq!(pid_of("oomph-4711-soft-cache"), Some(4711));
    assert_eq!(name(7, &"x".repeat(200)).len(), "oomph-7-".len() + LONGEST);
    for other in ["oomph-4711", "oomph-4711-", "oomph-x-y", "oomph-1-a/b", "other-1-x", "oomph--1-x"] {
        assert_eq!(pid_of(other), None, "{other}");
    }
}
