//! How fast a log of 2 GB is digested beside ripgrep searching it for the same words. `scripts/bench-diagnose` runs it.
//!
//! The log is a JobManager's, made by `Log` below, always the same, with 40 deaths in it. It is written once below the
//! target directory and read once before anything is measured, so that it comes from the page cache. With a path that
//! file is digested instead. What is judged is the ratio: a loaded machine slows both.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops where it cannot go on")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use oomph::diagnose::postmortem::anchors;
use oomph::probe::digest::Digest;

const RUNS: usize = 5;
const SIZE: u64 = 2 << 30;
const DEATHS: u64 = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let (path, made) = match given {
        Some(path) => (PathBuf::from(path), false),
        None => (log()?, true),
    };
    let anchors = anchors();
    let words = Path::new(env!("CARGO_TARGET_TMPDIR")).join("digest-words");
    fs::write(&words, anchors.words().map(|word| format!("{word}\n")).collect::<String>())?;
    let size = io::copy(&mut File::open(&path)?, &mut io::sink())?;
    let (mut ours, mut on_cpu, mut theirs, mut whole) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut digest = Digest::default();
    for _ in 0..RUNS {
        let (start, cpu) = (Instant::now(), on_cpu_so_far()?);
        digest = Digest::of(File::open(&path)?, &anchors).map_err(|unseen| unseen.to_string())?;
        ours.push(start.elapsed());
        on_cpu.push(on_cpu_so_far()?.saturating_sub(cpu));
        theirs.extend(ripgrep(&path, &words)?);
        whole.push(diagnosis(&path)?);
    }
    let deaths = digest.excerpt.text().matches("is terminated. Diagnostics:").count() as u64;
    println!(
        "{} bytes, {} lines; excerpt {} bytes, {} lines; {deaths} deaths in it",
        digest.bytes,
        digest.lines,
        digest.excerpt.text().len(),
        digest.excerpt.lines().count()
    );
    for left_out in digest.left_out.iter().take(8) {
        println!("left out: {left_out}");
    }
    let rate = |time: Duration| size as f64 / time.as_secs_f64() / 1e9;
    let (ours, on_cpu) = (median(ours), median(on_cpu));
    println!("digest {:.2} GB/s, {:.2} s, {:.2} s on cores", rate(ours), ours.as_secs_f64(), on_cpu.as_secs_f64());
    if theirs.is_empty() {
        println!("ripgrep is not here: nothing to compare with");
    } else {
        let theirs = median(theirs);
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!("ripgrep {:.2} GB/s, {:.2} s: we are {ratio:.2} times as fast", rate(theirs), theirs.as_secs_f64());
    }
    let whole = median(whole);
    println!("a whole diagnosis {:.2} GB/s, {:.2} s", rate(whole), whole.as_secs_f64());
    println!("own peak memory: {}", line_of("VmHWM")?);
    if made && deaths != DEATHS {
        return Err(format!("{deaths} of {DEATHS} deaths were kept").into());
    }
    Ok(())
}

/// How long the program needs from its start to the verdict.
fn diagnosis(path: &Path) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    let status = command.args(["diagnose", "--format", "json"]).arg(path).stdout(Stdio::null()).status()?;
    if status.success() { Ok(start.elapsed()) } else { Err(format!("oomph: {status}").into()) }
}

/// How long ripgrep needs to find and count the lines with the words; nothing where it is not installed.
fn ripgrep(path: &Path, words: &Path) -> Result<Option<Duration>, Box<dyn Error>> {
    let start = Instant::now();
    let mut command = Command::new("rg");
    command.args(["--no-config", "--count", "--fixed-strings", "--file"]).arg(words).arg(path).stdout(Stdio::null());
    match command.status() {
        Ok(status) if status.code().is_some_and(|code| code < 2) => Ok(Some(start.elapsed())),
        Ok(status) => Err(format!("rg: {status}").into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Time that this process was on a core, its threads together.
fn on_cpu_so_far() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn line_of(key: &str) -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    Ok(line.ok_or("no such line")?.trim().to_owned())
}

/// The log, made if it is not there.
fn log() -> Result<PathBuf, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("digest-jobmanager.log");
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() >= SIZE) {
        return Ok(path);
    }
    let mut log =
        Log { out: BufWriter::with_capacity(1 << 20, File::create(&path)?), written: 0, milliseconds: 0, state: 1 };
    let mut deaths = 0;
    log.start()?;
    while log.written < SIZE {
        if deaths < DEATHS && log.written > (deaths + 1) * (SIZE / (DEATHS + 1)) {
            deaths += 1;
            log.death(deaths)?;
        } else {
            log.checkpoint()?;
        }
    }
    log.out.flush()?;
    Ok(path)
}

/// Writes a JobManager's log, always the same.
struct Log {
    out: BufWriter<File>,
    written: u64,
    milliseconds: u64,
    state: u64,
}

impl Log {
    fn random(&mut self, below: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % below
    }

