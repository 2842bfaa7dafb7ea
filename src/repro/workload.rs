//! A workload file: YAML whose every field is read here. `docs/workloads.md` is its page.

use thiserror::Error;

use crate::config::Value;
use crate::config::yaml::{self, Kind as Yaml, Node};
use crate::model::{Accesses, Bytes, Kind, Operator, Order, Phase, Position, Shuffle, State, Workload};

/// Why a file is no workload.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {}, column {}: {reason}", position.line, position.column)]
pub struct WorkloadError {
    /// Where.
    pub position: Position,
    /// What is wrong.
    pub reason: String,
}

/// Column families of one TaskManager at most: RocksDB itself is not made for more.
const MOST_FAMILIES: u64 = 20_000;
/// Records of one task at most: what is counted stays far from the end of 64 bits.
const MOST_RECORDS: u64 = 1_000_000_000_000;
/// The largest key or value: RocksDB's own bound is 3 GiB for a value and 8 MiB for a key.
const LARGEST_VALUE: Bytes = Bytes::mib(64);
/// The largest key: Flink's keys are short, and index blocks are made of them.
const LARGEST_KEY: Bytes = Bytes::kib(64);

const FIELDS: &[&str] =
    &["about", "slots", "seed", "snapshot-every", "operators", "phases", "leak", "python", "shuffle"];

type Parsed<T> = Result<T, WorkloadError>;

/// Reads a workload; `name` is that of its file.
pub fn parse(name: &str, text: &str) -> Parsed<Workload> {
    let root = yaml::parse(text).map_err(|error| wrong(error.position, error.reason.clone()))?;
    let start = Position { line: 1, column: 1, start: 0, end: 0 };
    let Some(root) = root else { return Err(wrong(start, "it is empty".to_owned())) };
    let mut fields = Fields::of(&root, "a workload", FIELDS)?;
    let operators = fields.list("operators", operator)?;
    let phases = fields.list("phases", |node| phase(node, &operators))?;
    let workload = Workload {
        name: name.to_owned(),
        about: fields.optional("about", text_of)?.unwrap_or_default(),
        slots: fields.optional("slots", |node| small(node, 1, 256))?.unwrap_or(1),
        snapshot_every: fields.optional("snapshot-every", records)?,
        seed: fields.optional("seed", count)?.unwrap_or(1),
        leak: fields.optional("leak", |node| size(node, Bytes::new(1), Bytes::gib(1)))?,
        python: fields.optional("python", |node| size(node, Bytes::new(1), Bytes::gib(1)))?,
        shuffle: fields.optional("shuffle", shuffle)?,
        operators,
        phases,
    };
    if workload.shuffle.is_some() && workload.operators.is_empty() && workload.phases.is_empty() {
        return Ok(workload);
    }
    if workload.operators.is_empty() {
        return Err(wrong(root.position, "it has no operators: without state there is nothing to run".to_owned()));
    }
    if workload.phases.is_empty() {
        return Err(wrong(root.position, "it has no phases: nothing is done".to_owned()));
    }
    let of_a_slot: u64 =
        workload.operators.iter().flat_map(|operator| &operator.states).map(|state| u64::from(state.copies) + 1).sum();
    let families = of_a_slot.saturating_mul(u64::from(workload.slots));
    if families > MOST_FAMILIES {
        return Err(wrong(root.position, format!("it has {families} column families, more than {MOST_FAMILIES}")));
    }
    Ok(workload)
}

fn wrong(position: Position, reason: String) -> WorkloadError {
    WorkloadError { position, reason }
}

