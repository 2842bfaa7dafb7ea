//! What `oomph repro` prints: scenarios, predictions, what came of a run, and two runs side by side.

pub mod all;
pub mod chart;
pub mod compare;
pub mod html;
pub mod json;
pub mod list;
pub mod predict;
mod settings;
pub mod show;
mod svg;
mod table;
pub mod text;
mod words;

#[cfg(test)]
mod made;

/// What a scenario is, for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// About how many seconds all of its runs take at its default size on two cores.
    pub seconds: u64,
    /// What it cannot run without: `--flink-home`, `python3`; nothing where everything is here.
    pub needs: Option<String>,
}

/// A scenario that was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRun {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it needs, or why it could not begin: `--flink-home DIR`.
    pub needs: String,
}
