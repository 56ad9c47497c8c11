//! Edge lists: one edge a line, two names and perhaps a weight.
//!
//! Names are tokens of any kind and get numbers in order of first appearance. Blank lines do not count, nor do lines
//! that start with `#` or `%`. Columns are separated by a given character or by white space; further columns are an
//! error.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::{EdgeRules, Graph, GraphError, HEAVIEST, LIGHTEST};

/// How an edge list is written.
///
/// ```
/// use kohort_cohorts::graph::read::EdgeList;
///
/// let text = "# who,whom,messages\nann,bob,3\nbob,cid,1\n";
/// let list = EdgeList { delimiter: Some(','), weighted: true, ..EdgeList::default() };
/// let friends = list.parse("friends.csv".as_ref(), text)?;
/// assert_eq!(friends.names, ["ann", "bob", "cid"]);
/// assert_eq!(friends.graph.weight(0, 1), 3.0);
///
/// let wrong = list.parse("friends.csv".as_ref(), "ann,bob,-1\n").unwrap_err();
/// assert_eq!(
///     wrong.to_string(),
///     r#"friends.csv:1: weight: found "-1", expected 0 (no edge) or a number from 1e-15 to 1e15"#
/// );
/// # Ok::<(), kohort_cohorts::graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeList {
    /// The character between columns; `None`: any white space.
    pub delimiter: Option<char>,
    /// Whether the first line that counts holds the columns' names.
    pub header: bool,
    /// Whether a third column holds weights; otherwise every edge weighs 1.
    pub weighted: bool,
    /// What becomes of repeated edges and loops.
    pub rules: EdgeRules,
    /// Largest file in bytes; checked before reading.
    pub limit: u64,
}

impl Default for EdgeList {
    /// White space, no header, no weights, repeats summed and loops kept, 4 GiB.
    fn default() -> Self {
        Self {
            delimiter: None,
            header: false,
            weighted: false,
            rules: EdgeRules::default(),
            limit: super::DEFAULT_LIMIT,
        }
    }
}

/// A graph whose nodes have names.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedGraph {
    /// The graph.
    pub graph: Graph,
    /// Names of the nodes, `[nodes]`.
    pub names: Vec<String>,
}

impl NamedGraph {
    /// Puts labels that are known by name in the order of the nodes, `None` where a node has no label.
    pub fn in_order<T: Clone>(&self, labels: &BTreeMap<String, T>) -> Vec<Option<T>> {
        self.names.iter().map(|name| labels.get(name).cloned()).collect()
    }
}

impl EdgeList {
    /// Reads a file.
    ///
    /// # Errors
    /// With file and line: too few or too many columns, a weight that is not 0 or between 1e-15 and 1e15, text that
    /// is not UTF-8. A file above the limit, or one the system does not let us read.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<NamedGraph, GraphError> {
        let path = path.as_ref();
        self.parse(path, &super::text_of(path, self.limit)?)
    }

    /// The graph of `text`; `path` is what errors say.
    ///
    /// # Errors
    /// As [`read`](Self::read), apart from the file's own.
    pub fn parse(&self, path: &Path, text: &str) -> Result<NamedGraph, GraphError> {
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        let mut names: Vec<&str> = Vec::new();
        let mut edges: Vec<(u32, u32, f64)> = Vec::new();
        let mut header = self.header;
        for (line, row) in (1u64..).zip(text.lines()) {
            let row = row.trim();
            if row.is_empty() || row.starts_with(['#', '%']) {
                continue;
            }
            if std::mem::take(&mut header) {
                continue;
            }
            let [u, v, weight] = self.columns(path, line, row)?;
            let mut number = |name| -> Result<u32, GraphError> {
                let next = names.len();
                let fresh = || GraphError::TooManyNodes { nodes: next + 1 };
                match numbers.get(name) {
                    Some(&number) => Ok(number),
                    None => {
                        let number = u32::try_from(next).map_err(|_| fresh())?;
                        numbers.insert(name, number);
                        names.push(name);
                        Ok(number)
                    }
                }
            };
            let (u, v) = (number(u)?, number(v)?);
            let w = if self.weighted { parse_weight(path, line, weight)? } else { 1.0 };
            edges.push((u, v, w));
        }
        let graph = self.rules.build(names.len(), edges.iter().copied())?;
        Ok(NamedGraph { graph, names: names.into_iter().map(str::to_owned).collect() })
    }

    /// The two names and the weight's text, which is empty where there is no such column.
    fn columns<'a>(&self, path: &Path, line: u64, row: &'a str) -> Result<[&'a str; 3], GraphError> {
        let (expected, width) = if self.weighted {
            ("3 columns: two nodes and a weight", 3)
        } else {
            ("2 columns: two nodes", 2)
        };
        let mut cells = [""; 3];
        let mut found = 0;
        let mut put = |cell: &'a str| {
            if found < 3 {
                cells[found] = cell.trim();
            }
            found += 1;
        };
        match self.delimiter {
            Some(delimiter) => row.split(delimiter).for_each(&mut put),
            None => row.split_whitespace().for_each(&mut put),
        }
        if found != width || cells[..width].iter().any(|cell| cell.is_empty()) {
            return Err(GraphError::field(path, line, "edge", row, expected));
        }
        Ok(cells)
    }
}

pub(super) fn parse_weight(path: &Path, line: u64, found: &str) -> Result<f64, GraphError> {
    let expected = "0 (no edge) or a number from 1e-15 to 1e15";
    match found.parse::<f64>() {
        Ok(w) if w == 0.0 || (LIGHTEST..=HEAVIEST).contains(&w) => Ok(w),
        _ => Err(GraphError::field(path, line, "weight", found, expected)),
    }
}