/// The fields of a mapping, each taken once.
struct Fields<'a> {
    position: Position,
    of: &'a str,
    all: Vec<(String, Position, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// Refuses what is none of `known`.
    fn of(node: &'a Node, of: &'a str, known: &[&str]) -> Parsed<Fields<'a>> {
        let Yaml::Mapping(entries) = &node.kind else {
            return Err(wrong(node.position, format!("{of} is a list of fields: {}", known.join(", "))));
        };
        let mut all = Vec::new();
        for (key, value) in entries {
            let name = text_of(key)?;
            if !known.contains(&name.as_str()) {
                let name: String = name.chars().take(40).collect();
                return Err(wrong(
                    key.position,
                    format!("{name} is no field of {of}; there are: {}", known.join(", ")),
                ));
            }
            all.push((name, key.position, &**value));
        }
        Ok(Fields { position: node.position, of, all })
    }

    fn optional<T>(&mut self, name: &str, read: impl FnOnce(&'a Node) -> Parsed<T>) -> Parsed<Option<T>> {
        let found = self.all.iter().find(|(known, _, _)| known == name);
        found.map(|(_, _, node)| read(node)).transpose()
    }

    fn needed<T>(&mut self, name: &str, read: impl FnOnce(&'a Node) -> Parsed<T>) -> Parsed<T> {
        let (position, of) = (self.position, self.of);
        self.optional(name, read)?.ok_or_else(|| wrong(position, format!("{of} needs the field {name}")))
    }

    fn list<T>(&mut self, name: &str, read: impl Fn(&'a Node) -> Parsed<T>) -> Parsed<Vec<T>> {
        let listed = self.optional(name, |node| match &node.kind {
            Yaml::Sequence(nodes) => nodes.iter().map(|node| read(node)).collect(),
            _ => Err(wrong(node.position, format!("{name} is a list, each entry behind a -"))),
        })?;
        Ok(listed.unwrap_or_default())
    }
}

fn operator(node: &Node) -> Parsed<Operator> {
    let mut fields = Fields::of(node, "an operator", &["name", "states"])?;
    let operator = Operator { name: fields.needed("name", name_of)?, states: fields.list("states", state)? };
    if operator.states.is_empty() {
        return Err(wrong(node.position, format!("the operator {} has no states", operator.name)));
    }
    for (index, state) in operator.states.iter().enumerate() {
        if operator.states[..index].iter().any(|before| before.name == state.name) {
            let reason = format!("the operator {} has two states {}", operator.name, state.name);
            return Err(wrong(node.position, reason));
        }
    }
    Ok(operator)
}

fn shuffle(node: &Node) -> Parsed<Shuffle> {
    let mut fields = Fields::of(node, "a shuffle", &["bytes", "file", "rate", "written-back"])?;
    let most = Bytes::gib(1024);
    Ok(Shuffle {
        bytes: fields.needed("bytes", |node| size(node, Bytes::new(1), most))?,
        file: fields.optional("file", |node| size(node, Bytes::kib(64), most))?.unwrap_or(Bytes::mib(64)),
        rate: fields.optional("rate", |node| size(node, Bytes::kib(64), most))?,
        written_back: fields.optional("written-back", flag)?.unwrap_or(false),
    })
}

fn flag(node: &Node) -> Parsed<bool> {
    match &node.kind {
        Yaml::Scalar(Value::Bool(flag)) => Ok(*flag),
        _ => Err(wrong(node.position, "here true or false is meant".to_owned())),
    }
}

const STATE_FIELDS: &[&str] = &[
    "name",
    "kind",
    "entries",
    "keys",
    "key-size",
    "value-size",
    "compressible",
    "order",
    "ttl",
    "copies",
    "walked",
    "held",
];

fn state(node: &Node) -> Parsed<State> {
    let mut fields = Fields::of(node, "a state", STATE_FIELDS)?;
    let entries = fields.optional("entries", |node| small(node, 1, 10_000_000))?;
    let kind = fields.optional("kind", |node| match text_of(node)?.as_str() {
        "value" => Ok(Kind::Value),
        "map" => Ok(Kind::Map { entries: entries.unwrap_or(16) }),
        "list" => Ok(Kind::List),
        "timers" => Ok(Kind::Timers),
        other => Err(wrong(node.position, format!("kind is value, map, list or timers, not {}", cut(other)))),
    })?;
    let kind = kind.unwrap_or(Kind::Value);
    if entries.is_some() && !matches!(kind, Kind::Map { .. }) {
        return Err(wrong(node.position, "only a map has entries".to_owned()));
    }
    let order = fields.optional("order", order)?.unwrap_or(Order::Uniform);
    if matches!(kind, Kind::Timers) && !matches!(order, Order::Sequence { .. }) {
        let reason = "timers fall due one after another: give them an order such as `sequence 100k`";
        return Err(wrong(node.position, reason.to_owned()));
    }
    let keys = match fields.optional("keys", records)? {
        Some(keys) => keys,
        None => match order {
            // Keys of a sequence are new ones always, and gone after the window where they are deleted.
            Order::Sequence { .. } => u64::MAX >> 16,
            _ => return Err(wrong(node.position, "a state needs the field keys".to_owned())),
        },
    };
    let (value_least, value_most) = match kind {
        Kind::Timers => (Bytes::ZERO, Bytes::ZERO),
        _ => fields.needed("value-size", sizes)?,
    };
    Ok(State {
        name: fields.needed("name", name_of)?,
        copies: fields.optional("copies", |node| small(node, 1, 10_000))?.unwrap_or(1),
        kind,
        keys,
        key_size: fields.optional("key-size", |node| size(node, Bytes::new(8), LARGEST_KEY))?.unwrap_or(Bytes::new(16)),
        value_least,
        value_most,
        compressible: fields.optional("compressible", percent)?.unwrap_or(50),
        order,
        ttl: fields.optional("ttl", records)?,
        walked: fields.optional("walked", records)?,
        held: fields.optional("held", |node| small(node, 0, 100_000))?.unwrap_or(0),
    })
}

fn phase(node: &Node, operators: &[Operator]) -> Parsed<Phase> {
    let mut fields = Fields::of(node, "a phase", &["name", "records", "rate", "restored", "do"])?;
    let accesses = fields.needed("do", |node| match &node.kind {
        Yaml::Mapping(entries) => {
            entries.iter().map(|(key, value)| accesses(text_of(key)?, key.position, value, operators)).collect()
        }
        _ => Err(wrong(node.position, "do names states, each with what a record does to it".to_owned())),
    })?;
    Ok(Phase {
        name: fields.optional("name", name_of)?.unwrap_or_else(|| "run".to_owned()),
        records: fields.needed("records", records)?,
        rate: fields.optional("rate", records)?,
        restored: fields.optional("restored", |node| small(node, 0, 64))?.unwrap_or(0),
        accesses,
    })
}

fn accesses(state: String, position: Position, node: &Node, operators: &[Operator]) -> Parsed<Accesses> {
    let known: Vec<&str> =
        operators.iter().flat_map(|operator| &operator.states).map(|state| state.name.as_str()).collect();
    if !known.contains(&state.as_str()) {
        return Err(wrong(
            position,
            format!("{} is no state of an operator; there are: {}", cut(&state), known.join(", ")),
        ));
    }
    let mut fields = Fields::of(node, "what a record does", &["read", "write", "update", "delete", "iterate", "scan"])?;
    let mut often = |name: &str| Ok(fields.optional(name, millionths)?.unwrap_or(0));
    Ok(Accesses {
        read: often("read")?,
        write: often("write")?,
        update: often("update")?,
        delete: often("delete")?,
        iterate: often("iterate")?,
        scan: often("scan")?,
        state,
    })
}

fn text_of(node: &Node) -> Parsed<String> {
    match &node.kind {
        Yaml::Scalar(Value::Null) => Ok(String::new()),
        Yaml::Scalar(value) => Ok(value.java_text().into_owned()),
        _ => Err(wrong(node.position, "here a word is meant".to_owned())),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A name that may stand in a path and in a column family's name.
fn name_of(node: &Node) -> Parsed<String> {
    let text = text_of(node)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !text.is_empty() && text.len() <= 60 && text.chars().all(fits) && !text.starts_with('.') {
        true => Ok(text),
        false => Err(wrong(node.position, format!("{} is no name: letters, digits, - and _, at most 60", cut(&text)))),
    }
}

/// A count with `k`, `m` or `g` for thousands, millions and thousand millions.
fn count(node: &Node) -> Parsed<u64> {
    let text = text_of(node)?;
    counted(&text)
        .ok_or_else(|| wrong(node.position, format!("{} is no count; write digits, or 400k, 2m, 1g", cut(&text))))
}

/// The same from a text.
pub fn counted(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, times) = match text.chars().last()? {
        'k' | 'K' => (&text[..text.len() - 1], 1_000),
        'm' | 'M' => (&text[..text.len() - 1], 1_000_000),
        'g' | 'G' => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let digits = digits.trim_end();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(times)
}

fn records(node: &Node) -> Parsed<u64> {
    match count(node)? {
        0 => Err(wrong(node.position, "0 is too few here".to_owned())),
        many if many > MOST_RECORDS => Err(wrong(node.position, format!("{many} is more than {MOST_RECORDS}"))),
        records => Ok(records),
    }
}

fn small(node: &Node, least: u32, most: u32) -> Parsed<u32> {
    let value = count(node)?;
    let fitting = u32::try_from(value).ok().filter(|value| (least..=most).contains(value));
    fitting.ok_or_else(|| wrong(node.position, format!("{value} is not between {least} and {most}")))
}

fn percent(node: &Node) -> Parsed<u8> {
    let text = text_of(node)?;
    let number = text.trim_end_matches('%').trim().parse::<u8>().ok().filter(|percent| *percent <= 99);
    number.ok_or_else(|| wrong(node.position, format!("{} is no percentage from 0 to 99", cut(&text))))
}

fn size(node: &Node, least: Bytes, most: Bytes) -> Parsed<Bytes> {
    let text = text_of(node)?;
    sized(&text, least, most).map_err(|reason| wrong(node.position, reason))
}

fn sized(text: &str, least: Bytes, most: Bytes) -> Result<Bytes, String> {
    let bytes = Bytes::parse_flink(text).map_err(|_| format!("{} is no size, such as 200 or 16 kb", cut(text)))?;
    match (least..=most).contains(&bytes) {
        true => Ok(bytes),
        false => Err(format!("{bytes} is not between {least} and {most}")),
    }
}

/// `200`, or `100..400`.
fn sizes(node: &Node) -> Parsed<(Bytes, Bytes)> {
    let text = text_of(node)?;
    let sized = |text: &str| sized(text, Bytes::ZERO, LARGEST_VALUE).map_err(|reason| wrong(node.position, reason));
    let Some((least, most)) = text.split_once("..") else { return sized(&text).map(|size| (size, size)) };
    let (least, most) = (sized(least)?, sized(most)?);
    match least <= most {
        true => Ok((least, most)),
        false => Err(wrong(node.position, format!("{least} is above {most}"))),
    }
}

/// `uniform`, `zipf 0.99`, `sequence 100k`.
fn order(node: &Node) -> Parsed<Order> {
    let text = text_of(node)?;
    let mut words = text.split_whitespace();
    let known = match (words.next(), words.next(), words.next()) {
        (Some("uniform"), None, None) => Some(Order::Uniform),
        (Some("zipf"), exponent, None) => {
            let hundredths = exponent.map_or(Some(99), |text| {
                let digits = text.strip_prefix("0.")?;
                let padded = format!("{digits}0");
                (digits.len() <= 2 && !digits.is_empty()).then(|| padded[..2].parse::<u8>().ok()).flatten()
            });
            hundredths.filter(|exponent| (1..=99).contains(exponent)).map(|exponent| Order::Zipf { exponent })
        }
        (Some("sequence"), Some(window), None) => counted(window)
            .filter(|window| (1..=MOST_RECORDS).contains(window))
            .map(|window| Order::Sequence { window }),
        _ => None,
    };
    let forms = "an order is `uniform`, `zipf 0.99` (an exponent from 0.01 to 0.99) or `sequence 100k`";
    known.ok_or_else(|| wrong(node.position, format!("{} is no order: {forms}", cut(&text))))
}

/// A decimal as millionths: `1`, `0.25`, `1/500`.
fn millionths(node: &Node) -> Parsed<u64> {
    let text = text_of(node)?;
    often(&text).filter(|often| *often <= 1_000_000_000).ok_or_else(|| {
        let forms = "write 1, 0.25 or 1/500, at most 1000";
        wrong(node.position, format!("{} does not say how often a record does it: {forms}", cut(&text)))
    })
}

fn often(text: &str) -> Option<u64> {
    if let Some((one, of)) = text.split_once('/') {
        let (one, of) = (counted(one)?, counted(of)?);
        return one.checked_mul(1_000_000)?.checked_div(of);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > 6 {
        return None;
    }
    let millionths: u64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(millionths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use rstest::rstest;

    use super::*;

    const JOIN: &str = "\
about: exposures wait for clicks
slots: 2
seed: 7
snapshot-every: 200k
operators:
  - name: join
    states:
      - {name: exposures, keys: 400k, key-size: 20, value-size: 100..400, compressible: 60%, order: sequence 100k}
      - {name: clicks, kind: map, entries: 8, keys: 1m, value-size: 1 kb, order: zipf 0.9, held: 4, walked: 100}
      - {name: timers, kind: timers, order: sequence 100k}
phases:
  - name: fill
    records: 500k
    rate: 20k
    do:
      exposures: {write: 1, read: 0.5, delete: 1}
      clicks: {update: 0.25, iterate: 1/500}
";

    #[test]
    fn a_workload_is_read_with_all_its_fields() {
        let workload = parse("join", JOIN).unwrap();
        assert_eq!((workload.slots, workload.seed, workload.snapshot_every), (2, 7, Some(200_000)));
        let states = &workload.operators[0].states;
        assert_eq!((states[0].value_least, states[0].value_most), (Bytes::new(100), Bytes::new(400)));
        assert_eq!((states[0].order, states[0].compressible), (Order::Sequence { window: 100_000 }, 60));
        assert_eq!((states[1].kind, states[1].order), (Kind::Map { entries: 8 }, Order::Zipf { exponent: 90 }));
        assert_eq!((states[1].held, states[1].walked), (4, Some(100)));
        let phase = &workload.phases[0];
        assert_eq!((phase.records, phase.rate), (500_000, Some(20_000)));
        assert_eq!((phase.accesses[0].write, phase.accesses[0].read), (1_000_000, 500_000));
        assert_eq!((phase.accesses[1].update, phase.accesses[1].iterate), (250_000, 2_000));
    }

    #[rstest]
    #[case("slots: 2", "slots: 0", "line 2, column 8: 0 is not between 1 and 256")]
    #[case("keys: 1m", "keys: lots", "line 9, column 53: lots is no count")]
    #[case("order: zipf 0.9", "order: zipf 1.2", "line 9, column 82: zipf 1.2 is no order")]
    #[case("100..400", "400..100", "line 8, column 65: 400 B is above 100 B")]
    #[case("kind: timers, order: sequence 100k", "kind: timers", "line 10, column 9: timers fall due")]
    #[case(
        "clicks: {update",
        "taps: {update",
        "line 17, column 7: taps is no state of an operator; there are: exposures"
    )]
    #[case("iterate: 1/500", "iterate: 1/0", "line 17, column 39: 1/0 does not say how often")]
    #[case("rate: 20k", "speed: 20k", "line 14, column 5: speed is no field of a phase; there are: name, records")]
    #[case("records: 500k", "records: 0", "line 13, column 14: 0 is too few here")]
    #[case("name: join", "name: ../join", "line 6, column 11: ../join is no name")]
    fn what_is_no_workload_is_said_with_its_line(#[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
        let text = JOIN.replacen(right, wrong, 1);
        assert_ne!(text, JOIN);
        let error = parse("join", &text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[rstest]
    #[case("1", Some(1_000_000))]
    #[case("0.000001", Some(1))]
    #[case("0.0000001", None)]
    #[case("3/2", Some(1_500_000))]
    #[case("-1", None)]
    #[case("", None)]
    fn how_often_is_read_exactly(#[case] text: &str, #[case] millionths: Option<u64>) {
        assert_eq!(often(text), millionths);
    }

    #[test]
    fn too_many_column_families_are_refused() {
        let text = JOIN.replacen("slots: 2", "slots: 200", 1).replacen("held: 4", "copies: 10k", 1);
        assert!(parse("join", &text).unwrap_err().to_string().contains("column families, more than 20000"));
    }
}
