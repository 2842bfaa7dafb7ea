//! What was predicted beside what was measured, and figures of several runs in columns.

use super::words::{end, has_workload, plain, seconds};
use crate::model::Bytes;
use crate::report::amount::{grouped, mib};
use crate::report::diagnose::cut;
use crate::report::table::{Align, USUAL_WIDTH, fitting};
use crate::repro::figures::Place;
use crate::repro::outcome::{Background, Run};
use crate::repro::prediction::{Band, Part, Prediction};

/// Where nothing was seen.
pub(super) const UNSEEN: &str = "-";

/// What is to be known of a prediction for a run that was not done.
const UNFINISHED: &str = "It was ended before it was done, so that it had no time to take what was predicted.";

/// A size of nothing: a row of these is left out.
const NONE: &str = "0.0";

/// What is less would be shown as nothing.
const SHOWN: Bytes = Bytes::new((1 << 20) / 20);

/// What is to be known of parts that were not seen.
const NOT_TOLD: &str = "A part with - cannot be seen by itself: it is in the whole.";

/// So many signs of a label or value stand over or in a column, and of a name in front of a row.
const CELL: usize = 28;
const NARROW_CELL: usize = 18;
const NAME: usize = 40;

/// A prediction's band beside what was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub name: &'static str,
    pub band: Band,
    pub measured: Option<Bytes>,
    /// Whether it is the whole, and no part.
    pub is_whole: bool,
    /// Whether the run was done: one that was ended early has no time to take what was predicted.
    pub is_finished: bool,
}

impl Held {
    /// `above` or `below`, where the measured size lies outside of the band.
    pub(super) fn mark(&self) -> &'static str {
        match self.measured.map(|measured| self.band.place(measured)) {
            Some(Place::Above) => "above",
            Some(Place::Below) if self.is_finished => "below",
            _ => "",
        }
    }

    fn cells(&self, indent: &str) -> Vec<String> {
        let measured = self.measured.map_or_else(|| UNSEEN.to_owned(), mib);
        let Band { low, expected, high } = self.band;
        vec![format!("{indent}{}", self.name), mib(low), mib(expected), mib(high), measured, self.mark().to_owned()]
    }
}

/// What a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// At most.
    Peak,
    /// Most of the time.
    Steady,
}

impl When {
    pub(super) fn label(self) -> &'static str {
        match self {
            When::Peak => "At most",
            When::Steady => "Most of the time",
        }
    }
}

/// What can be held against a run: one that was ended early has no usual time.
pub(super) fn times(run: &Run) -> &'static [When] {
    if run.is_finished() { &[When::Peak, When::Steady] } else { &[When::Peak] }
}

/// Parts with their bands, those left out that are nothing and were predicted to be nothing; then the whole.
pub(super) fn held(prediction: &Prediction, run: Option<&Run>, when: When) -> Vec<Held> {
    let mut rows: Vec<Held> = Vec::new();
    let is_finished = run.is_some_and(Run::is_finished);
    for part in Part::ALL {
        let Some(predicted) = prediction.parts.iter().find(|predicted| predicted.part == part) else { continue };
        let measured = run.and_then(|run| run.measured_of(part));
        let (band, measured) = match when {
            When::Peak => (predicted.peak, measured.map(|measured| measured.peak)),
            When::Steady => (predicted.steady, measured.map(|measured| measured.steady)),
        };
        if band.high >= SHOWN || measured.is_some_and(|measured| measured >= SHOWN) {
            rows.push(Held { name: part.label(), band, measured, is_whole: false, is_finished });
        }
    }
    let (band, measured) = match when {
        When::Peak => (prediction.peak, run.and_then(|run| run.peak_anonymous)),
        When::Steady => (prediction.steady, run.and_then(|run| run.steady_anonymous)),
    };
    rows.push(Held { name: "Anonymous memory", band, measured, is_whole: true, is_finished });
    rows
}

/// The table of one run, in MiB.
pub(super) fn predicted(prediction: &Prediction, run: &Run, width: usize) -> String {
    let header = ["MiB", "low", "expected", "high", "measured", ""];
    sections(prediction, Some(run), times(run), &header, width)
}

/// What is to be known of a prediction that is held against a run, a sentence each.
pub(super) fn remarks(prediction: &Prediction, run: &Run) -> Vec<String> {
    let is_unseen = held(prediction, Some(run), When::Peak).iter().any(|held| held.measured.is_none());
    let ours = [(is_unseen, NOT_TOLD), (!run.is_finished(), UNFINISHED)];
    let ours = ours.into_iter().filter(|(is_so, _)| *is_so).map(|(_, says)| says.to_owned());
    ours.chain(prediction.notes.iter().map(|note| plain(note))).collect()
}

/// The table of what is not run yet, in MiB.
pub(super) fn expected(prediction: &Prediction, width: usize) -> String {
    sections(prediction, None, &[When::Peak, When::Steady], &["MiB", "low", "expected", "high"], width)
}

fn sections(prediction: &Prediction, run: Option<&Run>, times: &[When], header: &[&str], width: usize) -> String {
    let mut rows = Vec::new();
    for when in times {
        rows.push(vec![when.label().to_owned()]);
        rows.extend(held(prediction, run, *when).iter().map(|held| held.cells("  ")));
    }
    for row in &mut rows {
        row.resize(header.len(), String::new());
    }
    let align = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Left];
    fitting(width, &[1, 3], header, &align[..header.len()], &rows)
}

/// One figure of all runs: its name, and a cell each.
pub(super) type Row = (String, Vec<String>);

