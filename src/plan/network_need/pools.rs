//! How many buffers one gate and one result partition must and may have, by version (`SingleInputGateFactory`,
//! `ResultPartitionFactory`, `NettyShuffleUtils`, `InputGateSpecUtils`). Held against the real factories of every version
//! by `testdata/network-need`.

use crate::config::job_plan::Exchange;
use crate::flink::key::{Int, Key};
use crate::flink::keys;
use crate::flink::profile::{Behaviour, GateFloating, NarrowPartition, SortPartitionMost};
use crate::plan::rejection::{Outcome, Rejection};
use crate::plan::settings::Settings;

/// What 2.x has as constants (`NettyShuffleEnvironmentConfiguration`): buffers of a channel, floating ones of a gate,
/// overdraft, and the subpartitions from which blocking shuffle is sorted.
const FIXED: (u32, u32, u32, u32) = (2, 8, 20, 1);

/// `InputGateSpecUtils.DEFAULT_MAX_REQUIRED_BUFFERS_PER_GATE_FOR_BATCH`.
const REQUIRED_PER_BATCH_GATE: u32 = 1000;

/// `Integer.MAX_VALUE`, which stands for no bound.
const UNBOUNDED: u64 = i32::MAX as u64;

/// The numbers that pools are computed from.
#[derive(Clone, Debug)]
pub struct Knobs {
    per_channel: u32,
    floating: u32,
    overdraft: u32,
    /// From how many subpartitions on a blocking partition is sorted; nothing where it never is.
    sort_from: Option<u32>,
    sort_buffers: u32,
    required_per_gate: Option<u32>,
    behaviour: &'static Behaviour,
}

/// Buffers of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Without these the task does not start.
    pub required: u64,
    /// More than these it never takes; nothing where it takes as many as there are.
    pub most: Option<u64>,
}

/// One input gate of one subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// How many channels it has.
    pub channels: u64,
    /// What each remote channel has for itself; local ones have none.
    pub exclusive: u64,
    /// What the channels share.
    pub floating: Pool,
}

impl Gate {
    /// The whole gate with all its channels remote.
    pub fn pool(&self) -> Pool {
        let exclusive = self.channels * self.exclusive;
        Pool { required: exclusive + self.floating.required, most: self.floating.most.map(|most| exclusive + most) }
    }
}

/// One result partition of one subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// How many subpartitions it has.
    pub subpartitions: u64,
    /// Its buffers.
    pub pool: Pool,
    /// What it may take beyond, to finish a record.
    pub overdraft: u64,
    /// Whether it is sorted into one file.
    pub sorted: bool,
}

impl Knobs {
    /// Reads the numbers as that version does.
    pub fn read(settings: &Settings<'_>) -> Outcome<Knobs> {
        let behaviour = &settings.profile().behaviour;
        let int = |key: Key<Int>| -> Outcome<Option<u32>> {
            if settings.row(key).is_none_or(|row| row.default.is_none()) && !is_set(settings, key) {
                return Ok(None);
            }
            Ok(Some(u32::try_from(settings.int(key)?.0).unwrap_or(0)))
        };
        let (per_channel, floating, overdraft, sort_from) = if behaviour.fixed_network_buffers {
            (FIXED.0, FIXED.1, FIXED.2, Some(FIXED.3))
        } else {
            (
                int(keys::BUFFERS_PER_CHANNEL)?.unwrap_or(FIXED.0),
                int(keys::FLOATING_BUFFERS)?.unwrap_or(FIXED.1),
                int(keys::OVERDRAFT_BUFFERS)?.unwrap_or(0),
                int(keys::SORT_MIN_PARALLELISM)?,
            )
        };
        let required_per_gate = int(keys::REQUIRED_PER_GATE)?;
        let sort_buffers = int(keys::SORT_MIN_BUFFERS)?.unwrap_or(0);
        Ok(Knobs { per_channel, floating, overdraft, sort_from, sort_buffers, required_per_gate, behaviour })
    }

    /// Supposes that blocking partitions are sorted, or that they are not; refused where that version has no choice.
    pub fn suppose_sorted(&mut self, sorted: bool) -> Result<(), &'static str> {
        match (sorted, self.sort_from) {
            (true, None) => Err("this version has no sort shuffle; it came with 1.12"),
            (false, Some(_)) if self.behaviour.fixed_network_buffers => {
                Err("this version has no hash shuffle any more; blocking shuffle is always sorted")
            }
            (true, Some(_)) => {
                self.sort_from = Some(1);
                Ok(())
            }
            (false, _) => {
                self.sort_from = None;
                Ok(())
            }
        }
    }

    /// A result partition; nothing for an exchange that oomph does not compute.
    pub fn partition(&self, exchange: Exchange, subpartitions: u64) -> Outcome<Option<Partition>> {
        let sorted = exchange == Exchange::Blocking && self.sort_from.is_some_and(|from| subpartitions >= from.into());
        let required = if sorted { u64::from(self.sort_buffers) } else { subpartitions + 1 };
        let bound = match exchange {
            Exchange::Hybrid => return Ok(None),
            Exchange::PipelinedBounded => subpartitions * u64::from(self.per_channel) + u64::from(self.floating),
            _ if sorted && self.behaviour.sort_partition_most == SortPartitionMost::FourASubpartition => {
                required.max(4 * subpartitions)
            }
            _ => UNBOUNDED,
        };
        let most = match self.behaviour.narrow_partition {
            NarrowPartition::Raised => bound.max(required),
            NarrowPartition::Refused if bound < required => {
                return Err(Rejection::illegal_argument(format!(
                    "Maximum number of memory segments ({bound}) should not be smaller than minimum ({required})."
                )));
            }
            NarrowPartition::Refused => bound,
        };
        let overdraft = if exchange == Exchange::Blocking { 0 } else { self.overdraft.into() };
        let pool = Pool { required, most: Some(most).filter(|most| *most < UNBOUNDED) };
        Ok(Some(Partition { subpartitions, pool, overdraft, sorted }))
    }

    /// An input gate; nothing for an exchange that oomph does not compute.
    pub fn gate(&self, exchange: Exchange, channels: u64) -> Option<Gate> {
        let (per_channel, floating) = (u64::from(self.per_channel), u64::from(self.floating));
        let pool = |required, most| Pool { required, most };
        let (exclusive, floating) = match (exchange, self.behaviour.gate_floating) {
            (Exchange::Hybrid, _) => return None,
            (Exchange::PipelinedBounded, GateFloating::UnboundedUnlessBounded) | (_, GateFloating::NoneRequired) => {
                (per_channel, pool(0, Some(floating)))
            }
            (_, GateFloating::UnboundedUnlessBounded) => (per_channel, pool(0, None)),
            (_, GateFloating::OneRequired) => (per_channel, pool(1, Some(floating))),
            (_, GateFloating::Capped) => {
                let cap = match (self.required_per_gate, exchange) {
                    (Some(cap), _) => u64::from(cap),
                    (None, Exchange::Blocking) => u64::from(REQUIRED_PER_BATCH_GATE),
                    (None, _) => UNBOUNDED,
                };
                let required = (channels * per_channel + 1).min(cap).max(1);
                let exclusive = per_channel.min((required - 1) / channels.max(1));
                let taken = exclusive * channels;
                (exclusive, pool(required - taken, Some(channels * per_channel + floating - taken)))
            }
        };
        Some(Gate { channels, exclusive, floating })
    }
}

fn is_set(settings: &Settings<'_>, key: Key<Int>) -> bool {
    settings.row(key).is_some() && settings.is_set(key)
}
