//! The block about memory that Flink logs as it starts, from 1.11 on (`BashJavaUtils.logTaskExecutorConfiguration`,
//! `logMasterConfiguration`), with whatever a logger puts in front of its lines.

use super::Stated;
use crate::model::{Bytes, Role};

/// One block. A part is there where its line is; a log may be cut anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartupBlock {
    /// Whose memory.
    pub role: Role,
    /// Where its title stands; nothing where the text begins after it.
    pub title: Option<u32>,
    /// The figures in the order of the text.
    pub figures: Vec<(Label, Stated<Bytes>)>,
}

/// What a line of the block is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// `Total Process Memory`.
    TotalProcess,
    /// `Total Flink Memory`.
    TotalFlink,
    /// `Total JVM Heap Memory`, a JobManager's `JVM Heap`.
    Heap,
    /// `Framework` below the heap.
    FrameworkHeap,
    /// `Task` below the heap.
    TaskHeap,
    /// `Total Off-heap Memory`, a JobManager's `Off-heap`.
    OffHeap,
    /// `Managed`.
    Managed,
    /// `Total JVM Direct Memory`.
    Direct,
    /// `Framework` below direct memory.
    FrameworkOffHeap,
    /// `Task` below direct memory.
    TaskOffHeap,
    /// `Network`.
    Network,
    /// `JVM Metaspace`.
    Metaspace,
    /// `JVM Overhead`.
    Overhead,
}

impl Label {
    /// All lines of a TaskManager's block, in order.
    pub const TASK_MANAGER: [Label; 13] = [
        Label::TotalProcess,
        Label::TotalFlink,
        Label::Heap,
        Label::FrameworkHeap,
        Label::TaskHeap,
        Label::OffHeap,
        Label::Managed,
        Label::Direct,
        Label::FrameworkOffHeap,
        Label::TaskOffHeap,
        Label::Network,
        Label::Metaspace,
        Label::Overhead,
    ];
    /// All lines of a JobManager's block, in order.
    pub const JOB_MANAGER: [Label; 6] =
        [Label::TotalProcess, Label::TotalFlink, Label::Heap, Label::OffHeap, Label::Metaspace, Label::Overhead];

    /// How Flink writes it.
    pub fn text(self, role: Role) -> &'static str {
        match (self, role) {
            (Label::TotalProcess, _) => "Total Process Memory",
            (Label::TotalFlink, _) => "Total Flink Memory",
            (Label::Heap, Role::TaskManager) => "Total JVM Heap Memory",
            (Label::Heap, Role::JobManager) => "JVM Heap",
            (Label::FrameworkHeap | Label::FrameworkOffHeap, _) => "Framework",
            (Label::TaskHeap | Label::TaskOffHeap, _) => "Task",
            (Label::OffHeap, Role::TaskManager) => "Total Off-heap Memory",
            (Label::OffHeap, Role::JobManager) => "Off-heap",
            (Label::Managed, _) => "Managed",
            (Label::Direct, _) => "Total JVM Direct Memory",
            (Label::Network, _) => "Network",
            (Label::Metaspace, _) => "JVM Metaspace",
            (Label::Overhead, _) => "JVM Overhead",
        }
    }
}

impl Label {
    /// How a person tells it from the others: two lines of the block begin alike, twice.
    pub fn name(self, role: Role) -> &'static str {
        match self {
            Label::FrameworkHeap => "Framework (heap)",
            Label::TaskHeap => "Task (heap)",
            Label::FrameworkOffHeap => "Framework (direct)",
            Label::TaskOffHeap => "Task (direct)",
            other => other.text(role),
        }
    }
}

impl StartupBlock {
    /// A figure, where its line is there.
    pub fn figure(&self, label: Label) -> Option<&Stated<Bytes>> {
        self.figures.iter().find(|(known, _)| *known == label).map(|(_, stated)| stated)
    }

