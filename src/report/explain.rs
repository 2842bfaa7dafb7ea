//! A plan told step by step: each figure with the rule, the numbers that went in, the result and the option that moves
//! it, for someone who has never seen Flink's source.

mod meaning;

use meaning::{levers, meaning, old_meaning};

use super::Sheet;
use super::amount::{about, amount_and_bytes, fraction};
use super::table::wrapped;
use crate::flink::profile::Profile;
use crate::model::{
    Bytes, Component, Derivation, Figure, Held, Place, Position, Provenance, Quantity, Range, Ratio, Role, Source, Term,
};
use crate::plan::process::Mode;
use crate::plan::store::{Scope, Store, StoreMemory};
use crate::plan::{Backend, Slots, Survey};

/// One step: what is derived, and its figure.
struct Step<'a> {
    quantity: Quantity,
    /// Said in place of the quantity's own name.
    title: Option<String>,
    figure: &'a Figure,
}

/// Keys and variables of Flink 1.9 that later versions read in the place of a newer total.
const OLD_TOTALS: [&str; 6] = [
    "taskmanager.heap.size",
    "taskmanager.heap.mb",
    "jobmanager.heap.size",
    "jobmanager.heap.mb",
    "FLINK_TM_HEAP",
    "FLINK_JM_HEAP",
];

/// The whole story of a plan.
pub fn story(sheet: &Sheet, survey: &Survey, width: usize) -> String {
    let mut out = String::new();
    out += &wrapped(&opening(sheet, survey), width, 0);
    out.push('\n');
    let computed = computed_sums(survey);
    let mut teller = Teller {
        sheet,
        profile: survey.plan.profile,
        mode: survey.plan.mode,
        width,
        number: 0,
        fraction_told: false,
        store: Store::RocksDb,
    };
    for step in steps(survey, &computed) {
        out += &teller.tell(&step);
    }
    out += &wrapped(&format!("So the JVM is started with {}", survey.plan.jvm_arguments), width, 0);
    if survey.plan.mode == Mode::CutOff && survey.plan.direct.is_some() {
        let twice = "-XX:MaxDirectMemorySize is the container minus the heap: direct memory may take the cut-off, too, \
                     which then is not there for what it was taken off for.";
        out += &wrapped(twice, width, 0);
    }
    if let Some(Ok(slots)) = &survey.plan.slots {
        out.push('\n');
        out += &teller.slots(survey, slots);
    }
    out
}

/// How the derivation starts, and why there.
fn opening(sheet: &Sheet, survey: &Survey) -> String {
    let role = survey.plan.budget.role();
    let version = sheet.planned_version();
    let (total, flink, parts) = match role {
        Role::TaskManager => (
            "taskmanager.memory.process.size",
            "taskmanager.memory.flink.size",
            "taskmanager.memory.task.heap.size and taskmanager.memory.managed.size",
        ),
        Role::JobManager => {
            ("jobmanager.memory.process.size", "jobmanager.memory.flink.size", "jobmanager.memory.heap.size")
        }
    };
    match survey.plan.mode {
        Mode::TotalProcess => format!(
            "Flink {version} plans this {role} from the outside in, because {total} is set and neither {flink} nor \
             {parts}: it takes the whole process, takes off what the JVM needs for itself, and divides up the rest."
        ),
        Mode::TotalFlink => format!(
            "Flink {version} plans this {role} from total Flink memory, because {flink} is set and not {parts}: it \
             divides that up and puts around it what the JVM needs for itself."
        ),
        Mode::FineGrained => format!(
            "Flink {version} plans this {role} from the inside out, because {parts} {}: it adds up the parts and puts \
             around them what the JVM needs for itself.",
            if role == Role::TaskManager { "are set" } else { "is set" }
        ),
        Mode::StartScript => format!(
            "In Flink {version} the start script plans a standalone {role}: it divides up the size that is set, and \
             plans nothing for what the JVM itself and native libraries take besides."
        ),
        Mode::CutOff => format!(
            "Flink {version} plans this {role} by the cut-off model, which later versions have left: a part of the \
             container is taken off for everything that nobody plans, and the rest is given to the JVM."
        ),
    }
}

/// Sums that are shown but kept nowhere: heap and direct memory.
fn computed_sums(survey: &Survey) -> Vec<(Quantity, Figure)> {
    let budget = &survey.plan.budget;
    let sum = |components: &[Component]| {
        let terms: Vec<Term> = components.iter().map(|c| Term::new(Quantity::Part(*c), budget.size(*c))).collect();
        let bytes = Bytes::new(terms.iter().map(|term| term.bytes.get()).sum());
        Figure::derived(bytes, Derivation::Sum(terms))
    };
    if budget.role() == Role::JobManager || matches!(survey.plan.mode, Mode::CutOff | Mode::StartScript) {
        return Vec::new();
    }
    vec![
        (Quantity::JvmHeap, sum(&[Component::FrameworkHeap, Component::TaskHeap])),
        (Quantity::JvmDirect, sum(&[Component::FrameworkOffHeap, Component::TaskOffHeap, Component::Network])),
    ]
}

