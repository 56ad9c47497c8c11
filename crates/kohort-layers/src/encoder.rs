//! Feature encoder: the columns of users or items as one dense row each.
//!
//! Categorical columns are embedded, multi-hot columns are embedded and averaged, numbers and vectors enter as they
//! are (standardise them on training rows first). The parts stand side by side in the order of the fields.

use kohort_core::{Init, Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use crate::{Bags, Embedding, EmbeddingBag, Pooling};

/// Kind and size of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// One code per row, below this number.
    Categorical(usize),
    /// Any number of codes per row, each below this number.
    MultiHot(usize),
    /// One number per row.
    Numeric,
    /// A vector of this length per row.
    Dense(usize),
}

/// Values of one column for all rows.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValues {
    /// One code per row.
    Categorical(Vec<u32>),
    /// Row `n` has the codes `codes[offsets[n] .. offsets[n + 1]]`.
    MultiHot {
        /// The codes of all rows, one after the other.
        codes: Vec<u32>,
        /// Where each row begins, and where the last ends.
        offsets: Vec<u32>,
    },
    /// One number per row.
    Numeric(Vec<f32>),
    /// `[rows, width]`, row-major.
    Dense(Vec<f32>),
}

/// Columns over the same rows, with their kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Name, kind and values of each column.
    pub columns: Vec<(String, Field, FieldValues)>,
}

/// How wide embeddings are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// Largest embedding width; a column with few codes gets at most as many columns as codes.
    pub width: usize,
    /// How embeddings start.
    pub init: Init,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        EncoderConfig { width: 8, init: Init::Normal(0.1) }
    }
}

#[derive(Clone, Debug)]
enum Part {
    Embedding(Embedding),
    Bag(EmbeddingBag),
    Numbers(usize),
}

/// Encodes rows of a [`Table`] as `[n, width]`.
#[derive(Clone, Debug)]
pub struct Encoder {
    parts: Vec<Part>,
    width: usize,
}

impl Encoder {
    /// Adds an embedding per categorical and multi-hot column to `params`, under `name/column`.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        table: &Table,
        config: &EncoderConfig,
        seed: u64,
    ) -> Encoder {
        let mut parts = Vec::with_capacity(table.columns.len());
        let mut width = 0;
        for (column, field, _) in &table.columns {
            let name = format!("{name}/{column}");
            let part = match *field {
                Field::Categorical(codes) => {
                    let cols = config.width.min(codes).max(1);
                    Part::Embedding(Embedding::new(params, &name, codes, cols, config.init, seed))
                }
                Field::MultiHot(codes) => {
                    let (cols, pooling) = (config.width.min(codes).max(1), Pooling::Mean);
                    Part::Bag(EmbeddingBag::new(params, &name, codes, cols, pooling, config.init, seed))
                }
                Field::Numeric => Part::Numbers(1),
                Field::Dense(cols) => Part::Numbers(cols),
            };
            width += match &part {
                Part::Embedding(e) => e.width,
                Part::Bag(b) => b.width,
                Part::Numbers(cols) => *cols,
            };
            parts.push(part);
        }
        Encoder { parts, width }
    }

    /// Number of columns of the encoding.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Encodes the rows `ids` of `table`, whose columns must be those the encoder was made for; `None` without columns.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        table: &Table,
        ids: &[u32],
    ) -> Option<Var> {
        let mut parts = Vec::with_capacity(self.parts.len());
        for (part, (name, _, values)) in self.parts.iter().zip(&table.columns) {
            parts.push(match (part, values) {
                (Part::Embedding(embedding), FieldValues::Categorical(codes)) => {
                    let rows: Vec<u32> = ids.iter().map(|&id| codes[id as usize]).collect();
                    embedding.forward(tape, params, &rows)
                }
                (Part::Bag(bag), FieldValues::MultiHot { codes, offsets }) => {
                    let (mut rows, mut bounds) = (Vec::new(), vec![0u32]);
                    for &id in ids {
                        let id = id as usize;
                        rows.extend_from_slice(&codes[offsets[id] as usize..offsets[id + 1] as usize]);
                        bounds.push(rows.len() as u32);
                    }
                    bag.forward(tape, params, Bags { ids: &rows, offsets: &bounds, weight: None })
                }
                (Part::Numbers(1), FieldValues::Numeric(values)) => tape.input_with(ids.len(), 1, |out| {
                    out.iter_mut().zip(ids).for_each(|(o, &id)| *o = F::of(f64::from(values[id as usize])));
                }),
                (Part::Numbers(cols), FieldValues::Dense(values)) => {
                    tape.input_with(ids.len(), *cols, |out| {
                        for (o, &id) in out.chunks_exact_mut(*cols).zip(ids) {
                            let row = &values[id as usize * cols..(id as usize + 1) * cols];
                            o.iter_mut().zip(row).for_each(|(o, &v)| *o = F::of(f64::from(v)));
                        }
                    })
                }
                _ => panic!("encoder: column {name} is of another kind than the encoder was made for"),
            });
        }
        (!parts.is_empty()).then(|| tape.concat(&parts))
    }
}
