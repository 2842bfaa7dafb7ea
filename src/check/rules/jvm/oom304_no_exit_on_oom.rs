use super::java_options::{JavaOptions, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Confidence, Role};

rule! {
    /// OutOfMemoryErrors are expected, and a TaskManager lives on after one.
    ///
    /// ### Why
    /// Whoever asks for heap dumps expects OutOfMemoryErrors. Full metaspace ends a TaskManager by itself; a full heap by
    /// default only fails the task whose thread got the error. The TaskManager stays, with whatever the error left behind:
    /// threads of connectors that ended, caches half filled, the next task of the same slot short of the same memory.
    /// Errors in threads that are not Flink's fail nothing at all, and the job hangs. `taskmanager.jvm-exit-on-oom: true`
    /// ends the process when a task sees the error, `-XX:+ExitOnOutOfMemoryError` whoever sees it first; either way Flink
    /// starts another and recovers from a checkpoint.
    /// The dump is written before the process ends.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/data/dumps
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/data/dumps -XX:+ExitOnOutOfMemoryError
    /// ```
    ///
    /// ### Sources
    /// - `Task.run` and `TaskManagerRuntimeInfo.shouldExitJvmOnOutOfMemoryError`, Flink 1.9 to 2.3: `Runtime.halt` where the
    ///   option is set; https://github.com/apache/flink/pull/3276.
    /// - An error in a connector's thread, and a job that hangs: https://github.com/apache/flink-cdc/issues/2016.
    /// - A TaskManager that could not end after one: https://github.com/apache/flink/pull/17668 (FLINK-24401).
    /// - Own measurement, Flink 1.20.5: with a full heap the TaskManager hung, and its log did not hold the words; with full
    ///   metaspace it ended with 239.
    "OOM304" "no-exit-on-oom" {
        confidence: Confidence::Medium,
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let options = JavaOptions::of_role(case, Role::TaskManager);
    let command = options.last(&["-XX:OnOutOfMemoryError="]);
    // A command that ends the process is an exit of its own.
    if options.hidden || command.is_some_and(|(_, command)| command.contains("kill")) {
        return;
    }
    let Some(option) = options.on("HeapDumpOnOutOfMemoryError").or(command.map(|(option, _)| option)) else { return };
    let ends = ["ExitOnOutOfMemoryError", "CrashOnOutOfMemoryError"].iter().any(|name| options.on(name).is_some());
    let exit = "taskmanager.jvm-exit-on-oom";
    if ends || case.is_hidden(exit) || case.flag(exit) != Some(false) {
        return;
    }
    let mut draft = found
        .find("A TaskManager lives on after its heap was full")
        .at(option.place(), format!("{} expects them", shown(option)));
    if let Some(written) = case.find(exit) {
        draft =
            draft.at(written.place(), "only the task fails").unsafe_fix("end the process", case.set(written, "true"));
    } else {
        draft = draft.unsafe_fix("end the process", case.insert_below(option.written, exit, "true"));
    }
    draft
        .note(format!("{exit} is false: an error in a task fails the task, one in another thread fails nothing"))
        .help(format!("set {exit}: true, or -XX:+ExitOnOutOfMemoryError beside the dump"));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("-XX:+HeapDumpOnOutOfMemoryError", "", true)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError", "taskmanager.jvm-exit-on-oom: false\n", true)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError", "taskmanager.jvm-exit-on-oom: true\n", false)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError", "taskmanager.jvm-exit-on-oom: ${EXIT}\n", false)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError -XX:+CrashOnOutOfMemoryError", "", false)]
    #[case("-XX:+ExitOnOutOfMemoryError -XX:-ExitOnOutOfMemoryError -XX:+HeapDumpOnOutOfMemoryError", "", true)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError -XX:-HeapDumpOnOutOfMemoryError", "", false)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError -XX:OnOutOfMemoryError='kill -9 %p'", "", false)]
    #[case("-XX:OnOutOfMemoryError=/opt/upload.sh", "", true)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError ${EXTRA_OPTS}", "", false)]
    #[case("-XX:+UseG1GC", "", false)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError", "containerized.taskmanager.env.JAVA_TOOL_OPTIONS: -Da=b\n", false)]
    #[case("-XX:+HeapDumpOnOutOfMemoryError", "containerized.taskmanager.env.FLINK_ENV_JAVA_OPTS_TM: -Da=b\n", false)]
    fn only_expected_errors_without_an_exit_are_found(
        #[case] options: &str,
        #[case] more: &str,
        #[case] expected: bool,
    ) {
        let text = format!("# oomph: flink=1.20\nenv.java.opts.taskmanager: {options}\n{more}");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM304"), expected);
    }

    #[test]
    fn a_jobmanagers_options_are_not_meant() {
        let text = "# oomph: flink=1.20\nenv.java.opts.jobmanager: -XX:+HeapDumpOnOutOfMemoryError\n";
        assert!(!codes("config.yaml", text).contains(&"OOM304"));
    }

    #[test]
    fn the_option_is_written_below() {
        let text = "# oomph: flink=1.20\nenv.java.opts.all: -XX:+HeapDumpOnOutOfMemoryError\n";
        let fix = find("OOM304", "config.yaml", text).fix.unwrap();
        assert!(!fix.safe);
    }
}
