//! What systemd, systemd-oomd and earlyoom write of processes that they, or the kernel, killed for memory.
//!
//! systemd-oomd: `src/oom/oomd-manager.c` and `oomd-util.c` of systemd 247 to 258. Units: `unit_check_oom`,
//! `unit_check_oomd_kill` and `unit_log_failure` of `src/core/unit.c`. earlyoom: `kill.c` of 1.0 to 1.8.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::model::Bytes;

/// The words by which a reader of a long log finds these lines.
pub const ANCHORS: &[&str] = &["due to memory ", "by the OOM killer", "sending SIG", "code=killed, "];

/// One message, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where in the text it starts.
    pub at: usize,
    /// What it says.
    pub what: What,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// systemd-oomd kills a cgroup.
    Oomd {
        /// The path of the cgroup.
        path: String,
        /// Why.
        why: Why,
        /// What the cgroup uses, rounded to a tenth of its unit, where it is among the candidates printed.
        usage: Option<Bytes>,
    },
    /// A process of a unit was killed for memory, and systemd-oomd did it, or an OOM killer that is not named.
    Unit {
        /// `flink.service`, `docker-….scope`.
        unit: Option<String>,
        /// Whether systemd-oomd is named.
        by_oomd: bool,
        /// The largest usage that systemd has seen, rounded to a tenth of its unit.
        peak: Option<Bytes>,
        /// `MemoryMax` of the unit, rounded likewise, where `systemctl status` is in the text.
        limit: Option<Bytes>,
    },
    /// earlyoom sends a signal.
    Earlyoom {
        /// The process.
        pid: u32,
        /// Its name.
        name: String,
        /// Its resident set, in whole MiB.
        rss: Option<Bytes>,
    },
}

/// Why systemd-oomd kills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Memory and swap of the machine are used up.
    Swap {
        /// Memory used.
        memory_used: Option<Bytes>,
        /// All memory.
        memory: Option<Bytes>,
        /// Swap used.
        swap_used: Option<Bytes>,
        /// All swap.
        swap: Option<Bytes>,
    },
    /// Its tasks wait for memory for too long.
    Pressure {
        /// The cgroup that is watched.
        of: Option<String>,
        /// The share of time, as printed; above 100 % where the kernel's counters went wrong.
        share: Option<String>,
        /// The share that is allowed, as printed.
        allowed: Option<String>,
    },
}

/// One `W` stands for the white space between two words, which may be a line's end in a quoted mail.
fn words(pattern: &str) -> Option<Regex> {
    Regex::new(&pattern.replace(" W ", r"[\s>]+")).ok()
}

static OOMD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // A long path is wrapped at one of its slashes.
    words(
        r"\b(?:Killed|Marked) W (\S+(?:[/-]\n[\s>]*\S+)?) W (?:for W killing W )?due W to W memory W (used|pressure)\b",
    )
});
static USED: LazyLock<Option<Regex>> = LazyLock::new(|| words(r"(used|total) W \((\d+)\)"));
static PRESSURE: LazyLock<Option<Regex>> =
    LazyLock::new(|| words(r"pressure W for W (\S+) W being W (\d+\.\d+)%\s*(?:>|&gt;)\s*(\d+\.\d+)%"));
static UNIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r"(?:(\S+\.(?:service|scope|slice|socket|mount)): W )?(?:A W process W of W this W unit",
        r" W has W been W killed W by W the W OOM W killer|Failed W with W result W 'oom-kill'",
        r"|(systemd-oomd) W killed W (?:some|\d+) W process)|\b(\S+\.service): W Unit W entered",
        r" W failed W state\.\s.{0,120}\bFailed W with W result W 'oom-kill'|\(Result:",
        r" W oom-kill\)"
    ))
});
static SIGNALLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r"(?:(\S+\.(?:service|scope)): W )?[mM]ain W process W exited,",
        r" W code=killed,? W status=9/KILL\b"
    ))
});
static PEAK: LazyLock<Option<Regex>> = LazyLock::new(|| words(r"\b(\d+(?:\.\d+)?)([BKMGT]) W memory W peak\b"));
static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(r"\bMemory: W (\d+(?:\.\d+)?)([BKMGT]) W \((?:[^()\n]{0,80}, )?(?:max|limit): (\d+(?:\.\d+)?)([BKMGT])\b")
});
static CANDIDATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| words(r"\bPath: (\S+)|\bCurrent W Memory W Usage: (\d+(?:\.\d+)?)([BKMGT])"));
static EARLYOOM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r#"\bsending W SIG(?:TERM|KILL) W to W process W (\d+)(?: W uid W \d+)?"#,
        r#" W "([^"\n]{0,64})"(?:: W (?:badness|oom_score) W -?\d+)?(?:,? W VmRSS W (\d+) W MiB)?"#
    ))
});

/// So far back a killed cgroup is looked for among those that were thought of: a text may hold any number of both.
const MOST_CANDIDATES: usize = 64;

/// Every message of a text, in order.
pub fn told(text: &str) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    if text.contains("memory") && text.contains("due") {
        let candidates = candidates(text);
        each(&OOMD, text, |at, found, rest| {
            let path: String = found.get(1)?.as_str().split(|c: char| c.is_whitespace() || c == '>').collect();
            let behind = candidates.partition_point(|(before, ..)| *before < at);
            let printed = candidates.iter().take(behind).rev().take(MOST_CANDIDATES);
            let usage = printed.filter(|(_, name, _)| *name == path).map(|(.., size)| *size).next();
            let why = if found.get(2)?.as_str() == "used" { swap(rest) } else { pressure(rest) };
            Some(What::Oomd { path, why, usage })
        })
        .for_each(|told| all.push(told));
    }
    if text.contains("OOM") || text.contains("oom") {
        let limit = STATUS.as_ref().and_then(|status| status.captures(text)).and_then(|found| size(&found, 3, 4));
        each(&UNIT, text, move |_, found, rest| {
            Some(What::Unit {
                unit: found.get(1).or(found.get(3)).map(|unit| unit.as_str().to_owned()),
                by_oomd: found.get(2).is_some(),
                peak: PEAK.as_ref().and_then(|peak| peak.captures(rest)).and_then(|found| size(&found, 1, 2)),
                limit,
            })
        })
        .for_each(|told| all.push(told));
    }
    if text.contains("SIG") {
        each(&EARLYOOM, text, |_, found, _| {
            let mib: Option<u32> = found.get(3).and_then(|digits| digits.as_str().parse().ok());
            Some(What::Earlyoom {
                pid: found.get(1)?.as_str().parse().ok()?,
                name: found.get(2)?.as_str().to_owned(),
                rss: mib.map(Bytes::mib),
            })
        })
        .for_each(|told| all.push(told));
    }
    all.sort_by_key(|told| told.at);
    all
}

/// Where systemd says that the main process of a unit died of SIGKILL, and not whose, with the unit. Nothing where
/// systemd itself sent it, since the unit did not stop in time.
pub fn signalled(text: &str) -> Vec<(usize, Option<String>)> {
    if !text.contains("code=killed") || text.contains("timed out. Killing") {
        return Vec::new();
    }
    let Some(signalled) = SIGNALLED.as_ref() else { return Vec::new() };
    let unit = |found: &Captures| found.get(1).map(|unit| unit.as_str().to_owned());
    signalled.captures_iter(text).filter_map(|found| Some((found.get(0)?.start(), unit(&found)))).collect()
}

/// Reads every match with the few lines behind it.
fn each<'t>(
    regex: &'t LazyLock<Option<Regex>>,
    text: &'t str,
    mut read: impl FnMut(usize, &Captures, &str) -> Option<What> + 't,
) -> impl Iterator<Item = Told> + 't {
    let found = regex.as_ref().map(|regex| regex.captures_iter(text));
    found.into_iter().flatten().filter_map(move |found| {
        let at = found.get(0)?.start();
        let rest = text.get(at..)?;
        let rest = rest.get(..rest.floor_char_boundary(600)).unwrap_or(rest);
        Some(Told { at, what: read(at, &found, rest)? })
    })
}

