//! `resource.memory` of a FlinkDeployment: Flink's units first, Kubernetes' where Flink cannot read it
//! (`FlinkConfigBuilder.parseResourceMemoryString` of the operator). So `2g`, `2G` and `2Gi` are all 2 GiB.

use crate::model::Bytes;

/// What the operator writes into the process size: what Flink then reads, or refuses.
pub fn process_size(memory: &str) -> String {
    if let Ok(bytes) = Bytes::parse_flink(memory) {
        return crate::flink::memory_size::short(bytes);
    }
    // It takes white space and a final b out, and writes all letters but the i of Ki, Mi, Gi large.
    let compact: String = memory.split_whitespace().collect::<String>().to_uppercase();
    let compact = compact.strip_suffix('B').unwrap_or(&compact);
    let quantity = match compact.strip_suffix('I') {
        Some(number) => format!("{number}i"),
        None => compact.to_owned(),
    };
    numerical_amount(&quantity).unwrap_or_else(|| memory.to_owned())
}

/// The amount in bytes as Java prints the product: with as many digits behind the point as were written, which Flink
/// then refuses (`Quantity.getNumericalAmount`).
fn numerical_amount(quantity: &str) -> Option<String> {
    let end = quantity.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, suffix) = quantity.split_at(end);
    // Written large, as `k` is here, a suffix may be none any more: then the operator fails, and so does Flink's reading.
    let multiplier = Bytes::k8s_multiplier(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let product = format!("{whole}{fraction}").parse::<u128>().ok()?.checked_mul(multiplier)?.to_string();
    if fraction.is_empty() {
        return Some(product);
    }
    let padded = format!("{product:0>width$}", width = fraction.len() + 1);
    let (whole, digits) = padded.split_at(padded.len() - fraction.len());
    Some(format!("{whole}.{digits}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // The whole sizes are those of the operator's own test, FlinkConfigBuilderTest.
    #[rstest]
    #[case("1Gi", 1 << 30)]
    #[case("2048Mi", 2 << 30)]
    #[case("2g", 2 << 30)]
    #[case("2gi", 2 << 30)]
    #[case("2gb", 2 << 30)]
    #[case("2gib", 2 << 30)]
    #[case("2G", 2 << 30)]
    #[case("2 g", 2 << 30)]
    #[case("2 Gi", 2 << 30)]
    #[case("512m", 512 << 20)]
    #[case("512mi", 512 << 20)]
    #[case("1024mi", 1 << 30)]
    #[case("1000000 b", 1_000_000)]
    #[case("1e6", 1_000_000)]
    #[case("1e6 b", 1_000_000)]
    fn both_ways_of_writing_sizes_are_understood(#[case] memory: &str, #[case] bytes: u64) {
        assert_eq!(Bytes::parse_flink(&process_size(memory)), Ok(Bytes::new(bytes)));
    }

    #[test]
    fn a_fraction_becomes_what_flink_refuses() {
        assert_eq!(process_size("1.5Gi"), "1610612736.0");
        assert_eq!(process_size("much"), "much");
    }
}
