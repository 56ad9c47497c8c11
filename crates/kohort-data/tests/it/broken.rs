//! Broken files: refused with file and line, never a panic.

use std::io::Write;
use std::path::{Path, PathBuf};

use kohort_data::read::{
    Encoding, Format, Header, Table, census_income, itm_rec, movielens, recbole, twitch, xmarket,
};
use kohort_data::{DataError, Manifest, Scale};
use proptest::prelude::*;

use crate::mirror::folder;

/// A small folder in MovieLens' form.
fn tiny_movielens(dir: &Path) {
    let flags = |genre: usize| (0..19).map(|g| if g == genre { "|1" } else { "|0" }).collect::<String>();
    let genres: String = movielens::GENRES.iter().enumerate().map(|(n, g)| format!("{g}|{n}\n")).collect();
    std::fs::write(dir.join("u.genre"), genres + "\n").unwrap();
    std::fs::write(dir.join("u.user"), "1|24|M|technician|85711\n2|53|F|other|V0X2P\n").unwrap();
    let films = format!("1|Toy|01-Jan-1995||http://x{}\n2|\u{e9}|||{}\n", flags(3), flags(8));
    std::fs::write(dir.join("u.item"), encoding_latin1(&films)).unwrap();
    std::fs::write(dir.join("u.data"), "1\t1\t5\t100\n2\t2\t3\t200\n1\t2\t4\t150\n").unwrap();
}