/// The cgroups that systemd-oomd thinks of, with what they use.
fn candidates(text: &str) -> Vec<(usize, &str, Bytes)> {
    let Some(candidate) = CANDIDATE.as_ref().filter(|_| text.contains("Current Memory Usage")) else {
        return Vec::new();
    };
    let mut path = None;
    let mut all = Vec::new();
    for found in candidate.captures_iter(text) {
        if let Some(name) = found.get(1) {
            path = Some(name);
        } else if let (Some(name), Some(usage)) = (path.take(), size(&found, 2, 3)) {
            all.push((name.start(), name.as_str(), usage));
        }
    }
    all
}

fn swap(rest: &str) -> Why {
    let mut numbers: [Option<Bytes>; 4] = [None; 4];
    if let Some(used) = USED.as_ref() {
        for (slot, found) in numbers.iter_mut().zip(used.captures_iter(rest)) {
            *slot = found.get(2).and_then(|digits| digits.as_str().parse().ok()).map(Bytes::new);
        }
    }
    let [memory_used, memory, swap_used, swap] = numbers;
    Why::Swap { memory_used, memory, swap_used, swap }
}

fn pressure(rest: &str) -> Why {
    let found = PRESSURE.as_ref().and_then(|pressure| pressure.captures(rest));
    let get = |group| found.as_ref()?.get(group).map(|found: regex::Match| found.as_str().to_owned());
    Why::Pressure { of: get(1), share: get(2), allowed: get(3) }
}

/// A size as systemd prints it: at most one decimal, units of 1024.
fn size(found: &Captures, number: usize, unit: usize) -> Option<Bytes> {
    let shift = match found.get(unit)?.as_str() {
        "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => 40,
    };
    decimal(found.get(number)?.as_str(), 1 << shift)
}

