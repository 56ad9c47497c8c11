//! Regions of the United States by the first digit of the ZIP code.
//!
//! The digit is the largest unit of the postal service's system and follows state borders: 0 in the north-east, 9 on the
//! Pacific. As a cohort it is weak: a digit spans Wisconsin and Montana, and says where a letter goes, not what its reader
//! likes. A code that is not all digits (most are Canadian) is abroad; one of digits alone is taken for a ZIP code, whatever
//! country it is of.

use super::Territories;
use crate::{Column, DataError, Dataset};

/// The ten regions in the order of their digits, and the rest.
pub const ZIP_REGIONS: [&str; 11] = [
    "0 Northeast",
    "1 New York-Pennsylvania",
    "2 Virginia-Carolinas",
    "3 Southeast",
    "4 Great Lakes",
    "5 Upper Midwest",
    "6 Central Plains",
    "7 Texas-Louisiana",
    "8 Mountain",
    "9 Pacific",
    "other",
];

/// What the reader calls them.
pub(crate) const ZIP_CODES: [&str; 11] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "other"];

/// The place of a code in [`ZIP_REGIONS`].
///
/// ```
/// use kohort_data::territories::{ZIP_REGIONS, zip_region};
///
/// assert_eq!(ZIP_REGIONS[zip_region("94043") as usize], "9 Pacific");
/// assert_eq!(ZIP_REGIONS[zip_region("V0R2M") as usize], "other");
/// ```
pub fn zip_region(code: &str) -> u32 {
    match code.as_bytes() {
        [first, ..] if code.bytes().all(|byte| byte.is_ascii_digit()) => u32::from(first - b'0'),
        _ => ZIP_REGIONS.len() as u32 - 1,
    }
}

impl Territories {
    /// The regions of MovieLens-100K's users, under their readable names.
    ///
    /// ```no_run
    /// use kohort_data::{read::movielens, territories::Territories};
    ///
    /// let data = movielens::read("ml-100k".as_ref(), None)?;
    /// let regions = Territories::of_zip(&data)?;
    /// assert_eq!(regions.named("9 Pacific")?, 9);
    /// # Ok::<(), kohort_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Setting`] for users without the feature `region` of [`zip_region`]'s codes, as
    /// [`movielens`](crate::read::movielens) makes it.
    pub fn of_zip(data: &Dataset) -> Result<Territories, DataError> {
        match data.user_features.column("region") {
            Some(Column::Categorical { codes, vocabulary }) if vocabulary.tokens().eq(ZIP_CODES) => {
                Territories::new(ZIP_REGIONS.map(str::to_owned).to_vec(), codes.clone())
            }
            _ => Err(DataError::Setting {
                name: "territories",
                found: format!("no ZIP regions of the users of {}", data.name),
                expected: "a categorical feature \"region\" with the values 0 to 9 and other".to_owned(),
            }),
        }
    }
}
