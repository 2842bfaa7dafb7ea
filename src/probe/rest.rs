//! Asks Flink's REST.
