//! Crash reports, and what a JVM prints to the console as the system refuses it memory.

use super::{errors, signal};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::hs_err::{self, CrashReport, Reason, Request, Sections};
use crate::artefact::jvm_oom;
use crate::diagnose::postmortem::identity::ALLOCATOR;
use crate::diagnose::postmortem::signal::{Death, Origin, Says, Signal};
use crate::model::{Area, Bytes, Killer};

pub(super) fn signals(excerpt: &Excerpt, reports: &[CrashReport]) -> Vec<Signal> {
    let mut found: Vec<Signal> = Vec::new();
    let mut known: Vec<Option<u32>> = Vec::new();
    for report in reports {
        // A report and its first lines on the console are of one death.
        if report.pid.is_some() && known.contains(&report.pid) {
            continue;
        }
        known.push(report.pid);
        found.push(signal(excerpt, report.offset, Origin::Jvm, says(excerpt, report)));
        found.extend(given(excerpt, report));
    }
    let is_reported = reports.iter().any(|report| matches!(report.reason, Reason::Memory(_)));
    if !is_reported {
        found.extend(commit_failed(excerpt));
        found.extend(refused(excerpt));
    }
    found
}

fn says(excerpt: &Excerpt, report: &CrashReport) -> Says {
    match &report.reason {
        Reason::Memory(request) => {
            let (area, because) = area(excerpt, request, &report.sections);
            let (limit, usage) = sizes(area, &report.sections);
            Says::Death(Death { area: Some(area), because, pid: report.pid, limit, usage, ..Death::by(Killer::Jvm) })
        }
        Reason::OutOfMemoryError { detail } => {
            let (area, what) = errors::area(jvm_oom::of_detail(detail));
            let because = format!("the JVM ended itself at an OutOfMemoryError: {what}");
            Says::Death(Death { area: Some(area), because, pid: report.pid, ..Death::by(Killer::Jvm) })
        }
        Reason::Fatal { what } if what.starts_with("SIGBUS") => {
            let reason = format!("a crash of the JVM by {what}: a mapped file was cut, or its disk is full");
            Says::OtherReason { reason, ends: true }
        }
        Reason::Fatal { what } => Says::OtherReason { reason: format!("a crash of the JVM by {what}"), ends: true },
        Reason::Unsaid => Says::OtherReason { reason: "a crash of the JVM".to_owned(), ends: true },
    }
}

/// What was too small. A request that fails is of native memory; what named limit or kind of request it was comes first.
fn area(excerpt: &Excerpt, request: &Request, sections: &Sections) -> (Area, String) {
    let limits = &sections.limits;
    let asked = asked(request);
    if let Some((mappings, most)) =
        sections.mappings.zip(limits.mappings).filter(|(mappings, most)| *mappings >= near(*most))
    {
        return (Area::Config, format!("{asked}: {mappings} of {most} mappings (vm.max_map_count) were there"));
    }
    if is_thread(request, sections) {
        if jvm_oom::threads(excerpt).iter().any(|thread| thread.error.as_deref() == Some("EPERM")) {
            return (
                Area::Config,
                format!("{asked}: a thread was not permitted (EPERM), which a seccomp profile does"),
            );
        }
        if let Some((tasks, most)) =
            sections.container_tasks.zip(limits.tasks).filter(|(tasks, most)| *tasks >= near(*most))
        {
            return (Area::Threads, format!("{asked}: {tasks} of the container's {most} tasks were there"));
        }
        if let Some((threads, most)) =
            sections.threads.zip(limits.processes).filter(|(threads, most)| *threads >= most / 2)
        {
            return (Area::Config, format!("{asked}: {threads} threads, and the rlimit NPROC allows the user {most}"));
        }
        let named =
            limits.processes.map_or_else(String::new, |most| format!("; the rlimit NPROC allows {most} threads"));
        return (Area::Threads, format!("{asked}: a thread could not be started{named}"));
    }
    let size = request.size.map_or(0, Bytes::get);
    if let Some(most) = limits.address_space {
        let then = sections.virtual_size.map(|now| now.get().saturating_add(size));
        if then.is_none_or(|then| then >= most.get() / 10 * 8) {
            return (Area::Config, format!("{asked}: the rlimit AS allows {most} of address space"));
        }
    }
    if let Some(most) = limits.data {
        return (Area::Config, format!("{asked}: the rlimit DATA allows {most} of memory of its own"));
    }
    if let (Some(2), Some(most), Some(committed)) =
        (sections.machine.overcommit, sections.machine.commit_limit, sections.machine.committed)
        && committed.get().saturating_add(size) >= most.get()
    {
        return (Area::Config, format!("{asked}: overcommit_memory=2, and {committed} of {most} were committed"));
    }
    if let Some(because) = at_start(&asked, size, sections) {
        return (Area::Config, because);
    }
    (Area::Native, format!("{asked}{}", around(sections)))
}

fn asked(request: &Request) -> String {
    let purpose = request.purpose.as_deref().unwrap_or_default().trim_end_matches('.');
    match request.size {
        Some(size) if purpose.is_empty() => format!("{} B of native memory were refused", size.get()),
        Some(size) => format!("{} B of native memory were refused ({purpose})", size.get()),
        None if purpose.is_empty() => "native memory was refused".to_owned(),
        None => purpose.to_owned(),
    }
}

