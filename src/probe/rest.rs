//! Asks Flink's REST. Only what costs a running cluster nothing: values that are gathered anyway, never a thread dump or a
//! profile. Every request ends, and so does every function that makes several.

mod base;
mod cluster;
mod error;
mod local;
mod query;
mod rocksdb;
mod scrape;

use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::{StatusCode, header};

pub use cluster::Cluster;
pub use error::RestError;
pub use local::LocalTaskManager;
pub use scrape::{ScrapeError, Scraped, scrape};

use crate::artefact::flink_rest::{
    self, AnswerError, Job, JobSummary, LogFile, Metrics, Overview, ProcessMetrics, STATUS_METRICS, TaskManager,
};
use base::{BaseUrl, segment};

/// An answer of a cluster of a thousand TaskManagers is 2 MB, and a list of a vertex's metrics of 20,000 names less.
const LARGEST_ANSWER: u64 = 16 << 20;

/// A reverse proxy adds a slash or a prefix; what redirects more often leads nowhere.
const MOST_REDIRECTS: u32 = 3;

/// How long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For one whole answer, the connection included.
    pub answer: Duration,
    /// For all requests of one function.
    pub all: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        let seconds = Duration::from_secs;
        Patience { connect: seconds(2), answer: seconds(5), all: seconds(60) }
    }
}

/// Flink's REST at one address.
#[derive(Debug)]
pub struct Rest {
    base: BaseUrl,
    agent: Agent,
    patience: Patience,
}

/// When the patience of a function ends.
#[derive(Clone, Copy, Debug)]
struct Until(Instant);

impl Rest {
    /// Nothing is asked yet. The URL may have a path (of a reverse proxy) and a user's name and password, which no message
    /// repeats.
    ///
    /// # Errors
    ///
    /// Where the URL is none, or needs TLS and this is built without.
    pub fn new(url: &str, patience: Patience) -> Result<Rest, RestError> {
        Ok(Rest { base: BaseUrl::parse(url)?, agent: agent(patience), patience })
    }

    /// The address without its secrets.
    pub fn shown(&self) -> &str {
        self.base.shown()
    }

    /// `/overview`.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's.
    pub fn overview(&self) -> Result<Overview, RestError> {
        self.ask("/overview", self.until(), flink_rest::overview)
    }

    /// The cluster's configuration.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's.
    pub fn configuration(&self) -> Result<Vec<(String, String)>, RestError> {
        self.ask("/jobmanager/config", self.until(), flink_rest::configuration)
    }

    /// The TaskManagers, without what they measure.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's.
    pub fn task_managers(&self) -> Result<Vec<TaskManager>, RestError> {
        self.ask("/taskmanagers", self.until(), flink_rest::task_managers)
    }

    /// One TaskManager with what it measures.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's, or no TaskManager of this id.
    pub fn task_manager(&self, id: &str) -> Result<TaskManager, RestError> {
        self.task_manager_until(id, self.until())
    }

    /// What the JobManager measures of itself.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's.
    pub fn job_manager(&self) -> Result<ProcessMetrics, RestError> {
        let names: Vec<String> = STATUS_METRICS.map(str::to_owned).into();
        let values = self.values("/jobmanager/metrics", &names, self.until())?;
        Ok(ProcessMetrics::of_metrics(&values.into_iter().collect::<Metrics>()))
    }

    /// The log files of a TaskManager.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's.
    pub fn logs(&self, id: &str) -> Result<Vec<LogFile>, RestError> {
        self.ask(&format!("/taskmanagers/{}/logs", segment(id)), self.until(), flink_rest::logs)
    }

    /// All jobs, those that have ended included.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's.
    pub fn jobs(&self) -> Result<Vec<JobSummary>, RestError> {
        self.ask("/jobs/overview", self.until(), flink_rest::jobs)
    }

    /// One job and its vertices.
    ///
    /// # Errors
    ///
    /// Where there is no answer of Flink's, or no job of this id.
    pub fn job(&self, id: &str) -> Result<Job, RestError> {
        self.ask(&format!("/jobs/{}", segment(id)), self.until(), flink_rest::job)
    }

    fn until(&self) -> Until {
        Until(Instant::now() + self.patience.all)
    }

