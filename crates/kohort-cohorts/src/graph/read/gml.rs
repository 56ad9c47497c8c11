//! GML, the Graph Modelling Language: nested lists of keys and values, as Newman's collection and networkx write it.
//!
//! ```text
//! file   = pairs
//! pairs  = { key value }
//! value  = integer | real | "text" | [ pairs ]
//! ```
//!
//! Of the first `graph [ … ]` this reads `directed`, `node [ id label … ]` and `edge [ source target … ]`; plain values of a node
//! are its attributes, nested lists (`graphics [ … ]`) are passed over. Names of keys count in any case. A line that
//! starts with `#` is a comment; in texts, `&amp;` and its like and `&#233;` stand for their characters. A directed graph is read as
//! if its edges had no direction.
//!
//! Source: M. Himsolt, "GML: a portable graph file format", University of Passau, 1997. Difference: texts are UTF-8. The
//! reader is our own, so that every error names its line.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::{EdgeRules, Graph, GraphError};
use super::edge_list::parse_weight;

/// Lists inside lists that are followed; files in use have three.
const DEEPEST: usize = 64;

/// How a GML file is understood.
///
/// ```
/// use kohort_cohorts::graph::read::{Attribute, Gml};
///
/// let text = r#"graph [
///   node [ id 7 label "ann" shop "Paris" ]
///   node [ id 3 label "bob" ]
///   edge [ source 7 target 3 value 2.5 ]
/// ]"#;
/// let read = Gml { weight: Some("value".to_owned()), ..Gml::default() }.parse("friends.gml".as_ref(), text)?;
/// assert_eq!(read.ids, [7, 3]);
/// assert_eq!(read.graph.weight(0, 1), 2.5);
/// assert_eq!(read.attributes[0]["shop"], Attribute::Text("Paris".to_owned()));
///
/// let wrong = Gml::default().parse("friends.gml".as_ref(), "graph [\n node [ id 1 ]\n edge [ source 1 target 2 ]\n]");
/// assert_eq!(wrong.unwrap_err().to_string(), r#"friends.gml:3: target: found "2", expected the id of a node"#);
/// # Ok::<(), kohort_cohorts::graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Gml {
    /// Key of an edge that holds its weight; every edge must have it. `None`: every edge weighs 1.
    pub weight: Option<String>,
    /// What becomes of repeated edges and loops.
    pub rules: EdgeRules,
    /// Largest file in bytes; checked before reading.
    pub limit: u64,
}

impl Default for Gml {
    /// No weights, repeats summed and loops kept, 4 GiB.
    fn default() -> Self {
        Self { weight: None, rules: EdgeRules::default(), limit: super::DEFAULT_LIMIT }
    }
}

/// A plain value of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A whole number.
    Integer(i64),
    /// A number with a point or an exponent.
    Real(f64),
    /// A text.
    Text(String),
}

/// What a GML file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct GmlGraph {
    /// The graph; nodes in the order of the file.
    pub graph: Graph,
    /// Ids of the nodes, `[nodes]`.
    pub ids: Vec<i64>,
    /// The nodes' other plain values by key in lower case, `label` among them, `[nodes]`.
    pub attributes: Vec<BTreeMap<String, Attribute>>,
    /// Whether the file calls its edges directed.
    pub directed: bool,
}