/// Stacks, their guard pages, and whatever is asked for while a thread starts.
fn is_thread(request: &Request, sections: &Sections) -> bool {
    let purpose = request.purpose.as_deref().unwrap_or_default().to_ascii_lowercase();
    let names = ["gc thread", "thread stack", "native thread", "guard stack", "stack guard", "worker thread"];
    // `Cannot create VM thread.`, `Cannot create worker GC thread.`
    let created = purpose.contains("create ") && purpose.contains("thread");
    created
        || names.iter().any(|name| purpose.contains(name))
        || purpose.starts_with("pthread")
        || sections.thread.as_deref().is_some_and(|thread| thread.contains("_thread_new"))
        || sections.frames.iter().take(12).any(|frame| {
            ["create_stack_guard_pages", "os::create_thread", "os::guard_memory", "map_stack_shadow"]
                .iter()
                .any(|name| frame.contains(name))
        })
}

/// Nineteen parts of twenty.
fn near(most: u64) -> u64 {
    most - most / 20
}

/// A heap that is committed as the JVM starts is as large as its flags make it, whatever the program does.
fn at_start(asked: &str, size: u64, sections: &Sections) -> Option<String> {
    const STARTED_MS: u64 = 2_000;
    const HEAP: u64 = 16 << 20;
    let names = ["initialize_heap", "universe_init", "reserve_heap", "init_globals", "::create_vm"];
    let starts = sections.frames.iter().any(|frame| names.iter().any(|name| frame.contains(name)));
    let young = sections.is_starting || sections.elapsed_ms.is_some_and(|elapsed| elapsed < STARTED_MS);
    if size < HEAP || !(starts || young) {
        return None;
    }
    let room = sections.machine.available.or(sections.machine.free);
    let room = room.map_or_else(String::new, |room| format!(", and the machine had {room} left"));
    Some(format!("{asked} as the JVM started: its flags ask for more than there is{room}"))
}

/// What the report says of the memory around.
fn around(sections: &Sections) -> String {
    if let Some((usage, limit)) = sections.container_usage.zip(sections.limits.container) {
        return format!("; the container used {usage} of {limit}");
    }
    match (sections.machine.available.or(sections.machine.free), sections.machine.total, sections.resident) {
        (Some(free), Some(total), Some(resident)) => {
            format!("; the machine had {free} of {total} left, and this process held {resident}")
        }
        (Some(free), Some(total), None) => format!("; the machine had {free} of {total} left"),
        _ => String::new(),
    }
}

fn sizes(area: Area, sections: &Sections) -> (Option<Bytes>, Option<Bytes>) {
    if let (Area::Config, Some(most)) = (area, sections.limits.address_space) {
        return (Some(most), sections.virtual_size);
    }
    let limit = sections.limits.container;
    (limit, limit.and(sections.container_usage))
}

/// The bounds in the report's command line.
fn given(excerpt: &Excerpt, report: &CrashReport) -> Vec<Signal> {
    let sections = &report.sections;
    let given = |key: &str, value: &str| {
        signal(excerpt, report.offset, Origin::Given, Says::Given { key: key.to_owned(), value: value.to_owned() })
    };
    let allocator = sections.allocator.map(|allocator| given(ALLOCATOR, allocator.label()));
    allocator.into_iter().chain(flags(sections).map(|(flag, value)| given(flag, value))).collect()
}

/// The flags that size something, as far as a report says how it was started.
fn flags(sections: &Sections) -> impl Iterator<Item = (&str, &str)> {
    const FLAGS: [&str; 5] = ["-Xmx", "-Xms", "-Xss", "-XX:MaxDirectMemorySize=", "-XX:MaxMetaspaceSize="];
    let words = sections.arguments.iter().flat_map(|arguments| arguments.split_whitespace());
    let each = words.filter_map(|argument| {
        let flag = FLAGS.iter().find(|flag| argument.starts_with(**flag))?;
        let value = argument.get(flag.len()..).filter(|value| value.len() < 32)?;
        Some((flag.trim_end_matches('='), value))
    });
    each.take(16)
}

/// Warnings of the console where no report is with them: the first of a row.
fn commit_failed(excerpt: &Excerpt) -> Option<Signal> {
    let commits = hs_err::commits(excerpt);
    let first = commits.first()?;
    let size = first.size.map_or_else(String::new, |size| format!("{} B of ", size.get()));
    let (area, because) = match first.errno {
        // Not memory but a rule of the machine: SELinux, a mount without exec.
        Some(1 | 13) => (Area::Config, format!("{size}memory could not be committed: {}", first.error)),
        _ => (Area::Native, format!("{size}memory could not be committed: {}", first.error)),
    };
    Some(signal(
        excerpt,
        first.offset,
        Origin::Jvm,
        Says::Death(Death { area: Some(area), because, ..Death::by(Killer::Jvm) }),
    ))
}

/// A JVM that could not place its heap.
fn refused(excerpt: &Excerpt) -> Option<Signal> {
    let refusals = hs_err::refusals(excerpt);
    let first = refusals.first()?;
    let (area, because) = if first.of.contains("stack") {
        (Area::Threads, format!("{} could not be set up", first.of))
    } else {
        let size = first.size.map_or_else(String::new, |size| format!(" of {size}"));
        (Area::Config, format!("no room{size} for {}, which the flags ask for", first.of))
    };
    Some(signal(
        excerpt,
        first.offset,
        Origin::Jvm,
        Says::Death(Death { area: Some(area), because, ..Death::by(Killer::Jvm) }),
    ))
}
