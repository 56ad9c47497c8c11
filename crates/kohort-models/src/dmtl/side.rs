//! A data set's feature columns as the encoder's table, numbers standardised over all rows.
//!
//! Side features are known before any rating, so standardising them looks at no rating and can leak none.

use kohort_data::{Column, Features};
use kohort_layers::{Field, FieldValues, Table};

pub(super) use crate::scaling::Scaling;

/// Standardised inputs are held within this many deviations: a rare extreme should not steer a step.
pub(super) const LIMIT: f32 = 5.0;

pub(super) fn table(features: &Features) -> Table {
    let column = |(name, column): &(String, Column)| {
        let (field, values) = match column {
            Column::Categorical { codes, vocabulary } => {
                (Field::Categorical(vocabulary.len()), FieldValues::Categorical(codes.clone()))
            }
            Column::Numeric(values) => (Field::Numeric, FieldValues::Numeric(standardised(values, 1))),
            Column::MultiHot { offsets, codes, vocabulary } => (
                Field::MultiHot(vocabulary.len()),
                FieldValues::MultiHot { codes: codes.clone(), offsets: offsets.clone() },
            ),
            Column::Dense { width, values } => {
                (Field::Dense(*width), FieldValues::Dense(standardised(values, *width)))
            }
        };
        (name.clone(), field, values)
    };
    Table { columns: features.columns.iter().map(column).collect() }
}

/// Each column of `[rows, width]` with mean 0 and deviation 1; a constant column becomes 0.
fn standardised(values: &[f32], width: usize) -> Vec<f32> {
    Scaling::fit(values, width.max(1)).within(LIMIT).apply(values)
}
