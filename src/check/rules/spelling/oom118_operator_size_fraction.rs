use super::oom109_wrong_unit::{Meant, meant};
use super::{declared_type, known};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::flink::memory_size;
use crate::model::{Bytes, Severity};

rule! {
    /// The operator makes a size with decimals of this memory, which Flink refuses.
    ///
    /// ### Why
    /// The Kubernetes operator reads `resource.memory` in Flink's units first and in those of Kubernetes where Flink cannot
    /// read it. Of `1.5Gi` it makes `1610612736.0`, with as many decimals as were written, and hands that to Flink, which
    /// takes whole numbers only: the processes do not start.
    ///
    /// ### Bad
    /// ```yaml cluster.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   flinkVersion: v1_20
    ///   taskManager:
    ///     resource:
    ///       memory: 4.5Gi
    /// ```
    ///
    /// ### Good
    /// ```yaml cluster.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   flinkVersion: v1_20
    ///   taskManager:
    ///     resource:
    ///       memory: 4608m
    /// ```
    ///
    /// ### Sources
    /// - `parseResourceMemoryString` of the operator, in `FlinkConfigBuilder` and later in `ResourceConfigUtils`, and
    ///   `Quantity.getNumericalAmount` of its Kubernetes client.
    /// - `MemorySize.parseBytes`, Flink 1.9 to 2.3.
    /// - Thread: https://github.com/apache/flink-kubernetes-operator/pull/670.
    "OOM118" "operator-size-fraction" {
        severity: Severity::Error,
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for key in ["taskmanager.memory.process.size", "jobmanager.memory.process.size"] {
        let Some(written) = case.exactly(key).filter(|written| !known::is_typed(written)) else { continue };
        let made = written.text();
        let Err(error) = Bytes::parse_flink(&made) else { continue };
        let typed = declared_type::raw(case, &written);
        let draft = found
            .find(match typed {
                Some((typed, _)) if typed.trim_matches(['"', '\'']) == made => {
                    format!("{made} is no size, neither to Kubernetes nor to Flink")
                }
                _ => format!("the operator makes {made} of this memory, which Flink refuses"),
            })
            .at(written.place(), "no whole number of bytes")
            .note(error.to_string());
        match typed.and_then(|(typed, _)| meant(typed.trim_matches(['"', '\'']))) {
            Some(Meant { bytes, exact }) => {
                let size = memory_size::written(bytes);
                let fix = if exact { declared_type::replaced(case, &written, &size) } else { None };
                draft.help(format!("write {size}")).safe_fix(format!("write {size}"), fix);
            }
            None => {
                draft.help("write a whole number and a unit, such as 4608m or 4608Mi");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    fn cluster(memory: &str) -> String {
        format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  flinkVersion: \
             v1_20\n  jobManager:\n    resource:\n      memory: {memory}\n"
        )
    }

    #[test]
    fn the_same_size_is_written_without_decimals() {
        for memory in ["4.5Gi", "\"4.5Gi\""] {
            let text = cluster(memory);
            let finding = find("OOM118", "c.yaml", &text);
            assert!(finding.title.contains("4831838208.0"), "{finding:?}");
            assert_eq!(applied(&text, &finding.fix.unwrap().edits).unwrap(), cluster("4608m"));
        }
    }

    #[test]
    fn what_nobody_reads_is_told_as_it_is() {
        let finding = find("OOM118", "c.yaml", &cluster("lots"));
        assert!(finding.title.starts_with("lots is no size") && finding.fix.is_none(), "{finding:?}");
    }

    #[test]
    fn what_both_read_is_left_alone() {
        for memory in ["4Gi", "4g", "4608Mi", "2 gb"] {
            assert!(!codes("c.yaml", &cluster(memory)).contains(&"OOM118"), "{memory}");
        }
    }
}
