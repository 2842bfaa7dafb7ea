//! What each scenario runs, states and holds its statements against.

pub mod heap_state_surge;
pub mod latency_metrics;