/// Figures of runs: a row each, a cell a run.
pub(super) fn figures(runs: &[Run]) -> Vec<Row> {
    let size = |bytes: Option<Bytes>| bytes.map_or_else(|| UNSEEN.to_owned(), mib);
    let most = |of: fn(&crate::repro::outcome::Moment) -> Option<Bytes>| {
        move |run: &Run| run.moments.iter().filter_map(of).max()
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut row = |name: &str, cell: &dyn Fn(&Run) -> String| {
        let cells: Vec<String> = runs.iter().map(cell).collect();
        if cells.iter().any(|cell| cell != UNSEEN && cell != NONE) {
            rows.push((name.to_owned(), cells));
        }
    };
    row("End", &|run| end(&run.ending).to_owned());
    row("Time", &|run| seconds(run.millis));
    let of_engine = |run: &Run| run.release.as_deref().map_or_else(|| UNSEEN.to_owned(), |release| cut(release, CELL));
    for (name, of) in
        [("RocksDB", &of_engine as &dyn Fn(&Run) -> String), ("Allocator", &|run| run.experiment.malloc.to_string())]
    {
        let is_one = runs.windows(2).all(|two| of(&two[0]) == of(&two[1]));
        if !is_one && runs.iter().any(has_workload) {
            row(name, of);
        }
    }
    row("Limit", &|run| run.limit().map_or_else(|| "none".to_owned(), mib));
    row("Anonymous memory at most", &|run| size(run.peak_anonymous));
    row("Anonymous memory most of the time", &|run| size(run.steady_anonymous));
    let of_all = |run: &Run| run.moments.iter().filter_map(|moment| moment.group_anonymous).max();
    let is_more =
        |run: &Run| of_all(run).zip(run.peak_anonymous).is_some_and(|(all, own)| all.get() / 11 * 10 > own.get());
    if runs.iter().any(is_more) {
        row("The same of all processes", &|run| size(of_all(run)));
    }
    row("Counted against the limit at most", &|run| size(run.peak_usage()));
    row("Page cache at most", &|run| size(most(|moment| moment.file)(run)));
    row("Not yet written to disk at most", &|run| size(most(|moment| moment.dirty)(run)));
    row("tmpfs at most", &|run| size(most(|moment| moment.shmem)(run)));
    if runs.iter().any(has_workload) {
        let said = |of: fn(&crate::model::Progress) -> u64| {
            move |run: &Run| run.last_said().map_or_else(|| UNSEEN.to_owned(), |said| mib(Bytes::new(of(said))))
        };
        row("Files at the end", &said(|said| said.files));
        row("Records a second", &|run| run.records_per_second().map_or_else(|| UNSEEN.to_owned(), grouped));
        row("Written by the workload", &|run| mib(run.written_by_workload));
        row("Written to files", &|run| size(run.written_to_files));
        let amplification = |run: &Run| run.write_amplification();
        let ratio = |run: &Run| amplification(run).map_or_else(|| UNSEEN.to_owned(), |ratio| ratio.to_string());
        rows.push(("Write amplification".to_owned(), runs.iter().map(ratio).collect()));
    }
    let background = |of: fn(&Background) -> u64| {
        move |run: &Run| run.background.as_ref().map_or_else(|| UNSEEN.to_owned(), |background| grouped(of(background)))
    };
    let mut row = |name: &str, cell: &dyn Fn(&Run) -> String| {
        let cells: Vec<String> = runs.iter().map(cell).collect();
        if cells.iter().any(|cell| cell != UNSEEN) {
            rows.push((name.to_owned(), cells));
        }
    };
    row("Flushes", &background(|background| background.flushes));
    row("Compactions", &background(|background| background.compactions));
    row("Tables written", &background(|background| background.tables_written));
    row("Tables deleted", &background(|background| background.tables_deleted));
    row("Files of snapshots at the end", &|run| run.snapshot_files.map_or_else(|| UNSEEN.to_owned(), grouped));
    let mut names: Vec<&str> = Vec::new();
    for shown in runs.iter().flat_map(|run| &run.shown) {
        if !names.contains(&shown.name.as_str()) {
            names.push(&shown.name);
        }
    }
    for name in names {
        let of = |run: &Run| run.shown.iter().find(|shown| shown.name == name).map(|shown| cut(&shown.value, CELL));
        let cells = runs.iter().map(|run| of(run).unwrap_or_else(|| UNSEEN.to_owned())).collect();
        rows.push((cut(name, NAME), cells));
    }
    rows
}

/// Figures of runs as text: as many runs side by side as fit.
pub(super) fn beside(runs: &[Run], width: usize) -> String {
    let rows = figures(runs);
    let longest = if width < USUAL_WIDTH { NARROW_CELL } else { CELL };
    let labels: Vec<String> = runs.iter().map(|run| cut(&run.label, longest)).collect();
    let mut out = String::new();
    let mut from = 0;
    while from < runs.len() {
        let mut table = String::new();
        let mut upto = runs.len();
        while upto > from {
            table = columns(&rows, &labels, from..upto, width);
            if table.lines().all(|line| line.chars().count() <= width) || upto == from + 1 {
                break;
            }
            upto -= 1;
        }
        if from > 0 {
            out.push('\n');
        }
        out += &table;
        from = upto;
    }
    out
}

fn columns(rows: &[Row], labels: &[String], shown: std::ops::Range<usize>, width: usize) -> String {
    let mut header = vec!["MiB"];
    header.extend(labels[shown.clone()].iter().map(String::as_str));
    let mut align = vec![Align::Right; header.len()];
    align[0] = Align::Left;
    let cells = |(name, cells): &Row| {
        let mut row = vec![name.clone()];
        row.extend_from_slice(&cells[shown.clone()]);
        row
    };
    fitting(width, &[], &header, &align, &rows.iter().map(cells).collect::<Vec<_>>())
}