/// The figures in the order in which Flink derives them.
fn steps<'a>(survey: &'a Survey, computed: &'a [(Quantity, Figure)]) -> Vec<Step<'a>> {
    let budget = &survey.plan.budget;
    let process = Step { quantity: Quantity::TotalProcess, title: None, figure: budget.total_process() };
    let flink = Step { quantity: Quantity::TotalFlink, title: None, figure: budget.total_flink() };
    let part = |component: Component| {
        budget.part(component).map(|figure| Step { quantity: Quantity::Part(component), title: None, figure })
    };
    let mut jvm: Vec<Step<'_>> =
        [Component::JvmMetaspace, Component::JvmOverhead].into_iter().filter_map(part).collect();
    // What others leave comes last.
    let is_rest = |step: &Step<'_>| matches!(&step.figure.provenance, Provenance::Derived(d) if matches!(**d, Derivation::Remainder { .. }));
    let mut inner: Vec<Step<'_>> = [
        Component::FrameworkHeap,
        Component::FrameworkOffHeap,
        Component::TaskOffHeap,
        Component::TaskHeap,
        Component::Managed,
        Component::Network,
        Component::OffHeap,
        Component::Heap,
    ]
    .into_iter()
    .filter_map(part)
    .collect();
    inner.sort_by_key(is_rest);
    let mut steps = Vec::new();
    match survey.plan.mode {
        Mode::TotalProcess => {
            steps.push(process);
            steps.append(&mut jvm);
            steps.push(flink);
            steps.append(&mut inner);
        }
        Mode::TotalFlink => {
            steps.push(flink);
            steps.append(&mut inner);
            steps.append(&mut jvm);
            steps.push(process);
        }
        Mode::FineGrained => {
            steps.append(&mut inner);
            steps.push(flink);
            steps.append(&mut jvm);
            steps.push(process);
        }
        Mode::CutOff | Mode::StartScript => {
            steps.push(process);
            let order = [Component::CutOff, Component::Network, Component::Managed, Component::CutOffHeap];
            steps.extend(order.into_iter().filter_map(part));
        }
    }
    steps.extend(computed.iter().map(|(quantity, figure)| Step { quantity: *quantity, title: None, figure }));
    steps
}

struct Teller<'a> {
    sheet: &'a Sheet,
    profile: &'static Profile,
    mode: Mode,
    width: usize,
    number: usize,
    fraction_told: bool,
    /// The store whose pool is being told of.
    store: Store,
}