impl Gml {
    /// Reads a file.
    ///
    /// # Errors
    /// With file and line: brackets or texts that never close, a value where a key should be, a node without an id
    /// or with one that is taken, an edge that names no node, a weight that is not allowed. A file above the limit, or one
    /// the system does not let us read.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<GmlGraph, GraphError> {
        let path = path.as_ref();
        self.parse(path, &super::text_of(path, self.limit)?)
    }

    /// The graph of `text`; `path` is what errors say.
    ///
    /// # Errors
    /// As [`read`](Self::read), apart from the file's own.
    pub fn parse(&self, path: &Path, text: &str) -> Result<GmlGraph, GraphError> {
        let mut tokens = Tokens { path, rest: text, line: 1 };
        loop {
            let Some((key, line)) = tokens.key()? else {
                let end = tokens.line;
                return Err(GraphError::field(path, end, "file", "its end", "a list named graph"));
            };
            match tokens.value(&key, line)? {
                Value::List if key == "graph" => return self.graph(&mut tokens),
                Value::List => tokens.pass_over()?,
                Value::Plain(_) => {}
            }
        }
    }

    fn graph(&self, tokens: &mut Tokens<'_>) -> Result<GmlGraph, GraphError> {
        let (mut directed, mut ids, mut attributes) = (false, Vec::new(), Vec::new());
        let mut numbers: BTreeMap<i64, u32> = BTreeMap::new();
        // Nodes may come after the edges that name them.
        let mut ends: Vec<(u64, [i64; 2], f64)> = Vec::new();
        while let Some((key, line)) = tokens.key_in_list()? {
            match (key.as_str(), tokens.value(&key, line)?) {
                ("directed", Value::Plain(Attribute::Integer(flag))) => directed = flag == 1,
                ("node", Value::List) => {
                    let mut found = tokens.plain_list()?;
                    let id = tokens.whole(line, &mut found, "id")?;
                    let number = u32::try_from(ids.len())
                        .map_err(|_| GraphError::TooManyNodes { nodes: ids.len() + 1 })?;
                    if numbers.insert(id, number).is_some() {
                        let expected = "an id that no other node has";
                        return Err(GraphError::field(tokens.path, line, "id", &id.to_string(), expected));
                    }
                    ids.push(id);
                    attributes.push(found.into_iter().map(|(key, (value, _))| (key, value)).collect());
                }
                ("edge", Value::List) => {
                    let mut found = tokens.plain_list()?;
                    let source = tokens.whole(line, &mut found, "source")?;
                    let target = tokens.whole(line, &mut found, "target")?;
                    let weight = match &self.weight {
                        Some(key) => tokens.weight(line, &found, key)?,
                        None => 1.0,
                    };
                    ends.push((line, [source, target], weight));
                }
                ("node" | "edge", Value::Plain(value)) => {
                    return Err(GraphError::field(
                        tokens.path,
                        line,
                        &key,
                        &value.to_string(),
                        "a list in brackets",
                    ));
                }
                (_, Value::List) => tokens.pass_over()?,
                (_, Value::Plain(_)) => {}
            }
        }
        let mut edges = Vec::with_capacity(ends.len());
        for (line, [source, target], weight) in ends {
            let number = |field, id: i64| {
                let unknown =
                    || GraphError::field(tokens.path, line, field, &id.to_string(), "the id of a node");
                numbers.get(&id).copied().ok_or_else(unknown)
            };
            edges.push((number("source", source)?, number("target", target)?, weight));
        }
        let graph = self.rules.build(ids.len(), edges.iter().copied())?;
        Ok(GmlGraph { graph, ids, attributes, directed })
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Attribute::Integer(value) => write!(f, "{value}"),
            Attribute::Real(value) => write!(f, "{value}"),
            Attribute::Text(value) => f.write_str(value),
        }
    }
}

/// What follows a key; of a list, the opening bracket has been read.
enum Value {
    Plain(Attribute),
    List,
}

/// Plain values of a list by key, and their lines.
type Plain = BTreeMap<String, (Attribute, u64)>;

/// The part of a text that is still to be read.
struct Tokens<'a> {
    path: &'a Path,
    rest: &'a str,
    line: u64,
}

impl<'a> Tokens<'a> {
    fn error(&self, field: &str, found: &str, expected: &str) -> GraphError {
        let found = if found.is_empty() { "the end of the file" } else { found };
        GraphError::field(self.path, self.line, field, found, expected)
    }

    fn skip_space(&mut self) {
        loop {
            let space = self.rest.len() - self.rest.trim_start().len();
            self.line += self.rest[..space].matches('\n').count() as u64;
            self.rest = &self.rest[space..];
            if !self.rest.starts_with('#') {
                return;
            }
            self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
        }
    }

