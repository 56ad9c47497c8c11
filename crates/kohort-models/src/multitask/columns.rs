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
pub(super) struct Columns {
    columns: Vec<Learned>,
}

#[derive(Clone, Debug)]
struct Learned {
    name: String,
    field: Field,
    scaling: Option<Scaling>,
}

impl Columns {
    /// Kinds, sizes and scales of all columns of the training rows.
    pub(super) fn fit(features: &Features) -> Columns {
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
        Columns { columns: features.columns.iter().map(learn).collect() }
    }

    /// The same columns of any rows.
    ///
    /// # Errors
    /// [`ModelError::Config`] for a column that is missing or of another kind, or a code that training did not count.
    pub(super) fn table(&self, features: &Features) -> Result<Table, ModelError> {
        let column = |learned: &Learned| {
            let name = &learned.name;
            let Some(column) = features.column(name) else {
                return Err(ModelError::Config(format!("column {name:?} is missing")));
            };
            let scaled = |values: &[f32]| {
                learned.scaling.as_ref().map_or_else(|| values.to_vec(), |scaling| scaling.apply(values))
            };
            let values = match (&learned.field, column) {
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
            Ok((name.clone(), learned.field.clone(), values))
        };
        Ok(Table { columns: self.columns.iter().map(column).collect::<Result<_, _>>()? })
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
        let columns = Columns::fit(&features(vec![("age", Column::Numeric(vec![10.0, 30.0]))]));
        let table = columns.table(&features(vec![("age", Column::Numeric(vec![20.0, 40.0, 2e9]))])).unwrap();
        assert_eq!(table.columns[0].2, FieldValues::Numeric(vec![0.0, 2.0, LIMIT]));
    }

    #[test]
    fn a_column_that_is_missing_or_of_another_kind_and_an_unknown_code_are_named() {
        let columns = Columns::fit(&features(vec![("job", Column::categorical(["a", "b"]))]));
        let message = |found| columns.table(&features(vec![found])).unwrap_err().to_string();
        assert!(message(("age", Column::Numeric(vec![1.0]))).contains("column \"job\" is missing"));
        assert!(
            message(("job", Column::Numeric(vec![1.0]))).contains("of another kind, expected Categorical(2)")
        );
        let third = Column::categorical(["a", "b", "c"]);
        assert!(message(("job", third)).contains("code 2 at 2, the model knows 0 to below 2"));
    }
}
