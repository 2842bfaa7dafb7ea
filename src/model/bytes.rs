//! Exact byte counts and the grammars in which people write them.

use std::fmt;

use thiserror::Error;

/// An exact, non-negative count of bytes.
///
/// Several tools write sizes, each in a grammar of its own, so there is no `FromStr`: name the grammar you mean.
/// Arithmetic is checked: a shortfall is something to report, never a wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Bytes(u64);

/// Why Flink does not read a text as a size.
///
/// The messages are those of `MemorySize.parse` (Flink 1.9.3 to 2.3.0), word for word.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FlinkSizeError {
    /// Nothing but white space.
    #[error("argument is an empty- or whitespace-only string")]
    Empty,
    /// A sign, a decimal point or a letter comes first.
    #[error("text does not start with a number")]
    NoNumber,
    /// The letters behind the number are none that Flink knows.
    #[error(
        "Memory size unit '{unit}' does not match any of the recognized units: (b | bytes) / (k | kb | kibibytes) / (m | mb | mebibytes) / (g | gb | gibibytes) / (t | tb | tebibytes)"
    )]
    UnknownUnit {
        /// The unit as Flink quotes it: trimmed and in lower case.
        unit: String,
    },
    /// The number alone is above 2^63-1.
    #[error("The value '{digits}' cannot be re represented as 64bit number (numeric overflow).")]
    NumberOverflow {
        /// The digits as written.
        digits: String,
    },
    /// Number times unit is above 2^63-1.
    #[error("The value '{text}' cannot be re represented as 64bit number of bytes (numeric overflow).")]
    ProductOverflow {
        /// The text as written, white space included.
        text: String,
    },
}

/// Why the JVM does not read a text as the size of a flag.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JvmSizeError {
    /// No digit at the start.
    #[error("`{text}` does not start with a number")]
    NoNumber {
        /// The text as written.
        text: String,
    },
    /// A unit other than the single letters k, m, g and t.
    #[error("unit `{unit}` is not one of k, m, g, t")]
    UnknownUnit {
        /// The unit as written.
        unit: String,
    },
    /// More than 64 bits.
    #[error("`{text}` does not fit in 64 bits")]
    Overflow {
        /// The text as written.
        text: String,
    },
}

impl Bytes {
    /// No bytes at all.
    pub const ZERO: Bytes = Bytes(0);
    /// The largest size Flink can hold: 2^63-1 (`MemorySize.MAX_VALUE`).
    pub const FLINK_MAX: Bytes = Bytes(i64::MAX as u64);

    /// A count of bytes.
    pub const fn new(bytes: u64) -> Bytes {
        Bytes(bytes)
    }

    /// A count of kibibytes (2^10 bytes).
    pub const fn kib(n: u32) -> Bytes {
        Bytes((n as u64) << 10)
    }

    /// A count of mebibytes (2^20 bytes).
    pub const fn mib(n: u32) -> Bytes {
        Bytes((n as u64) << 20)
    }

    /// A count of gibibytes (2^30 bytes).
    pub const fn gib(n: u32) -> Bytes {
        Bytes((n as u64) << 30)
    }

    /// The count itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The count as Java's `long`, where it fits.
    pub const fn as_java_long(self) -> Option<i64> {
        if self.0 <= i64::MAX as u64 { Some(self.0 as i64) } else { None }
    }

    /// Both together, where that fits in Java's `long`: Flink's sizes are signed.
    pub fn checked_add(self, other: Bytes) -> Option<Bytes> {
        self.0.checked_add(other.0).map(Bytes).filter(|sum| *sum <= Bytes::FLINK_MAX)
    }

    /// What is left, or nothing if `other` is larger.
    pub fn checked_sub(self, other: Bytes) -> Option<Bytes> {
        self.0.checked_sub(other.0).map(Bytes)
    }

    /// So many times, where that fits in Java's `long`.
    pub fn checked_mul(self, times: u64) -> Option<Bytes> {
        self.0.checked_mul(times).map(Bytes).filter(|product| *product <= Bytes::FLINK_MAX)
    }

