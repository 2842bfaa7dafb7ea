#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;

/// A tree laid out as in `/sys/fs/cgroup`, and where this process lives in it.
struct Tree {
    at: tempfile::TempDir,
}

impl Tree {
    fn of(membership: &str, files: &[(&str, &str)]) -> Tree {
        let at = tempfile::tempdir().unwrap();
        let tree = Tree { at };
        tree.put(&format!("proc/{}/cgroup", std::process::id()), membership);
        files.iter().for_each(|(path, text)| tree.put(&format!("sys/fs/cgroup/{path}"), text));
        tree
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.at.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn get(&self, path: &str) -> String {
        fs::read_to_string(self.at.path().join("sys/fs/cgroup").join(path)).unwrap()
    }

    fn root(&self) -> Root {
        Root::captured(self.at.path())
    }

    fn home(&self) -> Result<Home, GroupError> {
        Home::find(&self.root(), std::process::id())
    }

    fn below(&self, path: &str) -> PathBuf {
        self.at.path().join("sys/fs/cgroup").join(path)
    }

    /// A group over a directory that has the kernel's files already.
    fn group(&self, version: Version, path: &str, limit: Limit) -> Group {
        Group {
            root: self.root(),
            version,
            directory: self.below(path),
            name: path.rsplit('/').next().unwrap().to_owned(),
            limit,
            notes: Vec::new(),
            is_removed: false,
        }
    }
}

const LIMIT: Limit = Limit::AtMost(Bytes::mib(64));

/// As systemd 252 lays out a session: the shell's processes live in the scope, the slice hands its controllers on.
fn session(control: &str) -> Tree {
    Tree::of(
        "0::/user.slice/user-0.slice/session-3.scope\n",
        &[
            ("memory.stat", "anon 1\n"),
            ("cgroup.controllers", "cpuset cpu io memory pids\n"),
            ("cgroup.subtree_control", control),
            ("user.slice/cgroup.type", "domain\n"),
            ("user.slice/cgroup.subtree_control", control),
            ("user.slice/user-0.slice/cgroup.type", "domain\n"),
            ("user.slice/user-0.slice/cgroup.subtree_control", control),
            ("user.slice/user-0.slice/session-3.scope/cgroup.type", "domain\n"),
            ("user.slice/user-0.slice/session-3.scope/cgroup.subtree_control", ""),
            ("user.slice/user-0.slice/session-3.scope/memory.stat", "anon 1\n"),
        ],
    )
}

#[test]
fn in_version_1_a_group_lies_below_oomphs_own() {
    let tree = Tree::of("4:memory:/a/b\n0::/\n", &[("memory/a/b/memory.usage_in_bytes", "1\n")]);
    let home = tree.home().unwrap();
    assert_eq!((home.version, home.directory), (Version::V1, tree.below("memory/a/b")));
    assert_eq!(home.notes, Vec::<String>::new());
}

#[test]
fn in_a_container_that_sees_only_its_own_mount_the_group_lies_at_its_top_and_says_so() {
    let tree = Tree::of("4:memory:/docker/1f\n", &[("memory/memory.usage_in_bytes", "1\n")]);
    let home = tree.home().unwrap();
    assert_eq!(home.directory, tree.below("memory/"));
    assert!(home.notes[0].starts_with("oomph's own cgroup is not visible here"), "{:?}", home.notes);
}

#[test]
fn in_version_1_memory_and_swap_get_one_limit_and_what_is_taken_over_is_undone() {
    let files = [
        ("memory/x/memory.use_hierarchy", "0\n"),
        ("memory/x/memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n"),
        ("memory/x/memory.swappiness", "60\n"),
        ("memory/x/memory.memsw.limit_in_bytes", "9223372036854771712\n"),
    ];
    let tree = Tree::of("4:memory:/\n", &files);
    let mut group = tree.group(Version::V1, "memory/x", LIMIT);
    group.bound_v1().unwrap();
    let read = |file: &str| tree.get(&format!("memory/x/memory.{file}"));
    assert_eq!((read("limit_in_bytes"), read("memsw.limit_in_bytes")), ("67108864".to_owned(), "67108864".to_owned()));
    assert_eq!((read("swappiness"), read("oom_control"), read("use_hierarchy")), ("0".into(), "0".into(), "1".into()));
    assert_eq!(group.notes, Vec::<String>::new());
}

#[test]
fn a_kernel_that_does_not_count_swap_is_said() {
    let tree = Tree::of("4:memory:/\n", &[("memory/x/memory.swappiness", "60\n")]);
    let mut group = tree.group(Version::V1, "memory/x", LIMIT);
    group.bound_v1().unwrap();
    assert!(group.notes[0].contains("swapaccount=0"), "{:?}", group.notes);
    let tree = Tree::of("0::/\n", &[("x/memory.max", "max\n")]);
    let mut group = tree.group(Version::V2, "x", LIMIT);
    group.bound_v2().unwrap();
    assert!(group.notes[0].contains("no memory.swap.max"), "{:?}", group.notes);
}

#[test]
fn in_version_2_the_group_may_not_swap_and_one_process_dies() {
    let files = [("x/memory.max", "max\n"), ("x/memory.swap.max", "max\n"), ("x/memory.oom.group", "0\n")];
    let tree = Tree::of("0::/\n", &files);
    let mut group = tree.group(Version::V2, "x", LIMIT);
    group.bound_v2().unwrap();
    assert_eq!((tree.get("x/memory.max"), tree.get("x/memory.swap.max")), ("67108864".to_owned(), "0".to_owned()));
    assert_eq!(tree.get("x/memory.oom.group"), "0\n");
}

#[test]
fn in_version_2_the_group_lies_beside_oomphs_own_where_that_has_processes() {
    let tree = session("cpu memory pids\n");
    let home = tree.home().unwrap();
    assert_eq!((home.version, home.directory.clone()), (Version::V2, tree.below("user.slice/user-0.slice")));
    assert!(home.notes[0].contains("lies beside oomph's"), "{:?}", home.notes);
    home.open().unwrap();
    assert_eq!(tree.get("user.slice/user-0.slice/cgroup.subtree_control"), "cpu memory pids\n");
}

#[test]
fn in_version_2_the_root_of_all_groups_hands_the_controller_on_where_nobody_did() {
    let tree = session("cpu pids\n");
    let home = tree.home().unwrap();
    assert_eq!(home.directory, tree.below(""));
    home.open().unwrap();
    assert_eq!(tree.get("cgroup.subtree_control"), "+memory");
}

#[test]
fn in_a_container_of_version_2_whose_top_has_processes_there_can_be_no_group() {
    let files = [
        ("cgroup.type", "domain\n"),
        ("cgroup.controllers", "cpu memory\n"),
        ("cgroup.subtree_control", "\n"),
        ("memory.stat", "anon 1\n"),
    ];
    let tree = Tree::of("0::/\n", &files);
    let error = tree.home().unwrap_err();
    assert!(error.to_string().contains("processes live in it"), "{error}");
}

#[test]
fn a_tree_without_the_memory_controller_or_without_anything_is_refused() {
    let tree = Tree::of("0::/\n", &[("cgroup.controllers", "hugetlb\n"), ("memory.stat", "anon 1\n")]);
    assert!(matches!(tree.home(), Err(GroupError::NoController { .. })));
    let error = Tree::of("0::/\n", &[]).home().unwrap_err().to_string();
    assert!(error.starts_with("find oomph's own memory cgroup: no directory"), "{error}");
}

#[test]
fn a_limit_that_the_kernel_makes_something_else_of_is_an_error() {
    let tree = Tree::of("4:memory:/\n", &[("memory/x/memory.limit_in_bytes", "9223372036854771712\n")]);
    let mut group = tree.group(Version::V1, "memory/x", LIMIT);
    let error = group.check("memory.limit_in_bytes", Bytes::mib(64)).unwrap_err().to_string();
    assert!(error.ends_with("the kernel made 9223372036854771712 of 67108864"), "{error}");
    // Whole pages are no other limit.
    tree.put("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "67104768\n");
    group.check("memory.limit_in_bytes", Bytes::new(67_104_868)).unwrap();
    assert_eq!(group.limit(), Limit::AtMost(Bytes::new(67_104_768)));
}

#[test]
fn a_group_that_is_there_is_not_taken_over_and_stays() {
    let tree =
        Tree::of("4:memory:/a\n", &[("memory/a/memory.usage_in_bytes", "1\n"), ("memory/a/oomph-1-x/tasks", "")]);
    let error = Group::create(&tree.root(), "oomph-1-x", LIMIT).unwrap_err();
    assert!(matches!(&error, GroupError::Exists { .. }), "{error}");
    assert!(tree.below("memory/a/oomph-1-x/tasks").exists());
}

#[test]
fn what_the_system_refuses_says_what_would_help() {
    let of = |errno: Errno| GroupError::of("make", Path::new("/g"), errno.into()).to_string();
    assert_eq!(
        of(Errno::ACCESS),
        "write /g: permission denied; run as root, or in a group that is delegated to you (systemd-run --user --scope -p \
         Delegate=yes oomph …)"
    );
    assert!(of(Errno::ROFS).starts_with("write /g: cgroups are mounted read-only here"));
    assert_eq!(of(Errno::NOSPC), "make /g: No space left on device (os error 28)");
}

#[test]
fn the_processes_of_a_tree_that_is_not_this_machines_are_left_alone() {
    let own = format!("{}\n", std::process::id());
    let tree = Tree::of("4:memory:/\n", &[("memory/x/cgroup.procs", &own)]);
    end_processes(&tree.root(), &tree.below("memory/x")).unwrap();
    let group = tree.group(Version::V1, "memory/x", LIMIT);
    assert_eq!(group.processes(), [std::process::id()]);
}
