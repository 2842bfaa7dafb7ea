//! Results as JSON and YAML, with a version of their own.

pub mod v1;
pub mod want;

use std::collections::BTreeMap;

use crate::model::Budget;

/// A budget by component, with `total_flink` and `total_process`.
pub(super) fn by_component(budget: &Budget) -> BTreeMap<&'static str, u64> {
    let parts = budget.parts().iter().map(|(component, figure)| (component.key(), figure.bytes.get()));
    let totals =
        [("total_flink", budget.total_flink().bytes.get()), ("total_process", budget.total_process().bytes.get())];
    parts.chain(totals).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use schemars::{Schema, schema_for};

    use crate::report::json::{v1, want};
    use crate::report::{attach, check, comparison, diagnose, migration, repro, rules, sizing, summary, sweep};

    /// Writes the schema anew when `UPDATE_SCHEMA` is set.
    #[rstest]
    #[case("plan-v1", schema_for!(v1::Document))]
    #[case("want-v1", schema_for!(want::Document))]
    #[case("comparison-v1", schema_for!(comparison::json::Document))]
    #[case("migration-v1", schema_for!(migration::json::Document))]
    #[case("vary-v1", schema_for!(sweep::json::Document))]
    #[case("summary-v1", schema_for!(summary::Summary))]
    #[case("attach-v1", schema_for!(attach::json::Document))]
    #[case("attach-summary-v1", schema_for!(attach::summary::Document))]
    #[case("diagnose-v1", schema_for!(diagnose::json::Document))]
    #[case("check-v1", schema_for!(check::json::Document<'static>))]
    #[case("rules-v1", schema_for!(rules::json::Document))]
    #[case("size-v1", schema_for!(sizing::Document))]
    #[case("repro-v1", schema_for!(repro::json::Document))]
    #[case("repro-prediction-v1", schema_for!(repro::json::PredictionDocument<'static>))]
    #[case("repro-comparison-v1", schema_for!(repro::json::ComparisonDocument))]
    #[case("recording-v1", schema_for!(attach::recording::json::Document))]
    fn the_committed_schema_is_that_of_the_types(#[case] name: &str, #[case] schema: Schema) {
        let path = format!("{}/docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == schema, "{path} is out of date: UPDATE_SCHEMA=1 cargo test --lib schema");
    }
}