    fn raw(&mut self, line: &str) -> io::Result<()> {
        self.written += line.len() as u64 + 1;
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn line(&mut self, level: &str, logger: &str, message: &str) -> io::Result<()> {
        self.milliseconds += self.random(7);
        let t = self.milliseconds;
        let (day, hour, minute) = (1 + t / 86_400_000 % 28, t / 3_600_000 % 24, t / 60_000 % 60);
        let (second, milli) = (t / 1000 % 60, t % 1000);
        let stamp = format!("2026-03-{day:02} {hour:02}:{minute:02}:{second:02},{milli:03}");
        self.raw(&format!("{stamp} {level:<5} {logger:<60} [] - {message}"))
    }

    fn start(&mut self) -> io::Result<()> {
        let logger = "org.apache.flink.runtime.entrypoint.ClusterEntrypoint";
        for line in [
            "--------------------------------------------------------------------------------",
            " Starting YarnJobClusterEntrypoint (Version: 1.20.1, Scala: 2.12, Rev:1234567, Date:2025-01-31T12:00:00+01:00)",
            " OS current user: flink",
            " JVM: OpenJDK 64-Bit Server VM - Eclipse Adoptium - 17/17.0.14+7",
            " Maximum heap size: 1024 MiBytes",
            " JVM Options:",
            "    -Xmx1073741824",
            "    -Xms1073741824",
            "    -XX:MaxMetaspaceSize=268435456",
        ] {
            self.line("INFO", logger, line)?;
        }
        Ok(())
    }

    /// What a JobManager with a hundred tasks says all day.
    fn checkpoint(&mut self) -> io::Result<()> {
        let number = self.milliseconds / 10;
        let job = "61562e236aa6e8b51fa2c6e66023472a";
        let coordinator = "org.apache.flink.runtime.checkpoint.CheckpointCoordinator";
        let graph = "org.apache.flink.runtime.executiongraph.ExecutionGraph";
        let resources = "org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager";
        self.line("INFO", coordinator, &format!("Triggering checkpoint {number} (type=CheckpointType{{name='Checkpoint', sharingFilesStrategy=FORWARD_BACKWARD}}) @ {} for job {job}.", 1_772_323_200_000 + self.milliseconds))?;
        for _ in 0..self.random(12) {
            let (task, attempt) = (self.random(128), self.random(u64::MAX));
            match self.random(6) {
                0 => self.line("INFO", graph, &format!("Window(TumblingEventTimeWindows(60000), EventTimeTrigger, Aggregate) -> Sink: out ({task}/128) ({attempt:032x}_90bea66de1c231edf33913ecd54406c1_{task}_0) switched from DEPLOYING to INITIALIZING."))?,
                1 => self.line("INFO", resources, &format!("Matching resource requirements of job {job} against available resources of worker container_e36_1700000000000_0042_01_{task:06}."))?,
                2 => self.line("DEBUG", "org.apache.flink.runtime.jobmaster.JobMaster", &format!("Received heartbeat request from container_e36_1700000000000_0042_01_{task:06}(host{task}.example.org:8041) with memory usage report {attempt} bytes of the process."))?,
                3 => self.line("WARN", "org.apache.hadoop.hdfs.DataStreamer", &format!("Slow ReadProcessor read fields for block BP-1-192.0.2.{task}-1700000000000:blk_{attempt} took {} ms (threshold=30000ms); ack: seqno: {task} reply: SUCCESS", attempt % 90_000))?,
                4 => {
                    self.line("WARN", "org.apache.kafka.clients.NetworkClient", &format!("[AdminClient clientId=in-{task}] Error while fetching metadata with correlation id {attempt}: java.net.SocketTimeoutException: Read timed out"))?;
                    for frame in 0..self.random(14) {
                        self.raw(&format!("\tat org.apache.kafka.clients.consumer.internals.ConsumerNetworkClient.poll(ConsumerNetworkClient.java:{})", 200 + frame))?;
                    }
                }
                _ => self.line("INFO", "org.apache.flink.runtime.source.coordinator.SourceCoordinator", &format!("Source Source: in[{task}] received split request from parallel task {task} (#0) of memory-mapped split {attempt:x}"))?,
            }
        }
        let took = self.random(9000);
        self.line("INFO", coordinator, &format!("Completed checkpoint {number} for job {job} ({} bytes, checkpointDuration={took} ms, finalizationTime=11 ms).", took * 77_777))
    }

    /// A container that YARN killed, as the JobManager tells it.
    fn death(&mut self, number: u64) -> io::Result<()> {
        let container = format!("container_e36_1700000000000_0042_01_{number:06}");
        let resources = "org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager";
        let over = 4_294_967_296 + self.random(9_999_999);
        self.line(
            "INFO",
            resources,
            &format!("Worker {container} is terminated. Diagnostics: Container {container} marked as failed."),
        )?;
        self.raw(" Exit code:-104.")?;
        self.raw(&format!(" Diagnostics:[2026-03-01 00:00:00.000]Container [pid={},containerID={container}] is running {}B beyond the 'PHYSICAL' memory limit. Current usage: 4.0 GB of 4 GB physical memory used; 6.2 GB of 8.4 GB virtual memory used. Killing container.", 4000 + number, over - 4_294_967_296))?;
        self.raw(&format!("Dump of the process-tree for {container} :"))?;
        self.raw("\t|- PID PPID PGRPID SESSID CMD_NAME USER_MODE_TIME(MILLIS) SYSTEM_TIME(MILLIS) VMEM_USAGE(BYTES) RSSMEM_USAGE(PAGES) FULL_CMD_LINE")?;
        self.raw(&format!("\t|- {} {} {} {} (java) 123456 7890 6657199309 {} /usr/bin/java -Xmx1664299824 -Xms1664299824 -XX:MaxDirectMemorySize=493921243 -XX:MaxMetaspaceSize=268435456 org.apache.flink.yarn.YarnTaskExecutorRunner --configDir .", 4000 + number, 3999, 3999, 3999, over / 4096))?;
        self.raw("")?;
        self.line("WARN", "org.apache.flink.runtime.executiongraph.ExecutionGraph", &format!("Window ({number}/128) switched from RUNNING to FAILED on {container} @ host{number}.example.org (dataPort=33333)."))?;
        self.raw(&format!("org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id {container}(host{number}.example.org:8041) is no longer reachable."))?;
        for frame in 0..20 {
            self.raw(&format!(
                "\tat org.apache.flink.runtime.jobmaster.JobMaster.handle(JobMaster.java:{})",
                100 + frame
            ))?;
        }
        Ok(())
    }
}
