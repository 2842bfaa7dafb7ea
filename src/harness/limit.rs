//! How much memory an experiment may be given here without harm to the machine.

use thiserror::Error;

use crate::artefact::cgroup::Cgroup;
use crate::artefact::host::Host;
use crate::model::{Bytes, Limit, Seen};
use crate::probe::root::Root;
use crate::probe::{cgroup, host};

/// No limit is smaller: a worker with its libraries, a RocksDB instance and the kernel's own pages takes about 20 MiB
/// before it has stored anything, and would be killed for its start alone.
pub const FLOOR: Bytes = Bytes::mib(24);

/// What is left to the machine at least, on small ones.
const LEAST_RESERVE: Bytes = Bytes::mib(256);

/// What is left to the machine on larger ones: this part of all memory.
const RESERVED_PART: u64 = 20;

/// What experiments may take together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The largest limit that is granted.
    pub most: Bytes,
    /// How it comes about, with numbers.
    pub why: String,
}

/// Why a limit is refused. The texts go on after "could not".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LimitError {
    /// It would endanger the machine.
    #[error("run it in {limit}: this machine can spare {}: {}", room.most, room.why)]
    TooLarge {
        /// What was asked for.
        limit: Bytes,
        /// What there is.
        room: Room,
    },
    /// Nothing could run in it.
    #[error("run it in {limit}: a worker needs {FLOOR} before it has stored anything")]
    TooSmall {
        /// What was asked for.
        limit: Bytes,
    },
}

/// What this machine can spare.
///
/// # Errors
/// Where the machine's memory cannot be seen.
pub fn room(root: &Root) -> Seen<Room> {
    room_of(&host::read(root), cgroup::read(root, std::process::id()).ok().as_ref())
}

/// What a machine can spare: what is available, and in a container what its limit leaves, less a reserve.
///
/// # Errors
/// Where the machine's memory was not seen.
pub fn room_of(host: &Host, own: Option<&Cgroup>) -> Seen<Room> {
    let total = host.memory.clone()?;
    let available = host.available.clone()?;
    let reserve = Bytes::new(total.get() / RESERVED_PART).max(LEAST_RESERVE);
    let less = |bytes: Bytes, reserve: Bytes| Bytes::new(bytes.get().saturating_sub(reserve.get()));
    let machine = Room {
        most: whole(less(available, reserve)),
        why: format!("{} available, less {} that are left to it", whole(available), whole(reserve)),
    };
    let Some((group, bound)) = own.and_then(Cgroup::tightest) else { return Ok(machine) };
    // File pages go when memory is asked for; tmpfs does not.
    let files = less(group.stat.file.unwrap_or_default(), group.stat.shmem.unwrap_or_default());
    let taken = less(group.usage.unwrap_or_default(), files);
    let inside = whole(less(bound, Bytes::new(taken.get() + LEAST_RESERVE.get())));
    if inside >= machine.most {
        return Ok(machine);
    }
    let why =
        format!("oomph's own cgroup has a limit of {bound}, of which {} is taken, less {LEAST_RESERVE}", whole(taken));
    Ok(Room { most: inside, why })
}

/// Whole mebibytes of it, which is how people say it.
fn whole(bytes: Bytes) -> Bytes {
    Bytes::new(bytes.get() >> 20 << 20)
}

/// Whether an experiment may have a limit.
///
/// # Errors
/// Where it is larger than what the machine can spare, or too small for a worker. No limit at all is no error: what guards
/// such an experiment is [`super::supervise::Watch::guard`].
pub fn check(limit: Limit, room: &Room) -> Result<(), LimitError> {
    match limit {
        Limit::AtMost(limit) if limit < FLOOR => Err(LimitError::TooSmall { limit }),
        Limit::AtMost(limit) if limit > room.most => Err(LimitError::TooLarge { limit, room: room.clone() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::cgroup::{Files, Group, Version};
    use crate::model::Unseen;

    fn machine(total: Bytes, available: Bytes) -> Host {
        let unseen = || Unseen::because("not asked");
        Host {
            memory: Ok(total),
            available: Ok(available),
            swap: Err(unseen()),
            huge_pages: Err(unseen()),
            max_mappings: Err(unseen()),
        }
    }

    struct Texts;

    impl Files for Texts {
        fn text(&self, name: &str) -> Option<String> {
            let text = match name {
                "memory.max" => "1073741824",
                "memory.current" => "734003200",
                "memory.stat" => "anon 104857600\nfile 629145600\nshmem 209715200\n",
                _ => return None,
            };
            Some(text.to_owned())
        }
    }

    #[test]
    fn a_machine_keeps_a_twentieth_for_itself_and_a_small_one_a_quarter_of_a_gibibyte() {
        let large = room_of(&machine(Bytes::gib(40), Bytes::gib(30)), None).unwrap();
        assert_eq!(large.most, Bytes::gib(28));
        let small = room_of(&machine(Bytes::gib(2), Bytes::gib(1)), None).unwrap();
        assert_eq!(small.most, Bytes::mib(768));
        assert_eq!(small.why, "1 GiB available, less 256 MiB that are left to it");
    }

    #[test]
    fn in_a_container_the_limit_counts_and_of_what_is_taken_only_what_cannot_be_dropped() {
        let own = Group::read(Version::V2, "/", &Texts);
        let own = Cgroup { own, above: Vec::new(), tasks: None, others: Vec::new() };
        let room = room_of(&machine(Bytes::gib(40), Bytes::gib(30)), Some(&own)).unwrap();
        // 1024 less (700 - (600 - 200)) less 256.
        assert_eq!(room.most, Bytes::mib(468));
    }

    #[test]
    fn what_is_too_large_or_too_small_is_refused_with_numbers() {
        let room = room_of(&machine(Bytes::gib(2), Bytes::gib(1)), None).unwrap();
        let refused = |limit: Bytes| check(Limit::AtMost(limit), &room).unwrap_err().to_string();
        assert_eq!(
            refused(Bytes::gib(1)),
            "run it in 1 GiB: this machine can spare 768 MiB: 1 GiB available, less 256 MiB that are left to it"
        );
        assert_eq!(refused(Bytes::mib(16)), "run it in 16 MiB: a worker needs 24 MiB before it has stored anything");
        assert!(check(Limit::AtMost(Bytes::mib(768)), &room).is_ok() && check(Limit::Unlimited, &room).is_ok());
    }

    #[test]
    fn a_machine_that_does_not_show_its_memory_has_no_known_room() {
        let mut host = machine(Bytes::gib(2), Bytes::gib(1));
        host.available = Err(Unseen::because("/proc/meminfo is not there"));
        assert_eq!(room_of(&host, None).unwrap_err().why, "/proc/meminfo is not there");
    }
}
