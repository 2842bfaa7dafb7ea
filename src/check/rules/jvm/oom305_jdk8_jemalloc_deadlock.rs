use super::jdk;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Role};

rule! {
    /// An old JDK 8 runs with jemalloc, which can leave threads waiting for a lock that nobody holds.
    ///
    /// ### Why
    /// With jemalloc 5 and later below it, a JDK 8 up to update 192 was seen with threads that wait for an object monitor
    /// whose owner had left it (JDK-8215355): the TaskManager stands still without an error. jemalloc 4.5 does not show it,
    /// and a JDK with the fix, as 8u256, does not either.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.home: /usr/java/jdk1.8.0_192
    /// containerized.taskmanager.env.LD_PRELOAD: /usr/lib64/libjemalloc.so.2
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.home: /usr/java/jdk1.8.0_392
    /// containerized.taskmanager.env.LD_PRELOAD: /usr/lib64/libjemalloc.so.2
    /// ```
    ///
    /// ### Sources
    /// - https://github.com/jemalloc/jemalloc/issues/1392: jemalloc 5.1 and 5.2, JDK 8u181 among others; 4.5 is fine; the bug
    ///   is the JVM's, JDK-8215355.
    /// - A team's report on Flink at vivo: 8u192 with jemalloc 5.3 deadlocks, 8u256 with 5.3 does not.
    "OOM305" "jdk8-jemalloc-deadlock" {
        confidence: Confidence::Medium,
        check: check,
    }
}

/// The last update that the sources name as broken; between it and 256 they say nothing.
const LAST_BROKEN: u16 = 192;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let preloads = [
        (Role::TaskManager, "containerized.taskmanager.env.LD_PRELOAD"),
        (Role::JobManager, "containerized.master.env.LD_PRELOAD"),
    ];
    for (role, key) in preloads {
        let mut pod = case.pod(role).into_iter().flat_map(|pod| &pod.variables);
        let variable = pod.find(|variable| variable.name == "LD_PRELOAD");
        let stated = variable.and_then(|variable| Some((variable.value.clone()?, variable.place.clone())));
        let written = || case.exactly(key).map(|written| (written.text().into_owned(), written.place().clone()));
        let Some((text, preload)) = stated.or_else(written) else { continue };
        let text = text.to_lowercase();
        // The name of the file tells an old one only where it holds the release.
        if !text.contains("jemalloc") || text.contains("jemalloc-4") || text.contains("jemalloc.so.1") {
            continue;
        }
        let Some(jdk) = jdk::named(case, role).filter(|jdk| jdk.release == 8) else { continue };
        let (Some(update), Some(place)) = (jdk.update, jdk.place) else { continue };
        if update > LAST_BROKEN {
            continue;
        }
        found
            .find(format!("JDK 8u{update} with jemalloc can stand still, waiting for a lock that nobody holds"))
            .at(&place, "without the fix of JDK-8215355")
            .at(&preload, format!("the allocator of the {role}"))
            .help("use a current JDK 8, or 11 and later; until then jemalloc 4.5 or glibc with MALLOC_ARENA_MAX");
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("/usr/java/jdk1.8.0_181", "/usr/lib64/libjemalloc.so.2", true)]
    #[case("/usr/java/jdk1.8.0_292", "/usr/lib64/libjemalloc.so.2", false)]
    #[case("/usr/lib/jvm/java-1.8.0-openjdk", "/usr/lib64/libjemalloc.so.2", false)]
    #[case("/usr/lib/jvm/java-11-openjdk", "/usr/lib64/libjemalloc.so.2", false)]
    #[case("/usr/java/jdk1.8.0_181", "/usr/lib64/libjemalloc.so.1", false)]
    #[case("/usr/java/jdk1.8.0_181", "/usr/lib64/libtcmalloc.so.4", false)]
    fn both_have_to_be_old_or_new_enough(#[case] home: &str, #[case] preload: &str, #[case] expected: bool) {
        let text = format!(
            "# oomph: flink=1.14\ncontainerized.taskmanager.env.JAVA_HOME: {home}\n\
             containerized.taskmanager.env.LD_PRELOAD: {preload}\n"
        );
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM305"), expected);
    }
}
