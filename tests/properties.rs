//! What holds for every configuration, whatever its numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use oomph::config::layers::{FileText, Layers, Offset};
use oomph::config::{Config, FileKind, Value};
use oomph::flink::profile::Profile;
use oomph::model::{Budget, Bytes, Component, Place, Role, Source, UseCase};
use oomph::plan::store::Store;
use oomph::plan::{self, Deployment, Plan, Question, Rejected};
use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const SIZES: [&str; 12] = [
    "taskmanager.memory.process.size",
    "taskmanager.memory.flink.size",
    "taskmanager.memory.task.heap.size",
    "taskmanager.memory.managed.size",
    "taskmanager.memory.framework.heap.size",
    "taskmanager.memory.framework.off-heap.size",
    "taskmanager.memory.task.off-heap.size",
    "taskmanager.memory.network.min",
    "taskmanager.memory.network.max",
    "taskmanager.memory.jvm-metaspace.size",
    "taskmanager.memory.jvm-overhead.min",
    "taskmanager.memory.jvm-overhead.max",
];
const FRACTIONS: [&str; 3] = [
    "taskmanager.memory.managed.fraction",
    "taskmanager.memory.network.fraction",
    "taskmanager.memory.jvm-overhead.fraction",
];

type Settings = std::collections::BTreeMap<&'static str, String>;

fn profile(version: &str) -> &'static Profile {
    Profile::of(version.parse().unwrap()).unwrap().0
}

/// Those that budget the whole process, which 1.9 does not.
fn version() -> impl Strategy<Value = &'static Profile> {
    let all = Profile::all().iter().map(|profile| (profile.version(), profile));
    select(all.filter(|(of, _)| (of.major, of.minor) >= (1, 10)).map(|(_, profile)| profile).collect::<Vec<_>>())
}

fn settings() -> impl Strategy<Value = Settings> {
    let size = prop_oneof![
        (1u64..20_000).prop_map(|mb| format!("{mb}m")),
        (1u64..(20 << 30)).prop_map(|bytes| bytes.to_string()),
        (1u64..40).prop_map(|gb| format!("{gb} gb")),
    ];
    let fraction = (0u32..1000).prop_map(|thousandths| format!("0.{thousandths:03}"));
    let slots = (1u32..40).prop_map(|n| n.to_string());
    (
        btree_map(select(&SIZES[..]), size, 1..5),
        btree_map(select(&FRACTIONS[..]), fraction, 0..3),
        proptest::option::of(slots),
        (1u64..64).prop_map(|gb| format!("{gb}g")),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(sizes, fractions, slots, total, give_total)| {
            let mut all: Settings = sizes.into_iter().chain(fractions).collect();
            all.extend(slots.map(|n| ("taskmanager.numberOfTaskSlots", n)));
            if give_total {
                all.insert("taskmanager.memory.process.size", total);
            }
            all
        })
}

fn question() -> Question {
    Question {
        role: Role::TaskManager,
        deployment: Deployment::Standalone,
        consumers: vec![UseCase::StateBackend, UseCase::Operator, UseCase::Python],
        managed_backend: true,
        stores: vec![Store::RocksDb],
    }
}

fn config(settings: &Settings) -> Config {
    let mut config = Config::new();
    for (key, value) in settings {
        config.set((*key).to_owned(), Value::text(value), Place::of(Source::Caller));
    }
    config
}

fn plan_of(settings: &Settings, profile: &'static Profile) -> Result<Plan, Rejected> {
    plan::plan(&config(settings), profile, &question())
}

fn sizes(budget: &Budget) -> Vec<(Component, Bytes)> {
    budget.parts().iter().map(|(component, figure)| (*component, figure.bytes)).collect()
}

/// The same outcome, whatever it is: equal budgets, or the same refusal.
fn same(one: &Result<Plan, Rejected>, other: &Result<Plan, Rejected>) -> Result<(), TestCaseError> {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            prop_assert_eq!(sizes(&one.budget), sizes(&other.budget));
            prop_assert_eq!(&one.jvm_arguments, &other.jvm_arguments);
            prop_assert_eq!(&one.dynamic_properties, &other.dynamic_properties);
        }
        (Err(one), Err(other)) => prop_assert_eq!(&one.rejection.exception, &other.rejection.exception),
        _ => prop_assert!(false, "one is refused: {one:?} {other:?}"),
    }
    Ok(())
}

/// As a file of nested YAML: each part of a key a level of its own.
fn nested(settings: &Settings) -> String {
    fn level(entries: &[(Vec<&str>, &str)], depth: usize, out: &mut String) {
        let mut rest = entries;
        while let Some((path, value)) = rest.first() {
            let head = path[0];
            let same = rest.iter().take_while(|(other, _)| other[0] == head).count();
            let (group, others) = rest.split_at(same);
            let indent = "  ".repeat(depth);
            if path.len() == 1 {
                *out += &format!("{indent}{head}: {value}\n");
            } else {
                *out += &format!("{indent}{head}:\n");
                let inner: Vec<_> = group.iter().map(|(path, value)| (path[1..].to_vec(), *value)).collect();
                level(&inner, depth + 1, out);
            }
            rest = others;
        }
    }
    let entries: Vec<(Vec<&str>, &str)> =
        settings.iter().map(|(key, value)| (key.split('.').collect(), value.as_str())).collect();
    let mut out = String::new();
    level(&entries, 0, &mut out);
    out
}