    /// The sum of all, where it fits in Java's `long`.
    pub fn checked_sum(all: impl IntoIterator<Item = Bytes>) -> Option<Bytes> {
        all.into_iter().try_fold(Bytes::ZERO, Bytes::checked_add)
    }

    /// Whole mebibytes, the rest dropped.
    pub const fn whole_mib(self) -> u64 {
        self.0 >> 20
    }

    /// The smallest multiple of `step` that is not below this size; `step` must not be zero.
    pub fn round_up_to(self, step: Bytes) -> Option<Bytes> {
        self.0.checked_next_multiple_of(step.0).map(Bytes)
    }

    /// Reads a size as Flink does (`MemorySize.parse`): a whole number and one of `b`, `k`, `m`, `g`, `t` in one of
    /// its spellings; bare digits are bytes.
    pub fn parse_flink(text: &str) -> Result<Bytes, FlinkSizeError> {
        Self::parse_flink_with(text, 1)
    }

    /// Reads a size as Flink 1.9 does where bare digits are mebibytes (`MemorySize.parse(text, MEGA_BYTES)`).
    pub fn parse_flink_default_mib(text: &str) -> Result<Bytes, FlinkSizeError> {
        Self::parse_flink_with(text, 1 << 20)
    }

    fn parse_flink_with(text: &str, without_unit: u64) -> Result<Bytes, FlinkSizeError> {
        // Java's String.trim takes off everything up to and including U+0020, and nothing above it.
        let trim = |s: &str| -> String { s.trim_matches(|c: char| c <= ' ').to_owned() };
        let trimmed = text.trim_matches(|c: char| c <= ' ');
        if trimmed.is_empty() {
            return Err(FlinkSizeError::Empty);
        }
        let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
        let (digits, rest) = trimmed.split_at(end);
        if digits.is_empty() {
            return Err(FlinkSizeError::NoNumber);
        }
        let number = digits
            .parse::<i64>()
            .map_err(|_| FlinkSizeError::NumberOverflow { digits: digits.to_owned() })?
            .unsigned_abs();
        let multiplier = match rest {
            "" => without_unit,
            "b" => 1,
            "k" | "kb" => 1 << 10,
            "m" | "mb" => 1 << 20,
            "g" | "gb" => 1 << 30,
            other => match trim(other).to_lowercase().as_str() {
                "" => without_unit,
                "b" | "bytes" => 1,
                "k" | "kb" | "kibibytes" => 1 << 10,
                "m" | "mb" | "mebibytes" => 1 << 20,
                "g" | "gb" | "gibibytes" => 1 << 30,
                "t" | "tb" | "tebibytes" => 1 << 40,
                unit => return Err(FlinkSizeError::UnknownUnit { unit: unit.to_owned() }),
            },
        };
        Bytes(number).checked_mul(multiplier).ok_or_else(|| FlinkSizeError::ProductOverflow { text: text.to_owned() })
    }

    /// Reads a size as HotSpot reads that of a flag such as `-Xss` (`Arguments::atojulong`): digits and at most one
    /// of the letters k, m, g, t in either case.
    pub fn parse_jvm(text: &str) -> Result<Bytes, JvmSizeError> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        if digits.is_empty() {
            return Err(JvmSizeError::NoNumber { text: text.to_owned() });
        }
        let shift = match unit {
            "" => 0,
            "k" | "K" => 10,
            "m" | "M" => 20,
            "g" | "G" => 30,
            "t" | "T" => 40,
            _ => return Err(JvmSizeError::UnknownUnit { unit: unit.to_owned() }),
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(1 << shift))
            .map(Bytes)
            .ok_or_else(|| JvmSizeError::Overflow { text: text.to_owned() })
    }
}

