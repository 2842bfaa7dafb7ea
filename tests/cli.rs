//! What users see: the README's console blocks and the pages in `tests/cmd`, run as they stand. After a change that is
//! meant, `TRYCMD=overwrite cargo test --test cli` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[test]
fn every_documented_command_prints_what_its_page_says() {
    let cases = trycmd::TestCases::new();
    cases.env("NO_COLOR", "1").env("COLUMNS", "80");
    cases.case("README.md").case("docs/*.md").case("docs/guide/*.md").case("tests/cmd/*.md");
}
