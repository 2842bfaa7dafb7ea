//! Where a running process differs from the configuration that it should have been started with.

use crate::model::{Budget, Bytes, Component};

/// A configuration laid beside what a process was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The file or directory.
    pub source: String,
    /// The components that differ; none where the process runs as configured.
    pub differences: Vec<Difference>,
}

/// One component that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub component: Component,
    /// As the configuration gives it; nothing where that version's model has no such component.
    pub configured: Option<Bytes>,
    /// As the process has it.
    pub running: Option<Bytes>,
}

impl Configured {
    /// Compares two budgets part by part.
    pub fn of(source: String, configured: &Budget, running: &Budget) -> Configured {
        let size = |budget: &Budget, component: Component| budget.part(component).map(|figure| figure.bytes);
        let mut components: Vec<Component> = running.parts().iter().map(|(component, _)| *component).collect();
        components.extend(configured.parts().iter().map(|(component, _)| *component));
        components.sort_unstable();
        components.dedup();
        let difference = |component: Component| Difference {
            component,
            configured: size(configured, component),
            running: size(running, component),
        };
        let differences = components.into_iter().map(difference);
        Configured { source, differences: differences.filter(|one| one.configured != one.running).collect() }
    }
}
