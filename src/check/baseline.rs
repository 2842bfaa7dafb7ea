//! Findings that were there before, to be told from new ones.
