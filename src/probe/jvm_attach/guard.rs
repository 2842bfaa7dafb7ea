//! Who may be asked, and who may be sent a signal. A SIGQUIT ends a process that does not catch it, so every doubt is a no.

use crate::model::{Seen, Unseen};
use crate::probe::hsperf;
use crate::probe::root::Root;

/// The bit of SIGQUIT (3) in the masks of `/proc/PID/status`.
const SIGQUIT: u64 = 1 << 2;

/// The variables from which a JVM and its launcher take options.
const OPTION_VARIABLES: [&str; 3] = ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"];

/// What a process says of itself, read at one time.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub pid: u32,
    /// Its number in its own pid namespace, by which it names its socket.
    pub within: u32,
    /// When it started, in clock ticks since boot: two processes of one number differ in it.
    pub started: u64,
    /// Effective user and group.
    pub uid: u32,
    pub gid: u32,
    state: u8,
    catches_sigquit: bool,
    /// All its options, wherever they are from.
    options: Vec<String>,
    maps: Seen<String>,
    environment: Seen<()>,
    has_performance_data: bool,
}

impl Target {
    pub(super) fn of(root: &Root, pid: u32) -> Seen<Target> {
        let status = String::from_utf8_lossy(&root.read_of(pid, "status")?).into_owned();
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let told = |name: &str| line(name).ok_or_else(|| Unseen::because(format!("/proc/{pid}/status has no {name}")));
        let effective = |name: &str| -> Seen<u32> {
            let ids = told(name)?;
            let second = ids.split_whitespace().nth(1).and_then(|id| id.parse().ok());
            second.ok_or_else(|| Unseen::because(format!("/proc/{pid}/status: no effective id in {name} {ids}")))
        };
        let caught = u64::from_str_radix(told("SigCgt:")?, 16).unwrap_or_default();
        let (state, started) = hsperf::state_and_start(root, pid)
            .ok_or_else(|| Unseen::because(format!("/proc/{pid}/stat does not say when the process started")))?;
        let mut options = words(&root.read_of(pid, "cmdline")?);
        let environment = root.read_of(pid, "environ").map(|bytes| options.extend(options_of(&bytes)));
        let perf = hsperf::read_of(root, pid).ok();
        if let Some(perf) = &perf {
            let texts = [&perf.vm_args, &perf.vm_flags].into_iter().flatten();
            options.extend(texts.flat_map(|text| text.split_whitespace()).map(str::to_owned));
        }
        Ok(Target {
            pid,
            within: hsperf::pid_within(root, pid)?,
            started,
            uid: effective("Uid:")?,
            gid: effective("Gid:")?,
            state,
            catches_sigquit: caught & SIGQUIT != 0,
            options,
            maps: root.read_of(pid, "maps").map(|maps| String::from_utf8_lossy(&maps).into_owned()),
            environment,
            has_performance_data: perf.is_some(),
        })
    }

    /// Whether a socket of it may be used, if there is one: a JVM answers its own user and root.
    pub(super) fn may_be_asked(&self) -> Seen<()> {
        let user = rustix::process::geteuid().as_raw();
        let group = rustix::process::getegid().as_raw();
        if user != 0 && user != self.uid {
            return Err(Unseen::because(format!("the JVM is uid {}'s and answers nobody else but root", self.uid))
                .granted_by(format!("run as uid {} (runAsUser: {} in a debug container)", self.uid, self.uid)));
        }
        if user != 0 && group != self.gid {
            return Err(Unseen::because(format!("the JVM runs with group {} and answers no other group", self.gid))
                .granted_by(format!("run with group {} (runAsGroup: {})", self.gid, self.gid)));
        }
        match self.state {
            b'T' | b't' => Err(Unseen::because("the process is stopped and cannot answer").granted_by("continue it")),
            b'Z' | b'X' | b'x' => Err(Unseen::because("the process has ended")),
            _ => Ok(()),
        }
    }

    /// Whether it may be sent SIGQUIT: it is a HotSpot JVM, it lets itself be attached to, and it catches the signal.
    pub(super) fn may_be_signalled(&self) -> Seen<()> {
        let maps = self.maps.as_ref().map_err(Clone::clone)?;
        // Eclipse OpenJ9 has a libjvm.so, too, which leads to its libj9vm.
        if maps.lines().any(|line| file_name(line).starts_with("libj9")) {
            return Err(Unseen::because("the process is an Eclipse OpenJ9 JVM, which has another attach protocol"));
        }
        if !maps.lines().any(|line| file_name(line) == "libjvm.so") {
            return Err(Unseen::because("the process is no HotSpot JVM: libjvm.so is not mapped"));
        }
        let has_options = self.options.iter().any(|option| option.starts_with("-XX:"));
        if !self.has_performance_data && !has_options {
            return Err(Unseen::because(
                "the process maps libjvm.so but has neither performance data nor -XX options, so it is not proven to be a \
                 HotSpot JVM",
            ));
        }
        // JDK 17 and later read options from files, too; those are in the performance data.
        self.environment.as_ref().map_err(Clone::clone)?;
        let has = |name: &str| self.options.iter().any(|option| option == name);
        if let Some(option) =
            ["-XX:+DisableAttachMechanism", "+DisableAttachMechanism"].into_iter().find(|name| has(name))
        {
            return Err(Unseen::because("the JVM runs with -XX:+DisableAttachMechanism")
                .granted_by(format!("start the JVM without {option}")));
        }
        if let Some(option) =
            ["-Xrs", "-XX:+ReduceSignalUsage", "+ReduceSignalUsage"].into_iter().find(|name| has(name))
        {
            return Err(Unseen::because(format!("the JVM runs with {option}: the signal would end it"))
                .granted_by(format!("start the JVM without {option}")));
        }
        if !self.catches_sigquit {
            return Err(Unseen::because(
                "the process does not catch SIGQUIT (SigCgt in its status): the signal would end it. The JVM has just \
                 started, or a library has taken the signal",
            ));
        }
        Ok(())
    }
}

