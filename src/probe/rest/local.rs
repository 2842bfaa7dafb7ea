//! Which of a cluster's TaskManagers a process of this machine is.

use super::{Rest, RestError};
use crate::artefact::flink_rest::TaskManager;
use crate::model::{Seen, Unseen};

/// What is known of a local process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalTaskManager {
    /// `taskmanager.resource-id` of its command line or configuration: YARN and Kubernetes set it.
    pub resource_id: Option<String>,
    /// The ports that it listens on.
    pub ports: Vec<u16>,
    /// Names and addresses of its host.
    pub hosts: Vec<String>,
}

impl Rest {
    /// The TaskManager that a local process is, with what it measures.
    ///
    /// # Errors
    ///
    /// `Unseen` where REST does not answer, or where it cannot be told which one it is.
    pub fn find(&self, local: &LocalTaskManager) -> Seen<TaskManager> {
        let until = self.until();
        let all = self.ask("/taskmanagers", until, crate::artefact::flink_rest::task_managers);
        let all = all.map_err(|error: RestError| error.unseen())?;
        let found = local
            .among(&all)
            .map_err(|unseen| Unseen { why: format!("{}: {}", self.shown(), unseen.why), grant: unseen.grant })?;
        let id = found.id.clone()?;
        self.task_manager_until(&id, until).map_err(|error| error.unseen())
    }
}

impl LocalTaskManager {
    /// Which one it is: by its id, else by a port that it listens on and, where several have that one, by its host; the only
    /// one where nothing is known.
    ///
    /// # Errors
    ///
    /// `Unseen` with what would decide.
    pub fn among<'a>(&self, all: &'a [TaskManager]) -> Seen<&'a TaskManager> {
        if let Some(id) = &self.resource_id {
            let found = all.iter().find(|one| one.id.as_ref().is_ok_and(|known| known == id));
            return found.ok_or_else(|| {
                Unseen::because(format!("no TaskManager {id} is registered; is it another cluster's?"))
            });
        }
        let listens = |one: &&TaskManager| {
            let data =
                one.data_port.as_ref().is_ok_and(|port| self.ports.iter().any(|known| u64::from(*known) == *port));
            data || one.rpc().is_some_and(|(_, port)| self.ports.contains(&port))
        };
        let by_port: Vec<&TaskManager> =
            if self.ports.is_empty() { all.iter().collect() } else { all.iter().filter(listens).collect() };
        let is_here =
            |one: &&&TaskManager| one.rpc().is_some_and(|(host, _)| self.hosts.iter().any(|known| known == host));
        let by_host: Vec<&TaskManager> = by_port.iter().filter(is_here).copied().collect();
        match (by_port.as_slice(), by_host.as_slice()) {
            ([only], _) | (_, [only]) => Ok(only),
            ([], _) if all.is_empty() => Err(Unseen::because("no TaskManager is registered")),
            ([], _) => {
                Err(Unseen::because("no TaskManager has a port that the process listens on; is it another cluster's?"))
            }
            (several, _) => Err(Unseen::because(format!("{} TaskManagers may be this process", several.len()))
                .granted_by("name its id, or start TaskManagers with taskmanager.resource-id")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::flink_rest::task_managers;

    fn all(rows: &[(&str, &str, u16, u16)]) -> Vec<TaskManager> {
        let row = |(id, host, rpc, data): &(&str, &str, u16, u16)| {
            format!(
                r#"{{"id":"{id}","path":"akka.tcp://flink@{host}:{rpc}/user/rpc/taskmanager_0","dataPort":{data}}}"#
            )
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        task_managers(format!(r#"{{"taskmanagers":[{}]}}"#, rows.join(",")).as_bytes()).unwrap()
    }

    fn found(local: &LocalTaskManager, all: &[TaskManager]) -> Result<String, String> {
        local.among(all).map(|one| one.id.clone().unwrap()).map_err(|unseen| unseen.to_string())
    }

    #[test]
    fn a_process_is_found_by_what_is_known_of_it() {
        let two = all(&[("a", "h1", 1, 2), ("b", "h2", 1, 3)]);
        let local = |id: Option<&str>, ports: &[u16], hosts: &[&str]| LocalTaskManager {
            resource_id: id.map(str::to_owned),
            ports: ports.to_vec(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        assert_eq!(found(&local(Some("b"), &[2], &[]), &two), Ok("b".to_owned()));
        assert_eq!(found(&local(None, &[3, 99], &[]), &two), Ok("b".to_owned()));
        assert_eq!(found(&local(None, &[1], &["h1", "10.0.0.1"]), &two), Ok("a".to_owned()));
        assert!(
            found(&local(None, &[1], &[]), &two)
                .unwrap_err()
                .contains("2 TaskManagers may be this process (name its id")
        );
        assert!(found(&local(Some("c"), &[], &[]), &two).unwrap_err().contains("no TaskManager c"));
        assert!(found(&local(None, &[7], &[]), &two[..1]).unwrap_err().contains("another cluster"));
        assert_eq!(found(&local(None, &[], &[]), &two[..1]), Ok("a".to_owned()));
        assert!(found(&local(None, &[], &[]), &[]).unwrap_err().contains("no TaskManager is registered"));
    }
}
