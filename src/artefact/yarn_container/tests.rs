//! Kills of every wording, and what becomes of them on their way.