fn encoding_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn refused(change: impl FnOnce(&Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    tiny_movielens(dir.path());
    movielens::read(dir.path(), None).unwrap();
    change(dir.path());
    let error = movielens::read(dir.path(), None).unwrap_err().to_string();
    error.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn each_fault_is_named_with_file_line_column_value_and_what_is_allowed() {
    let write = |name: &'static str, text: &'static [u8]| {
        move |dir: &Path| std::fs::write(dir.join(name), text).unwrap()
    };
    let cases: [(String, &str); 10] = [
        (
            refused(write("u.data", b"1\t1\t5\t100\n2\t2\t6\t200\n")),
            r#"DIR/u.data:2: field rating: found "6", expected a number from 1 to 5"#,
        ),
        (
            refused(write("u.data", b"1\t1\t5\t100\n2\t2\tnan\t200\n")),
            r#"DIR/u.data:2: field rating: found "nan", expected a number from 1 to 5"#,
        ),
        (
            refused(write("u.data", b"1\t1\t5\t100\n\n2\t2\t4\n")),
            "DIR/u.data:3: found 3 columns, expected 4 (user, item, rating, time)",
        ),
        (
            refused(write("u.data", b"3\t1\t5\t100\n")),
            r#"DIR/u.data:1: field user: found "3", expected one of the 2 users of the users' file"#,
        ),
        (
            refused(write("u.data", b"1\t1\t5\tnoon\n")),
            r#"DIR/u.data:1: field time: found "noon", expected Unix time in seconds"#,
        ),
        (
            refused(write("u.user", b"1|24|M|technician|85711\n1|53|F|other|V0X2P\n")),
            r#"DIR/u.user:2: field user: found "1", expected an id that no row above has"#,
        ),
        (
            refused(write("u.user", b"1|old|M|technician|85711\n")),
            r#"DIR/u.user:1: field age: found "old", expected an age in whole years"#,
        ),
        (
            refused(write("u.user", b"1|24|X|technician|85711\n")),
            r#"DIR/u.user:1: field gender: found "X", expected F or M"#,
        ),
        (
            refused(write("u.user", b"1|24|M|tech\xff|85711\n")),
            "DIR/u.user:1: field occupation: found \"tech\u{fffd}\", expected UTF-8 text (a file in Latin-1 has to be read as such)",
        ),
        (refused(|dir| std::fs::remove_file(dir.join("u.item")).unwrap()), "DIR/u.item: cannot open it"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_truncated_real_file_is_refused_with_file_and_line() {
    let Some(mirror) = folder("ml-100k") else { return };
    let dir = tempfile::tempdir().unwrap();
    for name in ["u.genre", "u.user", "u.item"] {
        std::fs::copy(mirror.join(name), dir.path().join(name)).unwrap();
    }
    let whole = std::fs::read(mirror.join("u.data")).unwrap();
    let manifest = Manifest::named("ml-100k").unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(dir.path().join("u.data"), bytes).unwrap();
        movielens::read(dir.path(), manifest.layout("official"))
    };
    let end_of_line = 1 + whole[..1_000_000].iter().rposition(|&b| b == b'\n').unwrap();
    let lines = whole[..end_of_line].iter().filter(|&&b| b == b'\n').count();
    match read(&whole[..end_of_line]) {
        Err(DataError::Rows { line, found, expected, .. }) => {
            assert_eq!((line, found, expected), (lines as u64, lines as u64, 100_000));
        }
        other => panic!("{other:?}"),
    }
    // Cut in the middle of a line.
    match read(&whole[..end_of_line + 4]) {
        Err(DataError::Width { line, .. } | DataError::Field { line, .. }) => {
            assert_eq!(line, lines as u64 + 1)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big.csv");
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    match Table::read(&path, &Format::default()) {
        Err(DataError::TooLarge { bytes, limit, .. }) => assert_eq!((bytes, limit), (1 << 40, 1 << 30)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_are_right_after_blank_lines_quotes_and_a_byte_order_mark() {
    let bytes = b"\xef\xbb\xbfa,b\r\n\r\n1,\"x\ny\"\r\n\n\n2,z\n";
    let table = Table::parse(Path::new("t.csv"), bytes, &Format::default()).unwrap();
    assert_eq!(table.columns(), ["a", "b"]);
    assert_eq!((table.rows(), table.line(0), table.line(1)), (2, 3, 7));
    assert_eq!(table.text(0, 1), "x\ny");
}

/// Bytes that look like tables more often than random ones do.
fn table_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\t".to_vec()),
        Just(b"|".to_vec()),
        Just(b",".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"1".to_vec()),
        Just(b"5".to_vec()),
        Just(b"-1e39".to_vec()),
        Just(b"nan".to_vec()),
        Just(b"user_id:token".to_vec()),
        Just(b"item_id:token".to_vec()),
        Just(b"rating:float".to_vec()),
        Just(b"x:float_seq".to_vec()),
        Just(b"UserID".to_vec()),
        Just(b"userId itemId rate date\n".to_vec()),
        Just(b"a x 5 2016-01-03\n".to_vec()),
        Just(b"id,days,mature,views,partner,new_id\n".to_vec()),
        Just(b"1,5,True,9,False,0\n".to_vec()),
        Just(b"from,to\n0,0\n".to_vec()),
        Just(b"{\"0\": [1, 2]}".to_vec()),
        Just(b"Item,Rating,App,Data,Ease,Class,Semester,Lockdown".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn write_all(names: &[&str], bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_path_buf();
    for name in names {
        std::fs::write(path.join(name), bytes).unwrap();
    }
    (dir, path)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_reader_never_panics(bytes in table_like(), delimiter in prop_oneof![Just(b','), Just(b'\t'), Just(b'|'), any::<u8>()], quotes: bool, latin: bool, given: bool) {
        let format = Format {
            delimiter,
            quotes,
            encoding: if latin { Encoding::Latin1 } else { Encoding::Utf8 },
            header: if given { Header::given(&["a", "b"]) } else { Header::FirstLine },
            ..Format::default()
        };
        if let Ok(table) = Table::parse(Path::new("any"), &bytes, &format) {
            for row in 0..table.rows() {
                for column in 0..table.columns().len() {
                    let _ = table.text(row, column);
                    let _ = table.float_or_blank(row, column);
                    let _ = table.time(row, column);
                    let _ = table.rating(row, column, Scale { low: 1.0, high: 5.0 });
                }
            }
        }
    }

    #[test]
    fn no_reader_panics_on_any_bytes(bytes in table_like(), which in 0..4usize) {
        let (_movielens, dir) = write_all(&["u.genre", "u.user", "u.item", "u.data"], b"");
        tiny_movielens(&dir);
        std::fs::write(dir.join(["u.genre", "u.user", "u.item", "u.data"][which]), &bytes).unwrap();
        let _ = movielens::read(&dir, None);

        let (_recbole, dir) = write_all(&["ml-100k.inter", "ml-100k.user", "ml-100k.item"], &bytes);
        let _ = movielens::read_recbole(&dir, None);
        let _ = recbole::read(&dir, "ml-100k", Scale { low: 1.0, high: 5.0 });

        let (_itm, dir) = write_all(
            &["users.csv", "items.csv", "ratings.csv", "group.csv", "group_size.csv", "group_ratings.csv"],
            &bytes,
        );
        let _ = itm_rec::read(&dir, None);

        let (_xmarket, dir) = write_all(&["in_5core.txt"], &bytes);
        let _ = xmarket::read_with(&dir, None, &["in"], None);

        let files = ["RU_target.csv", "RU_features.json", "RU_edges.csv"];
        let (_twitch, dir) = write_all(&files, &bytes);
        let _ = twitch::read_with(&dir, None, &["RU"]);
        std::fs::write(dir.join("RU_target.csv"), "id,days,mature,views,partner,new_id\n1,5,True,9,False,0\n").unwrap();
        let _ = twitch::read_with(&dir, None, &["RU"]);
        let _ = twitch::edges_with(&dir, None, &["RU"]);

        let (_census, dir) = write_all(&[census_income::TEST_FILE], &bytes);
        let _ = census_income::read(&dir, None);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&bytes).unwrap();
        std::fs::write(dir.join(census_income::TEST_FILE), packed.finish().unwrap()).unwrap();
        let _ = census_income::read(&dir, None);
    }

    #[test]
    fn a_manifest_never_panics(text in "[a-z\\[\\]=\"\n.0-9]{0,200}") {
        let _ = Manifest::parse(&text, "any");
    }
}
