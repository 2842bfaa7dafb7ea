//! What systemd, systemd-oomd and earlyoom say of processes killed for memory.

use super::kernel::{LOOK_BACK, signal, unit};
use super::signal::{Death, Ended, Origin, Says, Signal};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::systemd_oom::{self, What, Why};
use crate::model::{Area, Bytes, Killer};

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let text = excerpt.text();
    let told = systemd_oom::told(text);
    let by_oomd = told.iter().any(|told| matches!(told.what, What::Oomd { .. } | What::Unit { by_oomd: true, .. }));
    let named = if told.is_empty() { None } else { in_kernels_words(text) };
    let mut signals: Vec<Signal> = Vec::new();
    for told in &told {
        let death = match &told.what {
            What::Oomd { path, why, usage } => oomd(path, why, *usage),
            What::Unit { unit, by_oomd: itself, peak, limit } => {
                let killer = if by_oomd || *itself {
                    Killer::SystemdOomd
                } else {
                    named.unwrap_or_else(|| kernel(unit.as_deref(), *limit))
                };
                of_unit(killer, unit.as_deref(), *peak, *limit)
            }
            What::Earlyoom { pid, name, rss } => Death {
                area: Some(Area::Container),
                because: "earlyoom ended it, since the machine had hardly any memory left".to_owned(),
                pid: Some(*pid),
                usage: *rss,
                process: Some(name.clone()),
                ..Death::by(Killer::SystemdOomd)
            },
        };
        // A unit's failure is told up to three times, and earlyoom sends SIGKILL where SIGTERM did not help.
        match signals.iter_mut().rev().take(LOOK_BACK).find_map(|signal| same(signal, &death)) {
            Some(known) => {
                known.usage = known.usage.or(death.usage);
                known.limit = known.limit.or(death.limit);
            }
            None => signals.push(signal(excerpt, Origin::Systemd, told.at, Says::Death(death))),
        }
    }
    if signals.is_empty() {
        let end = |name: Option<String>| Ended { exit: Some(137), pid: None, unit: name.as_deref().and_then(unit) };
        let ends = systemd_oom::signalled(text).into_iter().take(LOOK_BACK);
        signals.extend(ends.map(|(at, name)| signal(excerpt, Origin::Systemd, at, Says::Ended(end(name)))));
    }
    signals
}

fn same<'s>(signal: &'s mut Signal, death: &Death) -> Option<&'s mut Death> {
    match &mut signal.says {
        Says::Death(known) => {
            let alike = known.killer == death.killer && known.pid == death.pid;
            // systemd also tells of the unit what systemd-oomd has told of its path.
            let units = known.unit == death.unit || known.unit.is_none() || death.unit.is_none();
            (alike && units).then_some(known)
        }
        _ => None,
    }
}

fn oomd(path: &str, why: &Why, usage: Option<Bytes>) -> Death {
    let mib = |bytes: &Option<Bytes>| bytes.map_or_else(|| "?".to_owned(), |bytes| bytes.whole_mib().to_string());
    let because = match why {
        Why::Swap { memory_used, memory, swap_used, swap } => format!(
            "the machine used {} of {} MiB of memory and {} of {} MiB of swap",
            mib(memory_used),
            mib(memory),
            mib(swap_used),
            mib(swap)
        ),
        Why::Pressure { of, share, allowed } => {
            let of = of.as_deref().unwrap_or("the cgroup");
            match (share, allowed) {
                (Some(share), Some(allowed)) => {
                    format!("tasks of {of} waited for memory {share} % of the time, with {allowed} % allowed")
                }
                _ => format!("tasks of {of} waited too long for memory"),
            }
        }
    };
    Death { area: Some(Area::Container), because, usage, unit: unit(path), ..Death::by(Killer::SystemdOomd) }
}

fn of_unit(killer: Killer, name: Option<&str>, peak: Option<Bytes>, limit: Option<Bytes>) -> Death {
    Death { area: Some(Area::Container), usage: peak, limit, unit: name.and_then(unit), ..Death::by(killer) }
}

