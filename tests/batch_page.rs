//! The questions of `docs/batch.md` get the answers that stand there. After a change that is meant,
//! `UPDATE_PAGE=1 cargo test --test batch_page` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;

const QUESTIONS: &str = "```jsonl in\n";
const ANSWERS: &str = "```jsonl out\n";

#[test]
fn every_question_on_the_page_about_batches_gets_the_answer_on_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/batch.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut written = String::new();
    let mut rest = page.as_str();
    let mut asked = 0;
    while let Some((before, after)) = rest.split_once(QUESTIONS) {
        let (questions, after) = after.split_once("```\n").unwrap();
        let (between, after) = after.split_once(ANSWERS).unwrap();
        let (_, after) = after.split_once("```\n").unwrap();
        let mut answers = Vec::new();
        oomph::cli::batch::run(questions.as_bytes(), &mut answers).unwrap();
        asked += questions.lines().count();
        let answers = String::from_utf8(answers).unwrap();
        written += &format!("{before}{QUESTIONS}{questions}```\n{between}{ANSWERS}{answers}```\n");
        rest = after;
    }
    written += rest;
    assert!(asked > 5, "only {asked} questions were found");
    if std::env::var_os("UPDATE_PAGE").is_some() {
        fs::write(&path, &written).unwrap();
    }
    snapbox::assert_data_eq!(page, snapbox::Data::text(written).raw());
}
