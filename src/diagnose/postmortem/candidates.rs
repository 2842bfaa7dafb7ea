//! What may have filled a container where nothing shows by what: the likeliest first.

use super::case::Case;
use super::signal::{Origin, Says};
use crate::model::{Area, Killer};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What.
    pub what: &'static str,
    /// Why it may be that, or may not, a sentence.
    pub why: String,
}

/// Where a container was killed at its limit and the verdict does not say what filled it. Empty elsewhere.
pub fn candidates(case: &Case<'_>, area: Area) -> Vec<Candidate> {
    let killed = case.killed_by(&[Killer::KernelMemcg, Killer::YarnPmem]);
    // A table of its processes says who was in it.
    let is_shown = !case.strains(&["python-workers", "other-processes"]).is_empty();
    if !killed || is_shown || !matches!(area, Area::Config | Area::Container) {
        return Vec::new();
    }
    let says = |words: &[&str]| {
        let told = case.told().map(|(signal, _)| signal);
        let mut all = told.chain(case.signals.iter().copied());
        all.find(|signal| {
            let given = match &signal.says {
                Says::Given { key, value } => format!("{key} {value}"),
                _ => String::new(),
            };
            words.iter().any(|word| signal.quote.contains(word) || given.contains(word))
        })
    };
    let mut found = Vec::new();
    let rocksdb = case.shows_rocksdb();
    if let Some(signal) = rocksdb.first() {
        found.push(Candidate {
            what: "RocksDB",
            why: format!(
                "line {} names it; its cache, its memtables and the blocks that iterators pin lie outside heap and direct memory",
                signal.line
            ),
        });
    }
    let python = case.signals.iter().any(|signal| signal.origin == Origin::Python);
    if python || says(&["ython", "pyflink", "beam"]).is_some() {
        found.push(Candidate {
            what: "Python workers",
            why: "Python functions run here, and their processes count to the same container".to_owned(),
        });
    }
    let jemalloc = says(&["jemalloc"]);
    found.push(match jemalloc {
        Some(_) => Candidate {
            what: "native memory of libraries",
            why: "jemalloc is preloaded, so little is kept that was freed: what is there is in use".to_owned(),
        },
        None => Candidate {
            what: "what the allocator keeps",
            why: "nothing shows jemalloc, and glibc keeps freed memory in up to eight arenas a core, more with every \
                  restart of the job"
                .to_owned(),
        },
    });
    if rocksdb.is_empty() {
        found.push(Candidate {
            what: "RocksDB",
            why: "if the job keeps its state there: nothing that was read names a state backend".to_owned(),
        });
    }
    found.push(Candidate {
        what: "metaspace, compiled code and thread stacks",
        why: "they take some 150 to 400 MiB and level off within hours".to_owned(),
    });
    found.push(Candidate {
        what: "native memory of the job's own libraries",
        why: "what still grows beside a stable RocksDB cache after days".to_owned(),
    });
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::diagnose::postmortem::{cases, signal::*};

    fn first(more: Vec<Says>) -> Vec<&'static str> {
        let signal = |says| Signal { origin: Origin::Yarn, file: 0, line: 1, at: None, quote: String::new(), says };
        let death = Says::Death(Death { area: Some(Area::Container), ..Death::by(Killer::YarnPmem) });
        let signals: Vec<Signal> = std::iter::once(death).chain(more).map(signal).collect();
        let cases = cases(&signals);
        candidates(&cases.first().unwrap().case, Area::Container).iter().map(|candidate| candidate.what).collect()
    }

    #[test]
    fn rocksdb_comes_first_where_something_names_it_and_later_where_nothing_does() {
        let given = Says::Given { key: "state.backend".to_owned(), value: "rocksdb".to_owned() };
        assert_eq!(first(vec![given])[0], "RocksDB");
        let unnamed = first(Vec::new());
        assert!(unnamed[0] != "RocksDB" && unnamed.contains(&"RocksDB"), "{unnamed:?}");
    }

    #[test]
    fn where_a_table_shows_who_was_in_the_container_nothing_is_guessed() {
        let killed = Says::Death(Death { area: Some(Area::Container), ..Death::by(Killer::KernelMemcg) });
        let (area, text) = (Some(Area::Container), "Python workers had 758 MiB".to_owned());
        let strain = Says::Strain(Strain { name: "python-workers", area, text, usage: None, limit: None });
        let signal = |says| Signal { origin: Origin::Kernel, file: 0, line: 1, at: None, quote: String::new(), says };
        let signals = [killed, strain].map(signal);
        let guessed = |signals: &[Signal]| candidates(&cases(signals).first().unwrap().case, Area::Container).len();
        assert_eq!(guessed(&signals), 0);
        assert!(guessed(&signals[..1]) > 0);
    }

    #[test]
    fn a_death_of_another_kind_has_no_candidates() {
        let signals = [Signal {
            origin: Origin::Jvm,
            file: 0,
            line: 1,
            at: None,
            quote: String::new(),
            says: Says::Death(Death::by(Killer::Jvm)),
        }];
        assert!(candidates(&cases(&signals).first().unwrap().case, Area::Container).is_empty());
    }
}
