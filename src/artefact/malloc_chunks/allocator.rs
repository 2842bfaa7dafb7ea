//! Which allocator a process uses, told by the files that it has mapped.

use crate::model::Unseen;

/// An allocator. What is preloaded counts before the C library's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allocator {
    /// glibc's own, whose chunks can be walked.
    Glibc,
    /// jemalloc.
    Jemalloc,
    /// tcmalloc.
    Tcmalloc,
    /// mimalloc.
    Mimalloc,
    /// musl's own.
    Musl,
    /// No C library is mapped: the program is linked statically.
    Static,
}

impl Allocator {
    /// Out of the paths of mapped files.
    pub fn of_mapped<'a>(paths: impl IntoIterator<Item = &'a str>) -> Allocator {
        let mut c_library = Allocator::Static;
        for path in paths {
            let path = path.strip_suffix(" (deleted)").unwrap_or(path);
            let name = path.rsplit('/').next().unwrap_or(path);
            match name {
                _ if name.starts_with("libjemalloc") => return Allocator::Jemalloc,
                _ if name.starts_with("libtcmalloc") => return Allocator::Tcmalloc,
                _ if name.starts_with("libmimalloc") => return Allocator::Mimalloc,
                _ if name.starts_with("ld-musl-") || name.starts_with("libc.musl-") => c_library = Allocator::Musl,
                "libc.so.6" => c_library = Allocator::Glibc,
                _ if name.starts_with("libc-2.") && name.ends_with(".so") => c_library = Allocator::Glibc,
                _ => {}
            }
        }
        c_library
    }

    /// The name in reports.
    pub fn label(self) -> &'static str {
        match self {
            Allocator::Glibc => "glibc",
            Allocator::Jemalloc => "jemalloc",
            Allocator::Tcmalloc => "tcmalloc",
            Allocator::Mimalloc => "mimalloc",
            Allocator::Musl => "musl",
            Allocator::Static => "unknown, linked statically",
        }
    }

    /// Why its inside cannot be seen; nothing for glibc.
    pub fn unseen(self) -> Option<Unseen> {
        let why = |name: &str| {
            Unseen::because(format!("{name} is the allocator, and only its own statistics show its inside"))
        };
        match self {
            Allocator::Glibc => None,
            Allocator::Jemalloc => Some(why("jemalloc").granted_by(
                "start with MALLOC_CONF=stats_print:true for its statistics at exit, or prof:true,lg_prof_interval:30 and read with jeprof",
            )),
            Allocator::Tcmalloc => Some(
                why("tcmalloc").granted_by("start with MALLOCSTATS=1 for its statistics at exit, or HEAPPROFILE=FILE"),
            ),
            Allocator::Mimalloc => {
                Some(why("mimalloc").granted_by("start with MIMALLOC_SHOW_STATS=1 for its statistics at exit"))
            }
            Allocator::Musl => Some(Unseen::because("musl is the C library, whose allocator has no statistics")),
            Allocator::Static => {
                Some(Unseen::because("no C library is mapped: the program is linked statically, with an allocator that nothing names"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_names_the_allocator() {
        let debian = ["/usr/lib/jvm/lib/server/libjvm.so", "/usr/lib/x86_64-linux-gnu/libc.so.6"];
        assert_eq!(Allocator::of_mapped(debian), Allocator::Glibc);
        assert_eq!(Allocator::of_mapped(["/lib64/libc-2.17.so"]), Allocator::Glibc);
        assert_eq!(Allocator::of_mapped(["/lib64/libc-2.28.so (deleted)"]), Allocator::Glibc);
        assert_eq!(Allocator::of_mapped(["/lib/ld-musl-x86_64.so.1"]), Allocator::Musl);
        assert_eq!(Allocator::of_mapped(["/lib/libc.musl-aarch64.so.1"]), Allocator::Musl);
    }

    #[test]
    fn a_preloaded_allocator_counts_before_the_c_library_in_any_order() {
        for (path, is) in [
            ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", Allocator::Jemalloc),
            ("/usr/lib/libtcmalloc_minimal.so.4.5.9", Allocator::Tcmalloc),
            ("/opt/libmimalloc.so.2.1", Allocator::Mimalloc),
        ] {
            assert_eq!(Allocator::of_mapped(["/lib64/libc.so.6", path]), is);
            assert_eq!(Allocator::of_mapped([path, "/lib64/libc.so.6"]), is);
            assert!(is.unseen().is_some_and(|unseen| unseen.grant.is_some()));
        }
    }

    #[test]
    fn a_program_without_c_library_is_linked_statically() {
        assert_eq!(Allocator::of_mapped(["/usr/bin/program", "[heap]"]), Allocator::Static);
        assert_eq!(Allocator::of_mapped(["/opt/not-libc.so.6", "/opt/libc-2.17.so.bak"]), Allocator::Static);
        assert!(Allocator::Static.unseen().is_some());
        assert_eq!(Allocator::Glibc.unseen(), None);
    }
}