/// A number with decimals times a unit, the rest dropped.
fn decimal(text: &str, unit: u64) -> Option<Bytes> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let parts = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? };
    let whole = whole.parse::<u64>().ok()?;
    let all = u128::from(whole) * u128::from(unit) + fraction * u128::from(unit) / parts;
    u64::try_from(all).ok().map(Bytes::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const SWAP: &str = "Mar 03 04:05:06 alpha systemd-oomd[611]: Marked /system.slice/docker-0123.scope for killing due to \
        memory used (30112395264) / total (33382576128) and swap used (21352448000) / total (21352669184) being more than \
        90.00%\n";

    #[rstest]
    #[case(SWAP)]
    #[case(&SWAP.replace("Marked", "Killed").replace("for killing ", ""))]
    #[case(&SWAP.replace(" / total (33382576128) and swap", "\n>  / total (33382576128) and\n> swap"))]
    fn a_cgroup_is_killed_for_swap_in_both_wordings_and_wrapped(#[case] text: &str) {
        let told = told(text);
        let [Told { what: What::Oomd { path, why: Why::Swap { memory_used, swap_used, swap, .. }, usage }, .. }] =
            &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!(path, "/system.slice/docker-0123.scope");
        assert_eq!((memory_used.unwrap().get(), swap_used.unwrap().get()), (30_112_395_264, 21_352_448_000));
        assert_eq!((swap.unwrap().get(), *usage), (21_352_669_184, None));
    }

    #[test]
    fn a_cgroup_is_killed_for_pressure_and_its_usage_is_that_among_the_candidates() {
        let told = told(
            "Considered 2 cgroups for killing, top candidates were:\n\
            \tPath: /user.slice/a.scope\n\t\tPressure: Avg10: 85.87 Avg60: 73.87\n\t\tCurrent Memory Usage: 4.5G\n\
            \tPath: /user.slice/b.scope\n\t\tCurrent Memory Usage: 512.0K\n\
            Killed /user.slice/a.scope due to memory pressure for /user.slice being 27925460729.27% > 50.00% for > 20s with \
            reclaim activity\n",
        );
        let [Told { what: What::Oomd { why: Why::Pressure { of, share, .. }, usage, .. }, .. }] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!((of.as_deref(), share.as_deref()), (Some("/user.slice"), Some("27925460729.27")));
        assert_eq!(*usage, Some(Bytes::mib(4608)));
    }

    #[test]
    fn a_cgroups_usage_is_found_however_many_candidates_are_printed_behind_it() {
        let considered = "\tPath: /user.slice/a.scope\n\t\tCurrent Memory Usage: 4.5G\n";
        let killed = "Killed /user.slice/a.scope due to memory pressure for /user.slice being 60.00% > 50.00%\n";
        let more = "\tPath: /user.slice/b.scope\n\t\tCurrent Memory Usage: 512.0K\n".repeat(100);
        let told = told(&format!("{considered}{killed}{more}"));
        let [Told { what: What::Oomd { usage, .. }, .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(*usage, Some(Bytes::mib(4608)));
    }

    #[test]
    fn a_unit_is_told_with_its_peak_and_its_limit() {
        let told = told(
            "Memory: 1.9G (max: 2.0G available: 0B peak: 2.0G)\n\
            systemd[1]: flink-tm.service: A process of this unit has been killed by the OOM killer.\n\
            systemd[1]: flink-tm.service: Main process exited, code=killed, status=9/KILL\n\
            systemd[1]: flink-tm.service: Failed with result 'oom-kill'.\n\
            systemd[1]: flink-tm.service: Consumed 1min CPU time, 1.5G memory peak, 0B memory swap peak.\n",
        );
        assert_eq!(told.len(), 2);
        let What::Unit { unit, by_oomd, peak, limit } = &told[1].what else { panic!("{told:?}") };
        assert_eq!((unit.as_deref(), *by_oomd), (Some("flink-tm.service"), false));
        assert_eq!((*peak, *limit), (Some(Bytes::mib(1536)), Some(Bytes::gib(2))));
    }

    #[rstest]
    #[case("sending SIGTERM to process 7378 uid 1000 \"java\": badness 156, VmRSS 4962 MiB")]
    #[case("sending SIGKILL to process 7378 \"java\": oom_score 156, VmRSS 4962 MiB, cmdline \"java -Xmx4g\"")]
    fn earlyoom_names_process_and_resident_set(#[case] text: &str) {
        let expected = What::Earlyoom { pid: 7378, name: "java".to_owned(), rss: Some(Bytes::mib(4962)) };
        assert_eq!(told(text), [Told { at: 0, what: expected }]);
    }

    #[rstest]
    #[case("systemd-oomd[1]: Considered 21 cgroups for killing, top candidates were:\n\tPath: /a.scope\n")]
    #[case("flink.service: Failed with result 'exit-code'.")]
    #[case("flink.service: Main process exited, code=killed, status=9/KILL")]
    #[case("sending SIGTERM when mem avail <= 10.00% and swap free <= 10.00%,")]
    fn what_is_no_kill_for_memory_is_not_told(#[case] text: &str) {
        assert_eq!(told(text), []);
    }

    #[test]
    fn a_signal_that_systemd_did_not_send_has_a_unit() {
        let text = "flink.service: Main process exited, code=killed, status=9/KILL\n";
        assert_eq!(signalled(text), [(0, Some("flink.service".to_owned()))]);
        assert_eq!(signalled(&format!("flink.service: State 'stop-sigterm' timed out. Killing.\n{text}")), []);
        assert_eq!(signalled("flink.service: Main process exited, code=killed, status=15/TERM\n"), []);
    }

    proptest! {
        #[test]
        fn any_text_is_read(cut in 0_usize..400, noise in ".{0,40}") {
            let text = SWAP.get(..cut.min(SWAP.len())).unwrap_or(SWAP);
            told(&format!("{text}{noise}"));
        }
    }
}
