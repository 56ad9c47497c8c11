//! Vectors that users bring: NumPy's `.npy`, safetensors, Parquet.
//!
//! | From | Vectors | Names of the rows |
//! |---|---|---|
//! | [`npy`] | a matrix `<f2 <f4 <f8` (or `>`), C or Fortran order | [`Ids::Lines`] |
//! | [`safetensors`] | a tensor of two dimensions, `F16 BF16 F32 F64` | [`Ids::Lines`] or [`Ids::Metadata`] |
//! | `parquet` (with the feature of that name) | a column of lists of numbers, or a column for each number | a column |
//!
//! All give [`Named`](crate::vectors::Named) vectors. A file is read up to [`DEFAULT_LIMIT`](super::DEFAULT_LIMIT), what its head claims is compared with its
//! length before anything is made of it, and every fault names the file and, where there is one, the row, its id and the
//! column: no name, a name that is there twice, rows of different lengths, a number that is infinite, not a number or beyond
//! f32, no rows at all.
//!
//! ```
//! use kohort_data::read::vectors::{Ids, npy};
//! use kohort_data::vectors::Missing;
//!
//! # let dir = tempfile::tempdir().unwrap();
//! # let (file, names) = (dir.path().join("titles.npy"), dir.path().join("titles.txt"));
//! # let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
//! # let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
//! # bytes.extend((head.len() as u16).to_le_bytes());
//! # bytes.extend(head.bytes());
//! # bytes.extend([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()));
//! # std::fs::write(&file, bytes).unwrap();
//! # std::fs::write(&names, "Alien\nHeat\n").unwrap();
//! let titles = npy(&file, Ids::Lines(&names))?;
//! titles.expect_width(3)?;
//! let items = ["Heat", "Alien"].into_iter().collect();
//! assert_eq!(titles.aligned(&items, Missing::Error)?.vectors.row(0), [4.0, 5.0, 6.0]);
//! # Ok::<(), kohort_data::DataError>(())
//! ```

mod half;
mod ids;
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;
mod safetensors;

pub use ids::Ids;
pub use npy::npy;
#[cfg(feature = "parquet")]
pub use parquet::parquet;
pub use safetensors::safetensors;
