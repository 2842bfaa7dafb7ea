//! Who starts Flink's processes.

/// Who starts the processes, which decides how the heap keys of Flink 1.9 are read and what bounds the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deployment {
    /// Flink's own scripts; no container.
    #[default]
    Standalone,
    /// YARN containers.
    Yarn,
    /// Kubernetes pods.
    Kubernetes,
    /// Nobody in particular: the heap keys of Flink 1.9 are not read at all.
    None,
}

impl Deployment {
    /// The name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Deployment::Standalone => "standalone",
            Deployment::Yarn => "yarn",
            Deployment::Kubernetes => "kubernetes",
            Deployment::None => "none",
        }
    }
}
