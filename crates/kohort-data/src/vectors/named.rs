//! Vectors that know whose they are, and the way from a file's order to a vocabulary's.

use super::Vectors;
use crate::{DataError, Vocabulary};

/// Vectors with the name of each row, as a file has them.
///
/// ```
/// use kohort_data::{Vectors, Vocabulary, vectors::{Missing, Named}};
///
/// let brought = Named::new("titles.npy", &["b", "c", "a"], Vectors::new(vec![2.0, 3.0, 1.0], 1)?)?;
/// brought.expect_width(1)?;
///
/// let items: Vocabulary = ["a", "b"].into_iter().collect();
/// let aligned = brought.aligned(&items, Missing::Error)?;
/// assert_eq!(aligned.vectors.values(), [1.0, 2.0]);
/// assert_eq!((aligned.missing.len(), aligned.unknown), (0, 1));
///
/// let items: Vocabulary = ["a", "x"].into_iter().collect();
/// let error = brought.aligned(&items, Missing::Error).unwrap_err();
/// assert_eq!(error.to_string(), r#"titles.npy: 1 of 2 ids have no vector, such as "x""#);
/// assert_eq!(brought.aligned(&items, Missing::Zero)?.vectors.values(), [1.0, 0.0]);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    origin: String,
    ids: Vocabulary,
    vectors: Vectors,
}

/// What becomes of an id that has no vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// An error that names some of them.
    #[default]
    Error,
    /// A row of zeros.
    Zero,
}

/// Vectors in the order of a vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Aligned {
    /// Row i is the vector of id i, `[ids, width]`.
    pub vectors: Vectors,
    /// Ids without a vector, ascending; their rows are zero.
    pub missing: Vec<u32>,
    /// Number of vectors whose name the vocabulary does not have; they are left out.
    pub unknown: usize,
}

/// How many ids an error names.
const SOME: usize = 5;

impl Named {
    /// Vectors with the names of their rows; `origin` is what errors call them, usually the file.
    ///
    /// # Errors
    /// [`DataError::Vectors`] for another number of names than rows, or a name that is there twice.
    pub fn new(origin: &str, ids: &[&str], vectors: Vectors) -> Result<Named, DataError> {
        if ids.len() != vectors.rows() {
            let what = format!("{} ids for {} rows", ids.len(), vectors.rows());
            return Err(DataError::Vectors { origin: origin.to_owned(), what });
        }
        let mut known = Vocabulary::new();
        for (row, id) in ids.iter().enumerate() {
            if let Some(what) = repeated(&mut known, row, id) {
                return Err(DataError::Vectors { origin: origin.to_owned(), what });
            }
        }
        Ok(Named { origin: origin.to_owned(), ids: known, vectors })
    }

    /// The names, in the order of the rows.
    pub fn ids(&self) -> &Vocabulary {
        &self.ids
    }

    /// The vectors, in the order of the file.
    pub fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    /// Checks the width that a model was made for.
    ///
    /// # Errors
    /// [`DataError::Vectors`] for another one.
    pub fn expect_width(&self, width: usize) -> Result<(), DataError> {
        if self.vectors.width() == width {
            return Ok(());
        }
        let what = format!("found vectors of width {}, expected {width}", self.vectors.width());
        Err(DataError::Vectors { origin: self.origin.clone(), what })
    }

    /// The vectors in the order of `vocabulary`. An id for unknown tokens
    /// ([`Unseen::Unknown`](crate::Unseen::Unknown)) gets a row of zeros and is not missing.
    ///
    /// # Errors
    /// [`DataError::Vectors`] under [`Missing::Error`] if an id has no vector.
    pub fn aligned(&self, vocabulary: &Vocabulary, missing: Missing) -> Result<Aligned, DataError> {
        let width = self.vectors.width();
        let mut values = Vec::with_capacity(vocabulary.len() * width);
        let mut without = Vec::new();
        let mut known = 0;
        for (id, token) in (0u32..).zip(vocabulary.tokens()) {
            match self.ids.get(token) {
                Some(row) => {
                    values.extend_from_slice(self.vectors.row(row as usize));
                    known += 1;
                }
                None => {
                    without.push(id);
                    values.resize(values.len() + width, 0.0);
                }
            }
        }
        if missing == Missing::Error && !without.is_empty() {
            let some = without.iter().take(SOME).filter_map(|&id| vocabulary.token(id));
            let some: Vec<String> = some.map(|token| format!("{token:?}")).collect();
            let of = vocabulary.tokens().count();
            let what = format!("{} of {of} ids have no vector, such as {}", without.len(), some.join(", "));
            return Err(DataError::Vectors { origin: self.origin.clone(), what });
        }
        values.resize(vocabulary.len() * width, 0.0);
        let unknown = self.vectors.rows() - known;
        Ok(Aligned { vectors: Vectors { values, width }, missing: without, unknown })
    }
}

/// Adds the name of a row; if an earlier row has it, says so.
pub(crate) fn repeated(known: &mut Vocabulary, row: usize, id: &str) -> Option<String> {
    let first = known.insert(id) as usize;
    (first != row).then(|| format!("row {row}: id {id:?} is that of row {first} too, expected each id once"))
}
