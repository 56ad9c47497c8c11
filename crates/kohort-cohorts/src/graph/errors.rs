//! What a graph can refuse.

use std::path::{Path, PathBuf};

/// Why there is no graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// An end of an edge that is no node.
    #[error("edge {edge}: node {node} is not allowed, the nodes are the numbers below {nodes}")]
    Node {
        /// Position of the edge in the list, from 0.
        edge: usize,
        /// The number given.
        node: u32,
        /// Number of nodes.
        nodes: usize,
    },
    /// A weight that is negative, NaN, infinite, or too large or small to calculate with.
    #[error("edge {edge}: weight {value} is not allowed, it must be 0 (no edge) or between 1e-15 and 1e15")]
    Weight {
        /// Position of the edge in the list, from 0.
        edge: usize,
        /// The weight given.
        value: f64,
    },
    /// More nodes than a 32-bit number can name.
    #[error("{nodes} nodes: at most 4294967295 are allowed")]
    TooManyNodes {
        /// Number of nodes.
        nodes: usize,
    },
    /// Columns of interactions that differ in length.
    #[error(
        "{users} users, {items} items and {weights} weights: one of each is needed for every interaction"
    )]
    Columns {
        /// Users given.
        users: usize,
        /// Items given.
        items: usize,
        /// Weights given.
        weights: usize,
    },
    /// A user or item number that is out of range.
    #[error("interaction {row}: {side} {value} is not allowed, there are {count}")]
    Interaction {
        /// Position of the interaction, from 0.
        row: usize,
        /// `"user"` or `"item"`.
        side: &'static str,
        /// The number given.
        value: u32,
        /// How many there are.
        count: usize,
    },
    /// A setting out of its range.
    #[error("{setting} = {value}: allowed is {allowed}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// A value in a file that could not be used.
    #[error("{}:{line}: {field}: found {found:?}, expected {expected}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What the value is for.
        field: String,
        /// What stands there.
        found: String,
        /// What is allowed.
        expected: String,
    },
    /// A file above the limit; nothing of it was read.
    #[error("{}: {bytes} bytes, allowed are at most {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The system refused to open or read a file.
    #[error("{}: cannot read it", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl GraphError {
    pub(super) fn field(path: &Path, line: u64, field: &str, found: &str, expected: &str) -> Self {
        // A broken file may have a line of any length: an error shows its start.
        let found: String = found.chars().take(80).collect();
        let (field, expected) = (field.to_owned(), expected.to_owned());
        Self::Field { path: path.to_path_buf(), line, field, found, expected }
    }
}
