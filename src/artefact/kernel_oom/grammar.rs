//! The parts of a report, each by its own words.
//!
//! Between two words any white space may stand, a line end and the `>` of a quoted mail among it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::memory::{Counter, kib};
use super::{Bound, Charged, Chosen, Invoked, Killed, Trace, tasks};
use crate::model::Bytes;

/// A part and where it starts.
pub(super) struct Event {
    pub(super) at: usize,
    pub(super) part: Part,
    /// What the same words say of the bound, where they announce a choice.
    pub(super) bound: Option<Bound>,
}

/// A part of a report.
pub(super) enum Part {
    ByHand,
    Invoked(Invoked),
    Frame(Trace),
    Scope { group: Option<String>, limited: String },
    Counter(Counter),
    Stat,
    Machine,
    Tasks(Vec<String>),
    Bound(Bound),
    Limited(String),
    Grouped(String),
    Chosen(Chosen),
    Group(String),
    Killed(Killed, Option<Bound>),
    Reaped(u32),
    Nobody(Bound),
    Panic,
}

pub(super) const ORDER_OF_TRACE: u8 = 2;

impl Part {
    /// Its place in a report.
    pub(super) fn order(&self) -> u8 {
        match self {
            Part::ByHand => 0,
            Part::Invoked(_) => 1,
            Part::Frame(_) => ORDER_OF_TRACE,
            Part::Scope { .. } => 3,
            Part::Counter(_) => 4,
            Part::Stat | Part::Machine => 5,
            Part::Tasks(_) => 6,
            Part::Bound(_) | Part::Limited(_) | Part::Grouped(_) => 7,
            Part::Chosen(_) => 8,
            Part::Group(_) | Part::Killed(..) | Part::Nobody(_) | Part::Panic => 9,
            Part::Reaped(_) => 10,
        }
    }
}

/// A part's words, the cheap literal that must be in the text at all, and what to make of a match.
struct Rule {
    anchor: &'static str,
    words: Option<Regex>,
    read: fn(&str, &Captures) -> Option<Part>,
}