impl Bytes {
    /// Reads a size as Docker does (`RAMInBytes` of docker/go-units): digits, at most one point, and one of the letters b, k,
    /// m, g, t and p in either case, which `b` or `ib` may follow. Every unit is a power of two; bare digits are bytes.
    pub fn parse_docker(text: &str) -> Result<Bytes, DockerSizeError> {
        let fail = || DockerSizeError { text: text.to_owned() };
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(end);
        let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            "t" | "tb" | "tib" => 40,
            "p" | "pb" | "pib" => 50,
            _ => return Err(fail()),
        };
        let (digits, decimals) = decimal(number).ok_or_else(fail)?;
        let divisor = 10u128.checked_pow(decimals).ok_or_else(fail)?;
        let product = digits.checked_mul(1 << shift).ok_or_else(fail)?;
        u64::try_from(product / divisor).map(Bytes).map_err(|_| fail())
    }
}

/// A number with at most one point, as its digits and how many of them stand behind the point.
fn decimal(number: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // The digits of a second point are none.
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, u32::try_from(fraction.len()).ok()?))
}

impl Bytes {
    /// Reads a Kubernetes quantity of memory (`resource.Quantity`): digits, at most one point, and a suffix of powers of
    /// two (`Ki` to `Ei`) or ten (`m`, `k` to `E`, `e3`). What is no whole number of bytes is rounded up, as Kubernetes
    /// does. Mind that `m` is a thousandth and `M` ten to the sixth.
    pub fn parse_k8s(text: &str) -> Result<Bytes, QuantityError> {
        let fail = || QuantityError { text: text.to_owned() };
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, suffix) = trimmed.split_at(end);
        let (digits, mut decimals) = decimal(number).ok_or_else(fail)?;
        let multiplier: u128 = match suffix {
            "" => 1,
            "m" => {
                decimals += 3;
                1
            }
            suffix => Bytes::k8s_multiplier(suffix).ok_or_else(fail)?,
        };
        let scaled = digits.checked_mul(multiplier).ok_or_else(fail)?;
        let divisor = 10u128.checked_pow(decimals).ok_or_else(fail)?;
        u64::try_from(scaled.div_ceil(divisor)).map(Bytes).map_err(|_| fail())
    }

    /// What a suffix of a Kubernetes quantity multiplies by: `Ki` to `Ei`, `k` to `E`, and exponents such as `e3`.
    pub fn k8s_multiplier(suffix: &str) -> Option<u128> {
        let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().zip(1u32..);
        let decimal = ["k", "M", "G", "T", "P", "E"].iter().zip(1u32..);
        if let Some((_, power)) = binary.into_iter().find(|(known, _)| **known == suffix) {
            return Some(1 << (10 * power));
        }
        if let Some((_, power)) = decimal.into_iter().find(|(known, _)| **known == suffix) {
            return Some(1_000u128.pow(power));
        }
        10u128.checked_pow(suffix.strip_prefix(['e', 'E'])?.parse().ok()?)
    }
}

/// A text that is no size of Docker's, or one beyond 64 bits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no size of Docker's, such as 4g or 512m")]
pub struct DockerSizeError {
    text: String,
}

/// A text that is no quantity of Kubernetes, or one beyond 64 bits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no Kubernetes quantity, such as 4Gi or 4096Mi")]
pub struct QuantityError {
    text: String,
}

