//! `metrics?get=…` in pieces. Flink's server reads a first line of 4096 bytes (Netty's `HttpRequestDecoder`) and answers a
//! longer one with 404, not 414.

use super::base::segment;

/// The percent-encoded query of one request: the path before it has two ids of 32 digits, and a proxy's prefix.
const LONGEST: usize = 3_300;

/// The queries that ask for all of these metrics. A name that no request could hold is left out: it would cost the others
/// of its request.
pub(super) fn queries(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names.iter().map(|name| segment(name)) {
        if name.len() + "get=".len() > LONGEST {
            continue;
        }
        match all.last_mut().filter(|query| query.len() + name.len() < LONGEST) {
            Some(query) => {
                query.push(',');
                query.push_str(&name);
            }
            None => all.push(format!("get={name}")),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_name_is_asked_for_once_and_no_query_is_too_long(names in prop::collection::vec("[a-z\\[\\]/ ]{1,300}", 0..60)) {
            let all = queries(&names);
            prop_assert!(all.iter().all(|query| query.len() <= LONGEST));
            let asked: Vec<&str> = all.iter().flat_map(|query| query["get=".len()..].split(',')).collect();
            let written: Vec<String> = names.iter().map(|name| segment(name)).collect();
            prop_assert_eq!(asked, written);
        }
    }

    #[test]
    fn a_name_that_fits_nowhere_costs_itself_alone() {
        assert_eq!(queries(&["a".to_owned(), "x".repeat(4_000), "b[0]".to_owned()]), ["get=a,b%5B0%5D"]);
    }
}