    /// The lines that the role's block has and this one has not.
    pub fn missing(&self) -> Vec<Label> {
        let all: &[Label] = match self.role {
            Role::TaskManager => &Label::TASK_MANAGER,
            Role::JobManager => &Label::JOB_MANAGER,
        };
        all.iter().copied().filter(|label| self.figure(*label).is_none()).collect()
    }

    /// What the lines say, without where they stand.
    pub fn says_the_same_as(&self, other: &StartupBlock) -> bool {
        let figures = |block: &StartupBlock| -> Vec<(Label, Bytes)> {
            block.figures.iter().map(|(label, stated)| (*label, stated.what)).collect()
        };
        self.role == other.role && figures(self) == figures(other)
    }
}

/// A log with more starts than these is about nobody in particular.
const MOST: usize = 1_000;

/// Every block of a text; at most a thousand.
pub fn parse(text: &str) -> Vec<StartupBlock> {
    let mut blocks: Vec<StartupBlock> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if blocks.len() > MOST {
            break;
        }
        if let Some(role) = title(line) {
            let title = Some(Stated::at(index, ()).line);
            blocks.push(StartupBlock { role, title, figures: Vec::new() });
            continue;
        }
        let Some((name, bytes)) = figure(line) else { continue };
        let fits = blocks.last().and_then(|block| next_label(block, name));
        let label = match fits {
            Some(label) => label,
            // The text begins inside of a block, or a second one follows whose title is cut off.
            None => {
                let block = StartupBlock { role: role_of(name), title: None, figures: Vec::new() };
                let Some(label) = next_label(&block, name) else { continue };
                blocks.push(block);
                label
            }
        };
        if let Some(block) = blocks.last_mut() {
            block.figures.push((label, Stated::at(index, bytes)));
        }
    }
    blocks.retain(|block| !block.figures.is_empty());
    blocks
}

fn title(line: &str) -> Option<Role> {
    let titles = [
        ("Final TaskExecutor Memory configuration:", Role::TaskManager),
        ("Final Master Memory configuration:", Role::JobManager),
    ];
    titles.into_iter().find(|(title, _)| line.contains(title)).map(|(_, role)| role)
}

/// The label's text and the size of a line such as `INFO  [] -   Network: 128.000mb (134217728 bytes)`.
fn figure(line: &str) -> Option<(&str, Bytes)> {
    let (before, after) = line.trim_end().rsplit_once(':')?;
    let names = Label::TASK_MANAGER
        .iter()
        .map(|label| label.text(Role::TaskManager))
        .chain(Label::JOB_MANAGER.iter().map(|label| label.text(Role::JobManager)));
    // The longest that fits: `Total Off-heap Memory` also ends like `Off-heap` would.
    let name = names
        .filter(|name| before.ends_with(*name))
        .filter(|name| before[..before.len() - name.len()].chars().next_back().is_none_or(|c| !c.is_alphanumeric()))
        .max_by_key(|name| name.len())?;
    let before_name = before[..before.len() - name.len()].trim_end();
    // `JVM Heap` stands alone in its line, behind what the logger writes.
    if before_name.ends_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let digits = match after.trim().rsplit_once('(') {
        Some((_, exact)) => exact.strip_suffix(" bytes)")?,
        None => after.trim().strip_suffix(" bytes")?,
    };
    Some((name, Bytes::new(digits.parse().ok()?)))
}

fn role_of(name: &str) -> Role {
    match name {
        "JVM Heap" | "Off-heap" => Role::JobManager,
        _ => Role::TaskManager,
    }
}

