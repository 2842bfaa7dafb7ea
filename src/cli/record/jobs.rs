//! Jobs that come and go between two looks, out of the list that REST gives.

use crate::artefact::flink_rest::JobSummary;
use crate::artefact::recording::Event;

/// The jobs of the last list.
#[derive(Debug, Default)]
pub struct Jobs {
    known: Option<Vec<JobSummary>>,
}

impl Jobs {
    /// What changed since the last list; nothing of the first, of which it is not known when its jobs began.
    pub fn changes(&mut self, listed: &[JobSummary]) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(known) = &self.known {
            for job in listed {
                let before = known.iter().find(|before| before.id == job.id);
                match (before.map(|before| &before.state), &job.state) {
                    (None, _) => events.push(Event::submitted(&called(job))),
                    (Some(Ok(before)), Ok(now)) if before != now => {
                        events.push(Event::Job { what: format!("{} is {now}", called(job)) });
                    }
                    _ => {}
                }
            }
            let gone = known.iter().filter(|before| listed.iter().all(|job| job.id != before.id));
            events.extend(gone.map(|job| Event::Job { what: format!("{} is not listed any more", called(job)) }));
        }
        self.known = Some(listed.to_vec());
        events
    }
}

fn called(job: &JobSummary) -> String {
    match &job.name {
        Ok(name) => format!("{name} ({})", job.id),
        Err(_) => job.id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, state: &str) -> JobSummary {
        JobSummary { id: id.to_owned(), name: Ok("orders".to_owned()), state: Ok(state.to_owned()) }
    }

    #[test]
    fn jobs_that_come_change_and_go_are_events() {
        let mut jobs = Jobs::default();
        assert!(jobs.changes(&[job("a", "RUNNING")]).is_empty());
        let events = jobs.changes(&[job("a", "CANCELED"), job("b", "RUNNING")]);
        let canceled = Event::Job { what: "orders (a) is CANCELED".to_owned() };
        assert_eq!(events, [canceled, Event::submitted("orders (b)")]);
        assert!(events.iter().map(Event::is_submission).eq([false, true]));
        let gone = Event::Job { what: "orders (a) is not listed any more".to_owned() };
        assert_eq!(jobs.changes(&[job("b", "RUNNING")]), [gone]);
    }
}
