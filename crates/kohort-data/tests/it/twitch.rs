//! Twitch as it is: figures counted from the files by an independent script, and files that are broken.

use std::path::Path;

use kohort_data::read::twitch::{self, FEATURES, LANGUAGES, SENIORITY};
use kohort_data::records::{CohortPaths, TrainRecords};
use kohort_data::{Column, Manifest};

use crate::mirror::folder;

#[test]
fn the_files_have_the_published_counts() {
    let Some(dir) = folder("twitch") else { return };
    let manifest = Manifest::named("twitch").unwrap();
    let layout = manifest.layout("six");
    kohort_data::fetch::verify(&dir, layout.unwrap()).unwrap();
    let data = twitch::read(&dir, layout).unwrap();
    assert_eq!(data.len(), 34_118);
    assert_eq!(
        data.notes,
        [
            "2 rows repeat a user and were left out",
            "2180 of 690080 feature entries repeat within a user and count once",
            "0 users have no features",
        ]
    );
    let known_for = data.features.column("features").unwrap();
    assert_eq!(known_for.cardinality(), Some(FEATURES as usize));
    let entries = |rows: std::ops::Range<usize>| rows.map(|row| known_for.codes(row).len()).sum::<usize>();
    assert_eq!((entries(0..9_498), entries(21_272..27_821)), (193_132, 128_983));
    // The first user of the German features' file.
    assert_eq!(&known_for.codes(3_159)[..4], [139, 224, 257, 308]);

    let train = TrainRecords::new(data).unwrap();
    let languages = CohortPaths::of(&train, &["language"]).unwrap();
    assert_eq!(languages.names(), LANGUAGES);
    assert_eq!(languages.counts(), [9_498, 7_126, 4_648, 6_549, 1_912, 4_385]);
    let (mut mature, mut partner) = ([0; 6], [0; 6]);
    for (row, &language) in languages.assign(train.cohorts()).unwrap().iter().enumerate() {
        mature[language as usize] += usize::from(train.target("mature").unwrap().values[row] == 1.0);
        partner[language as usize] += usize::from(train.target("partner").unwrap().values[row] == 1.0);
    }
    assert_eq!(mature, [5_742, 3_888, 1_360, 2_414, 661, 1_075]);
    assert_eq!(partner, [597, 384, 395, 408, 279, 474]);
    let views = &train.target("log10 views").unwrap().values;
    assert!((views[5_079] - (162_079f32).log10()).abs() < 1e-6, "a user is the row of its new_id");

    let nested = CohortPaths::of(&train, &["language", "seniority"]).unwrap();
    assert_eq!((nested.len(), nested.fold_small(500).len()), (6 + 24, 6 + 21));
    // Fixed thresholds, near the quartiles of the six together.
    let bands = CohortPaths::of(&train, &["seniority"]).unwrap();
    assert_eq!(bands.names(), SENIORITY.map(|(_, name)| name));
    assert_eq!(bands.counts(), [7_982, 9_090, 8_404, 8_642]);
}

#[test]
fn friendships_stay_within_a_community_and_none_is_there_twice() {
    let Some(dir) = folder("twitch") else { return };
    let manifest = Manifest::named("twitch").unwrap();
    let mut edges = twitch::edges(&dir, manifest.layout("six")).unwrap();
    assert_eq!((edges.len(), edges[0]), (429_113, (0, 9_206)));
    let starts = [0, 9_498, 16_624, 21_272, 27_821, 29_733, 34_118];
    let community = |user: u32| starts.partition_point(|&start| start <= user);
    let mut of_language = [0; 6];
    for &(from, to) in &edges {
        assert!(community(from) == community(to) && from != to && to < 34_118);
        of_language[community(from) - 1] += 1;
    }
    assert_eq!(of_language, [153_138, 35_324, 59_382, 112_666, 31_299, 37_304]);
    edges.iter_mut().for_each(|(from, to)| (*from, *to) = ((*from).min(*to), (*from).max(*to)));
    edges.sort_unstable();
    edges.dedup();
    assert_eq!(edges.len(), 429_113);
}

const TARGET: &str = "id,days,mature,views,partner,new_id\n";

fn write(dir: &Path, language: &str, target: &str, features: &str, edges: &str) {
    std::fs::write(dir.join(format!("{language}_target.csv")), format!("{TARGET}{target}")).unwrap();
    std::fs::write(dir.join(format!("{language}_features.json")), features).unwrap();
    std::fs::write(dir.join(format!("{language}_edges.csv")), format!("from,to\n{edges}")).unwrap();
}

