//! Any sequence of operations on a store, beside the same on a sorted map: both have to answer alike.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{directory, entries, open, settings};
use crate::harness::engine::{Database, Library};

#[derive(Clone, Debug)]
enum Operation {
    Put(usize, Vec<u8>, Vec<u8>),
    Merge(usize, Vec<u8>, Vec<u8>),
    Delete(usize, Vec<u8>),
    Batch(Vec<Operation>),
    Flush,
    Compact(usize),
    Seek(usize, Vec<u8>),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let key = || prop::collection::vec(0_u8..4, 0..3);
    let value =
        || prop_oneof![prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(Just(7_u8), 3000..5000)];
    let write = prop_oneof![
        (0_usize..2, key(), value()).prop_map(|(family, key, value)| Operation::Put(family, key, value)),
        (0_usize..2, key(), value()).prop_map(|(family, key, value)| Operation::Merge(family, key, value)),
        (0_usize..2, key()).prop_map(|(family, key)| Operation::Delete(family, key)),
    ];
    let any = prop_oneof![
        6 => write.clone(),
        1 => prop::collection::vec(write, 0..5).prop_map(Operation::Batch),
        1 => Just(Operation::Flush),
        1 => (0_usize..2).prop_map(Operation::Compact),
        2 => (0_usize..2, key()).prop_map(|(family, key)| Operation::Seek(family, key)),
    ];
    prop::collection::vec(any, 1..60)
}

type Model = [BTreeMap<Vec<u8>, Vec<u8>>; 2];

fn modelled(model: &mut Model, operation: &Operation) {
    match operation {
        Operation::Put(family, key, value) => {
            model[*family].insert(key.clone(), value.clone());
        }
        Operation::Merge(family, key, value) => {
            let entry = model[*family].entry(key.clone());
            entry
                .and_modify(|all| {
                    all.push(b',');
                    all.extend(value);
                })
                .or_insert_with(|| value.clone());
        }
        Operation::Delete(family, key) => {
            model[*family].remove(key);
        }
        Operation::Batch(operations) => operations.iter().for_each(|operation| modelled(model, operation)),
        Operation::Flush | Operation::Compact(_) | Operation::Seek(..) => {}
    }
}

fn done(database: &Database, operation: &Operation, model: &Model) {
    match operation {
        Operation::Put(family, key, value) => database.put(*family, key, value).unwrap(),
        Operation::Merge(family, key, value) => database.merge(*family, key, value).unwrap(),
        Operation::Delete(family, key) => database.delete(*family, key).unwrap(),
        Operation::Batch(operations) => {
            let mut batch = database.batch();
            for operation in operations {
                match operation {
                    Operation::Put(family, key, value) => batch.put(*family, key, value),
                    Operation::Merge(family, key, value) => batch.merge(*family, key, value),
                    Operation::Delete(family, key) => batch.delete(*family, key),
                    other => panic!("not in a batch: {other:?}"),
                }
            }
            let empty = database.batch().size();
            assert_eq!(batch.size() > empty, !operations.is_empty());
            batch.write().unwrap();
            assert_eq!(batch.size(), empty);
        }
        Operation::Flush => database.flush().unwrap(),
        Operation::Compact(family) => database.compact(*family),
        Operation::Seek(family, key) => {
            let mut iterator = database.iterator(*family);
            assert!(!iterator.is_valid() && iterator.key().is_none() && iterator.value().is_none());
            iterator.seek(key);
            let expected = model[*family].range(key.clone()..).next();
            assert_eq!(iterator.key(), expected.map(|(key, _)| &key[..]));
            assert_eq!(iterator.value(), expected.map(|(_, value)| &value[..]));
            assert_eq!(iterator.is_valid(), expected.is_some());
        }
    }
}

pub(super) fn any_sequence_of_operations_answers_like_a_sorted_map(library: &Library) {
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&operations(), |operations| {
        let directory = directory();
        let database = open(library, directory.path(), &settings(), None);
        let mut model = Model::default();
        for operation in &operations {
            done(&database, operation, &model);
            modelled(&mut model, operation);
        }
        let mut value = b"something that was there before".to_vec();
        for (family, expected) in model.iter().enumerate() {
            let found = entries(&database, family);
            prop_assert!(found.iter().map(|(key, value)| (key, value)).eq(expected), "{found:?}\n{expected:?}");
            for key in [vec![], vec![0], vec![1, 2], vec![3, 3]] {
                let there = database.get(family, &key, &mut value).unwrap();
                prop_assert_eq!(there.then_some(&value), expected.get(&key));
            }
        }
        Ok(())
    });
    ran.unwrap();
}
