//! The memory files of a control group, version 1 and 2.
