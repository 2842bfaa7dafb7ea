//! The plan of a job as Flink's REST interface gives it (`/jobs/:id/plan`, `/jobs/:id`), or as a few words tell it: who
//! sends to whom, and how.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use thiserror::Error;

/// How many vertices a plan may have; no job comes near.
const MAX_VERTICES: usize = 100_000;

/// The most subtasks that a vertex can have (`KeyGroupRangeAssignment.UPPER_BOUND_MAX_PARALLELISM`).
pub const MAX_PARALLELISM: u32 = 1 << 15;

/// A job as far as its shuffles go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPlan {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its vertices, in the order of the text.
    pub vertices: Vec<Vertex>,
}

/// One vertex: operators chained together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vertex {
    /// What it does, in a line.
    pub name: String,
    /// How many subtasks.
    pub parallelism: u32,
    /// Where it reads from.
    pub inputs: Vec<Input>,
}

/// One edge, at its reading end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The index of the vertex that writes.
    pub from: usize,
    /// Which subtasks are joined.
    pub pattern: Pattern,
    /// How Flink calls the strategy, such as HASH; in the words of who told of it.
    pub strategy: String,
    /// How data is handed over.
    pub exchange: Exchange,
}

/// Which subtasks of two vertices are joined by channels (`DistributionPattern`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Every one with every other.
    AllToAll,
    /// One with one, or with its share where their numbers differ.
    Pointwise,
}

/// How data is handed over (`ResultPartitionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// While it is written, with no bound but the pool's.
    Pipelined,
    /// While it is written, with a bound: all streaming jobs.
    PipelinedBounded,
    /// After it was written: batch.
    Blocking,
    /// Either way, in tiers.
    Hybrid,
}

impl Exchange {
    /// The name in a text.
    pub fn label(self) -> &'static str {
        match self {
            Exchange::Pipelined => "pipelined, unbounded",
            Exchange::PipelinedBounded => "pipelined",
            Exchange::Blocking => "blocking",
            Exchange::Hybrid => "hybrid",
        }
    }

    fn of_rest(name: &str) -> Option<Exchange> {
        Some(match name.to_ascii_lowercase().as_str() {
            "pipelined" => Exchange::Pipelined,
            "pipelined_bounded" | "pipelined_approximate" => Exchange::PipelinedBounded,
            "blocking" | "blocking_persistent" => Exchange::Blocking,
            "hybrid_full" | "hybrid_selective" => Exchange::Hybrid,
            _ => return None,
        })
    }
}

/// Why a text is no plan of a job.
#[derive(Debug, Error)]
pub enum JobPlanError {
    /// No JSON, or another document.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A document of the right form that makes no sense.
    #[error("vertex {vertex}: {reason}")]
    Vertex {
        /// Which vertex, by its id.
        vertex: String,
        /// What is wrong.
        reason: String,
    },
    /// There is nothing in it.
    #[error("the plan has no vertices")]
    Empty,
    /// There is too much in it.
    #[error("the plan has {0} vertices; oomph reads at most {MAX_VERTICES}")]
    TooLarge(usize),
}

/// Both documents: the plan alone, or the job with its plan inside.
#[derive(Deserialize)]
struct Document {
    plan: Option<Plan>,
    name: Option<String>,
    nodes: Option<Vec<Node>>,
}

#[derive(Deserialize)]
struct Plan {
    name: Option<String>,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    parallelism: i64,
    #[serde(default)]
    description: String,
    #[serde(default)]
    inputs: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    id: String,
    #[serde(default)]
    ship_strategy: String,
    exchange: Option<String>,
}

