//! What is known of users, items or rows besides the ratings, in typed columns.

use crate::{DataError, Vocabulary};

/// One feature of every row.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// One code a row.
    Categorical {
        /// Code of each row, below the vocabulary's length.
        codes: Vec<u32>,
        /// What the codes mean.
        vocabulary: Vocabulary,
    },
    /// One finite number a row, in the file's units.
    Numeric(Vec<f32>),
    /// Any number of codes a row, such as a film's genres.
    MultiHot {
        /// Row `n` has `codes[offsets[n]..offsets[n + 1]]`; one longer than the rows.
        offsets: Vec<u32>,
        /// The codes of all rows, ascending within a row.
        codes: Vec<u32>,
        /// What the codes mean.
        vocabulary: Vocabulary,
    },
    /// A vector a row, `[rows, width]`, row-major.
    Dense {
        /// Length of each vector.
        width: usize,
        /// The vectors, one after the other.
        values: Vec<f32>,
    },
}

impl Column {
    /// A categorical column from one token a row; ids in order of first appearance.
    pub fn categorical<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Column {
        let mut vocabulary = Vocabulary::new();
        let codes = tokens.into_iter().map(|token| vocabulary.insert(token)).collect();
        Column::Categorical { codes, vocabulary }
    }

    /// A multi-hot column from the codes of each row; a code that a row repeats counts once.
    pub fn multi_hot(rows: impl IntoIterator<Item = Vec<u32>>, vocabulary: Vocabulary) -> Column {
        let (mut offsets, mut codes) = (vec![0u32], Vec::new());
        for mut row in rows {
            row.sort_unstable();
            row.dedup();
            codes.extend_from_slice(&row);
            offsets.push(codes.len() as u32);
        }
        Column::MultiHot { offsets, codes, vocabulary }
    }

    /// Number of rows. A dense column of width 0 has none.
    pub fn rows(&self) -> usize {
        match self {
            Column::Categorical { codes, .. } => codes.len(),
            Column::Numeric(values) => values.len(),
            Column::MultiHot { offsets, .. } => offsets.len().saturating_sub(1),
            Column::Dense { width, values } => values.len().checked_div(*width).unwrap_or(0),
        }
    }

    /// Number of distinct codes; `None` for numbers and vectors.
    pub fn cardinality(&self) -> Option<usize> {
        match self {
            Column::Categorical { vocabulary, .. } | Column::MultiHot { vocabulary, .. } => {
                Some(vocabulary.len())
            }
            Column::Numeric(_) | Column::Dense { .. } => None,
        }
    }

    /// The codes of `row`: one for a categorical column, several for a multi-hot one, none otherwise.
    pub fn codes(&self, row: usize) -> &[u32] {
        match self {
            Column::Categorical { codes, .. } => &codes[row..=row],
            Column::MultiHot { offsets, codes, .. } => {
                &codes[offsets[row] as usize..offsets[row + 1] as usize]
            }
            Column::Numeric(_) | Column::Dense { .. } => &[],
        }
    }

    /// The numbers of `row`: one for a numeric column, `width` for a dense one, none otherwise.
    pub fn values(&self, row: usize) -> &[f32] {
        match self {
            Column::Numeric(values) => &values[row..=row],
            Column::Dense { width, values } => &values[row * width..(row + 1) * width],
            Column::Categorical { .. } | Column::MultiHot { .. } => &[],
        }
    }

    /// The rows at `rows`, in that order.
    pub fn select(&self, rows: &[u32]) -> Column {
        match self {
            Column::Categorical { codes, vocabulary } => Column::Categorical {
                codes: rows.iter().map(|&r| codes[r as usize]).collect(),
                vocabulary: vocabulary.clone(),
            },
            Column::Numeric(values) => Column::Numeric(rows.iter().map(|&r| values[r as usize]).collect()),
            Column::MultiHot { vocabulary, .. } => {
                Column::multi_hot(rows.iter().map(|&r| self.codes(r as usize).to_vec()), vocabulary.clone())
            }
            Column::Dense { width, .. } => Column::Dense {
                width: *width,
                values: rows.iter().flat_map(|&r| self.values(r as usize)).copied().collect(),
            },
        }
    }

