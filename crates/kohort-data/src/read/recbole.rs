//! RecBole's atomic files: `NAME.inter`, and optionally `NAME.user` and `NAME.item`.
//!
//! Tab-separated UTF-8 with a header of `name:type`; the types are `token`, `float`, `token_seq` and `float_seq` (spaces
//! between the parts). `user_id` and `item_id` are required in the ratings; `rating` and `timestamp` are taken where they
//! are; all other columns become features: categorical, numeric, multi-hot and dense.
//!
//! Source of the format: W. X. Zhao et al., "RecBole: Towards a Unified, Comprehensive and Efficient Framework for
//! Recommendation Algorithms", CIKM 2021.

use std::path::Path;

use super::delimited::{Kind, RatingFile, assemble, keyed};
use super::{Format, Table};
use crate::{DataError, Dataset, Scale};

/// Reads the atomic files of data set `name` in `dir`; ratings outside `scale` are an error, and without ratings every
/// row has 1.
///
/// # Errors
/// A [`DataError`] with file and line.
///
/// ```
/// use kohort_data::{Scale, read::recbole};
///
/// let dir = tempfile::tempdir().unwrap();
/// std::fs::write(
///     dir.path().join("tea.inter"),
///     "user_id:token\titem_id:token\trating:float\nann\toolong\t4\nbob\tmatcha\t2.5\n",
/// )
/// .unwrap();
/// let data = recbole::read(dir.path(), "tea", Scale { low: 1.0, high: 5.0 })?;
/// assert_eq!(data.interactions.rating, [4.0, 2.5]);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
pub fn read(dir: &Path, name: &str, scale: Scale) -> Result<Dataset, DataError> {
    let format = Format { delimiter: b'\t', quotes: false, ..Format::default() };
    let open = |ending: &str| -> Result<Option<Typed>, DataError> {
        let path = dir.join(format!("{name}.{ending}"));
        if ending != "inter" && !path.exists() {
            return Ok(None);
        }
        let mut table = Table::read(&path, &format)?;
        let kinds = typed_header(&mut table)?;
        Ok(Some((table, kinds)))
    };
    let listed = |ending: &str, key: &str| match open(ending)? {
        Some((table, kinds)) => keyed(&table, key, &without(&kinds, &[key])).map(Some),
        None => Ok(None),
    };
    let users = listed("user", "user_id")?;
    let items = listed("item", "item_id")?;
    let Some((ratings, kinds)) = open("inter")? else {
        return Err(DataError::Place { what: format!("{name}.inter is missing in {}", dir.display()) });
    };
    let has = |column: &str| kinds.iter().any(|(n, _)| n == column).then(|| column.to_owned());
    let file = RatingFile {
        rating: has("rating"),
        time: has("timestamp"),
        scale,
        columns: without(&kinds, &["user_id", "item_id", "rating", "timestamp"]),
        ..RatingFile::new(ratings.path(), "user_id", "item_id")
    };
    assemble(name, &ratings, &file, users, items)
}

/// A table and what each of its columns holds.
type Typed = (Table, Vec<(String, Kind)>);

fn without(kinds: &[(String, Kind)], names: &[&str]) -> Vec<(String, Kind)> {
    kinds.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
}

/// Takes the types off the header.
fn typed_header(table: &mut Table) -> Result<Vec<(String, Kind)>, DataError> {
    let mut kinds = Vec::new();
    for column in table.columns() {
        let kind = match column.rsplit_once(':') {
            Some((name, "token")) => (name, Kind::Categorical),
            Some((name, "float")) => (name, Kind::Numeric),
            Some((name, "token_seq")) => (name, Kind::MultiHot { separator: ' ' }),
            Some((name, "float_seq")) => (name, Kind::Dense { separator: ' ' }),
            _ => {
                return Err(DataError::Field {
                    path: table.path().to_path_buf(),
                    line: 1,
                    field: "header".to_owned(),
                    found: column.clone(),
                    expected: "a name, a colon, and token, float, token_seq or float_seq".to_owned(),
                });
            }
        };
        kinds.push((kind.0.to_owned(), kind.1));
    }
    table.rename(kinds.iter().map(|(name, _)| name.clone()).collect());
    Ok(kinds)
}
