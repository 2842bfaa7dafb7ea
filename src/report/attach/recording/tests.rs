#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use snapbox::{assert_data_eq, str};

use super::super::over_time::looks::{at, entries};
use super::*;
use crate::artefact::recording::Entry;
use crate::diagnose::recalled::Recalling;

fn recalled(entries: Vec<Entry>) -> Recalled {
    let mut recalling = Recalling::default();
    entries.into_iter().for_each(|entry| recalling.take(entry));
    recalling.judged().unwrap()
}

#[test]
fn a_page_says_what_was_where_it_went_and_what_happened() {
    let read = Read { lines: Tally { torn_end: true, ..Tally::default() }, parts: 1, ..Read::default() };
    assert_data_eq!(page(&recalled(entries(120)), &read, 80, Signs::Blocks), str![]);
}

#[test]
fn too_few_looks_have_no_forecast_and_say_why() {
    let page = page(&recalled(entries(5)), &Read::default(), 80, Signs::Ascii);
    assert!(page.contains("No forecast of the working set for the container's limit"), "{page}");
    assert!(page.contains("5 of the 12 looks that it takes"), "{page}");
}

#[test]
fn many_events_are_the_newest() {
    let mut all = entries(3);
    all.extend((0..300).map(|n| Entry::Event { at: at(40 + n), what: Event::Note(format!("number {n}")) }));
    let page = page(&recalled(all), &Read::default(), 80, Signs::Ascii);
    assert!(page.contains("number 299") && !page.contains("number 279\n"), "{page}");
    assert!(page.contains("282 earlier events are not listed"), "{page}");
}

#[test]
fn a_document_has_every_measure_and_no_number_that_is_none() {
    let document = serde_json::to_value(json::document(&recalled(entries(120)), &Read::default())).unwrap();
    assert_eq!(document["measures"]["block_cache"]["verdict"], "growing", "{document:#}");
    assert_eq!(document["measures"]["java_heap"]["verdict"], "sawtooth");
    assert_eq!(document["gone"], "process 4711 has ended");
    assert_eq!(document["limit"], 1000 << 20);
    assert_eq!(document["budget"]["total_process"], 1000 << 20);
    assert_eq!(document["events"].as_array().unwrap().len(), 2);
    let forecast = &document["forecasts"][0];
    assert_eq!((forecast["measure"].as_str(), forecast["bound"].as_str()), (Some("cgroup_working_set"), Some("limit")));
}
