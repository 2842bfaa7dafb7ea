//! The text in which Prometheus and OpenMetrics write metrics.