/// The largest unit that loses nothing: `1728 MiB`, `697932173 B`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        for (shift, unit) in units {
            let size = 1u64 << shift;
            if self.0 >= size && self.0.is_multiple_of(size) {
                return f.pad(&format!("{} {unit}", self.0 >> shift));
            }
        }
        f.pad(&format!("{} B", self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1728m", Bytes::mib(1728))]
    #[case(" 1 GB ", Bytes::gib(1))]
    #[case("4 gibibytes", Bytes::gib(4))]
    #[case("007k", Bytes::kib(7))]
    #[case("1024", Bytes::kib(1))]
    #[case("0", Bytes::ZERO)]
    #[case("1\u{212A}", Bytes::kib(1))] // the Kelvin sign is a k in lower case, in Java too
    fn flink_sizes_are_read(#[case] text: &str, #[case] expected: Bytes) {
        assert_eq!(Bytes::parse_flink(text), Ok(expected));
    }

    #[rstest]
    #[case("1.5g", "Memory size unit '.5g' does not match")]
    #[case("4 gigs", "Memory size unit 'gigs' does not match")]
    #[case("1 byte", "Memory size unit 'byte' does not match")]
    #[case("-1", "text does not start with a number")]
    #[case("\u{a0}4g", "text does not start with a number")]
    #[case("  ", "argument is an empty- or whitespace-only string")]
    #[case("9223372036854775808", "cannot be re represented as 64bit number (numeric overflow)")]
    #[case("8388608t", "cannot be re represented as 64bit number of bytes")]
    fn flink_sizes_are_refused_in_flinks_words(#[case] text: &str, #[case] expected: &str) {
        let error = Bytes::parse_flink(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case("4Gi", Some(Bytes::gib(4)))]
    #[case("1.5Gi", Some(Bytes::mib(1536)))]
    #[case("4G", Some(Bytes::new(4_000_000_000)))]
    #[case("2048M", Some(Bytes::new(2_048_000_000)))]
    #[case("1e6", Some(Bytes::new(1_000_000)))]
    #[case("1500m", Some(Bytes::new(2)))]
    #[case("123", Some(Bytes::new(123)))]
    #[case("4gb", None)]
    #[case("4g", None)]
    #[case("1.2.3", None)]
    #[case("Gi", None)]
    #[case("99999999Ei", None)]
    fn kubernetes_quantities_are_read(#[case] text: &str, #[case] expected: Option<Bytes>) {
        assert_eq!(Bytes::parse_k8s(text).ok(), expected);
    }

    #[rstest]
    #[case("4g", Some(Bytes::gib(4)))]
    #[case("1.5g", Some(Bytes::mib(1536)))]
    #[case("512MiB", Some(Bytes::mib(512)))]
    #[case("2 GB", Some(Bytes::gib(2)))]
    #[case("0.3k", Some(Bytes::new(307)))]
    #[case("1024", Some(Bytes::kib(1)))]
    #[case("1.2.3g", None)]
    #[case("lots", None)]
    #[case("g", None)]
    #[case("4x", None)]
    #[case("99999999p", None)]
    fn dockers_sizes_are_read(#[case] text: &str, #[case] expected: Option<Bytes>) {
        assert_eq!(Bytes::parse_docker(text).ok(), expected);
    }

    #[test]
    fn a_bare_number_is_mebibytes_only_where_1_9_says_so() {
        assert_eq!(Bytes::parse_flink_default_mib("512"), Ok(Bytes::mib(512)));
        assert_eq!(Bytes::parse_flink_default_mib("512b"), Ok(Bytes::new(512)));
    }

    #[rstest]
    #[case("1728m", Ok(Bytes::mib(1728)))]
    #[case("1G", Ok(Bytes::gib(1)))]
    #[case("697932173", Ok(Bytes::new(697_932_173)))]
    #[case("1728mb", Err(JvmSizeError::UnknownUnit { unit: "mb".into() }))]
    #[case("m", Err(JvmSizeError::NoNumber { text: "m".into() }))]
    fn jvm_sizes_are_another_grammar(#[case] text: &str, #[case] expected: Result<Bytes, JvmSizeError>) {
        assert_eq!(Bytes::parse_jvm(text), expected);
    }

    #[rstest]
    #[case(Bytes::mib(1728), "1728 MiB")]
    #[case(Bytes::new(697_932_173), "697932173 B")]
    #[case(Bytes::ZERO, "0 B")]
    #[case(Bytes::gib(4), "4 GiB")]
    fn display_loses_nothing(#[case] bytes: Bytes, #[case] expected: &str) {
        assert_eq!(bytes.to_string(), expected);
    }

    proptest! {
        #[test]
        fn what_is_displayed_reads_back_as_the_same_count(n in 0..=i64::MAX as u64) {
            let shown = Bytes::new(n).to_string().replace("iB", "b");
            prop_assert_eq!(Bytes::parse_flink(&shown), Ok(Bytes::new(n)));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC*") {
            let _ = Bytes::parse_flink(&text);
            let _ = Bytes::parse_jvm(&text);
            let _ = Bytes::parse_k8s(&text);
            let _ = Bytes::parse_docker(&text);
        }
    }
}