/// Which line of the block a name is: after those that are already there, in the block's order.
fn next_label(block: &StartupBlock, name: &str) -> Option<Label> {
    let last = block.figures.last().map(|(label, _)| *label);
    let all: &[Label] = match block.role {
        Role::TaskManager => &Label::TASK_MANAGER,
        Role::JobManager => &Label::JOB_MANAGER,
    };
    let later = all.iter().copied().filter(|label| last.is_none_or(|last| *label > last));
    let mut named = later.filter(|label| label.text(block.role) == name);
    let first = named.next()?;
    // `Framework` and `Task` come twice. With the heap's lines cut off before them, what stands above tells which.
    let below_direct = last.is_some_and(|last| last >= Label::Direct);
    Some(match named.next() {
        Some(second) if below_direct => second,
        _ => first,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
2026-11-21 08:19:51,923 INFO  org.apache.flink.runtime.util.bash.BashJavaUtils [] - Final TaskExecutor Memory configuration:
2026-11-21 08:19:51,923 INFO  org.apache.flink.runtime.util.bash.BashJavaUtils [] -   Total Process Memory:          4.000gb (4294967296 bytes)
INFO  [] -     Total Flink Memory:          3.350gb (3597035104 bytes)
INFO  [] -       Total JVM Heap Memory:     1.452gb (1559442198 bytes)
INFO  [] -         Framework:               128.000mb (134217728 bytes)
INFO  [] -         Task:                    1.327gb (1425224470 bytes)
INFO  [] -       Total Off-heap Memory:     1.898gb (2037592906 bytes)
INFO  [] -         Managed:                 1.340gb (1438814063 bytes)
INFO  [] -         Total JVM Direct Memory: 571.040mb (598778843 bytes)
INFO  [] -           Framework:             128.000mb (134217728 bytes)
INFO  [] -           Task:                  0 bytes
INFO  [] -           Network:               343.040mb (359703515 bytes)
INFO  [] -     JVM Metaspace:               256.000mb (268435456 bytes)
INFO  [] -     JVM Overhead:                409.600mb (429496736 bytes)
";

    #[test]
    fn a_block_is_read_whole_whatever_stands_before_its_lines() {
        let blocks = parse(LOG);
        assert_eq!(blocks.len(), 1);
        let block = &blocks[0];
        assert_eq!((block.role, block.title), (Role::TaskManager, Some(1)));
        assert!(block.missing().is_empty(), "{:?}", block.missing());
        let stated = |label| block.figure(label).unwrap().clone();
        assert_eq!(stated(Label::FrameworkOffHeap), Stated { what: Bytes::mib(128), line: 10 });
        assert_eq!(stated(Label::TaskOffHeap), Stated { what: Bytes::ZERO, line: 11 });
        assert_eq!(stated(Label::TaskHeap).what, Bytes::new(1_425_224_470));
    }

    #[test]
    fn two_processes_in_one_paste_are_two_blocks() {
        let master = "INFO - Final Master Memory configuration:\n - JVM Heap: 1024.000mb (1073741824 bytes)\n \
                      -  Off-heap: 128.000mb (134217728 bytes)\n";
        let roles: Vec<_> = parse(&format!("{LOG}{master}{LOG}")).iter().map(|block| block.role).collect();
        assert_eq!(roles, [Role::TaskManager, Role::JobManager, Role::TaskManager]);
    }

    #[test]
    fn a_log_that_is_cut_tells_which_lines_are_missing() {
        let head: String = LOG.lines().take(8).map(|line| format!("{line}\n")).collect();
        let missing = parse(&head)[0].missing();
        assert_eq!(missing.first(), Some(&Label::Direct));
        let tail: String = LOG.lines().skip(8).map(|line| format!("{line}\n")).collect();
        let blocks = parse(&tail);
        assert_eq!(blocks[0].title, None);
        assert_eq!(blocks[0].figure(Label::FrameworkOffHeap).unwrap().what, Bytes::mib(128));
        assert_eq!(blocks[0].figure(Label::FrameworkHeap), None);
    }

    #[test]
    fn other_lines_are_no_figures() {
        for line in ["Task: done", "My Network: 5 bytes of 6", "Managed: 1.3gb", "JVM Heap 5 bytes", ""] {
            assert!(parse(line).is_empty(), "{line}");
        }
    }
}
