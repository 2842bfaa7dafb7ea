//! `oomph diagnose`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use super::Exit;
use crate::artefact::excerpt::Excerpt;
use crate::diagnose::postmortem;

/// Explains a death from what is left of it.
#[derive(Debug, clap::Args)]
pub struct DiagnoseArgs {
    /// What is left: logs, descriptions, reports.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How to print.
    #[arg(long, default_value = "json")]
    format: String,
}

pub(super) fn run(args: &DiagnoseArgs) -> anyhow::Result<Exit> {
    let mut signals = Vec::new();
    for (number, file) in args.files.iter().enumerate() {
        let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        signals.extend(postmortem::signals(number, &Excerpt::plain(&text)));
    }
    let verdict = postmortem::judge(&signals);
    let document = serde_json::json!({
        "verdict": {
            "killer": verdict.killer.name(),
            "area": verdict.area.name(),
            "confidence": verdict.confidence.name(),
            "code": verdict.code,
            "pid": verdict.pid,
            "limit_bytes": verdict.limit.map(crate::model::Bytes::get),
            "usage_bytes": verdict.usage.map(crate::model::Bytes::get),
            "summary": verdict.summary,
        },
        "signals": signals.iter().map(|signal| format!("{}:{} {:?}", signal.file, signal.line, signal.says)).collect::<Vec<_>>(),
    });
    anstream::println!("{document:#}");
    Ok(Exit::Clean)
}
