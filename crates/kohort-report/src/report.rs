//! The page as a value: a title, facts about the run, and sections made of blocks.

use crate::{Plot, Table, Verdict};

/// A whole report.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The page's heading.
    pub title: String,
    /// One or two sentences under the title: what was run and what came out.
    pub lead: String,
    /// When the run started, as text with its time zone.
    pub started: String,
    /// Which matrix kernels ran.
    pub kernels: String,
    /// The few results a reader should take away, shown as cards.
    pub highlights: Vec<Highlight>,
    /// Versions, threads, machine, checksums: shown in a fold under the lead.
    pub facts: Vec<Fact>,
    /// The sections, in order; each has an entry in the table of contents.
    pub sections: Vec<Section>,
}

impl Report {
    /// A report without sections.
    pub fn new(title: impl Into<String>, started: impl Into<String>, kernels: impl Into<String>) -> Self {
        Self { title: title.into(), started: started.into(), kernels: kernels.into(), ..Self::default() }
    }

    /// Adds a fact about the run.
    pub fn fact(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.facts.push(Fact { name: name.into(), value: value.into() });
    }
}

/// A name and a value, both text.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One result on a card at the top of the page.
#[derive(Debug, Clone)]
pub struct Highlight {
    /// What is measured, short.
    pub label: String,
    /// The number, already formatted with its unit.
    pub value: String,
    /// What to compare it with.
    pub detail: String,
    /// A chip on the card.
    pub verdict: Option<Verdict>,
}

/// A heading, paragraphs and blocks.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// Heading and entry of the table of contents.
    pub heading: String,
    /// Paragraphs before the blocks.
    pub prose: Vec<String>,
    /// What follows, in order.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A section with only a heading.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), ..Self::default() }
    }

    /// Adds a paragraph.
    pub fn prose(mut self, paragraph: impl Into<String>) -> Self {
        self.prose.push(paragraph.into());
        self
    }

    /// Adds a block: a protocol box, table, grid, plot or note.
    pub fn block(mut self, block: impl Into<Block>) -> Self {
        self.blocks.push(block.into());
        self
    }
}

/// A part of a section.
#[derive(Debug, Clone)]
pub enum Block {
    /// A smaller heading.
    Heading(String),
    /// A paragraph between other blocks.
    Prose(String),
    /// The protocol of the numbers that follow.
    Protocol(Box<ProtocolBox>),
    /// A table of metrics.
    Table(Table),
    /// A table of plain text.
    Grid(Grid),
    /// A plot.
    Plot(Plot),
    /// A remark.
    Note(Note),
}

/// The protocol behind a set of numbers; every field is a phrase, so that no part can be left out by accident.
#[derive(Debug, Clone, Default)]
pub struct ProtocolBox {
    /// Name of the protocol, as rows refer to it.
    pub name: String,
    /// How train, validation and test parts were made.
    pub split: String,
    /// User or group.
    pub unit: String,
    /// Which items were ranked.
    pub candidates: String,
    /// From which rating an item is relevant.
    pub threshold: String,
    /// Length of the list.
    pub k: String,
    /// What the hits are divided by.
    pub denominator: String,
    /// What became of units without a relevant item.
    pub without_relevant: String,
    /// How equal scores were ordered.
    pub tie_rule: String,
    /// Which seeds.
    pub seeds: String,
    /// How the random floor was made.
    pub floor: String,
    /// How the oracle ceiling was made.
    pub ceiling: String,
    /// How the popularity baseline was made.
    pub popularity: String,
    /// Anything else worth stating.
    pub more: Vec<Fact>,
}

impl ProtocolBox {
    /// The fields with their names, in reading order.
    pub(crate) fn entries(&self) -> Vec<(&str, &str)> {
        let mut entries = vec![
            ("Split", self.split.as_str()),
            ("Unit", &self.unit),
            ("Candidates", &self.candidates),
            ("Relevant from", &self.threshold),
            ("k", &self.k),
            ("Denominator", &self.denominator),
            ("Units without a relevant item", &self.without_relevant),
            ("Ties", &self.tie_rule),
            ("Seeds", &self.seeds),
            ("Random floor", &self.floor),
            ("Oracle ceiling", &self.ceiling),
            ("Popularity baseline", &self.popularity),
        ];
        entries.extend(self.more.iter().map(|fact| (fact.name.as_str(), fact.value.as_str())));
        for (_, value) in &mut entries {
            if value.trim().is_empty() {
                *value = "not stated";
            }
        }
        entries
    }
}

/// A table of plain text, for what is not a metric (checksums, timings).
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// Caption above the table.
    pub caption: String,
    /// Column headings.
    pub header: Vec<String>,
    /// Cells by line; short lines are filled with empty cells.
    pub lines: Vec<Vec<String>>,
}

/// A remark in a coloured box.
#[derive(Debug, Clone)]
pub struct Note {
    /// Decides colour and heading.
    pub kind: NoteKind,
    /// The remark.
    pub text: String,
}

impl Note {
    /// A note of the given kind.
    pub fn new(kind: NoteKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// Why a note is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// We did something else than the paper.
    DepartsFromPaper,
    /// Something was not run.
    Skipped,
    /// A number should be read with care.
    Warning,
}

impl NoteKind {
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::DepartsFromPaper => "Departs from the paper",
            Self::Skipped => "Skipped",
            Self::Warning => "Read with care",
        }
    }

    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::DepartsFromPaper => "departs",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
        }
    }
}

impl From<ProtocolBox> for Block {
    fn from(protocol: ProtocolBox) -> Self {
        Self::Protocol(Box::new(protocol))
    }
}

impl From<Table> for Block {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<Grid> for Block {
    fn from(grid: Grid) -> Self {
        Self::Grid(grid)
    }
}

impl<P: Into<Plot>> From<P> for Block {
    fn from(plot: P) -> Self {
        Self::Plot(plot.into())
    }
}

impl From<Note> for Block {
    fn from(note: Note) -> Self {
        Self::Note(note)
    }
}