impl Teller<'_> {
    fn tell(&mut self, step: &Step<'_>) -> String {
        self.number += 1;
        let name = match (&step.title, step.quantity, self.mode) {
            (Some(title), ..) => title.as_str(),
            (None, Quantity::TotalProcess, Mode::StartScript) => "What the script divides",
            (None, Quantity::TotalProcess, Mode::CutOff) => "Container",
            (None, quantity, _) => quantity.label(),
        };
        let mut out = format!("{:>2}. {name} = {}\n", self.number, amount_and_bytes(step.figure.bytes));
        let mut text = String::new();
        let old = old_meaning(step.quantity, self.mode, self.sheet.question.role);
        if let Some(meaning) = old.or_else(|| meaning(step.quantity)) {
            text += &meaning.replace(Store::RocksDb.label(), self.store.label());
            text.push(' ');
        }
        text += &self.reason(step.figure);
        out += &wrapped(&text, self.width, 4);
        if let Some(mut levers) = levers(step.quantity, self.sheet.question.role, step.figure, self.profile, self.mode)
        {
            if self.store == Store::ForSt {
                levers = levers.replace("rocksdb", "forst");
            }
            out += &wrapped(&format!("Moves with: {levers}"), self.width, 4);
        }
        out.push('\n');
        out
    }

    fn reason(&mut self, figure: &Figure) -> String {
        match &figure.provenance {
            Provenance::Set { key, place } => {
                let mut text = format!("{key} sets it, {}.", located(place));
                if OLD_TOTALS.contains(key) && self.profile.version().line() > (1, 9) {
                    text += " It is a name of Flink 1.9, read in the place of this total because the total is not set.";
                }
                let hidden = self.sheet.overridden(&figure.provenance);
                if !hidden.is_empty() {
                    let places: Vec<String> = hidden.into_iter().map(place_in_words).collect();
                    text += &format!(" That wins over {}.", places.join(" and "));
                }
                text
            }
            Provenance::Default { key, source } => {
                format!("{key} is not set; this is its default in Flink {} ({source}).", self.profile.version())
            }
            Provenance::Derived(derivation) => self.derivation(derivation),
            Provenance::Measured { from } => format!("Measured: {from}."),
        }
    }

    fn derivation(&mut self, derivation: &Derivation) -> String {
        match derivation {
            Derivation::Share { whole, ratio, product, range, held } => {
                let text = format!(
                    "{} of {}, {}, is {}",
                    self.ratio(ratio),
                    whole.quantity,
                    about(whole.bytes),
                    amount_and_bytes(*product)
                );
                let bounds = range.as_ref().map(|range| held_in(range, *held)).unwrap_or_default();
                format!("{text}{bounds}.{}", self.about_fractions(ratio, *product, whole.bytes))
            }
            Derivation::ShareOfUnknown { rest, ratio, product, range, held } => {
                let f = fraction(ratio.value);
                format!(
                    "It is to be {} of a total of which {}, {}, is the rest. So it is {f} / (1 - {f}) times that rest, \
                     which is {}{}.",
                    self.ratio(ratio),
                    rest.quantity,
                    about(rest.bytes),
                    amount_and_bytes(*product),
                    held_in(range, *held)
                )
            }
            Derivation::Remainder { whole, parts } => {
                let leave = if parts.len() == 1 { "leaves" } else { "leave" };
                format!("It is what {} {leave} of {}, {}.", listed(parts), whole.quantity, about(whole.bytes))
            }
            Derivation::Sum(parts) => format!("It is the sum of {}.", listed(parts)),
            Derivation::Buffers { count, segment } => format!(
                "{} buffers{} of {} each{}; minimum and maximum of network memory do not apply.",
                count.value,
                said_of(&count.provenance),
                about(segment.bytes),
                said_of(&segment.provenance)
            ),
            Derivation::Divided { whole, count: 1 } => format!("There is one slot: it has all of {}.", whole.quantity),
            Derivation::Divided { whole, count } => {
                let lost = match whole.bytes.get() % count {
                    0 => String::new(),
                    1 => "; 1 B is lost in the division".to_owned(),
                    lost => format!("; {lost} B are lost in the division"),
                };
                format!("{}, {}, divided among {count} slots{lost}.", whole.quantity, about(whole.bytes))
            }
            Derivation::Weighted { whole, weight, weights } if weight == weights => {
                format!("It is alone in the slot and gets all of its managed memory, {}.", about(whole.bytes))
            }
            Derivation::Weighted { whole, weight, weights } => {
                format!(
                    "Its weight is {weight} of {weights} in all; the slot has {} of managed memory.",
                    about(whole.bytes)
                )
            }
            Derivation::BlockCache { total, ratio } => format!(
                "It is (3 - write-buffer ratio) / 3 of the pool: (3 - {}) / 3 x {}. Memtables are charged to it, too.",
                fraction(ratio.value),
                about(total.bytes)
            ),
            Derivation::WriteBufferManager { total, ratio } => format!(
                "It is 2/3 of the write-buffer ratio of the pool: 2 x {} x {} / 3. Memtables may overshoot it by half; that half and the \
                 cache make up the pool.",
                about(total.bytes),
                self.ratio(ratio)
            ),
            Derivation::ArenaBlock { write_buffer, at_most } => format!(
                "It is an eighth of the write buffer of {}{}, in whole 4 KiB{}.",
                about(write_buffer.bytes),
                said_of(&write_buffer.provenance),
                at_most.map_or(String::new(), |bound| format!(
                    ", but at most {bound}: that is RocksDB {}'s own rule",
                    self.profile.rocksdb.version
                ))
            ),
            Derivation::MutableLimit { manager } => {
                format!("It is 7/8 of the write-buffer manager, {}.", about(manager.bytes))
            }
            Derivation::CutOff { formula, options } => format!("It is {formula}.{}", said_of_all(options)),
        }
    }

    fn ratio(&self, ratio: &Ratio) -> String {
        format!("{}{}", fraction(ratio.value), said_of(&ratio.provenance))
    }

    /// Why a tenth is not a tenth to the byte: said once.
    fn about_fractions(&mut self, ratio: &Ratio, product: Bytes, whole: Bytes) -> String {
        let exact = fraction(ratio.value) == ratio.value.to_string() || product == Bytes::ZERO || whole == Bytes::ZERO;
        if self.fraction_told || exact {
            return String::new();
        }
        self.fraction_told = true;
        format!(
            " (Flink keeps a fraction in 32 bits, so {} is {}: that is why the bytes are not round.)",
            fraction(ratio.value),
            ratio.value
        )
    }

    fn slots(&mut self, survey: &Survey, slots: &Slots) -> String {
        let mut out = String::new();
        for (component, figure) in &slots.shares {
            if figure.bytes == Bytes::ZERO && *component == Component::TaskOffHeap {
                continue;
            }
            let title = Some(format!("{component} of each slot"));
            out += &self.tell(&Step { quantity: Quantity::SlotShare(*component), title, figure });
        }
        for share in slots.consumers.iter().flatten().flatten() {
            if let Ok(figure) = &share.share {
                let title = Some(format!("Managed Memory of {} in a slot", share.use_case));
                out += &self.tell(&Step { quantity: Quantity::ConsumerShare(share.use_case), title, figure });
            }
        }
        for (store, outcome) in &slots.stores {
            if let Ok(memory) = outcome
                && super::text::is_shown(self.sheet, survey, *store)
            {
                if !matches!(survey.backend, Backend::Embedded(_)) {
                    let text =
                        format!("Which state backend a job uses is not configured here. If it is {}:", store.label());
                    out += &wrapped(&text, self.width, 0);
                    out.push('\n');
                }
                out += &self.store(memory);
            }
        }
        out
    }

    fn store(&mut self, memory: &StoreMemory) -> String {
        self.store = memory.store;
        let store = memory.store.label();
        let by = if self.profile.option("state.backend.rocksdb.memory.managed").is_none() {
            format!(" Flink {} has no option to bound it.", self.profile.version())
        } else {
            said_of_all(std::slice::from_ref(&memory.scope_provenance))
        };
        let scope = match memory.scope {
            Scope::SlotSharedManaged => "takes its memory out of managed memory, one pool for each slot",
            Scope::SlotSharedUnmanaged => {
                "takes a fixed size of native memory outside of managed memory, one pool for each slot"
            }
            Scope::TmSharedUnmanaged => {
                "takes a fixed size of native memory outside of managed memory, one pool for all slots"
            }
            Scope::None => "gives each state memtables and a block cache of its own, and nothing bounds their sum",
        };
        let mut out = wrapped(&format!("{store} {scope}.{by}"), self.width, 0);
        out.push('\n');
        let Some(pool) = &memory.pool else { return out };
        for (quantity, figure) in pool.figures(&memory.write_buffer, &self.profile.rocksdb) {
            let title = Some(format!("{store}, {quantity}"));
            // What a slot's share is was told just before.
            if quantity == Quantity::StateBackendTotal && memory.scope == Scope::SlotSharedManaged {
                continue;
            }
            out += &self.tell(&Step { quantity, title, figure: &figure });
        }
        out
    }
}

