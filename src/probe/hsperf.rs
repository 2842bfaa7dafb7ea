//! Finds and reads the JVM's performance data.
