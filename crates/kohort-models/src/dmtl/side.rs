//! A data set's feature columns as the encoder's table, numbers standardised over all rows.
//!
//! Side features are known before any rating, so standardising them looks at no rating and can leak none.

use kohort_data::{Column, Features};
use kohort_layers::{Field, FieldValues, Table};

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
    Scaling::fit(values, width.max(1)).apply(values)
}

/// Means and deviations of columns.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    mean: Vec<f32>,
    inv_deviation: Vec<f32>,
}

/// Standardised values are held within this many deviations: a rare extreme should not steer a step.
const LIMIT: f32 = 5.0;

impl Scaling {
    /// From rows of `width` columns.
    pub(super) fn fit(values: &[f32], width: usize) -> Scaling {
        let rows = (values.len() / width.max(1)).max(1) as f64;
        let (mut mean, mut square) = (vec![0.0f64; width], vec![0.0f64; width]);
        for row in values.chunks_exact(width.max(1)) {
            row.iter().zip(&mut mean).for_each(|(&x, m)| *m += f64::from(x) / rows);
        }
        for row in values.chunks_exact(width.max(1)) {
            let spread = row.iter().zip(&mean).zip(&mut square);
            spread.for_each(|((&x, m), s)| *s += (f64::from(x) - m).powi(2) / rows);
        }
        Scaling {
            mean: mean.iter().map(|&m| m as f32).collect(),
            inv_deviation: square
                .iter()
                .map(|&s| if s > 1e-12 { (1.0 / s.sqrt()) as f32 } else { 0.0 })
                .collect(),
        }
    }

    /// Standardises rows.
    pub(super) fn apply(&self, values: &[f32]) -> Vec<f32> {
        let width = self.mean.len().max(1);
        let scaled = values.iter().enumerate().map(|(n, &x)| {
            let c = n % width;
            ((x - self.mean[c]) * self.inv_deviation[c]).clamp(-LIMIT, LIMIT)
        });
        scaled.collect()
    }
}
