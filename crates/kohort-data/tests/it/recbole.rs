//! RecBole's copy of MovieLens 100K against the official files, where pip can bring it.

use kohort_data::fetch::{Places, locate};
use kohort_data::read::{movielens, recbole};
use kohort_data::{Column, Manifest};

use crate::mirror::folder;

/// Fetches only where asked to: tests do not use the network by themselves.
fn places(dir: &std::path::Path) -> Option<Places> {
    if std::env::var_os("KOHORT_TEST_PIP").is_none() {
        println!("skipped: needs pip to bring recbole 1.2.1, set KOHORT_TEST_PIP=1 to let it");
        return None;
    }
    Some(Places { data_dir: dir.to_path_buf(), mirrors: Vec::new(), network: true, python: "python3".into() })
}

#[test]
fn pip_brings_the_same_ratings_users_and_genres() {
    let dir = tempfile::tempdir().unwrap();
    let Some(places) = places(dir.path()) else { return };
    let mut manifest = Manifest::named("ml-100k").unwrap();
    manifest.places.retain(|place| place.name() == "pip-recbole");
    let located = locate(&manifest, &places).unwrap();
    assert_eq!(located.source, "pip-recbole");
    let copy = located.read().unwrap();
    assert_eq!(copy.source, "pip-recbole");
    assert!(copy.notes.iter().any(|note| note.contains("release dates")), "{:?}", copy.notes);

    let again = locate(&manifest, &Places { network: false, ..places }).unwrap();
    assert_eq!(
        (again.source.as_str(), again.attempts.len()),
        ("pip-recbole", 0),
        "the data folder now serves"
    );

    let generic = recbole::read(&again.dir, "ml-100k", movielens::SCALE).unwrap();
    assert_eq!(generic.interactions, copy.interactions);
    assert_eq!(generic.item_features.column("class").and_then(Column::cardinality), Some(19));

    let Some(mirror) = folder("ml-100k") else { return };
    let official = movielens::read(&mirror, None).unwrap();
    // Not assert_eq: a difference would print everything.
    assert!(copy.interactions == official.interactions, "same rows in the same order");
    assert!(copy.users == official.users && copy.items == official.items);
    assert!(copy.user_features == official.user_features);
    assert!(copy.item_features == official.item_features, "genres and years, too");
}
