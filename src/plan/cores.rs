//! The cores of a TaskManager, which it is told as `taskmanager.cpu.cores`.

use super::rejection::{ExceptionClass, Outcome, Rejection};
use super::settings::Settings;
use super::{Deployment, taskmanager};
use crate::flink::{java, keys};

/// Who decides on the cores where `taskmanager.cpu.cores` is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// The start scripts: as many as slots (`TaskExecutorProcessUtils.getCpuCores`).
    Scripts,
    /// `KubernetesWorkerResourceSpecFactory`: what the pod asks for, else as many as slots.
    Kubernetes,
    /// `YarnWorkerResourceSpecFactory`: what the container asks for, else as many as slots; in whole cores, rounded up.
    Yarn,
}

impl From<Deployment> for Decider {
    fn from(deployment: Deployment) -> Decider {
        match deployment {
            Deployment::Kubernetes => Decider::Kubernetes,
            Deployment::Yarn => Decider::Yarn,
            Deployment::Standalone | Deployment::None => Decider::Scripts,
        }
    }
}

/// The cores of a TaskManager (`TaskExecutorProcessUtils.getCpuCoresWithFallback`). Java's decimals have no word for what
/// is no number.
pub fn cores(settings: &Settings<'_>, decider: Decider) -> Outcome<f64> {
    let asked = match decider {
        Decider::Scripts => None,
        Decider::Kubernetes => {
            let keys = [keys::KUBERNETES_TM_CPU, keys::KUBERNETES_TM_CPU_UNTIL_1_16];
            let key = keys.into_iter().find(|key| settings.row(*key).is_some());
            key.map(|key| settings.double(key)).transpose()?.flatten().map(|ratio| ratio.value)
        }
        Decider::Yarn => Some(f64::from(settings.int(keys::YARN_VCORES)?.0)),
    };
    let cores = if settings.is_set(keys::CPU_CORES) {
        settings.double(keys::CPU_CORES)?.map_or(f64::NAN, |ratio| ratio.value)
    } else {
        match asked.filter(|cores| *cores > 0.0) {
            Some(asked) => asked,
            None => f64::from(settings.int(keys::SLOTS)?.0),
        }
    };
    if cores <= 0.0 {
        let key = keys::CPU_CORES.name();
        return taskmanager::wrapped(
            settings,
            Err(Rejection::illegal_configuration(format!(
                "TaskExecutors need to be started with a positive number of CPU cores. Please configure {key} accordingly."
            ))),
        );
    }
    if !cores.is_finite() {
        let first = if cores.is_nan() { 'N' } else { 'I' };
        let message = format!(
            "Character {first} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
        );
        return Err(Rejection::new(ExceptionClass::NumberFormat, message));
    }
    Ok(if decider == Decider::Yarn { cores.ceil().max(1.0) } else { cores })
}

/// A number cut off after eight decimals (`Resource`, 1.14 and later).
pub fn eight_decimals(value: f64) -> f64 {
    let (digits, exponent) = java::shortest_decimal(value);
    match u32::try_from(-8 - exponent) {
        Ok(dropped) if dropped > 0 => {
            let kept = 10u64.checked_pow(dropped).map_or(0, |power| digits / power);
            format!("{kept}e-8").parse().unwrap_or(0.0)
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::{Config, Value};
    use crate::flink::profile::Profile;
    use crate::model::{Place, Source};

    // What getDefaultCpus of both factories said in 1.12.5, 1.16.3, 1.20.5 and 2.3.0; the name of the pod's option
    // changed in 1.17.
    #[rstest]
    #[case("", 1.0, 1.0, 1.0)]
    #[case("taskmanager.numberOfTaskSlots=3", 3.0, 3.0, 3.0)]
    #[case("kubernetes.taskmanager.cpu=1.5 yarn.containers.vcores=4", 1.5, 1.5, 4.0)]
    #[case("kubernetes.taskmanager.cpu.amount=2.25 taskmanager.numberOfTaskSlots=3", 3.0, 2.25, 3.0)]
    #[case("taskmanager.cpu.cores=1.3 kubernetes.taskmanager.cpu.amount=2 yarn.containers.vcores=4", 1.3, 1.3, 2.0)]
    #[case("kubernetes.taskmanager.cpu=-2 yarn.containers.vcores=0 taskmanager.numberOfTaskSlots=5", 5.0, 5.0, 5.0)]
    #[case("taskmanager.cpu.cores=0.2", 0.2, 0.2, 1.0)]
    #[case("kubernetes.taskmanager.cpu=NaN", 1.0, 1.0, 1.0)]
    fn kubernetes_and_yarn_have_their_own_say(
        #[case] settings: &str,
        #[case] kubernetes_1_16: f64,
        #[case] kubernetes: f64,
        #[case] yarn: f64,
    ) {
        let mut config = Config::new();
        for (key, value) in settings.split_whitespace().filter_map(|setting| setting.split_once('=')) {
            config.set(key.to_owned(), Value::text(value), Place::of(Source::Caller));
        }
        let of = |version: &str, decider| {
            let profile = Profile::of(version.parse().unwrap()).unwrap().0;
            cores(&Settings::new(&config, profile), decider).unwrap()
        };
        assert_eq!(of("1.12", Decider::Kubernetes), kubernetes_1_16);
        assert_eq!(of("1.16", Decider::Kubernetes), kubernetes_1_16);
        for version in ["1.20", "2.3"] {
            assert_eq!(of(version, Decider::Kubernetes), kubernetes);
            assert_eq!(of(version, Decider::Yarn), yarn);
        }
    }
}
