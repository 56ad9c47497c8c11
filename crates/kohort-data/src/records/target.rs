//! One thing to predict of every row.

use crate::DataError;

/// What the values of a target are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// 0 or 1.
    Binary,
    /// A finite number in the file's units.
    Number,
}

/// One value to predict a row.
///
/// ```
/// use kohort_data::records::Target;
///
/// let mut bought = Target::binary("bought", [true, false, true]);
/// assert_eq!(bought.positives(), 2);
/// // Of the last row nobody knows: it counts nowhere.
/// bought.known = Some(vec![true, true, false]);
/// assert_eq!((bought.positives(), bought.known_rows()), (1, 2));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// What the values are.
    pub kind: TargetKind,
    /// One value a row. Where the target is not known the value means nothing, but is finite all the same: a mask
    /// multiplies, and NaN × 0 is NaN.
    pub values: Vec<f32>,
    /// Which rows have a known value; all without.
    pub known: Option<Vec<bool>>,
}

impl Target {
    /// A yes-or-no target that is known of every row.
    pub fn binary(name: &str, values: impl IntoIterator<Item = bool>) -> Target {
        let values = values.into_iter().map(|yes| f32::from(u8::from(yes))).collect();
        Target { name: name.to_owned(), kind: TargetKind::Binary, values, known: None }
    }

    /// A number that is known of every row.
    pub fn number(name: &str, values: Vec<f32>) -> Target {
        Target { name: name.to_owned(), kind: TargetKind::Number, values, known: None }
    }

    /// Whether the value of `row` is known.
    pub fn is_known(&self, row: usize) -> bool {
        self.known.as_ref().is_none_or(|known| known[row])
    }

    /// Number of rows whose value is known.
    pub fn known_rows(&self) -> usize {
        match &self.known {
            None => self.values.len(),
            Some(known) => known.iter().filter(|&&known| known).count(),
        }
    }

    /// Number of rows with the known value 1.
    pub fn positives(&self) -> usize {
        (0..self.values.len()).filter(|&row| self.values[row] == 1.0 && self.is_known(row)).count()
    }

    /// The rows at `rows`, in that order.
    pub fn select(&self, rows: &[u32]) -> Target {
        Target {
            name: self.name.clone(),
            kind: self.kind,
            values: rows.iter().map(|&row| self.values[row as usize]).collect(),
            known: self.known.as_ref().map(|known| rows.iter().map(|&row| known[row as usize]).collect()),
        }
    }

    pub(super) fn check(&self, rows: usize) -> Result<(), DataError> {
        let wrong =
            |what: String| Err(DataError::Columns { what: format!("target {:?}: {what}", self.name) });
        for (what, found) in
            [("values", Some(self.values.len())), ("known", self.known.as_ref().map(Vec::len))]
        {
            if let Some(found) = found.filter(|&found| found != rows) {
                return wrong(format!("{what}: {found} rows, expected {rows}"));
            }
        }
        for (row, &value) in self.values.iter().enumerate() {
            if !value.is_finite() {
                return wrong(format!("row {row}: found {value}, expected a finite number"));
            }
            if self.kind == TargetKind::Binary && self.is_known(row) && value != 0.0 && value != 1.0 {
                return wrong(format!("row {row}: found {value}, expected 0 or 1"));
            }
        }
        Ok(())
    }
}