/// Which of the kernel's killers it was, by the kernel's own words in the same text.
fn in_kernels_words(text: &str) -> Option<Killer> {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["CONSTRAINT_MEMCG", "emory cgroup out of memory", "as a result of limit of"]) {
        Some(Killer::KernelMemcg)
    } else if says(&["global_oom", "Out of memory: Kill"]) {
        Some(Killer::KernelGlobal)
    } else {
        None
    }
}

/// Which of them it was where only systemd tells of it, which sees no more than that the count of kills has grown.
fn kernel(unit: Option<&str>, limit: Option<Bytes>) -> Killer {
    // Containers have a limit as a rule, services as a rule none.
    let container = ["docker-", "containerd-", "crio-", "libpod-", "kubepods"];
    let in_container = unit.is_some_and(|unit| container.iter().any(|word| unit.contains(word)));
    if in_container || limit.is_some() { Killer::KernelMemcg } else { Killer::KernelGlobal }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn deaths(text: &str) -> Vec<Death> {
        let death = |signal: Signal| match signal.says {
            Says::Death(death) => Some(death),
            _ => None,
        };
        signals(&Excerpt::plain(text)).into_iter().filter_map(death).collect()
    }

    #[test]
    fn a_unit_that_oomd_killed_is_one_death_however_often_it_is_told() {
        let deaths = deaths(
            "systemd-oomd[9]: Killed /system.slice/flink-tm.service due to memory pressure for /system.slice being 70.10% > \
             60.00% for > 20s with reclaim activity\n\
             systemd[1]: flink-tm.service: systemd-oomd killed 3 process(es) in this unit.\n\
             systemd[1]: flink-tm.service: Failed with result 'oom-kill'.\n",
        );
        assert_eq!(deaths.len(), 1);
        assert_eq!((deaths[0].killer, deaths[0].unit.as_deref()), (Killer::SystemdOomd, Some("flink-tm.service")));
        assert!(deaths[0].because.contains("70.10 %"));
    }

    #[test]
    fn the_container_of_a_scope_had_a_limit() {
        let id = "ab".repeat(32);
        let deaths =
            deaths(&format!("cri-containerd-{id}.scope: A process of this unit has been killed by the OOM killer.\n"));
        assert_eq!((deaths[0].killer, deaths[0].unit.as_deref()), (Killer::KernelMemcg, Some(&*id)));
        let unit = "systemd[1]: big.service: Failed with result 'oom-kill'.\n";
        assert_eq!(super::tests::deaths(unit)[0].killer, Killer::KernelGlobal);
    }

    #[test]
    fn what_earlyoom_ended_is_named_with_its_resident_set() {
        let told = "earlyoom[1]: sending SIGTERM to process 31 uid 9 \"java\": badness 1, VmRSS 2048 MiB\n";
        let deaths = deaths(&format!("{told}{}", told.replace("SIGTERM", "SIGKILL")));
        assert_eq!(deaths.len(), 1);
        assert_eq!((deaths[0].pid, deaths[0].usage), (Some(31), Some(Bytes::gib(2))));
    }

    #[test]
    fn a_unit_that_a_signal_ended_is_an_end_unless_it_is_told_why() {
        let text = "systemd[1]: tm.service: Main process exited, code=killed, status=9/KILL\n";
        let end = Says::Ended(Ended { exit: Some(137), pid: None, unit: Some("tm.service".to_owned()) });
        assert!(signals(&Excerpt::plain(text)).iter().any(|signal| signal.says == end));
        let why = format!("{text}systemd[1]: tm.service: Failed with result 'oom-kill'.\n");
        assert!(signals(&Excerpt::plain(&why)).iter().all(|signal| signal.says != end));
    }

    #[test]
    fn a_path_that_is_wrapped_at_a_slash_is_one() {
        let text = "systemd-oomd[9]: Killed /user.slice/\nuser@1000.service/tm.scope due to memory pressure for /a being \
                    70.10% > 60.00%\n";
        assert_eq!(deaths(text)[0].unit.as_deref(), Some("tm.scope"));
    }
}
