//! One death of many words.
