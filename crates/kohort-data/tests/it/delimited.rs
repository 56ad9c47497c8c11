//! Named columns of delimited text.

use kohort_data::read::delimited::{Delimited, FeatureFile, Kind, RatingFile};
use kohort_data::read::{Format, Header};
use kohort_data::{Column, DataError};

fn files(ratings: &str, users: &str) -> (tempfile::TempDir, Delimited) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("r.csv"), ratings).unwrap();
    std::fs::write(dir.path().join("u.csv"), users).unwrap();
    let rating_file = RatingFile {
        rating: Some("stars".to_owned()),
        time: Some("when".to_owned()),
        columns: vec![("price".to_owned(), Kind::Numeric)],
        ..RatingFile::new(dir.path().join("r.csv"), "who", "what")
    };
    let users = FeatureFile {
        path: dir.path().join("u.csv"),
        format: Format {
            delimiter: b';',
            header: Header::given(&["id", "likes", "vector"]),
            ..Format::default()
        },
        key: "id".to_owned(),
        columns: vec![
            ("likes".to_owned(), Kind::MultiHot { separator: '/' }),
            ("vector".to_owned(), Kind::Dense { separator: ' ' }),
        ],
    };
    let spec = Delimited { users: Some(users), ..Delimited::new("shop", rating_file) };
    (dir, spec)
}

#[test]
fn all_kinds_of_columns_are_read() {
    let (_dir, spec) =
        files("who,what,stars,when,price\nb,tea,4,17,2.5\na,mug,1,18.9,\n", "a;hot/black;1 2\nb;;3 -4e-1\n");
    let data = spec.read().unwrap();
    assert_eq!(data.interactions.user, [1, 0], "ids in the order of the users' file");
    assert_eq!(data.interactions.time, [17, 18]);
    assert!(data.has_time);
    let likes = data.user_features.column("likes").unwrap();
    assert_eq!((likes.codes(0), likes.codes(1)), (&[0, 1][..], &[][..]));
    assert_eq!(data.user_features.column("vector").unwrap().values(1), &[3.0, -0.4]);
    assert_eq!(data.row_features.column("price"), Some(&Column::Numeric(vec![2.5, 2.5])));
    assert_eq!(data.row_features.filled("price"), &[1]);
    assert_eq!(data.notes.len(), 1, "a filled blank is told: {:?}", data.notes);
}

#[test]
fn faults_are_refused_where_they_are() {
    let good = "a;x;1 2\nb;;3 4\n";
    let cases = [
        (
            "who,what,stars,when\na,tea,4,17\n",
            good,
            r#"r.csv:1: no column "price"; the columns are who, what, stars, when"#,
        ),
        (
            "who,what,stars,when,price\nc,tea,4,17,1\n",
            good,
            r#"r.csv:2: field who: found "c", expected one of the 2 that have features"#,
        ),
        (
            "who,what,stars,when,price\na,,4,17,1\n",
            good,
            r#"r.csv:2: field what: found "", expected a name or number"#,
        ),
        (
            "who,what,stars,when,price\na,tea,4,17,inf\n",
            good,
            r#"r.csv:2: field price: found "inf", expected a finite number"#,
        ),
        (
            "who,what,stars,when,price\na,tea,4,1e300,1\n",
            good,
            r#"r.csv:2: field when: found "1e300", expected Unix time in seconds"#,
        ),
        (
            "who,what,stars,when,price\na,tea,4,17,1\n",
            "a;x;1 2\nb;;3\n",
            r#"u.csv:2: field vector: found "3", expected 2 numbers, as in the first row"#,
        ),
        ("", good, "r.csv:1: the file is empty, expected a line with the names of the columns"),
    ];
    for (ratings, users, expected) in cases {
        let (_dir, spec) = files(ratings, users);
        let error = spec.read().unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn no_rating_column_means_one_for_every_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clicks.csv");
    std::fs::write(&path, "u,i\nx,1\ny,2\n").unwrap();
    let data = Delimited::new("clicks", RatingFile::new(&path, "u", "i")).read().unwrap();
    assert_eq!(data.interactions.rating, [1.0, 1.0]);
    assert!(!data.has_time);
    let missing = Delimited::new("clicks", RatingFile::new(dir.path().join("no.csv"), "u", "i")).read();
    assert!(matches!(missing, Err(DataError::Io { .. })));
}
