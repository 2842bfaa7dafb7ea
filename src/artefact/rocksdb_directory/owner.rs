//! What the name of a database's directory says of whose it is.

use std::path::Path;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// RocksDB.
    RocksDb,
    /// ForSt, from Flink 2.0 on.
    ForSt,
}

/// Whose a database is: a subtask of an operator of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Which store.
    pub store: Store,
    /// The job's id, 32 hexadecimal digits.
    pub job: String,
    /// The operator's class, such as `KeyedProcessOperator`.
    pub operator: String,
    /// The operator's id, 32 hexadecimal digits.
    pub operator_id: String,
    /// Which subtask, from 1.
    pub subtask: u32,
    /// Of how many.
    pub of: u32,
    /// What tells one attempt of the subtask from another: a UUID with RocksDB, a number with ForSt.
    pub attempt: String,
}

impl Owner {
    /// Reads a path that ends in Flink's name, with or without `db` behind it.
    ///
    /// RocksDB: `job_<job>_op_<operator>_uuid_<uuid>` (`EmbeddedRocksDBStateBackend`, from 1.9 `RocksDBStateBackend`); ForSt:
    /// `<job>/op_<operator>_attempt_<n>` (`ForStStateBackend`). The operator is `KeyedProcessOperator_<id>_(1/2)` with `_` for
    /// what is neither letter, digit nor `-`.
    pub fn of(path: &Path) -> Option<Owner> {
        let mut names = path.iter().rev().map(|name| name.to_str());
        let mut name = names.next()??;
        if name == "db" {
            name = names.next()??;
        }
        if let Some(rest) = name.strip_prefix("job_") {
            let (job, rest) = rest.split_once("_op_")?;
            let (operator, attempt) = rest.rsplit_once("_uuid_")?;
            Owner::with(Store::RocksDb, job, operator, attempt)
        } else {
            let (operator, attempt) = name.strip_prefix("op_")?.rsplit_once("_attempt_")?;
            Owner::with(Store::ForSt, names.next()??, operator, attempt)
        }
    }

    fn with(store: Store, job: &str, operator: &str, attempt: &str) -> Option<Owner> {
        let is_id = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (rest, of) = operator.trim_end_matches('_').rsplit_once('_')?;
        let (rest, subtask) = rest.rsplit_once('_')?;
        let (class, id) = rest.trim_end_matches('_').rsplit_once('_')?;
        if !is_id(job) || !is_id(id) || attempt.is_empty() {
            return None;
        }
        Some(Owner {
            store,
            job: job.to_owned(),
            operator: class.to_owned(),
            operator_id: id.to_owned(),
            subtask: subtask.parse().ok()?,
            of: of.parse().ok()?,
            attempt: attempt.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "9f34c8cbbc38ce01ba01af204a299881";

    #[test]
    fn a_directory_of_rocksdb_says_whose_it_is() {
        let path = format!(
            "/opt/rocks/job_{JOB}_op_KeyedProcessOperator_4bf7c1955ffe56e2106d666433eaf137__1_2__uuid_38e84ca1-f373-4ddc-91a9-770c89a4980a/db"
        );
        let owner = Owner::of(Path::new(&path)).unwrap();
        assert_eq!(owner.store, Store::RocksDb);
        assert_eq!((owner.job.as_str(), owner.operator.as_str()), (JOB, "KeyedProcessOperator"));
        assert_eq!(owner.operator_id, "4bf7c1955ffe56e2106d666433eaf137");
        assert_eq!((owner.subtask, owner.of), (1, 2));
        assert_eq!(owner.attempt, "38e84ca1-f373-4ddc-91a9-770c89a4980a");
    }

    #[test]
    fn a_directory_of_forst_says_whose_it_is() {
        let path =
            format!("/tmp/{JOB}/op_AsyncKeyedProcessOperator_4bf7c1955ffe56e2106d666433eaf137__12_128__attempt_3/db");
        let owner = Owner::of(Path::new(&path)).unwrap();
        assert_eq!((owner.store, owner.job.as_str(), owner.attempt.as_str()), (Store::ForSt, JOB, "3"));
        assert_eq!((owner.operator.as_str(), owner.subtask, owner.of), ("AsyncKeyedProcessOperator", 12, 128));
    }

    #[test]
    fn another_directory_says_nothing() {
        for path in ["/", "", "/data/db", "/x/job_1_op_a_uuid_2/db", "/op_x_attempt_1", "/tmp/job_db"] {
            assert_eq!(Owner::of(Path::new(path)), None, "{path}");
        }
    }
}