/// The last part of the path in a line of `maps`.
fn file_name(line: &str) -> &str {
    let path = line.trim_end_matches(" (deleted)");
    path.rsplit('/').next().filter(|_| path.contains('/')).unwrap_or_default()
}

fn words(zero_ended: &[u8]) -> Vec<String> {
    let parts = zero_ended.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// The options in the variables that a JVM reads; nothing else of an environment is kept, as it holds secrets.
fn options_of(environment: &[u8]) -> Vec<String> {
    let variables = environment.split(|byte| *byte == 0);
    let ours = variables.filter_map(|variable| {
        let text = std::str::from_utf8(variable).ok()?;
        let (name, value) = text.split_once('=')?;
        OPTION_VARIABLES.contains(&name).then_some(value)
    });
    // A JVM takes quotes away; what it takes for an option must not hide behind one.
    let words =
        ours.flat_map(|value| value.split(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'')));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    /// A JVM that may be signalled; each test takes one thing away.
    fn jvm() -> Target {
        Target {
            pid: 700,
            within: 7,
            started: 5,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            state: b'S',
            catches_sigquit: true,
            options: vec!["-Xmx1g".to_owned(), "-XX:MaxMetaspaceSize=256m".to_owned()],
            maps: Ok("7f00-7f01 r-xp 0 08:01 1  /usr/lib/jvm/lib/server/libjvm.so\n".to_owned()),
            environment: Ok(()),
            has_performance_data: true,
        }
    }

    fn why(target: &Target) -> String {
        target.may_be_signalled().unwrap_err().why
    }

    #[test]
    fn a_hotspot_jvm_may_be_signalled() {
        assert_eq!(jvm().may_be_signalled(), Ok(()));
        assert_eq!(jvm().may_be_asked(), Ok(()));
        let without_data = Target { has_performance_data: false, ..jvm() };
        assert_eq!(without_data.may_be_signalled(), Ok(()));
        let with_neither = Target { options: vec![], ..without_data };
        assert!(why(&with_neither).contains("not proven"));
    }

    #[test]
    fn a_process_that_does_not_catch_the_signal_never_is() {
        assert!(why(&Target { catches_sigquit: false, ..jvm() }).contains("does not catch SIGQUIT"));
    }

    #[test]
    fn an_option_anywhere_forbids_it() {
        for option in ["-Xrs", "-XX:+ReduceSignalUsage", "-XX:+DisableAttachMechanism", "+DisableAttachMechanism"] {
            let options = vec!["-XX:+UseG1GC".to_owned(), option.to_owned()];
            let unseen = Target { options, ..jvm() }.may_be_signalled().unwrap_err();
            assert!(unseen.grant.unwrap().ends_with(option));
        }
        let environment = b"PATH=/bin\0JAVA_TOOL_OPTIONS=-Da=b '-XX:+DisableAttachMechanism'\0SECRET=-Xrs\0";
        assert_eq!(options_of(environment), ["-Da=b", "-XX:+DisableAttachMechanism"]);
    }

    #[test]
    fn what_is_no_hotspot_jvm_never_is() {
        let maps = |text: &str| Target { maps: Ok(text.to_owned()), ..jvm() };
        assert!(why(&maps("7f00-7f01 r-xp 0 08:01 1 /bin/sleep\n")).contains("no HotSpot JVM"));
        assert!(why(&maps("7f00-7f01 r-xp 0 08:01 1 libjvm.so\n")).contains("no HotSpot JVM"));
        let openj9 =
            "7f00-7f01 r-xp 0 08:01 1 /opt/lib/j9vm/libjvm.so\n7f00-7f01 r-xp 0 08:01 1 /opt/lib/libj9vm29.so\n";
        assert!(why(&maps(openj9)).contains("OpenJ9"));
    }

    #[test]
    fn what_cannot_be_read_forbids_it() {
        let closed = || Unseen::because("permission denied");
        assert_eq!(why(&Target { environment: Err(closed()), ..jvm() }), "permission denied");
        assert_eq!(why(&Target { maps: Err(closed()), ..jvm() }), "permission denied");
    }

    #[test]
    fn a_stopped_or_dead_process_is_not_asked() {
        assert!(Target { state: b'T', ..jvm() }.may_be_asked().unwrap_err().why.contains("stopped"));
        assert!(Target { state: b'Z', ..jvm() }.may_be_asked().unwrap_err().why.contains("ended"));
    }
}
