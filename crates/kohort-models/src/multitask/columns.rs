//! Feature columns as the encoder's table: numbers are standardised with the mean and deviation of the training rows, and
//! what is scored later goes through the same.

use kohort_data::{Column, Features};
use kohort_layers::{Field, FieldValues, Table};

use crate::ModelError;
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
    /// What gates read, `[rows, width]`.
    pub(crate) gate: Option<(Vec<f32>, usize)>,
}

#[derive(Clone, Debug)]
struct Learned {
    name: String,
    field: Field,
    scaling: Option<Scaling>,
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
            Learned { name: name.clone(), field, scaling: scaling.map(|scaling| scaling.within(LIMIT)) }
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
    /// [`ModelError::Config`] for a column that is missing or of another kind, or a code that training did not count.
    pub(crate) fn inputs(&self, features: &Features) -> Result<Inputs, ModelError> {
        let columns = self.columns.iter().map(|learned| learned.read(features));
        let table = Table { columns: columns.collect::<Result<_, _>>()? };
        let gate = match &self.gate {
            None => None,
            Some(gate) => match gate.read(features)? {
                (_, Field::Dense(width), FieldValues::Dense(values)) => Some((values, width)),
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
            (Field::Categorical(count), Column::Categorical { codes, .. }) => {
                below(name, codes, *count)?;
                FieldValues::Categorical(codes.clone())
            }
            (Field::MultiHot(count), Column::MultiHot { codes, offsets, .. }) => {
                below(name, codes, *count)?;
                FieldValues::MultiHot { codes: codes.clone(), offsets: offsets.clone() }
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
}

fn below(name: &str, codes: &[u32], count: usize) -> Result<(), ModelError> {
    match codes.iter().position(|&code| code as usize >= count) {
        Some(at) => Err(ModelError::Config(format!(
            "column {name:?}: code {} at {at}, the model knows 0 to below {count}",
            codes[at]
        ))),
        None => Ok(()),
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
        assert!(message(("job", third)).contains("code 2 at 2, the model knows 0 to below 2"));
    }
}
