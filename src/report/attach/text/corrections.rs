//! Flink's figures that say something else than they seem to.

use super::wrapped;
use crate::diagnose::rocksdb_metrics::Correction;
use crate::report::amount::mib;

pub(super) fn section(corrections: &[Correction], width: usize) -> String {
    if corrections.is_empty() {
        return String::new();
    }
    let mut out = "\nFlink's figures, corrected (MiB)\n".to_owned();
    for correction in corrections {
        let corrected = match &correction.corrected {
            Ok(bytes) => format!("-> {}", mib(*bytes)),
            Err(_) => "-> says nothing of it".to_owned(),
        };
        let text = format!("  {}: {} {corrected}; {}", correction.what, mib(correction.as_reported), correction.why);
        out += &wrapped(&text, width, "    ");
    }
    out
}
