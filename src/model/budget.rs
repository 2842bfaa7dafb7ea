//! A process's memory, divided up.

use thiserror::Error;

use super::{Bytes, Component, Figure, Role};

/// What Flink plans for one process: every component with its figure, and totals that are the sums of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    role: Role,
    parts: Vec<(Component, Figure)>,
    total_flink: Figure,
    total_process: Figure,
}

/// The parts do not add up to the total: a fault in the derivation, not in the user's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the parts of {name} add up to {sum:?}, not to {total}")]
pub struct Unbalanced {
    /// Which total.
    pub name: &'static str,
    /// What the parts add up to, where that can be said in 63 bits.
    pub sum: Option<Bytes>,
    /// What was to be divided up.
    pub total: Bytes,
}

impl Budget {
    /// A budget whose parts are proved to add up to both totals.
    pub fn new(
        role: Role,
        parts: Vec<(Component, Figure)>,
        total_flink: Figure,
        total_process: Figure,
    ) -> Result<Budget, Unbalanced> {
        let sum = |wanted: &dyn Fn(Component) -> bool| {
            Bytes::checked_sum(parts.iter().filter(|(c, _)| wanted(*c)).map(|(_, figure)| figure.bytes))
        };
        let checks = [
            ("total Flink memory", sum(&Component::is_flink_memory), total_flink.bytes),
            ("total process memory", sum(&|_| true), total_process.bytes),
        ];
        for (name, sum, total) in checks {
            if sum != Some(total) {
                return Err(Unbalanced { name, sum, total });
            }
        }
        Ok(Budget { role, parts, total_flink, total_process })
    }

    /// Whose budget it is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Every component, in Flink's order.
    pub fn parts(&self) -> &[(Component, Figure)] {
        &self.parts
    }

    /// A component's figure; nothing where this role and model has no such component.
    pub fn part(&self, component: Component) -> Option<&Figure> {
        self.parts.iter().find(|(c, _)| *c == component).map(|(_, figure)| figure)
    }

    /// A component's size; zero where this role and model has no such component, for sums over components.
    pub fn size(&self, component: Component) -> Bytes {
        self.part(component).map_or(Bytes::ZERO, |figure| figure.bytes)
    }

    /// Everything but metaspace, overhead and cut-off.
    pub fn total_flink(&self) -> &Figure {
        &self.total_flink
    }

    /// The whole process.
    pub fn total_process(&self) -> &Figure {
        &self.total_process
    }

    /// The Java heap, `-Xmx`: a sum of parts, so it always fits.
    pub fn heap(&self) -> Bytes {
        Bytes::new(self.parts.iter().filter(|(c, _)| c.is_heap()).map(|(_, figure)| figure.bytes.get()).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Place, Provenance, Source};

    fn figure(n: u32) -> Figure {
        let place = Place::of(Source::Caller);
        Figure { bytes: Bytes::mib(n), provenance: Provenance::Set { key: "a.key", place } }
    }

    #[test]
    fn a_budget_whose_parts_do_not_add_up_cannot_be_made() {
        let parts = vec![(Component::Heap, figure(10)), (Component::JvmMetaspace, figure(5))];
        assert!(Budget::new(Role::JobManager, parts.clone(), figure(10), figure(15)).is_ok());
        let wrong = Budget::new(Role::JobManager, parts.clone(), figure(10), figure(16)).unwrap_err();
        assert_eq!(wrong.name, "total process memory");
        assert!(Budget::new(Role::JobManager, parts, figure(11), figure(15)).is_err());
    }
}
