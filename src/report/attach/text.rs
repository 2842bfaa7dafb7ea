//! A page about one process, for people.

use crate::diagnose::container::{ContainerAccount, PageCacheVerdict};
use crate::diagnose::examination::Examination;
use crate::diagnose::ledger::{HeadRoom, Ledger, Row};
use crate::diagnose::limits::Limits;
use crate::model::{Bytes, Pool};
use crate::recommend::from_use::Advice;
use crate::report::amount::{about, count, mib};
use crate::report::table::{self, Align};

mod companions;
mod configured;
mod corrections;
pub(super) mod findings;
mod jvm;
mod limits;
mod native;
mod rocksdb;
mod sources;

/// The page.
pub fn page(examination: &Examination, advice: Option<&Advice>, width: usize) -> String {
    let mut out = wrapped(&heading(examination), width, "  ");
    if examination.account.is_ok() {
        out += &wrapped(&whole(examination), width, "");
    }
    match (&examination.ledger, &examination.account) {
        (Ok(ledger), _) => out += &format!("\n{}", budget(examination, ledger, width)),
        (Err(_), Ok(_)) => out += &format!("\n{}", pools(examination)),
        (Err(_), Err(_)) => {}
    }
    out += &findings::section(&examination.findings, width);
    out += &advice.map_or_else(String::new, |advice| super::advice::text(advice, width));
    out += &besides(examination, width);
    out += &sources::section(examination, width);
    out
}

/// All that stands below the table, but for findings and what was not seen.
pub(super) fn besides(examination: &Examination, width: usize) -> String {
    let mut out = String::new();
    if let Ok(container) = &examination.container {
        out += &beside(container, width);
    }
    out += &configured::section(examination.configured.as_ref(), width);
    if let Ok(cgroup) = &examination.sample.cgroup {
        out += &companions::section(cgroup, width);
    }
    out += &jvm::section(examination, width);
    out += &native::section(examination, width);
    out += &rocksdb::section(examination, width);
    out += &corrections::section(&examination.rocksdb.corrections, width);
    out += &limits::section(&Limits::of(&examination.sample), width);
    out
}

/// What it is, in one line.
pub(super) fn heading(examination: &Examination) -> String {
    let sample = &examination.sample;
    let what = super::what(sample.flink.as_ref().map(|flink| flink.role));
    let mut facts = vec![sample.name()];
    if let Ok(survey) = &examination.planned {
        facts.push(format!("Flink {}", survey.plan.profile.version()));
        if let Some(Ok(slots)) = &survey.plan.slots {
            facts.push(count(u64::from(slots.count), "slot", "slots"));
        }
    }
    if let Ok(jvm) = &sample.jvm {
        facts.extend(jvm.java_version.as_ref().map(|version| format!("JDK {version}")));
        facts.extend(jvm.collector.map(|collector| collector.label().to_owned()));
        facts.extend(jvm.uptime_nanoseconds.map(|uptime| format!("up {}", span(uptime / 1_000_000_000))));
    }
    if sample.files.smaps.is_ok() {
        facts.push(format!("malloc of {}", sample.allocator.label()));
    }
    format!("{what} {}: {}", sample.pid, facts.join(", "))
}

const UNSEEN_LIMIT: &str = "; its container's limit could not be seen";

/// What is resident against the plan and against the limit.
pub(super) fn whole(examination: &Examination) -> String {
    let Ok(account) = &examination.account else { return String::new() };
    let mut text = format!("Resident {} MiB", mib(account.rss()));
    if let Ok(ledger) = &examination.ledger {
        text += &match HeadRoom::of(ledger.total, ledger.rss) {
            HeadRoom::Left(left) => format!(" of {} planned, {} left", mib(ledger.total), mib(left)),
            HeadRoom::Over(over) => format!(", {} more than the {} planned", mib(over), mib(ledger.total)),
        };
    }
    text += &match &examination.container {
        Err(_) => UNSEEN_LIMIT.to_owned(),
        Ok(ContainerAccount { limit: None, .. })
            if examination.sample.cgroup.as_ref().is_ok_and(|of| of.limit().is_err()) =>
        {
            UNSEEN_LIMIT.to_owned()
        }
        Ok(ContainerAccount { limit: None, .. }) => "; no container limit".to_owned(),
        Ok(ContainerAccount { limit: Some(limit), usage_there, .. }) => {
            let used = usage_there.map_or("an unknown part".to_owned(), mib);
            format!("; the container has used {used} of {}", mib(*limit))
        }
    };
    text + "."
}

/// The titles of [`rows`].
pub(super) const COLUMNS: [&str; 5] = ["MiB", "used", "budget", "left", "how it is known"];

/// Their sides.
pub(super) const SIDES: [Align; 5] = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Left];