    fn check(&self, name: &str, rows: usize) -> Result<(), DataError> {
        let wrong = |what: String| Err(DataError::Columns { what: format!("feature {name:?}: {what}") });
        if self.rows() != rows && !matches!(self, Column::Dense { width: 0, .. }) {
            return wrong(format!("{} rows, expected {rows}", self.rows()));
        }
        if let Some(limit) = self.cardinality() {
            let (Column::Categorical { codes, .. } | Column::MultiHot { codes, .. }) = self else {
                return Ok(());
            };
            if let Some(code) = codes.iter().find(|&&code| code as usize >= limit) {
                return wrong(format!("code {code} is not below {limit}"));
            }
        }
        match self {
            Column::Numeric(values) | Column::Dense { values, .. } => {
                if let Some(row) = values.iter().position(|v| !v.is_finite()) {
                    return wrong(format!("value {} is {}", row, values[row]));
                }
            }
            Column::MultiHot { offsets, codes, .. } => {
                if offsets.windows(2).any(|pair| pair[0] > pair[1])
                    || offsets.last().is_some_and(|&end| end as usize != codes.len())
                {
                    return wrong("offsets do not ascend to the number of codes".to_owned());
                }
            }
            Column::Categorical { .. } => {}
        }
        Ok(())
    }
}

/// Named columns over the same rows.
///
/// ```
/// use kohort_data::{Column, Features};
///
/// let mut users = Features::new(3);
/// users.push("occupation", Column::categorical(["writer", "student", "writer"]))?;
/// users.push_numbers("age", &[Some(24.0), None, Some(30.0)])?;
///
/// assert_eq!(users.column("occupation").and_then(Column::cardinality), Some(2));
/// assert_eq!(users.column("age").map(|age| age.values(1)), Some(&[27.0][..]), "a blank is filled by the mean");
/// assert_eq!(users.filled("age"), &[1], "and stays known as filled");
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// Number of rows of every column.
    pub rows: usize,
    /// The columns, in file order, by name.
    pub columns: Vec<(String, Column)>,
    /// For numeric columns with blanks: the rows that were filled with the mean of the others, ascending.
    pub filled: Vec<(String, Vec<u32>)>,
}

impl Features {
    /// No column yet, over `rows` rows.
    pub fn new(rows: usize) -> Features {
        Features { rows, ..Features::default() }
    }

    /// Adds a column.
    ///
    /// # Errors
    /// [`DataError::Columns`] if the name is taken, the rows differ, a code is out of range or a number not finite.
    pub fn push(&mut self, name: &str, column: Column) -> Result<(), DataError> {
        if self.column(name).is_some() {
            return Err(DataError::Columns { what: format!("feature {name:?} is there twice") });
        }
        column.check(name, self.rows)?;
        self.columns.push((name.to_owned(), column));
        Ok(())
    }

    /// Adds a numeric column whose blanks are filled with the mean of the values that are there (zero if none is).
    ///
    /// # Errors
    /// As [`Features::push`].
    pub fn push_numbers(&mut self, name: &str, values: &[Option<f32>]) -> Result<(), DataError> {
        let known = values.iter().flatten().count();
        let sum: f64 = values.iter().flatten().map(|&v| f64::from(v)).sum();
        let mean = if known == 0 { 0.0 } else { (sum / known as f64) as f32 };
        self.push(name, Column::Numeric(values.iter().map(|v| v.unwrap_or(mean)).collect()))?;
        if known < values.len() {
            let blank = (0u32..).zip(values).filter(|(_, v)| v.is_none()).map(|(row, _)| row).collect();
            self.filled.push((name.to_owned(), blank));
        }
        Ok(())
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, column)| column)
    }

    /// The rows of a numeric column whose file had a blank, ascending.
    pub fn filled(&self, name: &str) -> &[u32] {
        self.filled.iter().find(|(n, _)| n == name).map_or(&[], |(_, rows)| rows)
    }

    /// Whether there is no column.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The rows at `rows`, in that order, of every column.
    pub fn select(&self, rows: &[u32]) -> Features {
        Features {
            rows: rows.len(),
            columns: self.columns.iter().map(|(name, c)| (name.clone(), c.select(rows))).collect(),
            filled: self
                .filled
                .iter()
                .map(|(name, blank)| {
                    let kept = (0u32..).zip(rows).filter(|(_, row)| blank.binary_search(row).is_ok());
                    (name.clone(), kept.map(|(n, _)| n).collect())
                })
                .collect(),
        }
    }

    /// Checks every column against the number of rows.
    pub fn check(&self) -> Result<(), DataError> {
        self.columns.iter().try_for_each(|(name, column)| column.check(name, self.rows))
    }
}
