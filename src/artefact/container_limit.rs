//! The container's size as YARN tells it when it kills: `4.0 GB of 4 GB physical memory used`
//! (`ContainersMonitorImpl.formatErrorMessage`, which rounds to one digit and drops a zero).

use super::Stated;
use crate::model::Bytes;

/// Every physical limit that a text states. YARN prints whole units of it exactly and others rounded: only those that
/// are whole are told.
pub fn yarn(text: &str) -> Vec<Stated<Bytes>> {
    text.lines()
        .enumerate()
        .flat_map(|(index, line)| {
            line.match_indices(" physical memory used")
                .filter_map(|(at, _)| limit_before(&line[..at]))
                .map(move |bytes| Stated::at(index, bytes))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The size at the end of `... 4.0 GB of 4 GB`.
fn limit_before(text: &str) -> Option<Bytes> {
    let (_, limit) = text.rsplit_once(" of ")?;
    let compact: String = limit.chars().filter(|c| !c.is_whitespace()).collect();
    let end = compact.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = compact.split_at(end);
    let whole = number.strip_suffix(".0").unwrap_or(number);
    let shift = match unit {
        "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => return None,
    };
    Bytes::new(whole.parse().ok()?).checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "Current usage: 4.0 GB of 4 GB physical memory used; 5.8 GB of 32 GB virtual memory used",
        Some(Bytes::gib(4))
    )]
    #[case("Current usage: 1.2GB of 1.0GB physical memory used", Some(Bytes::gib(1)))]
    #[case("2201591808B of 2147483648 B physical memory used", Some(Bytes::gib(2)))]
    #[case("4.1 GB of 3.5 GB physical memory used", None)]
    #[case("physical memory used", None)]
    fn yarn_states_the_limit_where_it_is_whole(#[case] text: &str, #[case] expected: Option<Bytes>) {
        assert_eq!(yarn(text).first().map(|stated| stated.what), expected);
    }
}
