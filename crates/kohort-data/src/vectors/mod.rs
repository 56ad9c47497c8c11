//! Vectors of users or items that a model takes as given: an embedding of each title, a profile of each user.
//!
//! [`Vectors`] are rows by dense id. What users bring has rows by name, in an order of its own: [`Named`], read by
//! [`read::vectors`](crate::read::vectors), and brought into the order of a vocabulary by [`Named::aligned`].

mod named;

pub(crate) use named::repeated;
pub use named::{Aligned, Missing, Named};

use crate::DataError;

/// A matrix `[rows, width]` of finite numbers, row-major; row i belongs to dense id i.
///
/// ```
/// use kohort_data::Vectors;
///
/// let titles = Vectors::new(vec![0.5, -1.0, 2.0, 0.0, 1.0, 3.0], 3)?;
/// assert_eq!((titles.rows(), titles.width()), (2, 3));
/// assert_eq!(titles.row(1), [0.0, 1.0, 3.0]);
///
/// let broken = Vectors::new(vec![0.5, -1.0, 2.0, f32::NAN], 2).unwrap_err();
/// assert_eq!(broken.to_string(), "vectors: row 1, column 1: found NaN, expected a finite number");
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    values: Vec<f32>,
    width: usize,
}

impl Vectors {
    /// Takes `values` `[rows · width]`, row after row. There may be no rows.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a width of 0, [`DataError::Columns`] for a length that is no multiple of the width
    /// and for a value that is infinite or not a number, named by row and column.
    pub fn new(values: Vec<f32>, width: usize) -> Result<Vectors, DataError> {
        if width == 0 {
            let (name, found) = ("vectors: width", "0".to_owned());
            return Err(DataError::Setting { name, found, expected: "at least 1".to_owned() });
        }
        if !values.len().is_multiple_of(width) {
            let what =
                format!("vectors: found {} values, expected a multiple of width {width}", values.len());
            return Err(DataError::Columns { what });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (row, column, value) = (at / width, at % width, values[at]);
            let what =
                format!("vectors: row {row}, column {column}: found {value}, expected a finite number");
            return Err(DataError::Columns { what });
        }
        Ok(Vectors { values, width })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Numbers a row, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row `row`, `[width]`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// All values, `[rows · width]`, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(values: Vec<f32>, width: usize) -> String {
        Vectors::new(values, width).unwrap_err().to_string()
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        assert_eq!(refused(vec![], 0), "vectors: width: found 0, expected at least 1");
        assert_eq!(refused(vec![1.0; 5], 2), "vectors: found 5 values, expected a multiple of width 2");
    }

    #[test]
    fn the_first_value_that_is_no_number_is_named() {
        assert_eq!(
            refused(vec![1.0, 2.0, f32::NEG_INFINITY, f32::NAN], 2),
            "vectors: row 1, column 0: found -inf, expected a finite number"
        );
    }

    #[test]
    fn no_rows_are_vectors_too() {
        assert_eq!(Vectors::new(vec![], 3).unwrap().rows(), 0);
    }
}
