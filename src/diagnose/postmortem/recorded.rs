//! What a recording of oomph says of a death: the last looks before it, and what they were growing towards.

use super::signal::{Death, Ended, Origin, Says, Signal, Strain};
use crate::artefact::excerpt::Moment;
use crate::artefact::recording;
use crate::diagnose::ahead::{Ahead, Bound};
use crate::diagnose::recalled::{Recalled, What};
use crate::diagnose::retention::Retention;
use crate::diagnose::trend::Forecast;
use crate::diagnose::trend::restarts::{Keeper, Verdict};
use crate::model::{Area, Bytes, Component, Killer, Measure, Observations, Pool};

/// What is at its limit: so many hundredths of it, as the metrics of a container are judged.
const NEARLY: u64 = 95;

/// Much that malloc kept.
pub(crate) const MALLOC_KEEPS: &str = "malloc-keeps";

/// Everything that one recording says. It has no lines to point at: what is quoted are its numbers.
pub fn signals(file: usize, recalled: &Recalled) -> Vec<Signal> {
    let tell = |at, quote: String, says| Signal {
        origin: Origin::Recording,
        file,
        line: 1,
        at: Some(Moment::Zoned(at)),
        quote,
        says,
    };
    let last = &recalled.last;
    let pid = Some(last.target.pid);
    let mut all = Vec::new();
    for happened in &recalled.happened {
        if let What::Killed(processes) = happened.what {
            let says = Says::Death(killed(recalled, processes));
            all.push(tell(happened.at, format!("oom_kill of the container's group rose by {processes}"), says));
        }
    }
    if let Some(why) = recalled.end() {
        let says = match why {
            recording::KILLED => Says::Death(killed(recalled, 1)),
            recording::DONE => Says::Well,
            _ => Says::Ended(Ended { exit: None, pid, unit: None }),
        };
        all.push(tell(last.at, format!("gone: {why}"), says));
    }
    if let Some(strain) = near_limit(recalled) {
        all.push(tell(last.at, shown(last), Says::Strain(strain)));
    }
    for ahead in &recalled.ahead {
        if let Some(strain) = growing(ahead) {
            all.push(tell(last.at, shown(last), Says::Strain(strain)));
        }
    }
    if let Some(strain) = kept(recalled) {
        all.push(tell(last.at, shown(last), Says::Strain(strain)));
    }
    all
}

/// What malloc kept at the last look into it, where no part of the budget had room for that, or each restart of a job
/// left more.
fn kept(recalled: &Recalled) -> Option<Strain> {
    let judged = recalled.before.restarts.as_ref();
    let steps = judged.filter(|judged| judged.verdict == Verdict::StepPerRestart(Keeper::Allocator));
    let (kept, beside) = match (Retention::of(&recalled.examination), steps) {
        (Some(retention), _) => {
            let left = retention.left.whole_mib();
            (retention.kept, format!("; {left} MiB of JVM Overhead were left for it"))
        }
        (None, Some(_)) => {
            let kept = recalled.timeline.series(Measure::Pool(Pool::AllocatorRetained));
            (Bytes::new(kept.points().last()?.value), String::new())
        }
        (None, None) => return None,
    };
    let step = steps.and_then(|judged| judged.per_restart.as_ref()).map_or_else(String::new, |slope| {
        let more = Bytes::new(slope.per_second.max(0.0) as u64);
        format!("; each restart of a job left {} MiB more, while what was in use stayed the same", more.whole_mib())
    });
    Some(Strain {
        name: MALLOC_KEEPS,
        area: Some(Area::Native),
        text: format!("malloc kept {} MiB that the program had given back{beside}{step}", kept.whole_mib()),
        usage: Some(kept),
        limit: recalled.limit,
    })
}

fn killed(recalled: &Recalled, processes: u64) -> Death {
    let filled = filled(&recalled.last);
    let many = if processes == 1 { "a process".to_owned() } else { format!("{processes} processes") };
    let because = match &filled {
        Some((_, sentence)) => format!("the kernel killed {many} of the container; at the last look {sentence}"),
        None => format!("the kernel killed {many} of the container"),
    };
    Death {
        area: filled.map(|(area, _)| area),
        because,
        pid: Some(recalled.last.target.pid),
        limit: recalled.limit,
        usage: recalled.last.value(Measure::CgroupUsage).map(Bytes::new),
        // The last look may be an interval old.
        exact: false,
        process: Some(recalled.last.target.name.clone()),
        ..Death::by(Killer::KernelMemcg)
    }
}

/// What most of the container's memory was at a look, and as an end to a sentence.
fn filled(look: &Observations) -> Option<(Area, String)> {
    let of = |measure| look.value(measure);
    let shmem = of(Measure::CgroupShmem).unwrap_or(0);
    let parts = [
        (of(Measure::CgroupAnon)?, Area::Container, "memory of processes"),
        (of(Measure::CgroupFile)?.saturating_sub(shmem), Area::PageCache, "pages of files"),
        (shmem, Area::Tmpfs, "shared memory and tmpfs"),
        (of(Measure::CgroupKernel).unwrap_or(0), Area::Other, "the kernel's own memory"),
    ];
    let (most, area, name) = parts.into_iter().rev().max_by_key(|(part, ..)| *part)?;
    let usage = of(Measure::CgroupUsage)?;
    let sentence = format!("{} of {} MiB were {name}", Bytes::new(most).whole_mib(), Bytes::new(usage).whole_mib());
    Some((area, sentence))
}

fn near_limit(recalled: &Recalled) -> Option<Strain> {
    let limit = recalled.limit?;
    let usage = recalled.last.value(Measure::CgroupUsage)?;
    if u128::from(usage) * 100 < u128::from(limit.get()) * u128::from(NEARLY) {
        return None;
    }
    let (area, sentence) = filled(&recalled.last)?;
    Some(Strain {
        name: "near-limit",
        area: Some(area),
        text: format!("at the last look the container was at {} of {limit}: {sentence}", Bytes::new(usage)),
        usage: Some(Bytes::new(usage)),
        limit: Some(limit),
    })
}

fn growing(ahead: &Ahead) -> Option<Strain> {
    let Forecast::Between { earliest, .. } = &ahead.forecast else { return None };
    let area = match ahead.bound {
        Bound::Container | Bound::Planned => Area::Container,
        Bound::Part(Component::JvmMetaspace) => Area::Metaspace,
        Bound::Part(_) => return None,
    };
    let minutes = earliest.as_secs() / 60;
    Some(Strain {
        name: "growing",
        area: Some(area),
        text: format!(
            "{} was growing: it would have reached {} ({}) {} minutes after the last look",
            ahead.measure.key().replace("_", " "),
            ahead.bound.label(),
            ahead.limit,
            minutes.max(1)
        ),
        usage: None,
        limit: Some(ahead.limit),
    })
}

/// The numbers of a look that are asked for first.
fn shown(look: &Observations) -> String {
    let measures = [Measure::Rss, Measure::CgroupUsage, Measure::CgroupLimit, Measure::CgroupAnon, Measure::CgroupFile];
    let seen = measures.into_iter().filter_map(|measure| Some(format!("{} {}", measure.key(), look.value(measure)?)));
    seen.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