/// The range that a share is held in, and which bound took effect.
fn held_in(range: &Range, held: Held) -> String {
    let min = format!("{}{}", about(range.min.bytes), said_of(&range.min.provenance));
    let max = format!("{}{}", about(range.max.bytes), said_of(&range.max.provenance));
    let unbounded = range.max.bytes == Bytes::FLINK_MAX;
    match held {
        Held::Free if unbounded => format!(", not less than the minimum of {min}; there is no maximum"),
        Held::Free => format!(", between the minimum of {min} and the maximum of {max}"),
        Held::AtMinimum => format!(", less than the minimum of {min}, so the minimum counts"),
        Held::AtMaximum => format!(", more than the maximum of {max}, so the maximum counts"),
    }
}

fn listed(terms: &[Term]) -> String {
    let named: Vec<String> = terms.iter().map(|term| format!("{} ({})", term.quantity, about(term.bytes))).collect();
    match named.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// In parentheses: the option, and whether it is set.
fn said_of(provenance: &Provenance) -> String {
    match provenance {
        Provenance::Set { key, place } => format!(" ({key}, set {})", located(place)),
        Provenance::Default { key, .. } => format!(" ({key}, not set)"),
        _ => String::new(),
    }
}

/// As sentences of their own: which options are set, and which are not.
fn said_of_all(options: &[Provenance]) -> String {
    let mut out = String::new();
    let mut unset = Vec::new();
    for option in options {
        match option {
            Provenance::Set { key, place } => out += &format!(" {key} is set {}.", located(place)),
            Provenance::Default { key, .. } => unset.push(*key),
            _ => {}
        }
    }
    match unset.split_last() {
        Some((last, [])) => out += &format!(" {last} is not set."),
        Some((last, others)) => out += &format!(" {} and {last} are not set.", others.join(", ")),
        None => {}
    }
    out
}

/// Where a place is, with its preposition.
fn located(place: &Place) -> String {
    let preposition = match place.source {
        Source::DynamicProperty | Source::YarnFlag(_) | Source::Supposed | Source::Proposed => "by",
        Source::File(_) | Source::Stdin | Source::Environment(_) | Source::Shipped | Source::Caller => "in",
    };
    format!("{preposition} {}", place_in_words(place))
}

fn place_in_words(place: &Place) -> String {
    match place.position {
        Some(Position { line, column, .. }) => format!("{}, line {line}, column {column}", place.source),
        None => place.source.to_string(),
    }
}
