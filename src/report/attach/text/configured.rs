//! Where a process differs from its configuration file.

use super::wrapped;
use crate::diagnose::configured::Configured;
use crate::model::{Bytes, Seen};
use crate::report::amount::mib;
use crate::report::table::{self, Align};

pub(super) fn section(configured: Option<&Seen<Configured>>, width: usize) -> String {
    let Some(Ok(configured)) = configured else { return String::new() };
    if configured.differences.is_empty() {
        return format!(
            "\n{}",
            wrapped(&format!("It runs as {} configures it, to the byte.", configured.source), width, "  ")
        );
    }
    let size = |bytes: Option<Bytes>| bytes.map_or_else(|| "none".to_owned(), mib);
    let rows = configured
        .differences
        .iter()
        .map(|one| vec![one.component.label().to_owned(), size(one.configured), size(one.running)]);
    let rows: Vec<Vec<String>> = rows.collect();
    let head = format!(
        "It does not run as {} configures it: was it changed since, or is it another process's?",
        configured.source
    );
    let header = ["MiB", "configured", "running"];
    format!(
        "\n{}{}",
        wrapped(&head, width, "  "),
        table::plain(2, &header, &[Align::Left, Align::Right, Align::Right], &rows)
    )
}