/// One `W` in a pattern stands for the white space between two words, one `V` for white space that translators of web
/// pages lose. Markdown puts a backslash before `_`, `[` and `]`.
fn rule(anchor: &'static str, pattern: &str, read: fn(&str, &Captures) -> Option<Part>) -> Rule {
    Rule {
        anchor,
        words: Regex::new(
            // In a mail as it was sent, `=3D` stands for `=`, and `=` at the end of a line that goes on.
            &pattern
                .replace('=', r"=(?:3D)?")
                .replace(" W ", r"(?:[\s>]|=\n)+")
                .replace(" V ", r"(?:[\s>]|=\n)*")
                .replace('_', r"\\?_"),
        )
        .ok(),
        read,
    }
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    vec![
        // drivers/tty/sysrq.c: `SysRq : Manual OOM execution`, `sysrq: Manual OOM execution`; the trace has
        // moom_callback.
        rule("anual OOM", r"[sS]ys[rR]q\s?: (?:SysRq : )?Manual OOM execution", |_, _| Some(Part::ByHand)),
        rule("moom", r"\bmoom_callback\b", |_, _| Some(Part::ByHand)),
        rule("oom-killer", r"\binvoked W oom-killer:", invoked),
        rule("mem", r"\bmem_cgroup_(?:out_of_memory|oom_synchronize|handle_oom)\b", |_, _| {
            Some(Part::Frame(Trace { memcg: true, ..Trace::default() }))
        }),
        rule("alloc", r"\b__alloc_pages_(?:may_oom|slowpath)\b", |_, _| {
            Some(Part::Frame(Trace { machine: true, ..Trace::default() }))
        }),
        rule(
            "+0x",
            concat!(
                r"\b(?:(shmem_(?:getpage_gfp|get_folio_gfp|fault|write_begin|alloc_and_add_folio))",
                r"|(do_anonymous_page|alloc_zeroed_user_highpage\w*|do_huge_pmd_anonymous_page",
                r"|wp_page_copy|alloc_anon_folio)|(mem_cgroup_cache_charge|__add_to_page_cache_locked",
                r"|add_to_page_cache_l\w+|__?filemap_add_folio|filemap_add_folio",
                r"|grab_cache_page_write_begin)|(__memcg_kmem_charge\w*|obj_cgroup_charge\w*",
                r"|memcg_kmem_get_cache|__memcg_kmem_newpage_charge|pte_alloc_one))(?:\.\w+)*\+0x"
            ),
            |_, found| {
                let kinds = [Charged::Shmem, Charged::Anonymous, Charged::File, Charged::Kernel];
                let charged = (1..).zip(kinds).find(|(group, _)| found.get(*group).is_some()).map(|(_, kind)| kind);
                Some(Part::Frame(Trace { charged, ..Trace::default() }))
            },
        ),
        // Up to 4.19: `Task in VICTIM'S GROUP killed as a result of limit of GROUP`.
        rule(
            "result",
            r"(?:\bTask W in W (/\S*) W )?killed W as W a W result W of W limit W of W (/\S*)",
            |_, found| Some(Part::Scope { group: text(found, 1), limited: text(found, 2)? }),
        ),
        rule("reached", r"\bMemory W limit W reached W of W cgroup W (/\S*)", |_, found| {
            Some(Part::Scope { group: None, limited: text(found, 1)? })
        }),
        rule(
            "usage",
            concat!(
                r"\b(memory V \+ V swap|memory|swap",
                r"|kmem): V usage V (\d+) V kB(?:, V limit V (\d+) V kB(?:, V failcnt V (\d+))?)?"
            ),
            |_, found| {
                let group = |at| found.get(at).map(|group| group.as_str());
                Counter::new(group(1)?, group(2)?, group(3), group(4)).map(Part::Counter)
            },
        ),
        rule("cgroup", r"\bMemory W cgroup W stats\b", |_, _| Some(Part::Stat)),
        rule("Mem-Info:", r"\bMem-Info:", |_, _| Some(Part::Machine)),
        rule("tgid", r"\\?\[\s*pid\s*\\?\] W uid W tgid W total_vm W rss\b[^\n\[\]]{0,160}?\bname\b", |_, found| {
            Some(Part::Tasks(tasks::columns(found.get(0)?.as_str())))
        }),
        // From 5.0 on, one line, which another CPU may tear: each of its fields is taken by itself.
        rule("CONSTRAINT", r"oom-kill:\s?constraint=CONSTRAINT_(NONE|MEMCG|CPUSET|MEMORY_POLICY)", |_, found| {
            Some(Part::Bound(match found.get(1)?.as_str() {
                "NONE" => Bound::Machine,
                "MEMCG" => Bound::Memcg,
                _ => Bound::Nodes,
            }))
        }),
        rule("global", r",global_oom,", |_, _| Some(Part::Bound(Bound::Machine))),
        rule("memcg=", r"\boom_memcg=(/[^,\s]*)", |_, found| Some(Part::Limited(text(found, 1)?))),
        rule("memcg=", r"\btask_memcg=(/[^,\s]*)", |_, found| Some(Part::Grouped(text(found, 1)?))),
        rule("task=", r",[\s>]*task=([^,\n]{0,64}),[\s>]*pid=(\d+),[\s>]*uid=\d", |_, found| {
            Some(Part::Chosen(Chosen { pid: number(found, 2)?, name: text(found, 1) }))
        }),
        // Up to 4.19 the choice and the kill are two lines; 2.6.32 writes `kill process 7 (java) score 9 or a child`.
        rule(
            "rocess",
            r"\b[kK]ill W process V (\d+) V \(([^\n]{0,64}?)\) W score W \d+ W or W (?:sacrifice|a) W child",
            |_, found| Some(Part::Chosen(Chosen { pid: number(found, 1)?, name: text(found, 2) })),
        ),
        rule(
            "oom.group",
            r"\bTasks W in W (\S+) W are W going W to W be W killed W due W to W memory\.oom\.group",
            |_, found| Some(Part::Group(text(found, 1)?)),
        ),
        rule(
            "Killed",
            concat!(
                // Node events keep the line end between two messages as the letters `\n`.
                r"(?i:(memory W cgroup W )?(out W of W memory)(?: W \([a-z_]+\))?: W )?(?:\b|\\n)Killed",
                r" W process V (\d+)(?:, W UID W \d+,)?(?: V \(([^\n]{0,64}?)\)(?:,|\.|\s|$))?(?:,",
                r" W UID W \d+,)?"
            ),
            killed,
        ),
        rule("reaped", r"\boom_reaper: W reaped W process W (\d+)\b", |_, found| Some(Part::Reaped(number(found, 1)?))),
        rule(
            "killable",
            r"(?i:(memory W cgroup W )?out W of W memory)[ \w.:]{0,12}? W no killable process",
            |_, found| Some(Part::Nobody(if found.get(1).is_some() { Bound::Memcg } else { Bound::Machine })),
        ),
        rule(
            "not syncing",
            r"Kernel W panic W - W not W syncing: W (?:[oO]ut W of W memory|System W is W deadlocked W on W memory)",
            |_, _| Some(Part::Panic),
        ),
    ]
});

