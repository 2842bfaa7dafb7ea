//! The network buffers that a job needs against those that a TaskManager has, and netty's own memory.

use super::super::amount::{about, amount};
use super::super::table::{self, Align, wrapped};
use super::heading;
use crate::model::Bytes;
use crate::plan::network_need::{EdgeNeed, Netty, NetworkNeed, Pool};
use crate::plan::rejection::Outcome;
use crate::recommend::network::{Cure, NetworkAnswer};

const COLUMNS: [&str; 7] = ["", "", "wide", "on this TM", "must have", "at most", "overdraft"];
const SIDES: [Align; 7] =
    [Align::Left, Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right];

/// What a narrow terminal has no room for.
const SPARE: [usize; 2] = [6, 2];

/// How many edges are shown one by one.
const SHOWN: usize = 20;

pub fn section(answer: &Outcome<NetworkAnswer>, width: usize) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(rejection) => {
            return heading("Network buffers of the job") + &wrapped(&rejection.exception.message, width, 2);
        }
    };
    let need = &answer.need;
    let title = need.job.as_ref().map_or(String::new(), |name| format!(" {name}"));
    let mut out = heading(&format!("Network buffers that the job{title} needs on one TaskManager"));
    out += &edges(need, width);
    out += &wrapped(&verdict(need), width, 2);
    out += &cures(answer, width);
    for note in notes(need) {
        out += &wrapped(&note, width, 2);
    }
    out += &heading("Netty's own direct memory");
    out + &wrapped(&netty(&need.netty), width, 2)
}

fn edges(need: &NetworkNeed, width: usize) -> String {
    let most = |most: Option<u64>| most.map_or("unbounded".to_owned(), |most| most.to_string());
    let row = |name: String, what: &str, wide: u64, times: u64, pool: Pool, overdraft: u64| {
        vec![
            name,
            what.to_owned(),
            wide.to_string(),
            times.to_string(),
            (pool.required * times).to_string(),
            most(pool.most.map(|most| most * times)),
            (overdraft * times).to_string(),
        ]
    };
    let mut rows = Vec::new();
    for edge in need.edges.iter().take(SHOWN) {
        rows.push(vec![title(edge)]);
        if let Some(partition) = &edge.partition {
            let what = if partition.sorted { "result, sorted" } else { "result" };
            let wide = partition.subpartitions;
            rows.push(row("  writes".to_owned(), what, wide, edge.partitions, partition.pool, partition.overdraft));
        }
        if let Some(gate) = &edge.gate {
            rows.push(row("  reads".to_owned(), "gate", gate.channels, edge.gates, gate.pool(), 0));
        }
    }
    let mut total = vec![String::new(); 7];
    total[0] = if need.regions > 1 { "At one time".to_owned() } else { "Together".to_owned() };
    total[4] = need.required.to_string();
    total[5] = most(need.wanted);
    total[6] = need.overdraft.to_string();
    let mut out = String::new();
    // Edges have titles of any length, which must not widen the first column.
    let sized: Vec<Vec<String>> = rows.iter().filter(|row| row.len() > 1).cloned().chain([total]).collect();
    let table = table::fitting(width - 2, &SPARE, &COLUMNS, &SIDES, &sized);
    let mut lines = table.lines();
    out += &format!("  {}\n", lines.next().unwrap_or_default());
    for row in &rows {
        if row.len() == 1 {
            out += &wrapped(&row[0], width, 2);
        } else {
            out += &format!("  {}\n", lines.next().unwrap_or_default());
        }
    }
    if need.edges.len() > SHOWN {
        out += &format!("  and {} more edges\n", need.edges.len() - SHOWN);
    }
    out += &lines.map(|line| format!("  {line}\n")).collect::<String>();
    out
}

fn title(edge: &EdgeNeed) -> String {
    let strategy = if edge.strategy.is_empty() { "all to all" } else { &edge.strategy };
    format!("{} -> {}: {strategy}, {}", edge.from, edge.to, edge.exchange.label())
}

fn bytes(need: &NetworkNeed, buffers: u64) -> Bytes {
    need.segment.checked_mul(buffers).unwrap_or(Bytes::FLINK_MAX)
}

