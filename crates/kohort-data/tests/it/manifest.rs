//! Manifests are strict.

use kohort_data::Manifest;

const GOOD: &str = r#"
name = "tea"
title = "Tea"
description = "d"
licence = "l"
redistribution = "r"
citation = "c"
homepage = "h"
[[layout]]
name = "official"
reader = "itm-rec"
[[layout.file]]
path = "a.csv"
bytes = 3
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
[[place]]
kind = "pip"
name = "p"
package = "tea==1"
wheel = "tea.whl"
bytes = 1
sha256 = ""
inside = "tea/"
layout = "official"
"#;

#[test]
fn every_built_in_manifest_is_sound() {
    for name in Manifest::names() {
        let manifest = Manifest::named(name).unwrap();
        assert_eq!(manifest.name, name);
        for text in [&manifest.licence, &manifest.citation, &manifest.homepage, &manifest.redistribution] {
            assert!(!text.is_empty());
        }
    }
}

#[test]
fn faults_are_named() {
    Manifest::parse(GOOD, "tea.toml").unwrap();
    let cases = [
        ("homepage = \"h\"", "homepage = \"h\"\nhome = 1", "unknown field `home`"),
        ("homepage = \"h\"", "", "missing field `homepage`"),
        ("bytes = 3", "bytes = -3", "line 14, column 9"),
        ("bytes = 3", "bytes = 3\nsize = 4", "unknown field `size`"),
        ("reader = \"itm-rec\"", "reader = \"csv\"", "unknown variant `csv`"),
        ("\"a.csv\"", "\"../a.csv\"", "expected a file name without folders"),
        ("e3b0c442", "E3B0C442", "expected 64 lower-case hexadecimal digits"),
        ("layout = \"official\"", "layout = \"other\"", "expected one of official"),
        (
            "[[place]]",
            "[[layout]]\nname = \"l\"\nreader = \"twitch\"\nfile = []\n[[place]]",
            "layout.reader of l: found Twitch, expected what reads the same kind as ItmRec",
        ),
        ("name = \"tea\"", "name = \"a/b\"", "expected letters"),
        ("inside = \"tea/\"", "inside = \"tea/\"\nurl = \"x\"", "unknown field `url`"),
    ];
    for (from, to, expected) in cases {
        let error = Manifest::parse(&GOOD.replace(from, to), "tea.toml").unwrap_err().to_string();
        assert!(error.starts_with("manifest tea.toml: ") && error.contains(expected), "{error}\n{expected}");
    }
}