/// Every part of every report in a text, in the order in which they stand.
pub(super) fn events(text: &str) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for rule in RULES.iter().filter(|rule| text.contains(rule.anchor)) {
        let Some(words) = &rule.words else { continue };
        for found in words.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            let rest = text.get(whole.start()..).unwrap_or("");
            let Some(mut part) = (rule.read)(rest, &found) else { continue };
            match &mut part {
                Part::Invoked(invoked) => invoked.name = name_before(text, whole.start()),
                Part::Counter(counter) => counter.at = whole.start(),
                _ => {}
            }
            let bound = if matches!(part, Part::Chosen(_)) { announced(text, whole.start()) } else { None };
            events.push(Event { at: whole.start(), part, bound });
        }
    }
    events.sort_by_key(|event| (event.at, event.part.order()));
    events
}

/// The name of a thread in front of ` invoked`: what stands between the collector's prefix and it, at most the 15 bytes
/// that a name has.
fn name_before(text: &str, at: usize) -> Option<String> {
    let before = text.get(text.floor_char_boundary(at.saturating_sub(200))..at)?;
    let line = before.rsplit('\n').next()?.trim_end();
    let payload = ["] ", "kernel: ", "> "].iter().filter_map(|end| line.rfind(end).map(|at| at + end.len())).max();
    let name = line.get(payload.unwrap_or(0)..)?.trim();
    (!name.is_empty() && name.len() <= 15).then(|| name.to_owned())
}

/// What stands before `Kill process`: `Out of memory: `, or `Memory cgroup out of memory: `.
fn announced(text: &str, at: usize) -> Option<Bound> {
    let before = text.get(..at)?;
    let tail: String = before.chars().rev().take(48).collect::<Vec<_>>().into_iter().rev().collect();
    let tail = tail.to_ascii_lowercase();
    let tail: Vec<&str> = tail.split(|c: char| c.is_whitespace() || c == '>').filter(|word| !word.is_empty()).collect();
    let tail = tail.join(" ");
    let tail = tail.trim_end_matches(" (oom_kill_allocating_task):").trim_end_matches(':');
    if tail.ends_with("memory cgroup out of memory") {
        Some(Bound::Memcg)
    } else if tail.ends_with("out of memory") {
        Some(Bound::Machine)
    } else {
        None
    }
}

fn text(found: &Captures, group: usize) -> Option<String> {
    found.get(group).map(|group| group.as_str().to_owned())
}

fn number(found: &Captures, group: usize) -> Option<u32> {
    found.get(group)?.as_str().parse().ok()
}

static FLAGS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"gfp_mask=(?:3D)?(0x[0-9a-fA-F]+(?:\([^)\n]*\))?)").ok());
static ORDER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\border=(?:3D)?(-?\d+)").ok());

fn invoked(rest: &str, _: &Captures) -> Option<Part> {
    let near = start_of(rest, 400);
    let near = near.find("cpuset=").and_then(|end| near.get(..end)).unwrap_or(near);
    let first = |regex: &Option<Regex>| {
        let found = regex.as_ref()?.captures(near)?;
        text(&found, 1)
    };
    Some(Part::Invoked(Invoked {
        name: None,
        flags: first(&FLAGS),
        order: first(&ORDER).and_then(|order| order.parse().ok()),
    }))
}

fn killed(rest: &str, found: &Captures) -> Option<Part> {
    let whole = found.get(0)?;
    let bound = found.get(2).map(|_| if found.get(1).is_some() { Bound::Memcg } else { Bound::Machine });
    // The sizes follow on the same line, or on the next where it is wrapped; not behind the next kill.
    let after = start_of(rest.get(whole.len()..)?, 320);
    let ends = ["Killed process", "oom_reaper", "ut of memory", "\u{c}"];
    let end = ends.iter().filter_map(|end| after.find(end)).min().unwrap_or(after.len());
    let after = after.get(..end)?;
    let size = |field: &str| -> Option<Bytes> {
        let (_, value) = after.split_once(field)?;
        let value = value.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
        let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        value.get(digits..)?.trim_start().starts_with("kB").then_some(())?;
        kib(value.get(..digits)?)
    };
    let killed = Killed {
        pid: number(found, 3)?,
        name: text(found, 4),
        total_vm: size("total-vm:"),
        anon: size("anon-rss:"),
        file: size("file-rss:"),
        shmem: size("shmem-rss:"),
    };
    // Other programs also write of killed processes.
    let kernels = bound.is_some() || killed.total_vm.is_some() || killed.anon.is_some();
    kernels.then_some(Part::Killed(killed, bound))
}

/// The start of a text, cut where a character ends.
fn start_of(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}
