//! A whole run: any file, as any version reads it, for any role and deployment, planned and reported in every form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::layers::{FileText, Layers, Offset};
use oomph::config::load::{Choice, Reason};
use oomph::config::{FileKind, Fleet};
use oomph::flink::profile::{Match, Profile};
use oomph::model::{Role, Source, UseCase};
use oomph::plan::jvm::Machine;
use oomph::plan::store::Store;
use oomph::plan::{self, Deployment, Question};
use oomph::recommend::mend;
use oomph::report::{self, Sheet};

const DEPLOYMENTS: [Deployment; 4] =
    [Deployment::Standalone, Deployment::Yarn, Deployment::Kubernetes, Deployment::None];

fuzz_target!(|input: (u8, u8, &str)| {
    let (version, how, text) = input;
    let profile = &Profile::all()[usize::from(version) % Profile::all().len()];
    let kind = if how & 1 == 0 { FileKind::Legacy } else { FileKind::Standard };
    let source = Source::File(kind.file_name().into());
    let layers = Layers {
        file: Some(FileText { source, kind, text: text.to_owned(), offset: Offset::default() }),
        ..Layers::default()
    };
    let Ok(assembled) = layers.assemble(profile) else { return };
    let question = Question {
        role: if how & 2 == 0 { Role::TaskManager } else { Role::JobManager },
        deployment: DEPLOYMENTS[usize::from(how >> 2) % 4],
        consumers: vec![UseCase::StateBackend, UseCase::Operator, UseCase::Python],
        managed_backend: how & 16 == 0,
        stores: vec![Store::RocksDb, Store::ForSt],
    };
    let machine = Machine { jdk: None, cores: None, collector: None };
    let outcome = plan::survey(&assembled.config, profile, &question, machine);
    let cures = outcome.as_ref().err().map(|_| mend::cures(&assembled.config, profile, &question));
    let sheet = Sheet {
        source: None,
        name: None,
        pod: None,
        fleet: Fleet::default(),
        inferred: Vec::new(),
        choice: Choice { version: profile.version(), profile, found: Match::Line, reason: Reason::Asked },
        question,
        consumers_supposed: false,
        config: assembled.config,
        remarks: assembled.remarks,
        outcome,
        cures,
        network_need: None,
        workload_need: None,
    };
    let text = report::text::sheet(&sheet, 80);
    assert!(!text.is_empty());
    let _ = report::markdown::sheet(&sheet);
    if let Ok(survey) = &sheet.outcome {
        let _ = report::explain::story(&sheet, survey, 80);
        let _ = report::flink_log::block(&survey.plan.budget);
    }
    serde_json::to_string(&report::json::v1::document(&[sheet])).expect("a document is JSON");
});
