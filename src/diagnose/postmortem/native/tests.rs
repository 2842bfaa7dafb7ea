#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;
use crate::model::Area;

fn says(text: &str) -> Vec<Says> {
    signals(&Excerpt::plain(text)).into_iter().map(|signal| signal.says).collect()
}

fn killers(text: &str) -> Vec<(Killer, Option<Area>)> {
    let each = says(text).into_iter().filter_map(|says| match says {
        Says::Death(death) => Some((death.killer, death.area)),
        _ => None,
    });
    each.collect()
}

#[test]
fn a_bad_allocation_is_the_jvms_only_in_a_jvm() {
    let text = "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n";
    assert_eq!(killers(text), []);
    assert!(
        matches!(says(text).as_slice(), [Says::Ended(_), Says::Strain(strain)] if strain.area == Some(Area::Native))
    );
    let text = format!("org.apache.flink.runtime.taskexecutor.TaskManagerRunner\n{text}");
    assert_eq!(killers(&text), [(Killer::Jvm, Some(Area::Native))]);
}

#[test]
fn a_crash_report_of_the_abort_names_the_process() {
    let text = "terminate called after throwing an instance of 'std::bad_alloc'\n#\n# A fatal error has been detected by the \
                Java Runtime Environment:\n#\n#  SIGABRT (0x6) at pc=0x00007f, pid=311, tid=412\n";
    let found = says(text);
    assert!(
        matches!(&found[0], Says::Death(death) if death.pid == Some(311) && death.killer == Killer::Jvm),
        "{found:?}"
    );
}

#[test]
fn what_is_not_memory_is_named() {
    for text in ["free(): invalid pointer\n", "x: No space left on device\n", "Segmentation fault\n"] {
        assert!(matches!(says(text).as_slice(), [Says::OtherReason { .. }]), "{text}");
    }
}

#[test]
fn python_dies_of_memory_or_of_something_unsaid() {
    assert_eq!(killers("MemoryError\n"), [(Killer::Python, Some(Area::Native))]);
    let text = "Failed to create stage bundle factory!\nCaused by: java.lang.IllegalStateException: Process died with exit code 137\n";
    assert!(matches!(says(text).as_slice(), [Says::Consequence, Says::Ended(Ended { exit: Some(137), .. })]));
    assert!(matches!(says("Process died with exit code 0\n").as_slice(), [Says::Consequence]));
    assert!(matches!(
        says("details = \"Multiplexer hanging up\"\n").as_slice(),
        [Says::OtherReason { ends: false, .. }]
    ));
}
