//! YARN's properties as Hadoop reads them (`Configuration.getBoolean`, `getInt`, `getFloat`).

use crate::check::case::Written;
use crate::config::Config;
use crate::model::Bytes;

/// A property, if it is set.
pub fn of<'a>(config: &'a Config, name: &str) -> Option<Written<'a>> {
    let (key, setting) = config.entry(name)?;
    Some(Written { key, setting })
}

/// A truth value; what is neither counts as not set.
pub fn flag(config: &Config, name: &str) -> Option<bool> {
    let text = of(config, name)?.text().to_lowercase();
    ["true", "false"].contains(&&*text).then(|| text == "true")
}

/// A size in mebibytes, which is how every property with `-mb` at its end is written; zero and -1 are no size.
pub fn mebibytes(config: &Config, name: &str) -> Option<Bytes> {
    let count: u64 = of(config, name)?.text().parse().ok().filter(|count| *count > 0)?;
    Bytes::mib(1).checked_mul(count)
}

/// Whether the kernel, and not a polling thread, holds containers to their memory (`yarn.nodemanager.resource.memory`).
pub fn has_cgroups(config: &Config) -> bool {
    flag(config, "yarn.nodemanager.resource.memory.enabled") == Some(true)
}

/// Whether the kernel holds every single container to its memory: then the polling checks do nothing
/// (`ContainersMonitorImpl.checkLimit`, Hadoop 3.2 on).
pub fn is_strict(config: &Config) -> bool {
    has_cgroups(config)
        && flag(config, "yarn.nodemanager.resource.memory.enforced") != Some(false)
        && flag(config, "yarn.nodemanager.elastic-memory-control.enabled") != Some(true)
}