    fn task_manager_until(&self, id: &str, until: Until) -> Result<TaskManager, RestError> {
        let path = format!("/taskmanagers/{}", segment(id));
        let mut found = self.ask(&path, until, flink_rest::task_manager)?;
        let names: Vec<String> = STATUS_METRICS.map(str::to_owned).into();
        // What only its metrics tell stays unseen where they cannot be had; the rest is as good.
        if let Ok(values) = self.values(&format!("{path}/metrics"), &names, until) {
            found.metrics.complete_with(ProcessMetrics::of_metrics(&values.into_iter().collect::<Metrics>()));
        }
        Ok(found)
    }

    /// The values of metrics, asked for in as many requests as their names need.
    fn values(&self, path: &str, names: &[String], until: Until) -> Result<Vec<(String, String)>, RestError> {
        let mut all = Vec::new();
        for query in query::queries(names) {
            all.extend(self.ask(&format!("{path}?{query}"), until, flink_rest::metric_values)?);
        }
        Ok(all)
    }

    fn ask<T>(
        &self,
        path: &str,
        until: Until,
        read: impl FnOnce(&[u8]) -> Result<T, AnswerError>,
    ) -> Result<T, RestError> {
        let bytes = self.get(path, until)?;
        read(&bytes).map_err(|error| RestError::NotFlink { url: self.base.shown_at(path), error })
    }

    fn get(&self, path: &str, until: Until) -> Result<Vec<u8>, RestError> {
        let left = until.0.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(RestError::TimedOut { url: self.base.shown_at(path), after: self.patience.all });
        }
        fetch(&self.agent, &self.base, path, left.min(self.patience.answer), LARGEST_ANSWER)
    }
}

/// How long a name may take: less than a whole answer, so that it is known what did not answer, and longer than half of
/// five seconds, after which C libraries ask once more (`resolv.conf(5)`, `timeout` and `attempts`; musl's `res_msend.c`).
fn for_name(answer: Duration) -> Duration {
    answer.saturating_mul(3) / 4
}

/// No proxy of the environment is used: Flink's REST is near, and a proxy would be shown the password.
fn agent(patience: Patience) -> Agent {
    let config = Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_resolve(Some(for_name(patience.answer)))
        .timeout_connect(Some(patience.connect))
        .timeout_global(Some(patience.answer))
        .user_agent(concat!("oomph/", env!("CARGO_PKG_VERSION")))
        .build();
    config.new_agent()
}

/// The bytes of a path. Redirects are followed on the same host alone: another one is not shown the password.
fn fetch(agent: &Agent, base: &BaseUrl, path: &str, within: Duration, most: u64) -> Result<Vec<u8>, RestError> {
    let begin = Instant::now();
    let mut at = base.at(path);
    let shown = base.shown_at(path);
    let fail = |error| error::of_ureq(error, &shown, within, most);
    for _ in 0..=MOST_REDIRECTS {
        let left = within.saturating_sub(begin.elapsed());
        if left.is_zero() {
            break;
        }
        let mut request = agent.get(&at).header(header::ACCEPT, "application/json, text/plain;q=0.9, */*;q=0.1");
        if let Some(authorization) = base.authorization() {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let mut answer = request.config().timeout_global(Some(left)).build().call().map_err(fail)?;
        let status = answer.status();
        if status.is_redirection() {
            let location = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            at = base
                .follow(&at, location)
                .ok_or_else(|| RestError::Redirected { url: shown.clone(), to: base::shown_of(location) })?;
            continue;
        }
        let bytes = answer.body_mut().with_config().limit(most).read_to_vec().map_err(fail)?;
        return if status.is_success() { Ok(bytes) } else { Err(refused(status, &bytes, shown)) };
    }
    match within.saturating_sub(begin.elapsed()).is_zero() {
        true => Err(RestError::TimedOut { url: shown, after: within }),
        false => Err(RestError::Redirected { url: shown, to: base::shown_of(&at) }),
    }
}

fn refused(status: StatusCode, bytes: &[u8], url: String) -> RestError {
    let said = match flink_rest::metric_values(bytes) {
        Err(said @ (AnswerError::Refused(_) | AnswerError::Html { .. })) => Some(said.to_string()),
        _ => None,
    };
    // ResourceManager.requestTaskManagerDetailsInfo throws it, and up to 2.3 that is a 500.
    let unknown = said.as_ref().is_some_and(|said| said.contains("UnknownTaskExecutorException"));
    match status {
        _ if unknown => RestError::NotFound { url, said },
        StatusCode::NOT_FOUND => RestError::NotFound { url, said },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => RestError::NotAllowed { url, status: status.as_u16() },
        _ => RestError::Status { url, status: status.as_u16(), said },
    }
}
