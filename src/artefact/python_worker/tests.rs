#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;

fn said(text: &str) -> Vec<Said> {
    read(&Excerpt::plain(text)).into_iter().map(|one| one.said).collect()
}

#[rstest]
#[case("  File \"w.py\", line 3, in f\nMemoryError\n", None)]
#[case(
    "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.50 GiB for an array with shape (1, 2) and data type float64",
    Some(8_053_063_680)
)]
#[case("numpy.core._exceptions.MemoryError: Unable to allocate 512. KiB for an array", None)]
#[case("pyarrow.lib.ArrowMemoryError: malloc of size 1073741888 failed", Some(1_073_741_888))]
#[case("OSError: [Errno 12] Cannot allocate memory", None)]
fn python_runs_out(#[case] text: &str, #[case] expected: Option<u64>) {
    let found = said(text);
    let [Said::RanOut { requested, .. }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(*requested, expected.map(Bytes::new));
}

#[rstest]
#[case("java.lang.OutOfMemoryError: Java heap space")]
#[case("    except MemoryError:")]
#[case("    raise MemoryError('no')")]
#[case("it may end in a MemoryError")]
fn what_only_has_the_name_in_it_is_no_error(#[case] text: &str) {
    assert_eq!(said(text), []);
}

#[rstest]
#[case("java.lang.IllegalStateException: Process died with exit code 137", 137)]
#[case("Process died with exit code -9", 137)]
#[case("Process died with exit code 0", 0)]
fn the_code_of_a_worker_is_that_of_a_shell(#[case] text: &str, #[case] expected: i32) {
    assert_eq!(said(text), [Said::Died { code: expected }]);
}

#[test]
fn a_users_error_is_the_last_line_of_its_traceback() {
    let text = "Caused by: java.lang.RuntimeException: Error received from SDK harness for instruction 4: Traceback (most recent call last):\n  \
                File \"a.py\", line 1, in f\nKeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\n\
                Traceback (most recent call last):\n  File \"b.py\", line 2, in g\nValueError: no 'x' in it\n\n\tat org.apache.beam.A.b(A.java:1)\nIgnored: TypeError\n";
    assert_eq!(said(text), [Said::UserError { raised: Some("ValueError: no 'x' in it".to_owned()) }]);
    let text = "RuntimeException: Failed to create stage bundle factory! INFO:root:Initializing Python harness\\n\
                Traceback (most recent call last):\\n  File \\\"boot.py\\\"\\nModuleNotFoundError: No module named 'x'\\n";
    assert_eq!(said(text), [Said::NotStarted { raised: Some("ModuleNotFoundError: No module named 'x'".to_owned()) }]);
}

#[test]
fn a_closed_channel_is_no_death() {
    assert_eq!(said("details = \"Multiplexer hanging up\""), [Said::Closed]);
}

#[test]
fn every_prefix_is_read() {
    let text = "é Failed to create stage bundle factory! Traceback (most recent call last):\né MemoryError: Unable to allocate 1.5 GiB\n";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(said(&text[..end]).len() <= 2);
    }
}
