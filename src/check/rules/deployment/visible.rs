//! Whether a pod's whole configuration is in the text.

use crate::check::Case;
use crate::config::Pod;

/// What brings a configuration into a container that is not in the text: a volume over Flink's folder, or variables out of
/// another file.
const ELSEWHERE: [&str; 3] = ["/opt/flink/conf", "envFrom:", "env_file:"];

/// Whether the configuration that the pod starts with is known. Where the text holds none, the image's own is assumed; a
/// mount over its folder, or properties out of a secret, replace that by one that is not here.
pub fn is_known(case: &Case<'_>, pod: &Pod) -> bool {
    let hidden = pod.variables.iter().any(|variable| variable.name == "FLINK_PROPERTIES" && variable.value.is_none());
    let mounted = pod.mounts.iter().any(|mount| mount.path.contains("/conf"))
        || ELSEWHERE.iter().any(|word| case.text_of_input().contains(word));
    let replaced = case.subject().shipped && mounted;
    !hidden && !replaced
}
