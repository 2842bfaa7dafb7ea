//! What can go wrong on the way to an answer. Every message names the address without its secrets, and what helps.

use std::io::ErrorKind;
use std::time::Duration;

use thiserror::Error;

use crate::artefact::flink_rest::AnswerError;
use crate::model::Unseen;

fn behind(said: &Option<String>) -> String {
    said.as_ref().map_or(String::new(), |said| format!(" ({said})"))
}

/// Why there is no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RestError {
    /// The address is none.
    #[error("{url} is no address of a REST: {why}; write http://HOST:8081")]
    BadUrl {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The address needs TLS.
    #[error(
        "{url}: this oomph is built without TLS; build it with `--features tls`, or ask over http from where the \
         JobManager is near (kubectl port-forward, ssh -L)"
    )]
    NoTls {
        /// The address.
        url: String,
    },
    /// Nobody listens.
    #[error("{url}: {why}; see that it is the JobManager's rest.port (8081) and that rest.bind-address lets others in")]
    Refused {
        /// The address.
        url: String,
        /// What the system says.
        why: String,
    },
    /// The host has no address.
    #[error("{url}: no such host; write its address, IP:PORT, or ask from where the name is known")]
    NoHost {
        /// The address.
        url: String,
    },
    /// Whoever knows names did not answer: a static program in an empty directory has no `/etc/resolv.conf`, and asks nobody.
    #[error("{url}: the name was not found out within {} ms; write its address, IP:PORT, or ask from where the name is known", after.as_millis())]
    NameUnanswered {
        /// The address.
        url: String,
        /// The patience.
        after: Duration,
    },
    /// It took too long.
    #[error("{url}: no whole answer within {} ms; the JobManager may be overloaded or a firewall silent: wait longer or ask from nearer", after.as_millis())]
    TimedOut {
        /// The address.
        url: String,
        /// The patience.
        after: Duration,
    },
    /// 404.
    #[error(
        "{url}: not found{}; see that the address is Flink's, with the path of a proxy before it, and that what is asked for still exists",
        behind(said)
    )]
    NotFound {
        /// The address.
        url: String,
        /// What the answer says.
        said: Option<String>,
    },
    /// 401 or 403.
    #[error("{url}: not allowed ({status}); write http://USER:PASSWORD@HOST where a proxy asks for a password")]
    NotAllowed {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// Another status.
    #[error("{url}: status {status}{}; see the JobManager's log, or that of the proxy before it", behind(said))]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// What the answer says.
        said: Option<String>,
    },
    /// The answer leads elsewhere.
    #[error("{url}: redirected to {to}, which is not asked; write that address where it is Flink's")]
    Redirected {
        /// The address.
        url: String,
        /// Where to.
        to: String,
    },
    /// The answer is larger than any of Flink's.
    #[error("{url}: the answer is larger than {most} bytes; see that the address is Flink's")]
    TooLarge {
        /// The address.
        url: String,
        /// What is read at most.
        most: u64,
    },
    /// The answer is not Flink's.
    #[error("{url}: {error}; see that the address is Flink's, with the path of a proxy before it")]
    NotFlink {
        /// The address.
        url: String,
        /// What it is instead.
        error: AnswerError,
    },
    /// The answer broke off, or is no HTTP.
    #[error("{url}: {why}; see that it speaks http, and ask again")]
    Broken {
        /// The address.
        url: String,
        /// What the client says.
        why: String,
    },
}

impl RestError {
    /// Whether it is about the host's name: any other question would wait for the same.
    pub fn is_of_name(&self) -> bool {
        matches!(self, RestError::NoHost { .. } | RestError::NameUnanswered { .. })
    }

    /// The same as something that was not seen.
    pub fn unseen(&self) -> Unseen {
        let text = self.to_string();
        match text.rsplit_once("; ") {
            Some((why, grant)) => Unseen::because(why).granted_by(grant),
            None => Unseen::because(text),
        }
    }
}

pub(super) fn of_ureq(error: ureq::Error, url: &str, after: Duration, most: u64) -> RestError {
    let url = url.to_owned();
    match error {
        ureq::Error::Timeout(ureq::Timeout::Resolve) => {
            RestError::NameUnanswered { url, after: super::for_name(after) }
        }
        ureq::Error::Timeout(_) => RestError::TimedOut { url, after },
        ureq::Error::HostNotFound => RestError::NoHost { url },
        ureq::Error::BodyExceedsLimit(_) => RestError::TooLarge { url, most },
        ureq::Error::Io(error) => of_io(&error, url, after),
        ureq::Error::ConnectionFailed => RestError::Refused { url, why: "no connection".to_owned() },
        other => RestError::Broken { url, why: other.to_string() },
    }
}

fn of_io(error: &std::io::Error, url: String, after: Duration) -> RestError {
    let why = error.to_string();
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => RestError::TimedOut { url, after },
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            RestError::Refused { url, why }
        }
        _ if why.contains("failed to lookup") => RestError::NoHost { url },
        _ => RestError::Broken { url, why },
    }
}
