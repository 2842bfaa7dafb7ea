//! HotSpot's `VM.flags`: the options a JVM runs with.