fn verdict(need: &NetworkNeed) -> String {
    let had = format!("The TaskManager has {} buffers of {}.", need.had, need.segment);
    match (need.missing(), need.wanted) {
        (0, Some(wanted)) if wanted <= need.had => {
            format!("{had} That is all that the job may take: {} stay free.", need.had - wanted)
        }
        (0, Some(wanted)) => format!(
            "{had} The job starts; {} ({}) more would give it all that it may take. With less it has fewer buffers in \
             flight, which matters under back pressure.",
            wanted - need.had,
            amount(bytes(need, wanted - need.had))
        ),
        (0, None) => format!("{had} The job starts, and takes as many as there are."),
        (missing, _) => format!(
            "{had} {missing} are missing ({}). A task fails with \"Insufficient number of network buffers: required …, \
             but only … available. {}\"",
            amount(bytes(need, missing)),
            need.exception
        ),
    }
}

fn cures(answer: &NetworkAnswer, width: usize) -> String {
    let mut out = String::new();
    let mut tell = |purpose: &str, cure: &Cure| {
        out += &wrapped(&format!("{purpose}:"), width, 2);
        for change in &cure.changes {
            out += &format!("    {change}\n");
        }
        let moved: Vec<String> = cure
            .moved
            .iter()
            .map(|(part, before, after)| format!("{} from {} to {}", part.label(), about(*before), about(*after)))
            .collect();
        out += &wrapped(&format!("Planned with it: {} buffers; {}.", cure.buffers, moved.join(", ")), width, 4);
    };
    match (&answer.to_start, &answer.to_have_all) {
        (Some(start), all) => {
            tell("To start the job", start);
            if let Some(all) = all.as_ref().filter(|all| all.changes != start.changes) {
                tell("To give it all that it may take", all);
            }
        }
        (None, Some(all)) if answer.need.missing() == 0 => tell("To give it all that it may take", all),
        (None, _) if answer.need.missing() > 0 => {
            let text = "No option of network memory alone gives so many: Flink refuses every plan with them. Make the \
                        process larger, the slots fewer or the parallelism smaller.";
            out += &wrapped(text, width, 2);
        }
        _ => {}
    }
    out
}

fn notes(need: &NetworkNeed) -> Vec<String> {
    let mut notes = vec![format!(
        "The worst case is counted: each of {} holds a subtask of every vertex{}, every edge has a result partition of \
         its own, and every channel is remote (a local one has no buffers of its own).",
        if need.slots == 1 { "one slot".to_owned() } else { format!("{} slots", need.slots) },
        if need.regions > 1 { " that runs at that time (blocking exchanges keep the others apart)" } else { "" },
    )];
    if need.debloated {
        notes.push(
            "Buffer debloating is on: it makes the data in a buffer smaller, not the buffers, so these numbers stand."
                .to_owned(),
        );
    }
    if need.hybrid {
        notes.push("Hybrid exchanges are not in these numbers: oomph does not compute their tiers.".to_owned());
    }
    notes
}

fn netty(netty: &Netty) -> String {
    let mut text = format!(
        "{} arena{} of {} chunks: {} as soon as each is used once, more if messages pile up; {} threads that send, {} \
         that receive.",
        netty.arenas,
        if netty.arenas == 1 { "" } else { "s" },
        netty.chunk,
        amount(netty.one_each),
        netty.server_threads,
        netty.client_threads
    );
    if let Some(read) = netty.batch_read {
        text += &format!(" Batch shuffle reads with {} more.", amount(read));
    }
    match netty.framework_off_heap {
        Some(paid) if netty.missing() > Bytes::ZERO => {
            text += &format!(
                " Framework Off-heap pays for it and has {}: {} too little. Raise \
                 taskmanager.memory.framework.off-heap.size.",
                amount(paid),
                amount(netty.missing())
            );
        }
        Some(paid) => text += &format!(" Framework Off-heap pays for it, with {}.", amount(paid)),
        None => text += " No part of the budget pays for it.",
    }
    text
}
