//! Checking many files on all cores, and handing the results over in order.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use super::given::Given;
use super::walk::Candidate;
use super::write;
use crate::check::baseline::{self, Recorder};
use crate::check::edits::Lines;
use crate::check::{Checked, Selection, Told, Yarn, check_against, moved, repair};
use crate::cli::Exit;
use crate::config::FileKind;
use crate::config::load::{self, LoadError, TextInput};
use crate::config::template::Templates;
use crate::model::Source;
use crate::report::check::{Entry, Shown, Spot, snippet};

/// What came of one file.
pub struct Done {
    /// What there is to report; nothing of a file that is not Flink's.
    pub entry: Option<Entry>,
    /// How the run ends for it.
    pub exit: Exit,
    /// The edits, as a diff, where that is asked for.
    pub diff: String,
    /// What is told on standard error.
    pub messages: Vec<String>,
}

impl Done {
    /// Takes down what was found.
    pub fn record(&self, recorder: &mut Recorder) {
        let Some(entry) = &self.entry else { return };
        for shown in &entry.findings {
            recorder.add(&entry.path, shown.finding.code, &shown.fingerprint);
        }
    }
}

/// Checks every file, and hands the results over in the order of the files.
pub fn each(given: &Given, files: &[Candidate], mut take: impl FnMut(Done) -> io::Result<()>) -> io::Result<()> {
    let worker = Worker { given, yarn_sites: Mutex::new(BTreeMap::new()) };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    if threads == 1 {
        return files.iter().try_for_each(|file| take(worker.file(file)));
    }
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    // Bounded: whoever prints slowly is waited for, so that results do not pile up.
    let (sender, receiver) = mpsc::sync_channel(threads * 64);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, stop, worker) = (&next, &stop, &worker);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { break };
                    if sender.send((index, worker.file(file))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        let mut result = Ok(());
        for (index, done) in receiver {
            waiting.insert(index, done);
            while let Some(done) = waiting.remove(&due) {
                due += 1;
                if result.is_ok() {
                    result = take(done);
                }
                if result.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        result
    })
}

struct Worker<'g> {
    given: &'g Given,
    yarn_sites: Mutex<BTreeMap<PathBuf, Option<Arc<Yarn>>>>,
}

