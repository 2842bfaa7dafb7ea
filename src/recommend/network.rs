//! What to change so that a job has its network buffers: the fewest options, proved by planning with them.

use super::change::{Change, applied};
use crate::config::Config;
use crate::config::job_plan::JobPlan;
use crate::flink::keys;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Component};
use crate::plan::network_need::{self, NetworkNeed};
use crate::plan::rejection::Outcome;
use crate::plan::settings::Settings;
use crate::plan::{self, Plan, Question};

/// A change that gives a TaskManager a number of buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// What to set.
    pub changes: Vec<Change>,
    /// How many buffers there are then.
    pub buffers: u64,
    /// The parts that change for it: the part, what it was, what it is then.
    pub moved: Vec<(Component, Bytes, Bytes)>,
}

/// What a job needs, and what to change where it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAnswer {
    /// The need.
    pub need: NetworkNeed,
    /// What lets the job start; nothing where it starts, or where no change of network memory alone does it.
    pub to_start: Option<Cure>,
    /// What gives it all that it would take; nothing where it has that, has no bound, or where nothing does it.
    pub to_have_all: Option<Cure>,
}

/// What a job needs on a planned TaskManager, with cures that were planned.
pub fn answer(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    plan: &Plan,
    job: &JobPlan,
    sorted: Option<bool>,
) -> Outcome<NetworkAnswer> {
    let need = network_need::need(&Settings::new(config, profile), plan, job, sorted)?;
    let cure = |buffers: u64| cure(config, profile, question, plan, buffers, need.segment);
    let to_start = (need.missing() > 0).then(|| cure(need.required)).flatten();
    let to_have_all = need.wanted.filter(|wanted| *wanted > need.had).and_then(cure);
    Ok(NetworkAnswer { need, to_start, to_have_all })
}

/// The first of some changes after which the TaskManager has so many buffers: one option where one does it.
pub fn cure(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    before: &Plan,
    buffers: u64,
    segment: Bytes,
) -> Option<Cure> {
    let size = segment.checked_mul(buffers)?.round_up_to(Bytes::mib(1))?;
    let size = format!("{}m", size.whole_mib());
    let settings = Settings::new(config, profile);
    let (min, max) = match settings.row(keys::NETWORK_MIN) {
        Some(_) => (keys::NETWORK_MIN.name(), keys::NETWORK_MAX.name()),
        None => (keys::NETWORK_MIN_1_9.name(), keys::NETWORK_MAX_1_9.name()),
    };
    let set = |key: &str| Change::set(key, size.as_str());
    let ways = [
        vec![set(min)],
        vec![set(max)],
        vec![set(min), set(max)],
        // A number of buffers counts only where none of the newer keys is set.
        vec![Change::set(keys::NETWORK_BUFFERS.name(), buffers.to_string())],
    ];
    ways.into_iter().find_map(|changes| {
        let after = plan::plan(&applied(config, &changes), profile, question).ok()?;
        let had = after.network_buffers.as_ref()?.as_ref().ok()?.count;
        (had >= buffers).then(|| Cure { buffers: had, moved: moved(before, &after), changes })
    })
}

/// The parts that are not what they were.
fn moved(before: &Plan, after: &Plan) -> Vec<(Component, Bytes, Bytes)> {
    let part = |(component, figure): &(Component, crate::model::Figure)| {
        let then = after.budget.size(*component);
        (then != figure.bytes).then_some((*component, figure.bytes, then))
    };
    before.budget.parts().iter().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;
    use crate::config::job_plan::Exchange;
    use crate::model::{Place, Role, Source};
    use crate::plan::Deployment;

    fn asked(version: &str, settings: &[(&str, &str)]) -> NetworkAnswer {
        let mut config = Config::new();
        for (key, value) in settings {
            config.set((*key).to_owned(), Value::text(*value), Place::of(Source::Caller));
        }
        let profile = Profile::of(version.parse().unwrap()).unwrap().0;
        let question = Question {
            role: Role::TaskManager,
            deployment: Deployment::Kubernetes,
            consumers: Vec::new(),
            managed_backend: false,
            stores: Vec::new(),
        };
        let plan = plan::plan(&config, profile, &question).unwrap();
        let words: Vec<String> = ["hash", "hash"].map(str::to_owned).into();
        let job = JobPlan::chain(1000, Exchange::PipelinedBounded, &words).unwrap();
        answer(&config, profile, &question, &plan, &job, None).unwrap()
    }

    const SMALL: &[(&str, &str)] = &[("taskmanager.memory.process.size", "8g"), ("taskmanager.numberOfTaskSlots", "8")];

    #[test]
    fn one_option_gives_a_job_its_buffers_and_the_plan_with_it_proves_that() {
        let answer = asked("1.20", SMALL);
        assert_eq!(answer.need.required, 8 * 2 * (1001 + 2001));
        let cure = answer.to_start.unwrap();
        assert_eq!(cure.changes, [Change::set("taskmanager.memory.network.min", "1501m")]);
        assert!(cure.buffers >= answer.need.required);
        assert!(cure.moved.iter().any(|(part, before, after)| *part == Component::TaskHeap && after < before));
    }

    #[test]
    fn where_the_maximum_is_in_the_way_both_ends_are_pinned() {
        let cure = asked("1.16", SMALL).to_start.unwrap();
        assert_eq!(cure.changes.len(), 2);
    }

    #[test]
    fn a_job_that_has_its_buffers_is_left_alone() {
        let settings: Vec<_> = SMALL.iter().copied().chain([("taskmanager.memory.network.min", "2g")]).collect();
        let answer = asked("2.3", &settings);
        assert_eq!((answer.need.missing(), answer.to_start), (0, None));
    }
}
