//! The client of Flink's REST against servers that answer as they should, otherwise, slowly, or never.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use oomph::artefact::prometheus::FlinkView;
use oomph::diagnose::cluster::{self, ClusterRow};
use oomph::diagnose::rocksdb_metrics::{Known, Sharing, rocksdb_of_flink};
use oomph::model::Bytes;
use oomph::probe::rest::{LocalTaskManager, Patience, Rest, RestError, ScrapeError, scrape};

/// Long enough for a loaded machine to answer, short enough to wait for what never does.
const PATIENCE: Patience = Patience {
    connect: Duration::from_millis(2_000),
    answer: Duration::from_millis(5_000),
    all: Duration::from_millis(20_000),
};

/// For those that never answer.
const LITTLE: Patience = Patience {
    connect: Duration::from_millis(300),
    answer: Duration::from_millis(300),
    all: Duration::from_millis(600),
};

/// A server on loopback; each connection is given to `answer` with its request's lines.
fn server(answer: impl Fn(&[String], &mut TcpStream) + Send + Sync + 'static) -> (String, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let (sender, requests) = mpsc::channel();
    let answer = std::sync::Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer, sender) = (stream.unwrap(), answer.clone(), sender.clone());
            thread::spawn(move || {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let _ = sender.send(request.clone());
                answer(&request, &mut stream);
            });
        }
    });
    (url, requests)
}

fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

/// The same answer to everything.
fn always(status: &'static str, headers: &'static str, body: &'static [u8]) -> (String, Receiver<Vec<String>>) {
    server(move |_, stream| respond(stream, status, headers, body))
}

fn rest(host: &str, patience: Patience) -> Rest {
    Rest::new(&format!("http://{host}"), patience).unwrap()
}

/// What `/overview` fails with.
fn failure(host: &str, patience: Patience) -> RestError {
    rest(host, patience).overview().unwrap_err()
}

fn path(request: &[String]) -> &str {
    request.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default()
}

#[test]
fn an_answer_is_read_behind_the_prefix_and_the_password_of_a_proxy() {
    let (host, requests) = always("200 OK", "", br#"{"taskmanagers":1,"flink-version":"1.20.5"}"#);
    let rest = Rest::new(&format!("http://ada:s3cret@{host}/prefix/"), PATIENCE).unwrap();
    assert_eq!(rest.overview().unwrap().version.as_deref(), Ok("1.20.5"));
    let request = requests.recv().unwrap();
    assert_eq!(path(&request), "/prefix/overview");
    let sent = request
        .iter()
        .find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("authorization")));
    assert_eq!(sent.map(|(_, value)| value), Some("Basic YWRhOnMzY3JldA=="));
    assert_eq!(rest.shown(), format!("http://***@{host}/prefix"));
}