/// Reads what the REST interface answered.
pub fn parse(text: &[u8]) -> Result<JobPlan, JobPlanError> {
    let document: Document = serde_json::from_slice(text).map_err(|error| {
        // The library ends its message with the place, which is told apart here.
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        JobPlanError::Syntax { line: error.line(), column: error.column(), reason }
    })?;
    let (name, nodes) = match (document.plan, document.nodes) {
        (Some(plan), _) => (plan.name.or(document.name), plan.nodes),
        (None, Some(nodes)) => (document.name, nodes),
        (None, None) => {
            let reason = "neither a plan nor nodes: save the answer of /jobs/:id/plan or /jobs/:id".to_owned();
            return Err(JobPlanError::Syntax { line: 1, column: 1, reason });
        }
    };
    if nodes.is_empty() {
        return Err(JobPlanError::Empty);
    }
    if nodes.len() > MAX_VERTICES {
        return Err(JobPlanError::TooLarge(nodes.len()));
    }
    let index: HashMap<&str, usize> = nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
    if index.len() < nodes.len() {
        let mut seen = HashSet::new();
        let twice = nodes.iter().find(|node| !seen.insert(node.id.as_str())).map_or("", |node| &node.id);
        return Err(wrong(twice, "it is there twice".to_owned()));
    }
    let vertices = nodes.iter().map(|node| vertex(node, &index)).collect::<Result<_, _>>()?;
    Ok(JobPlan { name, vertices })
}

fn wrong(vertex: &str, reason: String) -> JobPlanError {
    JobPlanError::Vertex { vertex: vertex.chars().take(40).collect(), reason }
}

fn vertex(node: &Node, index: &HashMap<&str, usize>) -> Result<Vertex, JobPlanError> {
    let parallelism = u32::try_from(node.parallelism)
        .ok()
        .filter(|parallelism| (1..=MAX_PARALLELISM).contains(parallelism))
        .ok_or_else(|| {
            let reason = format!("a parallelism of {} is not from 1 to {MAX_PARALLELISM}", node.parallelism);
            wrong(&node.id, reason)
        })?;
    let input = |edge: &Edge| {
        let from = *index.get(edge.id.as_str()).ok_or_else(|| {
            wrong(&node.id, format!("it reads from {}, which is not in the plan", short(&edge.id, 40)))
        })?;
        let exchange = match &edge.exchange {
            // Plans of streaming jobs of old versions may leave it out.
            None => Exchange::PipelinedBounded,
            Some(name) => Exchange::of_rest(name)
                .ok_or_else(|| wrong(&node.id, format!("its exchange {:?} is not known", short(name, 40))))?,
        };
        let pattern = match edge.ship_strategy.to_ascii_uppercase().as_str() {
            "FORWARD" | "RESCALE" => Pattern::Pointwise,
            _ => Pattern::AllToAll,
        };
        Ok(Input { from, pattern, strategy: short(&edge.ship_strategy, 20), exchange })
    };
    Ok(Vertex {
        name: title(&node.description, &node.id),
        parallelism,
        inputs: node.inputs.iter().map(input).collect::<Result<_, _>>()?,
    })
}

/// The first operator of a description, which is HTML, without its number.
fn title(description: &str, id: &str) -> String {
    let first = description.split("<br/>").next().unwrap_or_default();
    let first = first.split("-&gt;").next().unwrap_or_default();
    let first = match first.split_once(':') {
        Some((number, rest)) if number.starts_with('[') => rest,
        _ => first,
    };
    let first: String =
        first.split('(').next().unwrap_or_default().trim().chars().filter(|c| !c.is_control()).collect();
    if first.is_empty() { short(id, 8) } else { short(&first, 30) }
}

fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// Why a list of edges cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EdgesError {
    /// A word that is no edge.
    #[error(
        "{0:?} is no edge: write hash, rebalance, broadcast, global, custom, forward or rescale, such as hash,2xforward"
    )]
    Unknown(String),
    /// A parallelism out of range.
    #[error("a parallelism of {0} is not from 1 to {MAX_PARALLELISM}")]
    Parallelism(u32),
    /// A count that no job has.
    #[error("{0} edges are more than oomph reads")]
    TooMany(u64),
}

/// How many edges may be told in words.
const MAX_EDGES: u64 = 1000;

