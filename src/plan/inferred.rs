//! The configuration behind a command line: which model of Flink gives exactly these flags. Every answer is a guess that
//! was planned and found to give them.

use super::{Deployment, Question, is_cut_off, plan};
use crate::artefact::command_line::{CommandLine, Flag};
use crate::config::{Config, Placed, Value};
use crate::flink::keys;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Component, Place, Role};

/// What is known beside the flags.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// Settings that the same text tells.
    pub config: &'a Config,
    /// The profile asked for or told; nothing where the flags have to tell the model.
    pub profile: Option<&'static Profile>,
    /// Whose process it is, where that is known.
    pub role: Option<Role>,
    /// The container's size, where that is known.
    pub limit: Option<Bytes>,
    /// Where the flags stand.
    pub place: Place,
}

/// What the flags come from.
#[derive(Clone, Debug)]
pub struct Inference {
    /// The settings that give them, over those already known; nothing where no model does.
    pub settings: Option<Vec<Placed>>,
    /// The version it is planned with.
    pub profile: &'static Profile,
    /// How it was started.
    pub deployment: Deployment,
    /// Whose process it is.
    pub role: Role,
    /// What fits and what does not, and why, a paragraph each.
    pub reasons: Vec<String>,
}

/// Infers what a process was configured with from what its JVM was started with.
///
/// A heap alone fits some JobManager whatever it is: it is only taken for one where the command line or the caller says so.
pub fn infer(command: &CommandLine, known: &Known<'_>) -> Inference {
    if known.role.or(command.role).is_none() && command.direct.is_none() {
        let xmx = command.xmx.as_ref().map_or("", |flag| flag.text.as_str());
        let reason = format!(
            "nothing in this command line says that it is Flink's: -Xmx{xmx} alone fits any JVM; if it is a JobManager's, \
             say so with --role jobmanager"
        );
        let (profile, role) = (known.profile.unwrap_or(Profile::newest()), Role::JobManager);
        return Inference { settings: None, profile, deployment: Deployment::default(), role, reasons: vec![reason] };
    }
    let role = known.role.or(command.role).unwrap_or(match command.direct {
        Some(_) => Role::TaskManager,
        None => Role::JobManager,
    });
    let attempt = Attempt { command, known, role };
    let unified = known.profile.filter(|profile| !is_cut_off(profile, role));
    let cut_off = known.profile.filter(|profile| is_cut_off(profile, role));
    let mut reasons = Vec::new();
    if known.profile.is_none() || cut_off.is_some() {
        match attempt.cut_off(cut_off.unwrap_or(oldest()), &mut reasons) {
            Some(settings) => {
                attempt.why_not_unified(&mut reasons);
                let profile = cut_off.unwrap_or(oldest());
                let settings = Some(attempt.placed(&settings));
                return Inference { settings, profile, deployment: Deployment::Yarn, role, reasons };
            }
            None if cut_off.is_some() => {
                let profile = cut_off.unwrap_or(oldest());
                return Inference { settings: None, profile, deployment: Deployment::Yarn, role, reasons };
            }
            None => {}
        }
    }
    let profile = unified.unwrap_or(Profile::newest());
    let settings = attempt.unified(profile, &mut reasons).map(|settings| attempt.placed(&settings));
    let deployment = if known.limit.is_some() { Deployment::Yarn } else { Deployment::Standalone };
    Inference { settings, profile, deployment, role, reasons }
}

fn oldest() -> &'static Profile {
    Profile::all().first().unwrap_or(Profile::newest())
}

/// Keys and values, as they would be written.
type Settings = Vec<(&'static str, String)>;

struct Attempt<'a> {
    command: &'a CommandLine,
    known: &'a Known<'a>,
    role: Role,
}

