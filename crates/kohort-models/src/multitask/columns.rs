//! Feature columns as the encoder's table: numbers are standardised with the mean and deviation of the training rows, and
//! what is scored later goes through the same. Categories are known by their token, not by their code: another file may have
//! counted them in another order.

use kohort_data::{Column, Features, Vocabulary};
use kohort_layers::{Field, FieldValues, Table};

use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::scaling::Scaling;

/// Standardised inputs are held within this many deviations: a rare extreme should not steer a step.
const LIMIT: f32 = 5.0;

/// What was learned of the training rows' columns.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    columns: Vec<Learned>,
    /// The column that gates read.
    gate: Option<Learned>,
}

/// Rows as a network reads them.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    /// What the encoder reads.
    pub(crate) table: Table,
    /// What gates read.
    pub(crate) gate: Option<GateInput>,
}

/// The column that gates read.
#[derive(Clone, Debug)]
pub(crate) struct GateInput {
    /// Scaled, `[rows, width]`.
    pub(crate) values: Vec<f32>,
    pub(crate) width: usize,
    /// Whether the row has anything there: a vector of zeros says that nothing is known of its behaviour.
    pub(crate) known: Vec<bool>,
}

impl Inputs {
    /// Adds all of it to what a run is known by.
    pub(crate) fn eat(&self, data: &mut Fingerprint) {
        data.eat_table(&self.table);
        self.gate.iter().for_each(|gate| data.eat_numbers(&gate.values));
    }
}

#[derive(Clone, Debug)]
struct Learned {
    name: String,
    field: Field,
    scaling: Option<Scaling>,
    /// Tokens in the order of their embedding rows; empty for a column of numbers.
    tokens: Vocabulary,
}

impl Columns {
    /// Kinds, sizes and scales of all columns of the training rows; `gate` names one that only gates read.
    ///
    /// # Errors
    /// [`ModelError::Config`] where `gate` names no column of vectors.
    pub(crate) fn fit(features: &Features, gate: Option<&str>) -> Result<Columns, ModelError> {
        let learn = |(name, column): &(String, Column)| {
            let (field, scaling) = match column {
                Column::Categorical { vocabulary, .. } => (Field::Categorical(vocabulary.len()), None),
                Column::MultiHot { vocabulary, .. } => (Field::MultiHot(vocabulary.len()), None),
                Column::Numeric(values) => (Field::Numeric, Some(Scaling::fit(values, 1))),
                Column::Dense { width, values } => {
                    (Field::Dense(*width), Some(Scaling::fit(values, (*width).max(1))))
                }
            };
            let tokens = match column {
                Column::Categorical { vocabulary, .. } | Column::MultiHot { vocabulary, .. } => {
                    vocabulary.clone()
                }
                Column::Numeric(_) | Column::Dense { .. } => Vocabulary::new(),
            };
            Learned {
                name: name.clone(),
                field,
                scaling: scaling.map(|scaling| scaling.within(LIMIT)),
                tokens,
            }
        };
        let mut columns: Vec<Learned> = features.columns.iter().map(learn).collect();
        let gate = match gate {
            None => None,
            Some(name) => {
                let vectors = |learned: &Learned| {
                    learned.name == name && matches!(learned.field, Field::Dense(width) if width > 0)
                };
                let Some(at) = columns.iter().position(vectors) else {
                    return Err(ModelError::Config(format!("gate = {name:?} is no column of vectors")));
                };
                Some(columns.remove(at))
            }
        };
        Ok(Columns { columns, gate })
    }

    /// Width of what gates read.
    pub(crate) fn gate_width(&self) -> Option<usize> {
        self.gate.as_ref().and_then(|gate| match gate.field {
            Field::Dense(width) => Some(width),
            _ => None,
        })
    }

    /// The same columns of any rows.
    ///
    /// # Errors
    /// [`ModelError::Config`] for a column that is missing or of another kind, or a token that the training rows' vocabulary has
    /// not and has no place for.
    pub(crate) fn inputs(&self, features: &Features) -> Result<Inputs, ModelError> {
        let columns = self.columns.iter().map(|learned| learned.read(features));
        let table = Table { columns: columns.collect::<Result<_, _>>()? };
        let gate = match &self.gate {
            None => None,
            Some(gate) => match (gate.read(features)?, features.column(&gate.name)) {
                (
                    (_, Field::Dense(width), FieldValues::Dense(values)),
                    Some(Column::Dense { values: raw, .. }),
                ) => {
                    let known = raw.chunks_exact(width).map(|row| row.iter().any(|&x| x != 0.0)).collect();
                    Some(GateInput { values, width, known })
                }
                _ => unreachable!("a gate's column holds vectors, or it is refused"),
            },
        };
        Ok(Inputs { table, gate })
    }
}