impl JobPlan {
    /// A chain of vertices of one parallelism, with these edges between them: `hash,2xforward,rebalance`.
    pub fn chain(parallelism: u32, exchange: Exchange, edges: &[String]) -> Result<JobPlan, EdgesError> {
        if !(1..=MAX_PARALLELISM).contains(&parallelism) {
            return Err(EdgesError::Parallelism(parallelism));
        }
        let vertex = |number: usize, inputs| Vertex { name: format!("vertex {number}"), parallelism, inputs };
        let mut vertices = vec![vertex(1, Vec::new())];
        for word in edges {
            let (count, name) = match word.split_once('x') {
                Some((count, name)) if !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => {
                    (count.parse::<u64>().unwrap_or(u64::MAX), name)
                }
                _ => (1, word.as_str()),
            };
            let pattern = match name.to_ascii_lowercase().as_str() {
                "hash" | "rebalance" | "broadcast" | "global" | "custom" => Pattern::AllToAll,
                "forward" | "rescale" => Pattern::Pointwise,
                _ => return Err(EdgesError::Unknown(short(word, 40))),
            };
            if count > MAX_EDGES || vertices.len() as u64 + count > MAX_EDGES {
                return Err(EdgesError::TooMany(count));
            }
            for _ in 0..count {
                let from = vertices.len() - 1;
                let strategy = name.to_ascii_uppercase();
                vertices.push(vertex(vertices.len() + 1, vec![Input { from, pattern, strategy, exchange }]));
            }
        }
        Ok(JobPlan { name: None, vertices })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_job_with_its_plan_inside_is_read_like_the_plan_alone() {
        let plan = r#"{"name":"j","nodes":[{"id":"a","parallelism":2,"description":"Source: x"},
            {"id":"b","parallelism":3,"inputs":[{"id":"a","ship_strategy":"HASH","exchange":"pipelined_bounded"}]}]}"#;
        let job = format!(r#"{{"jid":"1","name":"j","plan":{plan}}}"#);
        let read = parse(plan.as_bytes()).unwrap();
        assert_eq!(read, parse(job.as_bytes()).unwrap());
        assert_eq!(read.vertices[1].inputs[0].exchange, Exchange::PipelinedBounded);
        assert_eq!(read.vertices[1].inputs[0].pattern, Pattern::AllToAll);
    }

    #[rstest]
    #[case("{", "line 1, column 1: EOF while parsing an object")]
    #[case("{}", "line 1, column 1: neither a plan nor nodes")]
    #[case("{\"nodes\":[]}", "the plan has no vertices")]
    #[case("{\"nodes\":[\n{\"id\":1}]}", "line 2, column 7: invalid type: integer `1`, expected a string")]
    #[case(r#"{"nodes":[{"id":"a","parallelism":0}]}"#, "vertex a: a parallelism of 0")]
    #[case(r#"{"nodes":[{"id":"a","parallelism":1,"inputs":[{"id":"b"}]}]}"#, "vertex a: it reads from b")]
    #[case(r#"{"nodes":[{"id":"a","parallelism":1},{"id":"a","parallelism":1}]}"#, "vertex a: it is there twice")]
    fn what_is_no_plan_is_said_with_its_place(#[case] text: &str, #[case] expected: &str) {
        let error = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn edges_in_words_make_a_chain() {
        let words: Vec<String> = ["hash", "2xforward"].map(str::to_owned).into();
        let plan = JobPlan::chain(4, Exchange::PipelinedBounded, &words).unwrap();
        let patterns: Vec<_> = plan.vertices.iter().flat_map(|v| &v.inputs).map(|i| i.pattern).collect();
        assert_eq!(patterns, [Pattern::AllToAll, Pattern::Pointwise, Pattern::Pointwise]);
        assert_eq!(
            JobPlan::chain(4, Exchange::Blocking, &["hush".to_owned()]),
            Err(EdgesError::Unknown("hush".to_owned()))
        );
    }
}
