//! A recording of what is followed, in the format of `oomph record`.

use jiff::Timestamp;

use super::Recording;
use crate::artefact::recording::Event;
use crate::diagnose::examination::Examination;
use crate::diagnose::recalled;
use crate::harness::look::with_own_figures;
use crate::model::Progress;
use crate::probe::recording::{Outcome, Recorder};
use crate::probe::root::Root;

/// A recording that is begun with the first look.
pub(super) struct Tape {
    recording: Recording,
    recorder: Option<Recorder>,
    trouble: Option<String>,
}

impl Tape {
    pub(super) fn into(recording: Recording) -> Tape {
        Tape { recording, recorder: None, trouble: None }
    }

    /// Writes a look. What goes wrong is kept to be told in the end.
    pub(super) fn append(&mut self, root: &Root, examination: &Examination, said: Option<&Progress>) {
        if self.recorder.is_none() && self.trouble.is_none() {
            let boot = root.read("/proc/sys/kernel/random/boot_id").ok();
            let boot = boot.map(|id| String::from_utf8_lossy(&id).trim().to_owned());
            let header = recalled::header(examination, boot);
            match Recorder::create(&self.recording.path, &header, None) {
                Ok(recorder) => self.recorder = Some(recorder),
                Err(error) => self.trouble = Some(format!("could not {error}")),
            }
        }
        let mut observations = examination.observations.clone();
        if let Some(said) = said {
            with_own_figures(&mut observations, said);
        }
        let outcome = self.recorder.as_mut().map(|recorder| recorder.append(&observations));
        self.note(outcome);
    }

    /// Writes how it ended; says what went wrong.
    pub(super) fn end(mut self, why: &str) -> Option<String> {
        let gone = Event::Gone { why: why.to_owned() };
        let outcome = self.recorder.as_mut().map(|recorder| recorder.event(Timestamp::now(), &gone));
        self.note(outcome);
        self.trouble
    }

    fn note(&mut self, outcome: Option<Outcome>) {
        if let Some(Outcome::Trouble(error)) = outcome {
            self.trouble = Some(format!("the recording could not be written: {error}"));
        }
    }
}
