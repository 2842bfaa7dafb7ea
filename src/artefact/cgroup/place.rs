//! Where the group of a process lies: its path in each hierarchy (`/proc/PID/cgroup`), and where hierarchies are mounted
//! (`/proc/self/mountinfo`).

use super::Version;

/// The group of a process in one hierarchy: a line of `/proc/PID/cgroup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The controllers of the hierarchy; none for that of version 2.
    pub controllers: Vec<String>,
    /// Which layout.
    pub version: Version,
    /// The group's path, from the root of the reader's namespace on.
    pub path: String,
}

/// Reads `/proc/PID/cgroup`: `4:memory:/path`, or `0::/path` for version 2. Lines that are neither are left out.
pub fn memberships(text: &str) -> Vec<Membership> {
    let line = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        hierarchy.parse::<u32>().ok()?;
        let controllers: Vec<String> =
            controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let version = if hierarchy == "0" { Version::V2 } else { Version::V1 };
        Some(Membership { controllers, version, path: path.to_owned() })
    };
    text.lines().filter_map(line).collect()
}

/// A mounted hierarchy: a line of `/proc/self/mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Where.
    pub at: String,
    /// Which group of the hierarchy is the root of what is mounted.
    pub root: String,
    /// Which layout.
    pub version: Version,
    /// The controllers of version 1, among other options.
    pub options: Vec<String>,
}

/// The cgroup hierarchies in `/proc/self/mountinfo`.
pub fn mounted(text: &str) -> Vec<Mounted> {
    let line = |line: &str| {
        // 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, at) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let version = match right.next()? {
            "cgroup" => Version::V1,
            "cgroup2" => Version::V2,
            _ => return None,
        };
        let options = right.nth(1).unwrap_or_default().split(',').map(str::to_owned).collect();
        Some(Mounted { at: at.to_owned(), root: root.to_owned(), version, options })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_in_a_group_of_each_hierarchy() {
        let found = memberships("4:memory,pids:/docker/a:b\n0::/\nbroken\nx:memory:/\n");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].version, found[0].path.as_str()), (Version::V1, "/docker/a:b"));
        assert_eq!(found[0].controllers, ["memory", "pids"]);
        assert_eq!((found[1].version, found[1].controllers.len()), (Version::V2, 0));
    }

    #[test]
    fn mounted_hierarchies_are_found_among_all_mounts() {
        let text = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                    35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n\
                    41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n1 2\n";
        let found = mounted(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].at.as_str(), found[0].root.as_str()), ("/sys/fs/cgroup/memory", "/docker/abc"));
        assert!(found[0].options.contains(&"memory".to_owned()) && found[1].version == Version::V2);
    }
}
