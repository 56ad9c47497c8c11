//! Vectors from files that numpy and safetensors wrote (`tests/golden/vectors/make.py`), and from files that are broken.

use std::path::{Path, PathBuf};

use kohort_data::read::vectors::{Ids, npy, safetensors};
use kohort_data::vectors::{Missing, Named};
use kohort_data::{DataError, Unseen, Vectors, Vocabulary};
use proptest::prelude::*;

pub(crate) const NAMES: [&str; 5] = ["B00A", "B00B", "B00C", "münchen", "B00 E"];

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors").join(name)
}

/// Row i, column j is a quarter of 3 i + j, less 1.
#[track_caller]
pub(crate) fn is_golden(read: Result<Named, DataError>) {
    let named = read.unwrap();
    assert_eq!(named.ids().tokens().collect::<Vec<_>>(), NAMES);
    let want: Vec<f32> = (0..15u8).map(|at| 0.25 * f32::from(at) - 1.0).collect();
    assert_eq!((named.vectors().width(), named.vectors().values()), (3, &want[..]));
}

/// The message, without the folder.
pub(crate) fn refused(read: Result<Named, DataError>, folder: &Path) -> String {
    read.unwrap_err().to_string().replace(&format!("{}/", folder.display()), "")
}

#[test]
fn every_form_of_npy_gives_the_same_matrix() {
    let names = golden("names.txt");
    for file in ["f2.npy", "f4.npy", "f4-big.npy", "f8-fortran.npy", "f8-v2.npy", "f8-v3.npy"] {
        println!("{file}");
        is_golden(npy(&golden(file), Ids::Lines(&names)));
    }
}

#[test]
fn every_float_of_safetensors_gives_the_same_matrix_with_names_from_either_place() {
    let (file, names) = (golden("all.safetensors"), golden("names.txt"));
    for tensor in ["f16", "f32", "f64"] {
        is_golden(safetensors(&file, tensor, Ids::Lines(&names)));
        is_golden(safetensors(&file, tensor, Ids::Metadata("ids")));
    }
}

