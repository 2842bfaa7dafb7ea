//! Results as text for people and programs.
