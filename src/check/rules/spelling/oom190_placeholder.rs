use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::flink::sensitive;
use crate::model::{Finding, Place, Severity};

rule! {
    /// A value is only known once a template is rendered, and is not checked.
    ///
    /// ### Why
    /// oomph does not guess what `${…}`, `$(…)` or `{{…}}` will stand for. The option is left out, and a process whose memory
    /// depends on it is not judged. Render the template and check what comes out: `helm template . | oomph check -`.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: ${TM_SIZE}
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration`, Flink 1.9 to 2.3: replaces nothing in a value.
    /// - `docker-entrypoint.sh` of the official images: `envsubst` replaces `${…}` when the container starts.
    "OOM190" "placeholder" {
        severity: Severity::Note,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for (key, setting) in case.placeholders {
        if sensitive::is_sensitive(key) {
            // Where a secret belongs.
            continue;
        }
        let place = Written { key, setting }.key_place();
        found
            .find("a placeholder stands here, which is not checked")
            .at(&place, "")
            .help("render the template first, and check what comes out");
    }
}

/// A template that cannot be read before it is rendered: told, and no error of its author's.
pub fn unread_template(place: &Place, reason: &str) -> Vec<Finding> {
    let mut found = Collector::new(&RULE, None);
    found
        .find("this template cannot be read before it is rendered, and is not checked")
        .at(place, reason)
        .help("render it first, and check what comes out");
    found.into_findings()
}

#[cfg(test)]
mod tests {
    use crate::check::tried::codes;

    #[test]
    fn a_secret_that_comes_from_elsewhere_is_as_it_should_be() {
        assert_eq!(codes("config.yaml", "s3.secret-key: ${SECRET}\n"), [""; 0]);
    }

    #[test]
    fn a_process_whose_size_is_hidden_is_not_judged() {
        let text = "taskmanager.memory.process.size: $(SIZE)\ntaskmanager.memory.task.off-heap.size: 64g\n";
        assert_eq!(codes("config.yaml", text), ["OOM190"]);
    }
}