impl Worker<'_> {
    fn file(&self, candidate: &Candidate) -> Done {
        let (input, path, named) = match candidate {
            Candidate::Stdin => (load::read_stdin(), None, true),
            Candidate::File { path, named } => {
                (load::read(path), Some(path.as_path()), *named && !self.given.only_flink)
            }
        };
        let shown = match path {
            None => self.given.stdin_name.clone(),
            Some(path) => baseline::shown_path(&path.display().to_string()),
        };
        match input {
            // What a walk comes across need not be a text, unless its name says that it is Flink's.
            Err(error) if !named && !is_flinks_name(path) && !is_of_the_disk(&error) => Done::nothing(),
            Err(error) => Done::unread(shown, &error),
            Ok(input) if !named && !input.may_be_flinks() => Done::nothing(),
            Ok(input) => {
                let source = Source::File(Arc::from(shown.as_str()));
                let input = TextInput { source, templates: Templates::Masked, ..input };
                self.text(input, shown, path, named)
            }
        }
    }

    fn text(&self, mut input: TextInput, shown: String, path: Option<&Path>, named: bool) -> Done {
        let given = self.given;
        let (told, selection) = given.for_file(path.unwrap_or(Path::new("-")));
        let yarn = path.and_then(|path| self.yarn_beside(path));
        let yarn = yarn.as_deref();
        let mut done = Done::nothing();
        if given.mend.safe {
            self.mend(&mut input, path, &told, yarn, &selection, &mut done);
        }
        let before = path.zip(given.before.as_ref()).and_then(|(path, before)| before.text(path, &input));
        match check_against(&input, before.as_ref(), &told, &given.policy, yarn, &selection) {
            Ok(checked) if !named && !checked.is_known => {}
            Ok(checked) => {
                let mut entry = self.entry(&input, shown, checked);
                entry.moved = before.map(|before| moved::between(&before, &input, &told)).unwrap_or_default();
                let fails = entry.findings.iter().any(|shown| given.fail_on.fails(shown.finding.severity));
                if fails && !given.mend.diff {
                    done.exit = done.exit.max(Exit::Findings);
                }
                done.entry = Some(entry);
            }
            Err(LoadError::Untold { .. }) if !named => {}
            Err(error) => return Done::unread(shown, &error),
        }
        done
    }

    /// Carries out fixes, or tells them as a diff.
    fn mend(
        &self,
        input: &mut TextInput,
        path: Option<&Path>,
        told: &Told,
        yarn: Option<&Yarn>,
        selection: &Selection,
        done: &mut Done,
    ) {
        let mend = self.given.mend;
        let Some(repaired) = repair::repaired(input, told, &self.given.policy, yarn, selection, mend.all) else {
            return;
        };
        if mend.diff {
            done.diff = difference(&input.source.to_string(), &input.text, &repaired.text);
            done.exit = Exit::Findings;
            return;
        }
        let Some(path) = path else {
            done.messages.push("error: standard input cannot be mended: give a file, or --diff".to_owned());
            done.exit = Exit::Usage;
            return;
        };
        match write::over(path, &input.text, &repaired.text) {
            Ok(()) => {
                let count = repaired.count;
                done.messages.push(format!(
                    "{}: mended {count} finding{}",
                    input.source,
                    if count == 1 { "" } else { "s" }
                ));
                input.text = repaired.text;
            }
            Err(error) => {
                done.messages.push(format!("error: could not write {}: {error}", path.display()));
                done.exit = Exit::Input;
            }
        }
    }

    fn entry(&self, input: &TextInput, path: String, checked: Checked) -> Entry {
        let lines = Lines::new(input.source.clone(), &input.text);
        let mut findings: Vec<Shown> = Vec::with_capacity(checked.findings.len());
        for finding in checked.findings {
            let spots: Vec<Spot> = finding.labels.iter().map(|label| Spot::of(label, &lines)).collect();
            let fingerprint = baseline::fingerprint(&finding, &path, &lines);
            findings.push(Shown { finding, spots, fingerprint, snippet: String::new() });
        }
        let mut known = 0;
        if let Some(baseline) = &self.given.baseline {
            let prints: Vec<String> = findings.iter().map(|shown| shown.fingerprint.clone()).collect();
            let mut is_new = baseline.new_among(&path, &prints).into_iter();
            let before = findings.len();
            findings.retain(|_| is_new.next().unwrap_or(true));
            known = before - findings.len();
        }
        if self.given.snippets {
            for shown in &mut findings {
                shown.snippet = snippet(&shown.finding, &shown.spots, &path, &lines, self.given.width);
            }
        }
        Entry { path, findings, unread: None, ignored: checked.ignored, known, moved: Vec::new() }
    }

    /// The `yarn-site.xml` beside a file, read once; most directories have none, and are not remembered.
    fn yarn_beside(&self, path: &Path) -> Option<Arc<Yarn>> {
        let site = path.parent()?.join("yarn-site.xml");
        if !site.is_file() {
            return None;
        }
        let mut known = self.yarn_sites.lock().ok()?;
        let read = |site: &PathBuf| Some(Arc::new(Yarn::read(load::read(site).ok()?).ok()??));
        known.entry(site).or_insert_with_key(read).clone()
    }
}

/// Whether a file has one of the names that Flink reads.
fn is_flinks_name(path: Option<&Path>) -> bool {
    let name = path.and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(FileKind::of_name).is_some()
}

/// Whether it is the file that cannot be had, and not what is in it.
fn is_of_the_disk(error: &LoadError) -> bool {
    matches!(error, LoadError::Io { .. })
}

impl Done {
    fn nothing() -> Done {
        Done { entry: None, exit: Exit::Clean, diff: String::new(), messages: Vec::new() }
    }

    fn unread(path: String, error: &LoadError) -> Done {
        let entry = Entry {
            path,
            findings: Vec::new(),
            unread: Some(error.to_string()),
            ignored: 0,
            known: 0,
            moved: Vec::new(),
        };
        let messages = vec![format!("error: could not {error}")];
        Done { entry: Some(entry), exit: Exit::Input, diff: String::new(), messages }
    }
}

/// A unified diff; secrets in it are masked.
fn difference(path: &str, before: &str, after: &str) -> String {
    use crate::flink::sensitive::masked_line;
    let masked = |text: &str| {
        text.split_inclusive('\n')
            .map(|line| {
                let bare = line.trim_end_matches(['\n', '\r']);
                format!("{}{}", masked_line(bare).trim_end(), &line[bare.len()..])
            })
            .collect::<String>()
    };
    let (before, after) = (masked(before), masked(after));
    let diff = similar::TextDiff::from_lines(before.as_str(), after.as_str());
    diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}
