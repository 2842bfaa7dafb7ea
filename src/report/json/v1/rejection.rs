//! What Flink refuses.

use serde::Serialize;

use super::figure::{InputV1, PlaceV1};
use crate::flink::sensitive;
use crate::model::Term;
use crate::plan::rejection::{Exception, Reason, Rejection};
use crate::recommend::mend::Cure;

/// An exception that Flink throws, and what stands behind it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RejectionV1 {
    class: &'static str,
    message: String,
    causes: Vec<Cause>,
    /// The value that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<BadValueV1>,
    /// The sum that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Sum>,
    /// Changes of one key each with which Flink would accept the configuration, the least first.
    #[serde(skip_serializing_if = "Option::is_none")]
    cures: Option<Vec<CureV1>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CureV1 {
    key: String,
    /// Null where the key is taken out.
    value: Option<String>,
    /// What the process would be.
    total_process: u64,
    /// What `-Xmx` would be.
    jvm_heap: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Cause {
    class: &'static str,
    message: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct BadValueV1 {
    key: String,
    value: String,
    place: PlaceV1,
    accepted: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Sum {
    parts: Vec<InputV1>,
    /// What they must fit in, or add up to.
    whole: InputV1,
    /// The range that what is left must lie in.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<[u64; 2]>,
}

impl RejectionV1 {
    pub fn of(rejection: &Rejection) -> RejectionV1 {
        let inputs = |parts: &[Term]| parts.iter().map(InputV1::of).collect();
        let mut value = None;
        let mut sum = None;
        match &rejection.reason {
            Some(Reason::BadValue(bad)) => {
                value = Some(BadValueV1 {
                    key: bad.key.clone(),
                    value: sensitive::shown(&bad.key, &bad.value).to_owned(),
                    place: PlaceV1::of(&bad.place),
                    accepted: bad.accepted,
                });
            }
            Some(Reason::DoesNotFit { parts, whole } | Reason::DoesNotAddUp { parts, whole }) => {
                sum = Some(Sum { parts: inputs(parts), whole: InputV1::of(whole), allowed: None });
            }
            Some(Reason::OutOfRange { parts, whole, min, max, .. }) => {
                let allowed = Some([min.bytes.get(), max.bytes.get()]);
                sum = Some(Sum { parts: inputs(parts), whole: InputV1::of(whole), allowed });
            }
            Some(Reason::NoTotal { .. }) | None => {}
        }
        let cause = |Exception { class, message }: &Exception| Cause { class: class.name(), message: message.clone() };
        RejectionV1 {
            class: rejection.exception.class.name(),
            message: rejection.exception.message.clone(),
            causes: rejection.causes.iter().map(cause).collect(),
            value,
            sum,
            cures: None,
        }
    }

    /// The same with what Flink would accept instead.
    pub fn with_cures(mut self, cures: Option<&[Cure]>) -> RejectionV1 {
        let of = |cure: &Cure| CureV1 {
            key: cure.change.key().to_owned(),
            value: cure.change.value().map(str::to_owned),
            total_process: cure.plan.budget.total_process().bytes.get(),
            jvm_heap: cure.plan.budget.heap().get(),
        };
        self.cures = cures.map(|cures| cures.iter().map(of).collect());
        self
    }
}
