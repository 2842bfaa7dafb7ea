use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::load::Reason;
use crate::config::manifest::version_in_tag;
use crate::flink::Version;
use crate::model::{Role, Severity};

rule! {
    /// `flinkVersion` and the image's tag name different versions.
    ///
    /// ### Why
    /// The operator writes the configuration, and chooses file name and option names, for `flinkVersion`. The image's Flink
    /// reads it. Across versions options have other names and defaults, and a `config.yaml` is not read at all before 1.19:
    /// memory settings are then silently without effect, or the derivation is another one.
    ///
    /// ### Bad
    /// ```yaml orders.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   image: flink:1.18.1
    ///   flinkVersion: v1_20
    ///   taskManager:
    ///     resource:
    ///       memory: 4g
    ///       cpu: 2
    /// ```
    ///
    /// ### Good
    /// ```yaml orders.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   image: flink:1.20.5
    ///   flinkVersion: v1_20
    ///   taskManager:
    ///     resource:
    ///       memory: 4g
    ///       cpu: 2
    /// ```
    ///
    /// ### Sources
    /// - The operator's `FlinkConfMountDecorator`, which writes one file or the other by `flinkVersion`, and
    ///   `GlobalConfiguration.loadConfiguration`, Flink 1.18 to 2.0, which reads one or the other.
    /// - `profiles/options.tsv`: the options of every version, read out of its jars.
    "OOM512" "image-version-mismatch" {
        severity: Severity::Warning,
        check: check,
    }
}

/// Images whose tag is Flink's own version; that of another image may be an application's.
const FLINKS_OWN: [&str; 2] = ["flink", "pyflink"];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if !matches!(&case.loaded.choice.reason, Reason::Told(words) if words.contains("flinkVersion")) {
        return;
    }
    let mut told = Vec::new();
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(image) = case.pod(role).and_then(|pod| pod.image.as_ref()) else { continue };
        let name = image.text.split('@').next().and_then(|name| name.rsplit_once(':')).map_or("", |(name, _)| name);
        let Some(tagged) = version_in_tag(&image.text) else { continue };
        let Ok(version) = tagged.parse::<Version>() else { continue };
        let is_own = FLINKS_OWN.contains(&name.rsplit('/').next().unwrap_or_default());
        if !is_own || version.line() == case.version().line() || told.contains(&&image.place) {
            continue;
        }
        told.push(&image.place);
        found
            .find(format!("The image holds Flink {tagged}, and flinkVersion says {}", case.version()))
            .at(&image.place, format!("Flink {tagged}"))
            .note(format!(
                "the operator writes options and configuration file for {}; Flink {tagged} reads them by its own names",
                case.version()
            ))
            .help(format!(
                "set flinkVersion to v{}_{}, or take an image of {}",
                version.line().0,
                version.line().1,
                case.version()
            ));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("registry:5000/apache/flink:1.18-scala_2.12", true)]
    #[case("registry:5000/team/flink-orders:2.3.1", false)]
    #[case("flink:1.20", false)]
    #[case("flink:latest", false)]
    fn only_flinks_own_tags_are_versions_of_flink(#[case] image: &str, #[case] expected: bool) {
        let text = format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  image: {image}\n  \
             flinkVersion: v1_20\n  taskManager: {{resource: {{memory: 4g, cpu: 2}}}}\n"
        );
        assert_eq!(codes("c.yaml", &text).contains(&"OOM512"), expected);
    }
}
