//! What Flink's REST answers, as typed facts.
