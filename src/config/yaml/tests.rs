use rstest::rstest;

use super::scalar::MAX_DIGITS;
use super::*;

#[rstest]
#[case("0x100000000", Value::Int(4_294_967_296))]
#[case("0o40000000000", Value::Int(4_294_967_296))]
#[case("04", Value::Int(4))]
#[case("-7", Value::Int(-7))]
#[case("99999999999999999999", Value::BigInt("99999999999999999999".into()))]
#[case("0xffffffffffffffffff", Value::BigInt("4722366482869645213695".into()))]
#[case("1_000", Value::text("1_000"))]
#[case("1e9", Value::Double(1e9))]
#[case(".4", Value::Double(0.4))]
#[case("4.", Value::Double(4.0))]
#[case(".", Value::text("."))]
#[case("yes", Value::text("yes"))]
#[case("TRUE", Value::Bool(true))]
#[case("tRUE", Value::text("tRUE"))]
#[case("~", Value::Null)]
#[case("4g", Value::text("4g"))]
#[case("+.inf", Value::Double(f64::INFINITY))]
fn plain_scalars_follow_the_core_schema(#[case] text: &str, #[case] expected: Value) {
    assert_eq!(plain_value(text), expected);
}

#[rstest]
#[case("a: 1\na: 2\n", "twice", 2)]
#[case("a: 1\n---\nb: 2\n", "second document", 2)]
#[case("a:\n\tb: 1\n", "tab", 2)]
#[case("a: *nothing\n", "anchor", 1)]
#[case("a: &x {b: *x}\n", "stands inside", 1)]
#[case("a: !!int x\n", "`x` is no tag:yaml.org,2002:int", 1)]
#[case("a: \"4g\n", "quoted scalar", 2)]
fn what_flink_refuses_is_refused_with_its_place(#[case] text: &str, #[case] reason: &str, #[case] line: u32) {
    let error = parse(text).unwrap_err();
    assert!(error.reason.contains(reason) && !error.beyond_oomph, "{error:?}");
    assert_eq!(error.position.line, line, "{error:?}");
}

#[rstest]
#[case("a: !mine 1\n")]
#[case("a: !!binary eA==\n")]
#[case("a: !!set {x}\n")]
fn a_tag_that_oomph_does_not_follow_is_not_said_to_be_refused_by_flink(#[case] text: &str) {
    let error = parse(text).unwrap_err();
    assert!(error.reason.contains("does not read the tag") && error.beyond_oomph, "{error:?}");
}

#[test]
fn aliases_of_collections_are_limited_as_flink_limits_them() {
    let many = format!("a: &x [1]\nb: [{}]\n", vec!["*x"; 51].join(", "));
    assert!(parse(&many).unwrap_err().reason.contains("50 aliases"));
    let few = format!("a: &x [1]\nb: [{}]\n", vec!["*x"; 50].join(", "));
    assert!(parse(&few).is_ok());
}

#[test]
fn deep_nesting_ends_in_an_error_and_not_in_a_crash() {
    let deep = format!("a: {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(&deep).is_err());
    let block: String = (0..5000).map(|n| format!("{}k:\n", " ".repeat(n))).collect();
    assert!(parse(&block).is_err());
}

#[rstest]
#[case("a: 0x")]
#[case("a: 0o")]
#[case("a: !!int 0x")]
#[case("a: !!float 0o")]
fn a_number_of_very_many_digits_is_not_read(#[case] start: &str) {
    assert!(parse(&format!("{start}{}", "7".repeat(MAX_DIGITS))).is_ok());
    let error = parse(&format!("{start}{}", "7".repeat(1 << 20))).unwrap_err();
    assert!(error.reason.contains("more than 1000 digits") && error.beyond_oomph, "{error:?}");
    // Digits of a decimal number are read as they are.
    assert!(parse(&format!("a: {}", "7".repeat(1 << 20))).is_ok());
}

#[test]
fn an_empty_text_has_no_document() {
    assert!(parse("# only a comment\n").unwrap().is_none());
    assert!(parse("").unwrap().is_none());
}