impl Learned {
    /// The column in `features`, scaled.
    fn read(&self, features: &Features) -> Result<(String, Field, FieldValues), ModelError> {
        let name = &self.name;
        let Some(column) = features.column(name) else {
            return Err(ModelError::Config(format!("column {name:?} is missing")));
        };
        let scaled = |values: &[f32]| {
            self.scaling.as_ref().map_or_else(|| values.to_vec(), |scaling| scaling.apply(values))
        };
        let values = match (&self.field, column) {
            (Field::Categorical(_), Column::Categorical { codes, vocabulary }) => {
                FieldValues::Categorical(self.translated(codes, vocabulary)?)
            }
            (Field::MultiHot(_), Column::MultiHot { codes, offsets, vocabulary }) => {
                FieldValues::MultiHot { codes: self.translated(codes, vocabulary)?, offsets: offsets.clone() }
            }
            (Field::Numeric, Column::Numeric(values)) => FieldValues::Numeric(scaled(values)),
            (Field::Dense(width), Column::Dense { width: found, values }) if found == width => {
                FieldValues::Dense(scaled(values))
            }
            (field, _) => {
                let what = format!("column {name:?} is of another kind, expected {field:?}");
                return Err(ModelError::Config(what));
            }
        };
        Ok((name.clone(), self.field.clone(), values))
    }

    /// Codes that `theirs` counted, as the training rows' vocabulary counts the same tokens. A token that it has not is the id it
    /// keeps for such ([`kohort_data::Unseen::Unknown`]), or an error.
    fn translated(&self, codes: &[u32], theirs: &Vocabulary) -> Result<Vec<u32>, ModelError> {
        let known = self.tokens.tokens().count();
        let spare = (self.tokens.len() > known).then_some(known as u32);
        // One entry a token of theirs and one for what they did not know either.
        let mut ours: Vec<Option<u32>> = if *theirs == self.tokens {
            (0..known as u32).map(Some).collect()
        } else {
            theirs.tokens().map(|token| self.tokens.get(token).or(spare)).collect()
        };
        ours.push(spare);
        let translate = |(row, &code): (usize, &u32)| {
            ours.get(code as usize).copied().flatten().ok_or_else(|| {
                let what = theirs.token(code).map_or_else(|| format!("code {code}"), |t| format!("{t:?}"));
                let name = &self.name;
                ModelError::Config(format!(
                    "column {name:?}: the model does not know {what} (value {row}), only the {known} values of its \
                     training rows"
                ))
            })
        };
        codes.iter().enumerate().map(translate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(columns: Vec<(&str, Column)>) -> Features {
        let rows = columns[0].1.rows();
        let mut features = Features::new(rows);
        for (name, column) in columns {
            features.push(name, column).unwrap();
        }
        features
    }

    #[test]
    fn rows_that_are_scored_are_scaled_as_the_training_rows_were() {
        let columns =
            Columns::fit(&features(vec![("age", Column::Numeric(vec![10.0, 30.0]))]), None).unwrap();
        let table = columns.inputs(&features(vec![("age", Column::Numeric(vec![20.0, 40.0, 2e9]))])).unwrap();
        assert_eq!(table.table.columns[0].2, FieldValues::Numeric(vec![0.0, 2.0, LIMIT]));
    }

    #[test]
    fn a_column_that_is_missing_or_of_another_kind_and_an_unknown_code_are_named() {
        let columns = Columns::fit(&features(vec![("job", Column::categorical(["a", "b"]))]), None).unwrap();
        let message = |found| columns.inputs(&features(vec![found])).unwrap_err().to_string();
        assert!(message(("age", Column::Numeric(vec![1.0]))).contains("column \"job\" is missing"));
        assert!(
            message(("job", Column::Numeric(vec![1.0]))).contains("of another kind, expected Categorical(2)")
        );
        let third = Column::categorical(["a", "b", "c"]);
        assert!(message(("job", third)).contains("does not know \"c\" (value 2), only the 2 values"));
    }

    #[test]
    fn categories_are_known_by_token_whoever_counted_them() {
        let read = |columns: &Columns, column| {
            let found = columns.inputs(&features(vec![("job", column)])).unwrap();
            found.table.columns[0].2.clone()
        };
        let columns = Columns::fit(&features(vec![("job", Column::categorical(["a", "b"]))]), None).unwrap();
        // Another file met "b" first.
        let other = Column::categorical(["b", "a", "b"]);
        assert_eq!(read(&columns, other), FieldValues::Categorical(vec![1, 0, 1]));
        // A token that no row has is no error.
        let Column::Categorical { vocabulary, .. } = Column::categorical(["c", "b"]) else { unreachable!() };
        let unused = Column::Categorical { codes: vec![1], vocabulary };
        assert_eq!(read(&columns, unused), FieldValues::Categorical(vec![1]));

        // With a place for the unseen, a new token takes it.
        let vocabulary: Vocabulary = ["a", "b"].into_iter().collect();
        let open = vocabulary.with_unseen(kohort_data::Unseen::Unknown);
        let train = Column::Categorical { codes: vec![0, 1], vocabulary: open };
        let columns = Columns::fit(&features(vec![("job", train)]), None).unwrap();
        let third = Column::categorical(["c", "b"]);
        assert_eq!(read(&columns, third), FieldValues::Categorical(vec![2, 1]));
    }
}
