//! The local mirror of real data sets, where there is one.

use std::path::PathBuf;

/// The mirror's folder of a data set; without one, says what is skipped.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("KOHORT_MIRROR").map(|mirror| PathBuf::from(mirror).join(name));
    match found {
        Some(folder) if folder.is_dir() => Some(folder),
        _ => {
            println!("skipped: needs the data set {name} in the folder that KOHORT_MIRROR names");
            None
        }
    }
}

/// How often each whole rating from 1 to 5 occurs.
pub(crate) fn histogram(ratings: &[f32]) -> [usize; 5] {
    let mut counts = [0; 5];
    for &rating in ratings {
        assert_eq!(rating.fract(), 0.0);
        counts[rating as usize - 1] += 1;
    }
    counts
}