    /// Letters and digits up to a space or bracket.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| c.is_whitespace() || "[]\"".contains(c));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// The next key in lower case and its line; `None` at the end of the file.
    fn key(&mut self) -> Result<Option<(String, u64)>, GraphError> {
        self.skip_space();
        if self.rest.is_empty() {
            return Ok(None);
        }
        let found = self.rest.lines().next().unwrap_or_default();
        let key = self.word();
        if !key.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(self.error("key", found, "a name that starts with a letter"));
        }
        Ok(Some((key.to_ascii_lowercase(), self.line)))
    }

    /// As [`key`](Self::key), but `None` at the bracket that closes the list.
    fn key_in_list(&mut self) -> Result<Option<(String, u64)>, GraphError> {
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix(']') {
            self.rest = rest;
            return Ok(None);
        }
        match self.key()? {
            Some(key) => Ok(Some(key)),
            None => Err(self.error("list", "", "a closing bracket")),
        }
    }

    fn value(&mut self, key: &str, line: u64) -> Result<Value, GraphError> {
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix('[') {
            self.rest = rest;
            return Ok(Value::List);
        }
        if let Some(rest) = self.rest.strip_prefix('"') {
            let Some(end) = rest.find('"') else {
                return Err(GraphError::field(self.path, line, key, "a text", "a closing quote"));
            };
            self.line += rest[..end].matches('\n').count() as u64;
            self.rest = &rest[end + 1..];
            return Ok(Value::Plain(Attribute::Text(unescape(&rest[..end]))));
        }
        let word = self.word();
        if let Ok(whole) = word.parse() {
            return Ok(Value::Plain(Attribute::Integer(whole)));
        }
        match word.parse::<f64>() {
            Ok(real) if real.is_finite() => Ok(Value::Plain(Attribute::Real(real))),
            _ => Err(self.error(key, word, "a finite number, a text in quotes or a list in brackets")),
        }
    }

    /// The plain values of a list whose bracket is open; lists in it are passed over.
    fn plain_list(&mut self) -> Result<Plain, GraphError> {
        let mut found = BTreeMap::new();
        while let Some((key, line)) = self.key_in_list()? {
            match self.value(&key, line)? {
                Value::Plain(value) => {
                    found.insert(key, (value, line));
                }
                Value::List => self.pass_over()?,
            }
        }
        Ok(found)
    }

    /// Reads on behind the bracket that closes the open list.
    fn pass_over(&mut self) -> Result<(), GraphError> {
        let mut open = 1;
        while open > 0 {
            let Some((key, line)) = self.key_in_list()? else {
                open -= 1;
                continue;
            };
            if let Value::List = self.value(&key, line)? {
                open += 1;
            }
            if open > DEEPEST {
                return Err(self.error(&key, "[", "at most 64 lists inside each other"));
            }
        }
        Ok(())
    }

    fn whole(&self, line: u64, found: &mut Plain, key: &str) -> Result<i64, GraphError> {
        match found.remove(key) {
            Some((Attribute::Integer(value), _)) => Ok(value),
            Some((other, line)) => {
                Err(GraphError::field(self.path, line, key, &other.to_string(), "a whole number"))
            }
            None => Err(GraphError::field(self.path, line, key, "nothing", "a whole number")),
        }
    }

    fn weight(&self, line: u64, found: &Plain, key: &str) -> Result<f64, GraphError> {
        match found.get(&key.to_ascii_lowercase()) {
            Some((value, line)) => parse_weight(self.path, *line, &value.to_string()),
            None => Err(GraphError::field(self.path, line, key, "nothing", "a weight")),
        }
    }
}

/// Characters for `&name;` and `&#number;`; what is neither stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        // The longest name is `&#1114111;`: looking no further keeps this linear.
        let end = rest.char_indices().take(10).find(|&(_, c)| c == ';');
        let meant = end.and_then(|(end, _)| {
            let character = match &rest[1..end] {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                name => char::from_u32(name.strip_prefix('#')?.parse().ok()?)?,
            };
            Some((character, end + 1))
        });
        let (character, length) = meant.unwrap_or(('&', 1));
        out.push(character);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}