#[test]
fn arrays_and_tensors_of_other_kinds_are_refused() {
    let (folder, names) = (golden(""), golden("names.txt"));
    let folder = folder.as_path().components().as_path();
    let array = |file: &str| refused(npy(&golden(file), Ids::Lines(&names)), folder);
    let tensor = |name: &str, ids| refused(safetensors(&golden("all.safetensors"), name, ids), folder);
    for (found, expected) in [
        (
            array("i8.npy"),
            r#"i8.npy: descr: found "'<i8', 'fortran_order': False, 'shape': (5, 3), }", expected <f2, <f4, <f8, >f2, >f4 or >f8"#,
        ),
        (
            array("objects.npy"),
            r#"objects.npy: descr: found "'|O', 'fortran_order': False, 'shape': (1, 2), }", expected <f2, <f4, <f8, >f2, >f4 or >f8"#,
        ),
        (array("flat.npy"), r#"flat.npy: shape: found "(15,), }", expected two dimensions, rows and width"#),
        (array("names.txt"), r"names.txt: not an .npy file: it does not begin with \x93NUMPY"),
        (
            refused(npy(&golden("f4.npy"), Ids::Metadata("ids")), folder),
            "f4.npy: an .npy file has no metadata, expected a file of ids",
        ),
        (
            tensor("flat", Ids::Metadata("ids")),
            "all.safetensors: flat: found shape [15], expected two dimensions, rows and width",
        ),
        (
            tensor("whole", Ids::Metadata("ids")),
            "all.safetensors: whole: found I64, expected F16, BF16, F32 or F64",
        ),
        (
            tensor("titles", Ids::Metadata("ids")),
            r#"all.safetensors: no tensor "titles"; the tensors are f16, f32, f64, flat, whole"#,
        ),
        (
            tensor("f32", Ids::Metadata("id")),
            r#"all.safetensors: no metadata "id"; there is four, ids, made"#,
        ),
        (
            tensor("f32", Ids::Metadata("made")),
            r#"all.safetensors: metadata "made": expected value at line 1 column 1, expected a JSON list of strings"#,
        ),
        (
            tensor("f32", Ids::Metadata("four")),
            "all.safetensors: found 4 ids, expected 5, the rows of all.safetensors",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

/// An `.npy` file of version 1.
fn array(head: &str, numbers: &[f32]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((head.len() as u16).to_le_bytes());
    bytes.extend(head.bytes());
    bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

fn shaped(shape: &str) -> String {
    format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n")
}

/// Reads an array and its names from a folder of their own.
fn read(bytes: &[u8], names: &[u8]) -> Result<Named, String> {
    let dir = tempfile::tempdir().unwrap();
    let (file, ids) = (dir.path().join("v.npy"), dir.path().join("ids.txt"));
    std::fs::write(&file, bytes).unwrap();
    std::fs::write(&ids, names).unwrap();
    npy(&file, Ids::Lines(&ids))
        .map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

#[test]
fn each_fault_of_an_array_and_its_names_is_told() {
    let two = array(&shaped("(2, 2)"), &[1.0, 2.0, 3.0, 4.0]);
    assert!(read(&two, b"a\nb").is_ok());
    assert_eq!(read(&two, "\u{feff}a\r\nb\r\n".as_bytes()).unwrap().ids().get("a"), Some(0));
    let lost = |count: usize| two[..two.len() - count].to_vec();
    for (bytes, names, expected) in [
        (two.clone(), &b"a\nb\nc\n"[..], "ids.txt: found 3 ids, expected 2, the rows of v.npy"),
        (two.clone(), b"a\n\nb\n", "ids.txt:2: an empty line, expected an id"),
        (two.clone(), b"a\n\xff\n", "ids.txt:2: not UTF-8"),
        (two.clone(), b"a\na\n", r#"v.npy: row 1: id "a" is that of row 0 too, expected each id once"#),
        (
            array(&shaped("(2, 2)"), &[1.0, 2.0, 3.0, f32::NAN]),
            b"a\nb\n",
            r#"v.npy: row 1 (id "b"), column 1: found NaN, expected a finite number"#,
        ),
        (
            array(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }",
                &[0.0, f32::from_bits(0x7fe0_0000)],
            ),
            b"a\n",
            "v.npy: row 0 (id \"a\"), column 0: found ",
        ),
        (lost(1), b"a\nb\n", "v.npy: 15 bytes of numbers, expected 16 for shape (2, 2) of 4 bytes each"),
        (lost(17), b"a\nb\n", "v.npy: the file ends in its head"),
        (b"\x93NUMPY".to_vec(), b"", "v.npy: the file ends in its head"),
        (vec![], b"", r"v.npy: not an .npy file: it does not begin with \x93NUMPY"),
        (
            array(&shaped("(4611686018427387904, 4)"), &[]),
            b"",
            "v.npy: 0 bytes of numbers, expected more than there can be for shape (4611686018427387904, 4) of 4 bytes each",
        ),
        (array(&shaped("(0, 2)"), &[]), b"", "v.npy: no rows, expected at least one"),
        (
            array(&shaped("(2, 0)"), &[]),
            b"a\nb",
            "v.npy: shape: found (2, 0), expected a width of at least 1",
        ),
        (array("{'descr': '<f4'}", &[]), b"", r#"v.npy: the head "{'descr': '<f4'}" has no fortran_order"#),
        (b"\x93NUMPY\x04\x00".to_vec(), b"", "v.npy: version 4.0, expected 1.0, 2.0 or 3.0"),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(),
            b"",
            "v.npy: head of 4294967295 bytes, allowed are at most 65536",
        ),
    ] {
        let found = read(&bytes, names).unwrap_err();
        assert!(found.starts_with(expected), "{found}\nexpected {expected}");
    }
}

#[test]
fn a_file_above_the_limit_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large");
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap(); // sparse: reading it would not end well
    let large = |read: Result<Named, DataError>| matches!(read, Err(DataError::TooLarge { .. }));
    assert!(large(npy(&path, Ids::Lines(&path))));
    assert!(large(safetensors(&path, "x", Ids::Metadata("ids"))));
    #[cfg(feature = "parquet")]
    assert!(large(kohort_data::read::vectors::parquet(&path, "id", &[])));
    assert!(large(npy(&golden("f4.npy"), Ids::Lines(&path))));
}

#[test]
fn aligned_rows_are_those_of_the_vocabulary_and_what_is_not_there_is_told() {
    let vectors = Vectors::new(vec![1.0, 1.5, 2.0, 2.5, 3.0, 3.5], 2).unwrap();
    let named = Named::new("mine", &["a", "b", "c"], vectors.clone()).unwrap();
    let items: Vocabulary = ["c", "x", "a"].into_iter().collect();
    let zero = named.aligned(&items, Missing::Zero).unwrap();
    assert_eq!(zero.vectors.values(), [3.0, 3.5, 0.0, 0.0, 1.0, 1.5]);
    assert_eq!((zero.missing, zero.unknown), (vec![1], 1));
    let open = items.with_unseen(Unseen::Unknown);
    let open = named.aligned(&open, Missing::Zero).unwrap();
    assert_eq!((open.vectors.rows(), open.vectors.row(3), &open.missing[..]), (4, &[0.0; 2][..], &[1][..]));
    let many: Vocabulary = ["p", "q", "r", "s", "t", "u", "a"].into_iter().collect();
    assert_eq!(
        named.aligned(&many, Missing::Error).unwrap_err().to_string(),
        r#"mine: 6 of 7 ids have no vector, such as "p", "q", "r", "s", "t""#
    );
    assert_eq!(
        named.expect_width(768).unwrap_err().to_string(),
        "mine: found vectors of width 2, expected 768"
    );
    let error = |ids: &[&str]| Named::new("mine", ids, vectors.clone()).unwrap_err().to_string();
    assert_eq!(error(&["a"]), "mine: 1 ids for 3 rows");
    assert_eq!(error(&["a", "b", "a"]), r#"mine: row 2: id "a" is that of row 0 too, expected each id once"#);
}

/// A file of 4 bytes or more with some bytes changed, cut or added.
pub(crate) fn altered(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(move |(changes, end, cut)| {
        let mut bytes = good.clone();
        changes.iter().for_each(|(at, byte)| bytes[at.index(good.len())] = *byte);
        if cut {
            bytes.truncate(end.index(good.len()));
        }
        bytes
    })
}

fn golden_bytes(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_matrix_comes_back_from_npy_to_the_bit(rows in 1usize..6, width in 1usize..5, numbers in proptest::collection::vec(-1e30f32..1e30, 30)) {
        let names: String = (0..rows).map(|row| format!("id {row}\n")).collect();
        let values = &numbers[..rows * width];
        let named = read(&array(&shaped(&format!("({rows}, {width})")), values), names.as_bytes()).unwrap();
        prop_assert_eq!((named.vectors().width(), named.vectors().values()), (width, values));
    }

    #[test]
    fn altered_files_are_read_or_refused_and_never_panic(npy_file in altered(golden_bytes("f8-v2.npy")), names in altered(golden_bytes("names.txt")), tensors in altered(golden_bytes("all.safetensors"))) {
        let finite = |named: Named| named.vectors().values().iter().all(|x| x.is_finite());
        prop_assert!(read(&npy_file, &golden_bytes("names.txt")).is_ok_and(finite) || read(&npy_file, &golden_bytes("names.txt")).is_err());
        let _ = read(&golden_bytes("f4.npy"), &names);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.safetensors");
        std::fs::write(&path, &tensors).unwrap();
        for name in ["f16", "f32", "f64"] {
            if let Ok(named) = safetensors(&path, name, Ids::Metadata("ids")) {
                prop_assert!(finite(named));
            }
        }
    }

    #[test]
    fn any_order_of_rows_aligns_to_the_same_vectors(order in Just((0..12u16).collect::<Vec<_>>()).prop_shuffle(), kept in 1usize..12) {
        let names: Vec<String> = order.iter().map(|id| format!("id {id}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let values = order.iter().flat_map(|&id| [f32::from(id), -f32::from(id)]).collect();
        let named = Named::new("any", &names, Vectors::new(values, 2).unwrap()).unwrap();
        let ids: Vec<String> = (0..kept).map(|id| format!("id {id}")).collect();
        let aligned = named.aligned(&ids.iter().map(String::as_str).collect(), Missing::Error).unwrap();
        prop_assert_eq!(aligned.unknown, 12 - kept);
        for id in 0..kept {
            prop_assert_eq!(aligned.vectors.row(id), [id as f32, -(id as f32)]);
        }
    }
}
