//! HetRec Last.fm as it is: the figures are those of its readme, counted from the files by an independent script.

use std::path::Path;

use kohort_data::fetch::{Places, locate};
use kohort_data::{Column, Manifest, Way, read::hetrec_lastfm};

use crate::mirror::folder;

#[test]
fn the_files_are_the_unedited_ones_with_the_counted_figures() {
    let Some(dir) = folder("hetrec-lastfm-2k") else { return };
    let manifest = Manifest::named("hetrec-lastfm-2k").unwrap();
    let mirrors = vec![dir.parent().unwrap().to_path_buf()];
    let data_dir = tempfile::tempdir().unwrap();
    let places = Places { data_dir: data_dir.path().into(), mirrors, network: false, python: "none".into() };
    let found = locate(&manifest, &places).unwrap(); // length and SHA-256 of every file
    let data = found.read().unwrap();
    let rows = &data.interactions;
    assert_eq!((rows.len(), rows.users, rows.items), (92_834, 1_892, 17_632));
    assert_eq!((rows.users_with_rows(), rows.items_with_rows()), (1_892, 17_632));
    assert_eq!(rows.repeated_pairs(), 0);
    assert!(!data.has_time);
    assert_eq!(data.item_names.as_ref().unwrap()[0], "MALICE MIZER");

    let Some(Column::Numeric(counts)) = data.row_features.column(hetrec_lastfm::FEATURE) else {
        panic!("the counts are numbers")
    };
    assert_eq!(counts[0], 13_883.0);
    let (least, most) = counts.iter().fold((f32::MAX, 0.0f32), |(l, m), &c| (l.min(c), m.max(c)));
    assert_eq!((least, most), (1.0, 352_698.0));
    assert_eq!(counts.iter().map(|&count| f64::from(count)).sum::<f64>(), SUM_OF_COUNTS);
    for (&rating, &count) in rows.rating.iter().zip(counts) {
        assert!((f64::from(rating) - 1.0 - f64::from(count).log10()).abs() < 1e-6);
    }
    Way::PerUser { share: 0.2 }.split(rows, 1).unwrap();
}

const SUM_OF_COUNTS: f64 = 69_183_975.0;

#[test]
fn friendships_are_mutual_and_among_users_with_listening_data() {
    let Some(dir) = folder("hetrec-lastfm-2k") else { return };
    let data = hetrec_lastfm::read(&dir, None).unwrap();
    let manifest = Manifest::named("hetrec-lastfm-2k").unwrap();
    let friends = hetrec_lastfm::friends(&dir, manifest.layout("official"), &data.users).unwrap();
    assert_eq!(friends.len(), 12_717);
    assert_eq!(2 * friends.len(), 25_434, "so that each stands in the file in both directions");
    assert!(friends.windows(2).all(|pair| pair[0] < pair[1]) && friends.iter().all(|&(a, b)| a < b));
}

fn written(artists: &str, plays: &str, friends: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, head, rows) in [
        ("artists.dat", "id\tname\turl\tpictureURL\n", artists),
        ("user_artists.dat", "userID\tartistID\tweight\r\n", plays),
        ("user_friends.dat", "userID\tfriendID\r\n", friends),
    ] {
        std::fs::write(dir.path().join(name), format!("{head}{rows}")).unwrap();
    }
    dir
}

const ARTISTS: &str = "8\tThe \"B\tu\tp\n9\tÁ\tu\tp\n";

#[test]
fn counts_become_ratings_and_friendships_dense_pairs() {
    let dir = written(ARTISTS, "40\t9\t1000\r\n7\t8\t1\r\n", "7\t40\r\n40\t7\r\n");
    let data = hetrec_lastfm::read(dir.path(), None).unwrap();
    assert_eq!(data.interactions.rating, [4.0, 1.0]);
    assert_eq!((&data.interactions.user[..], &data.interactions.item[..]), (&[0, 1][..], &[1, 0][..]));
    assert_eq!(data.item_names.unwrap(), ["The \"B", "Á"]);
    assert_eq!(hetrec_lastfm::friends(dir.path(), None, &data.users).unwrap(), [(0, 1)]);
}

#[test]
fn faults_are_named_with_file_and_line() {
    let refused = |plays: &str, expected: &str| {
        let dir = written(ARTISTS, plays, "");
        let error = hetrec_lastfm::read(dir.path(), None).unwrap_err().to_string();
        assert!(error.contains("user_artists.dat:2") && error.contains(expected), "{error}");
    };
    refused("1\t8\t0\r\n", "expected a whole number from 1 to 1000000");
    refused("1\t8\t1000001\r\n", "expected a whole number from 1 to 1000000");
    refused("1\t8\t2.5\r\n", "expected a whole number");
    refused("1\t3\t2\r\n", "expected an id of artists.dat");
    refused("\t8\t2\r\n", "expected an id");

    let befriended = |friends: &str, expected: &str| {
        let dir = written(ARTISTS, "1\t8\t5\r\n2\t8\t5\r\n", friends);
        let users = hetrec_lastfm::read(dir.path(), None).unwrap().users;
        let error = hetrec_lastfm::friends(dir.path(), None, &users).unwrap_err().to_string();
        assert!(error.contains("user_friends.dat:2") && error.contains(expected), "{error}");
    };
    befriended("1\t3\r\n", "expected a user of user_artists.dat");
    befriended("2\t2\r\n", "expected another user than userID");
    assert!(hetrec_lastfm::read(Path::new("/nowhere"), None).is_err());
}
