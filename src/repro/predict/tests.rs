#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;

use super::*;
use crate::model::SharedPool;
use crate::repro::workload as workloads;

/// A workload out of its text.
pub fn workload(text: &str) -> Workload {
    workloads::parse("w", text).unwrap()
}

/// Flink's settings with a pool of so many MiB, or without one.
pub fn settings(pool: Option<u64>) -> StoreSettings {
    StoreSettings {
        pool: pool.map(|mib| SharedPool {
            cache: Bytes::new((mib << 20) / 6 * 5),
            write_buffer_manager: Bytes::new((mib << 20) / 3),
            high_priority_percent: 10,
            strict: false,
        }),
        one_pool_for_all: false,
        block_cache: Bytes::mib(8),
        write_buffer: Bytes::mib(64),
        write_buffers: 2,
        merged_write_buffers: 1,
        arena_block: None,
        block_size: Bytes::kib(4),
        metadata_block_size: Bytes::kib(4),
        target_file: Bytes::mib(64),
        level_base: Bytes::mib(256),
        dynamic_levels: false,
        index_and_filter_in_cache: pool.is_some(),
        partitioned: false,
        bloom_bits: None,
        threads: 2,
        open_files: None,
        snappy: true,
        write_batch: Bytes::mib(2),
    }
}

fn of(workload: &Workload, pool: Option<u64>, release: Release) -> Prediction {
    let glibc = Malloc::Glibc { arenas: None };
    predict(workload, &settings(pool), glibc, release, Coefficients::shipped().unwrap())
}

fn updates(slots: u32, copies: u32, keys: u64, value: u64, records: u64) -> Workload {
    workload(&format!(
        "slots: {slots}\noperators: [{{name: o, states: [{{name: s, keys: {keys}, value-size: {value}, copies: \
         {copies}}}]}}]\nphases: [{{records: {records}, do: {{s: {{update: 1}}}}}}]"
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_add_up_and_bounds_are_in_order(
        slots in 1_u32..4, copies in 1_u32..12, keys in 1_000_u64..500_000, value in 1_u64..5_000,
        records in 1_000_u64..300_000, pool in proptest::option::of(16_u64..512), release in 0..3,
    ) {
        let release = [Release::R5, Release::R6, Release::R8][release as usize];
        let prediction = of(&updates(slots, copies, keys, value, records), pool, release);
        prop_assert_eq!(prediction.parts.iter().map(|part| part.part).collect::<Vec<_>>(), Part::ALL.to_vec());
        let sum = |of: fn(&Predicted) -> Bytes| Bytes::checked_sum(prediction.parts.iter().map(of)).unwrap();
        prop_assert_eq!(sum(|part| part.peak.expected), prediction.peak.expected);
        prop_assert_eq!(sum(|part| part.steady.expected), prediction.steady.expected);
        let bands = prediction.parts.iter().flat_map(|part| [part.steady, part.peak]);
        for band in bands.chain([prediction.steady, prediction.peak, prediction.files]) {
            prop_assert!(band.low <= band.expected && band.expected <= band.high);
        }
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    let workload = updates(2, 3, 50_000, 200, 100_000);
    assert_eq!(of(&workload, Some(64), Release::R8), of(&workload, Some(64), Release::R8));
}

#[test]
fn more_keys_take_no_less() {
    let peak = |keys| of(&updates(1, 1, keys, 200, 400_000), Some(256), Release::R8).peak.expected;
    assert!(peak(10_000) <= peak(100_000) && peak(100_000) <= peak(1_000_000));
}

#[test]
fn a_larger_pool_takes_no_less() {
    let peak = |pool| of(&updates(1, 1, 1_000_000, 200, 1_000_000), Some(pool), Release::R8).peak.expected;
    assert!(peak(32) <= peak(64) && peak(64) <= peak(128) && peak(128) <= peak(256));
}

#[test]
fn without_a_pool_each_column_family_has_its_own_memtables() {
    let one = of(&updates(1, 1, 100_000, 500, 300_000), None, Release::R8).peak.expected;
    let ten = of(&updates(1, 10, 100_000, 500, 3_000_000), None, Release::R8).peak.expected;
    assert!(ten.get() > 5 * one.get(), "{one} {ten}");
}
