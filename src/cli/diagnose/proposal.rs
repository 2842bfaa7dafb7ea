//! `--proposal`: whether what another tool proposes may be followed.

use std::io::Write;
use std::path::Path;

use crate::cli::Exit;
use crate::cli::plan::width;
use crate::recommend::cure::Patient;
use crate::recommend::proposal::{judge, read};
use crate::report::opinion;

/// Prints an opinion of each proposal in a file; exit 1 where one may not be followed.
pub fn print(file: &Path, patient: Option<Patient<'_>>, out: &mut impl Write) -> anyhow::Result<Exit> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            anstream::eprintln!("error: could not read {}: {error}", file.display());
            return Ok(Exit::Input);
        }
    };
    let proposals = match read(&text) {
        Ok(proposals) => proposals,
        Err(error) => {
            anstream::eprintln!("error: {}: {error}", file.display());
            return Ok(Exit::Input);
        }
    };
    let Some(patient) = patient else {
        anstream::eprintln!("error: no configuration is known to lay the proposal beside: name one with --conf FILE");
        return Ok(Exit::Usage);
    };
    let mut exit = Exit::Clean;
    for proposal in &proposals {
        let opinion = judge(proposal, &patient);
        if !opinion.allowed {
            exit = Exit::Findings;
        }
        out.write_all(opinion::text(proposal, &opinion, width()).as_bytes())?;
    }
    Ok(exit)
}
