//! The memory files of a cgroup that were collected one by one: a file that holds a number is known by its name alone, so
//! those of one folder are read as one text.

use super::excerpt::Excerpt;

/// What the kernel names them (`Documentation/admin-guide/cgroup-v2.rst`, `cgroup-v1/memory.rst`).
const NAMES: [&str; 10] = [
    "memory.stat",
    "memory.events",
    "memory.current",
    "memory.max",
    "memory.peak",
    "memory.usage_in_bytes",
    "memory.limit_in_bytes",
    "memory.max_usage_in_bytes",
    "memory.failcnt",
    "memory.oom_control",
];

/// The kernel's name of a file, where it is one of these, whatever a collector put around the name: `cgroup.memory.stat`,
/// `memory.max.txt`.
pub fn name(path: &str) -> Option<&'static str> {
    let file = path.rsplit(['/', ':']).next().unwrap_or(path);
    let file = file.strip_suffix(".txt").unwrap_or(file);
    NAMES.into_iter().find(|name| {
        file.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with(['.', '-', '_']))
    })
}

/// The folder of a path.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Files of one group as one text, each under its name, in the form of `head -n -0 memory.*`.
pub fn together<'e>(files: impl IntoIterator<Item = (&'static str, &'e Excerpt)>) -> Excerpt {
    let mut all = Excerpt::default();
    let mut number = 0;
    for (name, excerpt) in files {
        number += 1;
        all.push(number, &format!("==> {name} <=="), None);
        for line in excerpt.lines() {
            number += 1;
            all.push(number, line.text, line.at);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name_whatever_stands_around_it() {
        assert_eq!(name("left/cgroup.memory.stat"), Some("memory.stat"));
        assert_eq!(name("memory.max.txt"), Some("memory.max"));
        assert_eq!(name("a.tar.gz:x/memory.usage_in_bytes"), Some("memory.usage_in_bytes"));
        assert_eq!(name("memory.statistics"), None);
        assert_eq!(name("heapmemory.max"), None);
        assert_eq!((folder("a/b/memory.max"), folder("memory.max")), ("a/b", ""));
    }

    #[test]
    fn files_of_one_group_stand_under_their_names() {
        let [limit, usage] = ["1275068416\n", "1275068416\n"].map(Excerpt::plain);
        let all = together([("memory.limit_in_bytes", &limit), ("memory.usage_in_bytes", &usage)]);
        assert_eq!(
            all.text(),
            "==> memory.limit_in_bytes <==\n1275068416\n==> memory.usage_in_bytes <==\n1275068416\n"
        );
    }
}
