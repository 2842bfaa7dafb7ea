//! A pod as its manifest describes it.

use serde::Serialize;

use super::figure::PlaceV1;
use crate::config::{Pod, Written};

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PodV1 {
    /// The limit of Flink's own container, where the manifest sets it.
    limit: Option<WrittenV1>,
    sidecars: Vec<Named>,
    /// Volumes whose pages count towards the container that writes them.
    memory_volumes: Vec<Named>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Named {
    name: String,
    /// Null where none is set.
    limit: Option<WrittenV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WrittenV1 {
    bytes: u64,
    place: PlaceV1,
}

impl PodV1 {
    pub fn of(pod: &Pod) -> PodV1 {
        let sidecars = pod.sidecars.iter().map(|sidecar| (&sidecar.name, &sidecar.limit));
        let volumes = pod.memory_volumes.iter().map(|volume| (&volume.name, &volume.limit));
        PodV1 {
            limit: pod.limit.as_ref().map(WrittenV1::of),
            sidecars: sidecars.map(Named::of).collect(),
            memory_volumes: volumes.map(Named::of).collect(),
        }
    }
}

impl Named {
    fn of((name, limit): (&String, &Option<Written>)) -> Named {
        Named { name: name.clone(), limit: limit.as_ref().map(WrittenV1::of) }
    }
}

impl WrittenV1 {
    fn of(written: &Written) -> WrittenV1 {
        WrittenV1 { bytes: written.bytes.get(), place: PlaceV1::of(&written.place) }
    }
}