/// The table of a process with a budget.
fn budget(examination: &Examination, ledger: &Ledger, width: usize) -> String {
    table::fitting(width, &[4], &COLUMNS, &SIDES, &rows(examination, ledger))
}

/// The components with what is used of them, then what no budget pays for. A part of another row begins with two blanks.
pub(super) fn rows(examination: &Examination, ledger: &Ledger) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for row in &ledger.rows {
        rows.push(component(row));
        let several = row.pools.len() > 1;
        rows.extend(row.pools.iter().filter(|_| several).map(|(pool, bytes)| part(pool.label(), *bytes)));
    }
    if let Ok(account) = &examination.account {
        let undivided = account.bytes(Pool::MallocUndivided);
        if undivided > Bytes::ZERO {
            let why = match &examination.sample.heap {
                Ok(_) => "changed while it was walked",
                Err(_) => "could not be looked into",
            };
            rows.push(vec![
                "malloc, not divided".to_owned(),
                mib(undivided),
                String::new(),
                String::new(),
                why.to_owned(),
            ]);
        }
    }
    if !ledger.outside.is_empty() {
        let total = mib(ledger.outside_total());
        rows.push(vec!["Outside every budget".to_owned(), total, String::new(), String::new(), String::new()]);
        for outside in &ledger.outside {
            let how = outside.basis.label().to_owned();
            rows.push(vec![
                format!("  {}", outside.pool.label()),
                mib(outside.bytes),
                String::new(),
                String::new(),
                how,
            ]);
        }
    }
    let left = head_room(HeadRoom::of(ledger.total, ledger.rss));
    rows.push(vec!["Total".to_owned(), mib(ledger.rss), mib(ledger.total), left, String::new()]);
    rows
}

fn component(row: &Row) -> Vec<String> {
    let (used, left) = match (&row.used, row.at_most) {
        (Ok(used), _) => (mib(*used), head_room(HeadRoom::of(row.budget, *used))),
        (Err(_), Some(most)) => (format!("<{}", mib(most)), "?".to_owned()),
        (Err(_), None) => ("?".to_owned(), "?".to_owned()),
    };
    let known = match (&row.used, row.basis, row.origin) {
        (Err(unseen), ..) if unseen.grant.is_some() => "REST would tell it apart".to_owned(),
        (Err(_), ..) => "a part of malloc".to_owned(),
        (Ok(_), Some(basis), Some(origin)) => format!("{}, {origin}", basis.label()),
        _ => String::new(),
    };
    vec![row.label(), used, mib(row.budget), left, known]
}

fn part(label: &str, bytes: Bytes) -> Vec<String> {
    vec![format!("  {label}"), mib(bytes), String::new(), String::new(), String::new()]
}

fn head_room(room: HeadRoom) -> String {
    match room {
        HeadRoom::Left(left) => mib(left),
        HeadRoom::Over(over) => format!("-{}", mib(over)),
    }
}

/// The pools alone, of a process without a budget.
pub(super) fn pools(examination: &Examination) -> String {
    let Ok(account) = &examination.account else { return String::new() };
    let row = |entry: &crate::diagnose::account::Entry| {
        vec![entry.pool.label().to_owned(), mib(entry.bytes), format!("{}, {}", entry.basis.label(), entry.origin)]
    };
    let mut rows: Vec<Vec<String>> = account.entries().iter().map(row).collect();
    rows.push(vec!["Total".to_owned(), mib(account.rss()), String::new()]);
    table::plain(0, &["MiB", "used", "how it is known"], &[Align::Left, Align::Right, Align::Left], &rows)
}

/// What the container holds beside the process.
fn beside(container: &ContainerAccount, width: usize) -> String {
    let rows: Vec<Vec<String>> =
        container.beside.iter().map(|(pool, bytes)| vec![pool.label().to_owned(), mib(*bytes)]).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut out = "\nBeside it in its cgroup\n".to_owned();
    out += &table::plain(2, &["", "MiB"], &[Align::Left, Align::Right], &rows);
    if let Ok(cache) = &container.page_cache {
        let text = match cache.verdict {
            PageCacheVerdict::NoAction => format!(
                "Page cache: no action. {} of it can be given back at once; it counts as used, and kills nothing.",
                about(cache.file)
            ),
            PageCacheVerdict::Unwritten => format!(
                "Page cache: {} of it is not written yet, and can only be given back as fast as the disk writes.",
                about(cache.unwritten)
            ),
            PageCacheVerdict::Tmpfs => format!(
                "Page cache: {} of it is tmpfs or shared memory, which stays until its files are deleted.",
                about(cache.shmem)
            ),
        };
        out += &wrapped(&text, width, "  ");
    }
    out
}

/// Seconds as people say them.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A paragraph, its further lines indented.
pub(super) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let options = textwrap::Options::new(width).subsequent_indent(indent).break_words(false);
    textwrap::fill(text, options) + "\n"
}