impl Attempt<'_> {
    fn heap(&self) -> Bytes {
        self.command.xmx.as_ref().map_or(Bytes::ZERO, |flag| flag.bytes)
    }

    fn with(&self, settings: &[(&'static str, String)]) -> Config {
        let mut config = self.known.config.clone();
        for Placed { key, value, place, written } in self.placed(settings) {
            config.put(key, value, place, written);
        }
        config
    }

    fn placed(&self, settings: &[(&'static str, String)]) -> Vec<Placed> {
        let place = &self.known.place;
        settings
            .iter()
            .map(|(key, value)| Placed {
                key: (*key).to_owned(),
                value: Value::text(value),
                place: place.clone(),
                written: None,
            })
            .collect()
    }

    /// Whether a configuration gives the flags.
    fn gives(&self, config: &Config, profile: &'static Profile, deployment: Deployment) -> bool {
        let question = self.question(deployment);
        let Ok(plan) = plan(config, profile, &question) else { return false };
        let same = |flag: &Option<Flag>, size: Option<Bytes>| flag.as_ref().map(|flag| flag.bytes) == size;
        let metaspace = plan.budget.part(Component::JvmMetaspace).map(|figure| figure.bytes);
        self.heap() == plan.budget.heap()
            && same(&self.command.direct, plan.direct)
            && same(&self.command.metaspace, metaspace)
    }

    fn question(&self, deployment: Deployment) -> Question {
        Question { role: self.role, deployment, consumers: Vec::new(), managed_backend: true, stores: Vec::new() }
    }

    /// The model of Flink 1.9 and earlier in a container.
    fn cut_off(&self, profile: &'static Profile, reasons: &mut Vec<String>) -> Option<Settings> {
        if self.command.metaspace.is_some() {
            return None;
        }
        let heap = self.heap();
        let whole_mib = |bytes: Bytes| bytes.get() == bytes.whole_mib() << 20;
        let (key, container) = match (self.role, &self.command.direct) {
            (Role::TaskManager, Some(direct)) if whole_mib(heap) && whole_mib(direct.bytes) => {
                (keys::TM_HEAP_SIZE.name(), heap.checked_add(direct.bytes)?)
            }
            (Role::JobManager, None) if whole_mib(heap) => (keys::JM_HEAP_SIZE.name(), self.cut_off_master(profile)?),
            _ => return None,
        };
        let settings = vec![(key, format!("{}m", container.whole_mib()))];
        let version = profile.version();
        if !self.gives(&self.with(&settings), profile, Deployment::Yarn) {
            if self.known.limit == Some(container) {
                reasons.push(format!(
                    "Heap and direct memory are together {container}, the whole container: that is how Flink {version} \
                     and earlier divide one, though not with the default cut-off and network memory"
                ));
            }
            return None;
        }
        let flags = self.shown_flags();
        if self.role == Role::JobManager {
            reasons.push(format!(
                "{flags} is what Flink {version} and earlier start a JobManager with in a container of {container}: the \
                 container less a cut-off of a quarter, and at least 600 MiB (containerized.heap-cutoff-ratio, \
                 containerized.heap-cutoff-min)"
            ));
            return Some(settings);
        }
        let direct = self.command.direct.as_ref()?.bytes;
        let limit = match self.known.limit {
            Some(limit) if limit == container => ", the limit that the text states",
            _ => "",
        };
        reasons.push(format!(
            "{flags} is exactly what Flink {version} and earlier start a TaskManager with in a YARN container of \
             {container}{limit}: {heap} of heap and {direct} of direct memory are together {container}, the whole \
             container"
        ));
        reasons.push(
            "So nothing is left for RocksDB, metaspace, compiled code, thread stacks or what malloc keeps: whatever they \
             take, heap and direct memory must leave unused, and nothing makes them. In a larger container, heap and \
             direct memory grow along and leave nothing again"
                .to_owned(),
        );
        Some(settings)
    }

    /// The container of a JobManager whose heap is what the cut-off leaves.
    fn cut_off_master(&self, profile: &'static Profile) -> Option<Bytes> {
        let gives = |mib: u64| {
            let config = self.with(&[(keys::JM_HEAP_SIZE.name(), format!("{mib}m"))]);
            self.gives(&config, profile, Deployment::Yarn)
        };
        let heap = self.heap().whole_mib();
        // A quarter less, or 600 MiB less.
        let candidates =
            [self.known.limit.map(Bytes::whole_mib), heap.checked_add(600), heap.checked_mul(4).map(|n| n / 3)];
        let mib = candidates.into_iter().flatten().flat_map(|mib| [mib, mib + 1]).find(|mib| gives(*mib))?;
        Bytes::mib(1).checked_mul(mib)
    }

    fn why_not_unified(&self, reasons: &mut Vec<String>) {
        let xmx = self.command.xmx.as_ref().map_or("", |flag| flag.text.as_str());
        reasons.push(format!(
            "Not Flink 1.10 or later{}: it passes -XX:MaxMetaspaceSize, which is missing, writes sizes in bytes and not as \
             {xmx}, and keeps managed memory and JVM overhead out of heap and direct memory",
            if self.role == Role::JobManager { " (1.11 for a JobManager)" } else { "" }
        ));
    }

    fn shown_flags(&self) -> String {
        let named = [
            ("-Xms", &self.command.xms),
            ("-Xmx", &self.command.xmx),
            ("-XX:MaxDirectMemorySize=", &self.command.direct),
            ("-XX:MaxMetaspaceSize=", &self.command.metaspace),
        ];
        let shown: Vec<String> =
            named.iter().filter_map(|(name, flag)| flag.as_ref().map(|flag| format!("{name}{}", flag.text))).collect();
        shown.join(" ")
    }

    /// The model of 1.10 and later.
    fn unified(&self, profile: &'static Profile, reasons: &mut Vec<String>) -> Option<Settings> {
        let flags = self.shown_flags();
        let version = profile.version();
        if self.command.metaspace.is_none() {
            reasons.push(format!(
                "{flags} fits no model of Flink: 1.10 and later pass -XX:MaxMetaspaceSize, which is missing, and before, \
                 heap and direct memory made up the whole container in whole MiB. Somebody set these flags by hand, or the \
                 line is cut"
            ));
            return None;
        }
        let key = match self.role {
            Role::TaskManager => keys::TM_PROCESS.name(),
            Role::JobManager => keys::JM_PROCESS.name(),
        };
        if let Some(mib) = self.process_size(profile, key) {
            reasons.push(format!(
                "{flags} is exactly what Flink {version} starts a {} with for {key}: {mib}m and no other option of memory",
                self.role
            ));
            return Some(vec![(key, format!("{mib}m"))]);
        }
        let (settings, assumed) = self.pinned(profile)?;
        if !self.gives(&self.with(&settings), profile, Deployment::Standalone) {
            reasons.push(format!("{flags} could not be traced back to a configuration of Flink {version}"));
            return None;
        }
        reasons.push(format!(
            "{flags} is what Flink {version} starts a {} with when the parts below are set so; the flags alone do not tell \
             all of them: {assumed}",
            self.role
        ));
        Some(settings)
    }

    /// The whole MiB of a process that give the flags, with every other option at its default.
    fn process_size(&self, profile: &'static Profile, key: &'static str) -> Option<u64> {
        let config = |mib: u64| self.with(&[(key, format!("{mib}m"))]);
        let gives = |mib: u64| self.gives(&config(mib), profile, Deployment::Standalone);
        if let Some(limit) = self.known.limit {
            return Some(limit.whole_mib()).filter(|mib| gives(*mib));
        }
        // The heap grows with the process.
        let question = self.question(Deployment::Standalone);
        let heap = |mib: u64| plan(&config(mib), profile, &question).map_or(Bytes::ZERO, |plan| plan.budget.heap());
        let (mut low, mut high) = (1, 16 << 20);
        while low < high {
            let middle = low + (high - low) / 2;
            if heap(middle) < self.heap() { low = middle + 1 } else { high = middle }
        }
        gives(low).then_some(low)
    }

    /// Every part set as the flags tell, and in words what they do not tell.
    fn pinned(&self, profile: &'static Profile) -> Option<(Settings, String)> {
        let heap = self.heap();
        let metaspace = self.command.metaspace.as_ref()?.bytes;
        let bytes = |size: Bytes| format!("{}b", size.get());
        if self.role == Role::JobManager {
            let settings = vec![(keys::JM_HEAP.name(), bytes(heap)), (keys::JM_METASPACE.name(), bytes(metaspace))];
            return Some((settings, "off-heap memory and JVM overhead are taken at their defaults".to_owned()));
        }
        let direct = self.command.direct.as_ref()?.bytes;
        let default = |key| profile.option(key).and_then(|row| Bytes::parse_flink(row.default?).ok());
        let framework_heap = default(keys::FRAMEWORK_HEAP.name())?.min(heap);
        let framework_off_heap = default(keys::FRAMEWORK_OFF_HEAP.name())?.min(direct);
        let network = direct.checked_sub(framework_off_heap)?;
        let mut settings = vec![
            (keys::FRAMEWORK_HEAP.name(), bytes(framework_heap)),
            (keys::TASK_HEAP.name(), bytes(heap.checked_sub(framework_heap)?)),
            (keys::FRAMEWORK_OFF_HEAP.name(), bytes(framework_off_heap)),
            (keys::TASK_OFF_HEAP.name(), bytes(Bytes::ZERO)),
            (keys::NETWORK_MIN.name(), bytes(network)),
            (keys::NETWORK_MAX.name(), bytes(network)),
            (keys::TM_METASPACE.name(), bytes(metaspace)),
        ];
        let split = "direct memory may be divided otherwise between network and off-heap";
        if let Some(limit) = self.known.limit {
            // With everything but managed memory set, the process leaves it the rest.
            let rest = |managed: Bytes| {
                let mut settings = settings.clone();
                settings.push((keys::MANAGED_SIZE.name(), bytes(managed)));
                let plan = plan(&self.with(&settings), profile, &self.question(Deployment::Standalone)).ok()?;
                Some((plan.budget.total_process().bytes, settings))
            };
            let (mut low, mut high) = (0, limit.get());
            while low < high {
                let middle = low + (high - low).div_ceil(2);
                match rest(Bytes::new(middle)) {
                    Some((total, _)) if total <= limit => low = middle,
                    _ => high = middle - 1,
                }
            }
            let (total, settings) = rest(Bytes::new(low))?;
            let managed = Bytes::new(low);
            return (total == limit)
                .then_some((settings, format!("{split}, and managed memory is what the container leaves, {managed}")));
        }
        let flink = heap.checked_add(direct)?;
        // Managed memory takes its default share: 0.4 of the whole, two thirds of what is not managed.
        let managed = Bytes::new(flink.get() / 3 * 2);
        settings.push((keys::MANAGED_SIZE.name(), bytes(managed)));
        let assumed = format!(
            "{split}; managed memory leaves no trace in them and is taken at the default share of 0.4, {managed}; give the \
             container's size with --set {}=...",
            keys::TM_PROCESS.name()
        );
        Some((settings, assumed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::command_line;
    use crate::model::Source;

    fn inferred(text: &str, limit: Option<Bytes>) -> Inference {
        let config = Config::new();
        let command = command_line::parse(text).remove(0).what;
        let known = Known { config: &config, profile: None, role: None, limit, place: Place::of(Source::Stdin) };
        infer(&command, &known)
    }

    fn set(inference: &Inference, key: &str) -> Option<String> {
        let setting = inference.settings.as_ref()?.iter().find(|setting| setting.key == key)?;
        Some(setting.value.java_text().into_owned())
    }

    #[test]
    fn heap_and_direct_memory_that_fill_the_container_are_flink_1_9() {
        let inference = inferred("java -Xms2764m -Xmx2764m -XX:MaxDirectMemorySize=1332m", Some(Bytes::gib(4)));
        assert_eq!(inference.profile.version().to_string(), "1.9");
        assert_eq!(set(&inference, "taskmanager.heap.size").as_deref(), Some("4096m"));
        let reasons = inference.reasons.join("\n");
        assert!(reasons.contains("nothing is left for RocksDB, metaspace"), "{reasons}");
        assert!(reasons.contains("Not Flink 1.10 or later"), "{reasons}");
    }

    #[test]
    fn flags_of_the_unified_model_lead_back_to_the_process_size() {
        let flags = "java -Xmx536870902 -Xms536870902 -XX:MaxDirectMemorySize=268435458 -XX:MaxMetaspaceSize=268435456";
        let inference = inferred(flags, None);
        assert_eq!(set(&inference, "taskmanager.memory.process.size").as_deref(), Some("1728m"));
    }

    #[test]
    fn flags_of_another_division_are_pinned_and_what_they_do_not_tell_is_said() {
        let flags =
            "java -Xmx1610612736 -Xms1610612736 -XX:MaxDirectMemorySize=402653184 -XX:MaxMetaspaceSize=268435456";
        let inference = inferred(flags, Some(Bytes::gib(4)));
        assert_eq!(set(&inference, "taskmanager.memory.network.min").as_deref(), Some("268435456b"));
        assert_eq!(inference.deployment, Deployment::Yarn);
        let unlimited = inferred(flags, None);
        assert!(unlimited.reasons.join("\n").contains("managed memory leaves no trace"), "{:?}", unlimited.reasons);
    }

    #[test]
    fn a_job_managers_heap_is_led_back_to_its_container() {
        let inference =
            inferred("java -Xms424m -Xmx424m org.apache.flink.yarn.entrypoint.YarnJobClusterEntrypoint", None);
        assert_eq!((inference.role, inference.deployment), (Role::JobManager, Deployment::Yarn));
        assert_eq!(set(&inference, "jobmanager.heap.size").as_deref(), Some("1024m"));
    }

    #[test]
    fn flags_that_no_model_gives_are_said_to_be_so() {
        let inference = inferred("java -Xmx1000m -XX:MaxDirectMemorySize=77777", None);
        assert!(inference.settings.is_none());
        assert!(inference.reasons.join("").contains("fits no model"), "{:?}", inference.reasons);
    }
}