#[test]
fn users_come_in_the_order_of_their_ids_and_repeats_count_once() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "FR",
        "9,1900,True,99,False,1\n7,0,False,0,True,0\n9,1900,True,98,False,1\n",
        r#"{"1": [3, 5, 3]}"#,
        "1,0\n",
    );
    write(dir.path(), "DE", "9,899,True,9,False,0\n", r#"{"0": [3169]}"#, "");
    let data = twitch::read_with(dir.path(), None, &["FR", "DE"]).unwrap();
    assert_eq!(data.len(), 3);
    let known_for = data.features.column("features").unwrap();
    assert_eq!([known_for.codes(0), known_for.codes(1), known_for.codes(2)], [&[][..], &[3, 5], &[3_169]]);
    assert_eq!(data.target("mature").unwrap().values, [0.0, 1.0, 1.0]);
    assert_eq!(data.target("log10 views").unwrap().values, [0.0, 2.0, 1.0]);
    let Some(Column::Categorical { codes, .. }) = data.cohorts.column("seniority") else { panic!() };
    assert_eq!(codes, &[0, 3, 0]);
    assert_eq!(data.notes[0], "1 rows repeat a user and were left out");
    assert_eq!(data.notes[2], "1 users have no features");
    assert_eq!(twitch::edges_with(dir.path(), None, &["DE", "FR"]).unwrap(), [(2, 1)]);
}

#[test]
fn each_fault_is_named_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let good = ("1,5,True,9,False,0\n2,5,True,9,False,1\n", r#"{"0": [1]}"#, "0,1\n");
    let refused = |target: &str, features: &str, edges: &str| {
        write(dir.path(), "RU", target, features, edges);
        let read = twitch::read_with(dir.path(), None, &["RU"]).err();
        let error = read.or_else(|| twitch::edges_with(dir.path(), None, &["RU"]).err());
        error.unwrap().to_string().replace(&dir.path().display().to_string(), "DIR")
    };
    for (target, expected) in [
        ("1,5,yes,9,False,0\n", r#"DIR/RU_target.csv:2: field mature: found "yes", expected True or False"#),
        ("1,5,True,-9,False,0\n", r#"field views: found "-9", expected a whole number of views"#),
        ("1,5.5,True,9,False,0\n", r#"field days: found "5.5", expected a whole number of days"#),
        ("1,5,True,9,False,x\n", r#"field new_id: found "x", expected a user id"#),
        (
            "1,5,True,9,False,0\n1,5,True,9,False,2\n",
            r#"DIR/RU_target.csv:3: field new_id: found "2", expected a user id below 2, with no gap between ids"#,
        ),
        ("1,5,True,9,False\n", "DIR/RU_target.csv:2: found 5 columns, expected 6 ("),
    ] {
        let error = refused(target, good.1, good.2);
        assert!(error.contains(expected), "{error}\n{expected}");
    }
    for (features, expected) in [
        (r#"{"2": [1]}"#, r#"DIR/RU_features.json:1: user: found "2", expected a user id below 2"#),
        ("{\"0\": [1],\n\"0\": [2]}", r#"DIR/RU_features.json:2: user: found "0" twice"#),
        (r#"{"0": [3170]}"#, "feature of user 0: found 3170, expected an id below 3170"),
        (r#"{"0": [-1]}"#, "RU_features.json:1: invalid value: integer `-1`"),
        (r#"[1]"#, "expected an object from user ids to lists of feature ids"),
        ("{\"0\": [1]} {", "trailing characters"),
        ("{\"0\": [1]", "EOF"),
    ] {
        let error = refused(good.0, features, good.2);
        assert!(error.contains(expected), "{error}\n{expected}");
    }
    assert_eq!(
        refused(good.0, good.1, "0,1\n0,2\n"),
        r#"DIR/RU_edges.csv:3: field to: found "2", expected a user id below 2"#
    );
    let languages = |names: &[&str]| {
        let read = twitch::read_with(dir.path(), None, names).unwrap_err().to_string();
        assert_eq!(read, twitch::edges_with(dir.path(), None, names).unwrap_err().to_string());
        read
    };
    assert_eq!(languages(&["ZHTW"]), r#"language: found "ZHTW", expected one of DE, ENGB, ES, FR, PTBR, RU"#);
    assert_eq!(languages(&["RU", "RU"]), r#"language: found "RU" twice, expected each language once"#);
    assert_eq!(languages(&[]), "language: found none, expected some of DE, ENGB, ES, FR, PTBR, RU");
}
