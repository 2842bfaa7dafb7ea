//! What many looks at one process show together.

use jiff::Timestamp;

use super::trend::restarts::{self, Restarts, Sources};
use super::trend::{Timeline, Trend};
use crate::model::{Measure, Pool};

/// Trends of all measures that were seen, and what restarts of jobs left behind.
#[derive(Clone, Debug)]
pub struct OverTime {
    /// By measure, pools first.
    pub trends: Vec<(Measure, Trend)>,
    /// What is kept from one job to the next; nothing where no two jobs can be told apart.
    pub restarts: Option<Restarts>,
}

impl OverTime {
    /// What a timeline shows; `jobs` are the times at which jobs were submitted, where those are known.
    pub fn of(timeline: &Timeline, jobs: &[Timestamp]) -> OverTime {
        let measures = Pool::ALL.into_iter().map(Measure::Pool).chain(Measure::BESIDE_POOLS);
        let trends = measures.filter_map(|measure| Some((measure, timeline.series(measure).trend()?))).collect();
        let floors = Sources::of(timeline).floors(jobs);
        let restarts = (floors.len() > 1).then(|| restarts::judge(&floors));
        OverTime { trends, restarts }
    }

    /// What a measure does.
    pub fn trend(&self, measure: Measure) -> Option<&Trend> {
        self.trends.iter().find(|(known, _)| *known == measure).map(|(_, trend)| trend)
    }
}
