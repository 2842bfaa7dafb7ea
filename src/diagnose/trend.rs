//! Where a measure goes: robust slopes, the shape of a series, the time to a limit.
