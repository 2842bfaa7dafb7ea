//! Where a process ends itself or is asked to: `FatalExitExceptionHandler`, `TaskManagerRunner.onFatalError`,
//! `ClusterEntrypoint.onFatalError`, `SignalHandler`, and the watchdog of a task that does not stop
//! (`Task.TaskCancelerWatchDog`).

use std::sync::LazyLock;

use super::{At, MOST_MESSAGES, Sentence, end_of_message, group, number, span};

/// An exception as a log prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thrown {
    /// Its class with the package.
    pub class: String,
    /// Its message, the first line of it.
    pub message: String,
}

/// How a process came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fatal {
    /// It ended itself for a fault.
    Itself {
        /// The sentence as it stands.
        sentence: String,
        /// What was thrown, the outermost first.
        thrown: Vec<Thrown>,
    },
    /// It could not be brought up.
    NotStarted {
        /// What was thrown, the outermost first.
        thrown: Vec<Thrown>,
    },
    /// It was sent a signal and obeys.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// A task is asked to stop and does not.
    Stuck {
        /// The task.
        task: String,
    },
    /// A task did not stop in time, for which the process ends itself.
    NotStopped {
        /// The seconds that it had.
        seconds: Option<u64>,
    },
    /// A process says with which code it ends.
    Exit {
        /// The code.
        code: i32,
    },
}

static ITSELF: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Fatal error occurred (?:while executing the TaskManager|in TaskExecutor|in the cluster entrypoint",
        r"|in ResourceManager)|FATAL: Thread '[^'\n]*' produced an uncaught exception\. Stopping the process",
        r"|FATAL - exiting process",
    ))
});
static NOT_STARTED: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"TaskManager initialization failed|Could not start cluster entrypoint",
        r"|Failed to run the TaskManager|Failed to initialize the cluster entrypoint",
    ))
});
static SIGNAL: LazyLock<Sentence> = LazyLock::new(|| Sentence::new(r"RECEIVED SIGNAL (?<signal>\d{1,2})"));
static STUCK: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Task '(?<task>[^'\n]+)' did not react to cancelling signal"));
static NOT_STOPPED: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Task did not exit gracefully within (?<seconds>\d+)"));
static EXIT: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(r"Terminating (?:cluster entrypoint process \S+|TaskManagerRunner) with exit code (?<code>-?\d{1,6})")
});
static THROWN: LazyLock<Sentence> = LazyLock::new(|| {
    // An exception stands in one line, whatever stands before it there.
    Sentence::as_is(concat!(
        r#"(?m)(?:^|[\s:>|"-]|\\n)(?:Caused by: )?(?<class>(?:[a-z_][a-z0-9_]*\.){2,8}[A-Z][\w$]*"#,
        r"(?:Exception|Error|Throwable|Failure))(?:: ?(?<message>[^\n\\]*))?(?:$|\\)",
    ))
});

/// The exceptions that a text prints, in its order.
pub fn thrown(text: &str) -> Vec<At<Thrown>> {
    let read = |captures: regex::Captures<'_>| {
        let class = captures.name("class")?;
        let message = group(&captures, "message").unwrap_or_default().trim().to_owned();
        let end = captures.name("message").map_or(class.end(), |message| message.end());
        Some(At { span: class.start()..end, what: Thrown { class: class.as_str().to_owned(), message } })
    };
    THROWN.all(text).filter_map(read).collect()
}

/// Every such end in a text, in its order.
pub fn ends(text: &str) -> Vec<At<Fatal>> {
    let mut found = Vec::new();
    let thrown_behind = |end: usize| -> Vec<Thrown> {
        let rest = text.get(end..end_of_message(text, end)).unwrap_or_default();
        thrown(rest).into_iter().map(|thrown| thrown.what).collect()
    };
    for captures in ITSELF.all(text).take(MOST_MESSAGES) {
        let span = span(&captures);
        let sentence = text.get(span.clone()).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        found.push(At { what: Fatal::Itself { sentence, thrown: thrown_behind(span.end) }, span });
    }
    for captures in NOT_STARTED.all(text).take(MOST_MESSAGES) {
        let span = span(&captures);
        found.push(At { what: Fatal::NotStarted { thrown: thrown_behind(span.end) }, span });
    }
    let signals = SIGNAL.all(text).filter_map(|captures| {
        let signal = number(&captures, "signal")?;
        Some(At { span: span(&captures), what: Fatal::Signal { signal } })
    });
    found.extend(signals);
    let stuck = STUCK.all(text).filter_map(|captures| {
        let task = group(&captures, "task")?.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(At { span: span(&captures), what: Fatal::Stuck { task } })
    });
    found.extend(stuck);
    found.extend(NOT_STOPPED.all(text).map(|captures| At {
        span: span(&captures),
        what: Fatal::NotStopped { seconds: number(&captures, "seconds") },
    }));
    let exits = EXIT.all(text).filter_map(|captures| {
        let code = number(&captures, "code")?;
        Some(At { span: span(&captures), what: Fatal::Exit { code } })
    });
    found.extend(exits);
    found.sort_by_key(|end| end.span.start);
    found
}
