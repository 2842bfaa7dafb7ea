//! The vocabulary that runs through every verb: sizes, where a number comes from, what Flink budgets and who
//! enforces it. Values only: nothing here reads a file, a clock or the environment.

mod budget;
mod bytes;
mod component;
mod deployment;
mod enforcer;
mod experiment;
mod figure;
mod finding;
mod limit;
mod observation;
mod place;
mod pool;
mod quantity;
mod reading;
mod unseen;
mod verdict;

pub use budget::{Budget, Unbalanced};
pub use bytes::{Bytes, DockerSizeError, FlinkSizeError, JvmSizeError, QuantityError};
pub use component::{Component, Role};
pub use deployment::Deployment;
pub use enforcer::Enforcer;
pub use experiment::{
    Accesses, Ended, EngineChoice, Experiment, Kind, Malloc, Operator, Order, Phase, Progress, Said, SharedPool,
    Shuffle, State, StoreSettings, Workload,
};
pub use figure::{Derivation, Figure, Held, Provenance, Range, Ratio, Term};
pub use finding::{Confidence, Edit, Finding, Fix, Label, Severity};
pub use limit::Limit;
pub use observation::{Identity, Measure, Observation, Observations, Origin, Unit};
pub use place::{Place, Position, Source};
pub use pool::Pool;
pub use quantity::{Quantity, UseCase};
pub use reading::Reading;
pub use unseen::{Seen, Unseen};
pub use verdict::{Area, Killer};