fn flat(settings: &Settings) -> String {
    settings.iter().map(|(key, value)| format!("{key}: {value}\n")).collect()
}

fn plan_of_file(text: String, kind: FileKind, profile: &'static Profile) -> Result<Plan, Rejected> {
    let file = FileText { source: Source::Stdin, kind, text, offset: Offset::default() };
    let assembled = Layers { file: Some(file), ..Layers::default() }.assemble(profile).unwrap();
    plan::plan(&assembled.config, profile, &question())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_parts_add_up_to_the_totals(settings in settings(), profile in version()) {
        let Ok(plan) = plan_of(&settings, profile) else { return Ok(()) };
        let budget = &plan.budget;
        let sum: u64 = budget.parts().iter().map(|(_, figure)| figure.bytes.get()).sum();
        prop_assert_eq!(sum, budget.total_process().bytes.get());
        let outside = budget.size(Component::JvmMetaspace).get() + budget.size(Component::JvmOverhead).get();
        prop_assert_eq!(sum - outside, budget.total_flink().bytes.get());
        let direct = [Component::FrameworkOffHeap, Component::TaskOffHeap, Component::Network];
        prop_assert_eq!(plan.direct.unwrap().get(), direct.iter().map(|c| budget.size(*c).get()).sum::<u64>());
    }

    #[test]
    fn slots_never_get_more_than_there_is(settings in settings(), profile in version()) {
        let Ok(plan) = plan_of(&settings, profile) else { return Ok(()) };
        let Some(Ok(slots)) = &plan.slots else { return Ok(()) };
        for (component, share) in &slots.shares {
            let whole = plan.budget.size(*component).get();
            let all = share.bytes.get() * u64::from(slots.count);
            prop_assert!(all <= whole && whole - all < u64::from(slots.count));
        }
        let managed = slots.share(Component::Managed).get();
        let consumers: u64 = slots.consumers.iter().flatten().flatten()
            .filter_map(|share| share.share.as_ref().ok()).map(|figure| figure.bytes.get()).sum();
        prop_assert!(consumers <= managed);
    }

    #[test]
    fn flat_nested_and_line_spellings_plan_the_same_budget(settings in settings()) {
        let profile = profile("1.20");
        let direct = plan_of(&settings, profile);
        same(&direct, &plan_of_file(nested(&settings), FileKind::Standard, profile))?;
        same(&direct, &plan_of_file(flat(&settings), FileKind::Standard, profile))?;
        same(&direct, &plan_of_file(flat(&settings), FileKind::Legacy, profile))?;
    }

    #[test]
    fn the_properties_flink_is_started_with_plan_the_same_budget_again(settings in settings(), profile in version()) {
        let Ok(plan) = plan_of(&settings, profile) else { return Ok(()) };
        let mut config = config(&settings);
        for property in plan.dynamic_properties.iter().flat_map(|text| text.split("-D ")).map(str::trim) {
            if let Some((key, value)) = property.split_once('=') {
                config.set(key.to_owned(), Value::text(value), Place::of(Source::DynamicProperty));
            }
        }
        let again = plan::plan(&config, profile, &question());
        prop_assert!(again.is_ok(), "{:?}", again);
        prop_assert_eq!(sizes(&plan.budget), sizes(&again.unwrap().budget));
    }

    #[test]
    fn a_pool_never_exceeds_what_it_is_given(settings in settings(), profile in version()) {
        let Ok(plan) = plan_of(&settings, profile) else { return Ok(()) };
        let Some(Ok(slots)) = &plan.slots else { return Ok(()) };
        for (_, memory) in &slots.stores {
            let Ok(memory) = memory else { continue };
            let Some(pool) = &memory.pool else { continue };
            let total = i64::try_from(pool.total.bytes.get()).unwrap();
            let bound = pool.sizes.block_cache + pool.sizes.write_buffer_manager / 2;
            prop_assert!((total - 2..=total).contains(&bound), "{bound} of {total}");
            prop_assert!(pool.sizes.mutable_limit <= pool.sizes.write_buffer_manager);
        }
    }
}

#[test]
fn enough_of_these_settings_are_accepted_for_the_properties_to_mean_something() {
    let mut runner = TestRunner::deterministic();
    let cases = (settings(), version());
    let accepted = (0..1000).filter(|_| {
        let (settings, profile) = cases.new_tree(&mut runner).unwrap().current();
        plan_of(&settings, profile).is_ok()
    });
    assert!(accepted.count() > 150);
}
