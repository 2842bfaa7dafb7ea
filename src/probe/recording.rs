//! Writes and reads recordings: what `oomph record` keeps of a process over time.