#[test]
fn no_message_repeats_a_password() {
    for (status, headers, body) in [
        ("401 Unauthorized", "", "".as_bytes()),
        ("404 Not Found", "", br#"{"errors":["Not found: /overview"]}"#),
        ("500 Oh", "", b"x"),
        ("200 OK", "", b"<html><title>Sign in</title>"),
        ("200 OK", "", b"{"),
        ("302 Found", "Location: http://u:s3cret@elsewhere/\r\n", b""),
    ] {
        let (host, _requests) = always(status, headers, body);
        let rest = Rest::new(&format!("http://ada:s3cret@{host}"), PATIENCE).unwrap();
        let said = rest.overview().unwrap_err();
        assert!(!format!("{said} {said:?} {rest:?}").contains("s3cret"), "{said}");
        assert!(said.to_string().contains(&format!("http://***@{host}/overview")), "{said}");
        assert!(said.unseen().grant.is_some(), "{said}");
    }
}

#[test]
fn each_refusal_is_told_from_the_others() {
    let (host, _requests) = always("404 Not Found", "", br#"{"errors":["Unable to load requested file /overview."]}"#);
    let said = failure(&host, PATIENCE).to_string();
    assert!(said.contains("not found (Flink answers: Unable to load requested file /overview.)"), "{said}");

    let (host, _requests) = always(
        "503 Service Unavailable",
        "",
        br#"{"errors":["Service temporarily unavailable due to an ongoing leader election."]}"#,
    );
    assert!(failure(&host, PATIENCE).to_string().contains("status 503 (Flink answers: Service temporarily"));

    let (host, _requests) = always("403 Forbidden", "", b"");
    assert!(matches!(failure(&host, PATIENCE), RestError::NotAllowed { status: 403, .. }));

    let (host, _requests) = always("200 OK", "", b"<!DOCTYPE html><title>Grafana</title>");
    assert!(failure(&host, PATIENCE).to_string().contains("web page (Grafana), not JSON"));

    let (host, _requests) = always("200 OK", "", br#"{"taskmanagers":1,"flink-ver"#);
    assert!(failure(&host, PATIENCE).to_string().contains("not whole JSON"));

    let unknown = br#"{"errors":["Internal server error.","<Exception on server side:\norg.apache.flink.runtime.resourcemanager.exceptions.UnknownTaskExecutorException: No TaskExecutor registered under x.\n\tat a>"]}"#;
    let (host, _requests) = always("500 Internal Server Error", "", unknown);
    assert!(matches!(rest(&host, PATIENCE).task_manager("x"), Err(RestError::NotFound { .. })));
}

#[test]
fn a_port_that_nobody_listens_on_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let said = failure(&host, PATIENCE);
    assert!(matches!(said, RestError::Refused { .. }), "{said}");
    assert!(said.to_string().contains("rest.port"), "{said}");
}

#[cfg(not(feature = "tls"))]
#[test]
fn an_address_that_needs_tls_says_what_to_build() {
    let said = Rest::new("https://u:s3cret@h", PATIENCE).unwrap_err().to_string();
    assert!(said.contains("--features tls") && said.contains("https://***@h"), "{said}");
}

#[test]
fn a_server_that_never_answers_is_left() {
    let (host, _requests) = server(|_, stream| {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let _ = std::io::Read::read(stream, &mut [0]);
    });
    let said = failure(&host, LITTLE);
    assert!(matches!(said, RestError::TimedOut { .. }), "{said}");
}

#[test]
fn a_server_that_drips_is_left_in_the_middle_of_its_head_or_body() {
    let heads = [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ];
    for head in heads {
        let (host, _requests) = server(move |_, stream| {
            let _ = stream.write_all(head.as_bytes());
            let drop = if head.ends_with("chunked\r\n\r\n") { "1\r\n \r\n" } else { "H" };
            while stream.write_all(drop.as_bytes()).is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        });
        // The drops come faster than any single read would give up.
        let said = failure(&host, LITTLE);
        assert!(matches!(said, RestError::TimedOut { .. } | RestError::Broken { .. }), "{head:?}: {said}");
    }
}

#[test]
fn many_requests_end_together() {
    let (host, _requests) = server(|request, stream| match path(request) {
        "/taskmanagers" => {
            let rows: Vec<String> = (0..500).map(|number| format!(r#"{{"id":"tm-{number}"}}"#)).collect();
            respond(stream, "200 OK", "", format!(r#"{{"taskmanagers":[{}]}}"#, rows.join(",")).as_bytes());
        }
        _ => {
            let _ = std::io::Read::read(stream, &mut [0]);
        }
    });
    let patience = Patience { answer: Duration::from_millis(200), all: Duration::from_millis(800), ..PATIENCE };
    let begin = Instant::now();
    let cluster = rest(&host, patience).cluster().unwrap();
    // One at a time, with no end to all of them, would take 100 s.
    assert!(begin.elapsed() < Duration::from_secs(50));
    assert_eq!(cluster.task_managers.len(), 500);
    assert!(cluster.version.unwrap_err().to_string().contains("no whole answer within"));
    assert!(cluster.jobs.is_err());
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let (host, _requests) = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        let zeros = vec![b'0'; 1 << 20];
        for _ in 0..64 {
            if stream.write_all(&zeros).is_err() {
                return;
            }
        }
    });
    let patience = Patience { answer: Duration::from_secs(60), all: Duration::from_secs(60), ..PATIENCE };
    let said = failure(&host, patience);
    assert!(matches!(said, RestError::TooLarge { most: 16_777_216, .. }), "{said}");
}

#[test]
fn a_redirect_is_followed_on_its_host_and_nowhere_else() {
    let (host, requests) = server(|request, stream| match path(request) {
        "/overview" => respond(stream, "307 Temporary Redirect", "Location: /flink/overview\r\n", b""),
        _ => respond(stream, "200 OK", "", br#"{"flink-version":"2.3.0"}"#),
    });
    assert_eq!(rest(&host, PATIENCE).overview().unwrap().version.as_deref(), Ok("2.3.0"));
    assert_eq!(
        requests.iter().take(2).map(|request| path(&request).to_owned()).collect::<Vec<_>>(),
        ["/overview", "/flink/overview"]
    );

    let (elsewhere, others) = always("200 OK", "", b"{}");
    let location: &'static str = format!("Location: http://{elsewhere}/overview\r\n").leak();
    let (host, _requests) = always("302 Found", location, b"");
    let said = failure(&host, PATIENCE).to_string();
    assert!(said.contains(&format!("redirected to http://{elsewhere}/overview, which is not asked")), "{said}");
    assert!(others.try_recv().is_err());

    let (host, _requests) = always("302 Found", "Location: /overview\r\n", b"");
    assert!(matches!(failure(&host, PATIENCE), RestError::Redirected { .. }));
}

macro_rules! captured {
    ($name:literal) => {
        include_bytes!(concat!("../testdata/flink-rest/1.20.5/", $name)).as_slice()
    };
}

/// The captured cluster, its metrics filtered by `get` as Flink does.
fn flink() -> (String, Receiver<Vec<String>>) {
    server(|request, stream| {
        assert!(request[0].len() <= 4_096, "{}", request[0].len());
        let (path, query) = path(request).split_once('?').unwrap_or((path(request), ""));
        let (job, vertex) = ("/jobs/9f34c8cbbc38ce01ba01af204a299881", "/vertices/");
        let metrics = |all: &[u8]| {
            let all: Vec<serde_json::Value> = serde_json::from_slice(all).unwrap();
            let wanted = query
                .strip_prefix("get=")
                .map(|names| names.replace("%5B", "[").replace("%5D", "]").replace("%2F", "/"));
            let rows: Vec<serde_json::Value> = match wanted {
                Some(names) => {
                    let names: Vec<&str> = names.split(',').collect();
                    all.into_iter().filter(|row| names.contains(&row["id"].as_str().unwrap())).collect()
                }
                None => all.into_iter().map(|row| serde_json::json!({"id": row["id"]})).collect(),
            };
            serde_json::to_vec(&rows).unwrap()
        };
        let body = match path {
            "/overview" => captured!("overview.json").to_vec(),
            "/taskmanagers" => captured!("taskmanagers.json").to_vec(),
            "/taskmanagers/tm-nmt120" => captured!("taskmanager.json").to_vec(),
            "/taskmanagers/tm-nmt120/metrics" => metrics(captured!("taskmanager_metrics.json")),
            "/taskmanagers/tm-nmt120/logs" => captured!("taskmanager_logs.json").to_vec(),
            "/jobmanager/config" => captured!("jobmanager_config.json").to_vec(),
            "/jobmanager/metrics" => metrics(captured!("jobmanager_metrics.json")),
            "/jobs/overview" => captured!("jobs_overview.json").to_vec(),
            _ => match path.strip_prefix(job).map(|rest| rest.strip_prefix(vertex).unwrap_or(rest)) {
                Some("") => captured!("job.json").to_vec(),
                Some("4bf7c1955ffe56e2106d666433eaf137") => {
                    captured!("vertex_4bf7c1955ffe56e2106d666433eaf137.json").to_vec()
                }
                Some("f3c52ad168ea5842a0be53deff739f6c") => {
                    captured!("vertex_f3c52ad168ea5842a0be53deff739f6c.json").to_vec()
                }
                Some("4bf7c1955ffe56e2106d666433eaf137/metrics") => {
                    metrics(captured!("vertex_4bf7c1955ffe56e2106d666433eaf137_metrics.json"))
                }
                Some("f3c52ad168ea5842a0be53deff739f6c/metrics") => {
                    metrics(captured!("vertex_f3c52ad168ea5842a0be53deff739f6c_metrics.json"))
                }
                Some(rest) if rest.ends_with("/metrics") => b"[]".to_vec(),
                _ => return respond(stream, "404 Not Found", "", br#"{"errors":["Not found."]}"#),
            },
        };
        respond(stream, "200 OK", "", &body);
    })
}

#[test]
fn a_whole_cluster_makes_its_rows() {
    let (host, requests) = flink();
    let cluster = rest(&host, PATIENCE).cluster().unwrap();
    let known = Known {
        rocksdb_version: cluster.version.as_deref().ok().and_then(rocksdb_of_flink).map(str::to_owned),
        sharing: cluster.configuration.as_ref().ok().and_then(|options| Sharing::of_configuration(options)),
        ..Known::default()
    };
    let mut rows: Vec<ClusterRow> = cluster
        .task_managers
        .iter()
        .map(|one| ClusterRow::of(one, &cluster.readings_of(one).unwrap(), &known))
        .collect();
    cluster::sort(&mut rows);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.id.as_deref(), Ok("tm-nmt120"));
    assert_eq!(row.process, Ok(Bytes::mib(1_728)));
    // 426.5 MiB of usage, 191.5 pinned, 32 of memtables.
    assert_eq!(row.rocksdb.used.as_ref().unwrap().whole_mib(), 266);
    assert_eq!(row.direct.used, Ok(Bytes::new(143_092_076 - 134_217_728)));
    assert!(row.metaspace.used.is_ok() && row.gc.is_ok());
    let asked: Vec<String> = requests.try_iter().map(|request| path(&request).to_owned()).collect();
    assert!(asked.iter().any(|path| path.contains("/metrics?get=")));
    assert!(asked.iter().all(|path| !path.contains("thread-dump")));
}

#[test]
fn a_local_process_is_found_and_the_readings_are_its_own() {
    let (host, _requests) = flink();
    let rest = rest(&host, PATIENCE);
    let local = LocalTaskManager { ports: vec![33_607], ..LocalTaskManager::default() };
    let found = rest.find(&local).unwrap();
    assert_eq!(found.metrics.heap.used, Ok(Bytes::new(251_369_472)));
    assert_eq!(found.metrics.managed_reserved, Ok(Bytes::new(536_870_920)));
    let all = rest.task_managers().unwrap();
    assert!(!rest.rocksdb(&all, Some("tm-nmt120")).unwrap().is_empty());
    assert_eq!(rest.rocksdb(&all, Some("another")).unwrap(), []);
    assert!(rest.job_manager().unwrap().heap.used.is_ok());
    assert!(rest.logs("tm-nmt120").unwrap().iter().any(|log| log.name.ends_with(".log")));
    let elsewhere = LocalTaskManager { ports: vec![1], ..LocalTaskManager::default() };
    assert!(rest.find(&elsewhere).unwrap_err().why.contains("another cluster"));
}

#[test]
fn a_scrape_is_read_from_a_url_and_from_a_file() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/prometheus/1.20.5/taskmanager.txt");
    let mut of_file = FlinkView::default();
    let scraped = scrape(file, PATIENCE, |sample| of_file.take(sample)).unwrap();
    assert_eq!((scraped.broken, of_file.left_out()), (0, 0));
    let text: &'static [u8] = include_bytes!("../testdata/prometheus/1.20.5/taskmanager.txt");
    let (host, requests) = always("200 OK", "", text);
    let mut of_url = FlinkView::default();
    scrape(&format!("http://u:p@{host}/metrics?name[]=x"), PATIENCE, |sample| of_url.take(sample)).unwrap();
    assert_eq!(path(&requests.recv().unwrap()), "/metrics?name[]=x");
    assert_eq!(of_url.readings(), of_file.readings());
    let processes = of_url.processes();
    let [process] = processes.as_slice() else { panic!("{processes:?}") };
    assert_eq!(process.id, "tm_nmt120");
    assert_eq!(process.metrics.network.total, Ok(Bytes::mib(128)));
    assert_eq!(process.metrics.heap.max, Ok(Bytes::mib(512)));
}

#[test]
fn a_scrape_of_something_else_says_so() {
    let (host, _requests) = always("200 OK", "", b"<html>\n</html>");
    let said = scrape(&format!("http://{host}/metrics"), PATIENCE, |_| {}).unwrap_err();
    assert!(matches!(said, ScrapeError::NotMetrics { .. }), "{said}");
    let (host, _requests) = always("404 Not Found", "", b"");
    let said = scrape(&format!("http://{host}/metrics"), PATIENCE, |_| {}).unwrap_err();
    assert!(said.to_string().contains("not found"), "{said}");
    let said = scrape("no/such/file", PATIENCE, |_| {}).unwrap_err();
    assert!(said.to_string().contains("no/such/file"), "{said}");
    let (host, _requests) = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\na 1\n");
        let _ = std::io::Read::read(stream, &mut [0]);
    });
    assert!(scrape(&format!("http://{host}/metrics"), LITTLE, |_| {}).is_err());
}
