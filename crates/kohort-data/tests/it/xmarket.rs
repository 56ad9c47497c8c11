//! XMarket as it is: figures counted from the files by an independent script, and files that are broken.

use std::path::Path;

use kohort_data::read::xmarket::{self, MARKETS};
use kohort_data::territories::Territories;
use kohort_data::{Duplicates, Index, Manifest};

use crate::mirror::{folder, histogram};

#[test]
fn the_files_have_the_published_counts() {
    let Some(dir) = folder("xmarket") else { return };
    let manifest = Manifest::named("xmarket").unwrap();
    let layout = manifest.layout("efficient");
    kohort_data::fetch::verify(&dir, layout.unwrap()).unwrap();
    let data = xmarket::read(&dir, layout).unwrap();
    let rows = &data.interactions;
    // 17,891 customers; four of them rate in two markets.
    assert_eq!((rows.len(), rows.users, rows.items), (168_307, 17_891 + 4, 8_354));
    assert!(data.notes[0].contains(": 4 customers who rate in more"), "{:?}", data.notes);
    assert!(data.notes[1].starts_with("3272 rows repeat"), "{:?}", data.notes);
    let whole = histogram(&rows.rating);
    assert_eq!(whole, [6_041, 4_418, 9_466, 26_540, 121_842]);
    // 9 May 2004 to 18 November 2020.
    assert_eq!(
        (rows.time.iter().min(), rows.time.iter().max()),
        (Some(&1_084_060_800), Some(&1_605_657_600))
    );

    let markets = Territories::of(&data, xmarket::FEATURE).unwrap();
    assert_eq!(markets.names(), MARKETS);
    let of_rows = markets.of_rows(rows).unwrap();
    let per_market: Vec<usize> = Index::new(&of_rows, 7).sizes().collect();
    assert_eq!(per_market, [55_045, 22_247, 22_905, 2_015, 4_485, 17_095, 44_515]);
    let users: Vec<usize> = Index::new(markets.of_user(), 7).sizes().collect();
    assert_eq!(users, [5_675, 2_373, 2_396, 239, 487, 1_878, 4_847]);
    let items = markets.items(rows).unwrap();
    assert_eq!(items.iter().map(Vec::len).collect::<Vec<_>>(), [5_772, 2_210, 1_911, 470, 955, 1_645, 3_302]);
    let mut sold_in = vec![0usize; rows.items];
    items.iter().flatten().for_each(|&item| sold_in[item as usize] += 1);
    let by_markets: Vec<usize> = (1..=7).map(|n| sold_in.iter().filter(|&&m| m == n).count()).collect();
    assert_eq!(by_markets, [4_610, 1_661, 885, 595, 378, 167, 58]);
}

#[test]
fn repeated_pairs_of_each_market_are_merged_as_told() {
    let Some(dir) = folder("xmarket") else { return };
    let repeated = [954, 728, 529, 42, 130, 162, 727];
    for (market, repeated) in MARKETS.into_iter().zip(repeated) {
        let data = xmarket::read_with(&dir, None, &[market], Some(Duplicates::KeepFirst)).unwrap();
        let told = format!("{repeated} rows repeated a (user, item) pair and were merged: earliest row kept");
        assert!(data.notes.contains(&told), "{market}: {:?}", data.notes);
        data.interactions.check_pairs().unwrap();
    }
    assert!(xmarket::read_with(&dir, None, &["in"], Some(Duplicates::Error)).is_err());
}

fn write(dir: &Path, market: &str, rows: &str) {
    std::fs::write(dir.join(format!("{market}_5core.txt")), format!("userId itemId rate date\n{rows}"))
        .unwrap();
}

fn refused(rows: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "in", rows);
    let error = xmarket::read_with(dir.path(), None, &["in"], None).unwrap_err().to_string();
    error.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn each_fault_is_named_with_file_and_line() {
    for (rows, expected) in [
        (
            "a x 5.0 2016-01-03\na y 6 2016-01-03\n",
            r#"DIR/in_5core.txt:3: field rate: found "6", expected a number from 1 to 5"#,
        ),
        (
            "a x 5.0 2015-02-29\n",
            r#"DIR/in_5core.txt:2: field date: found "2015-02-29", expected a day such as 2016-01-03"#,
        ),
        ("a x 5.0\n", "DIR/in_5core.txt:2: found 3 columns, expected 4 (userId, itemId, rate, date)"),
        ("a  5.0 2016-01-03\n", r#"DIR/in_5core.txt:2: field itemId: found "", expected an id"#),
    ] {
        assert_eq!(refused(rows), expected);
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("jp_5core.txt"), "user itemId rate date\n").unwrap();
    let error = xmarket::read_with(dir.path(), None, &["jp"], None).unwrap_err().to_string();
    assert!(error.ends_with(r#"no column "userId"; the columns are user, itemId, rate, date"#), "{error}");
}

#[test]
fn an_unknown_market_is_refused_with_those_there_are() {
    let refused = |markets: &[&str]| {
        xmarket::read_with(Path::new("nowhere"), None, markets, None).unwrap_err().to_string()
    };
    assert_eq!(refused(&["in", "us"]), r#"market: found "us", expected one of ca, de, fr, in, jp, mx, uk"#);
    assert_eq!(refused(&["in", "in"]), r#"market: found "in" twice, expected each market once"#);
    assert_eq!(refused(&[]), "market: found none, expected some of ca, de, fr, in, jp, mx, uk");
}

#[test]
fn a_customer_of_two_markets_is_two_users_of_shared_items() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "in", "a x 5.0 2016-01-03\nb y 4.0 2016-01-04\n");
    write(dir.path(), "jp", "a x 3.0 2016-01-05\n");
    let data = xmarket::read_with(dir.path(), None, &["jp", "in"], None).unwrap();
    assert_eq!(data.users.tokens().collect::<Vec<_>>(), ["jp/a", "in/a", "in/b"]);
    assert_eq!((data.items.len(), &data.interactions.item[..]), (2, &[0, 0, 1][..]));
    assert_eq!(Territories::of(&data, "market").unwrap().of_user(), [0, 1, 1]);
    assert!(data.notes[0].contains(": 1 customers"), "{:?}", data.notes);
    let none = Territories::of(&data, "region").unwrap_err().to_string();
    assert_eq!(
        none,
        r#"territories: found "region", expected a categorical feature of the users, one of market"#
    );
}
