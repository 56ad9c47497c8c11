//! Groups of territories and local titles: known answers, and what must hold for any profiles.

use std::collections::BTreeMap;

use kohort_data::read::xmarket;
use kohort_data::territories::{
    Distance, Grouping, Profiles, Reach, ReachRule, Territories, Title, ZIP_REGIONS, zip_region,
};
use kohort_data::{Interactions, Train};
use proptest::prelude::*;

use crate::mirror::folder;

/// One user a territory; `rows[t]` lists the items of its rows.
fn planted(rows: &[&[u32]], items: usize) -> (Train, Territories) {
    let user = (0u32..).zip(rows).flat_map(|(t, own)| own.iter().map(move |_| t)).collect::<Vec<_>>();
    let interactions = Interactions {
        item: rows.iter().flat_map(|own| own.iter().copied()).collect(),
        rating: vec![1.0; user.len()],
        time: vec![0; user.len()],
        user,
        users: rows.len(),
        items,
    };
    let names = (0..rows.len()).map(|t| format!("t{t}")).collect();
    let places = Territories::new(names, (0..rows.len() as u32).collect()).unwrap();
    (Train::new(interactions).unwrap(), places)
}

#[test]
fn territories_that_watch_the_same_are_grouped() {
    let (train, places) = planted(&[&[0, 0, 1], &[3, 4], &[0, 1, 1], &[3, 3, 4], &[5]], 6);
    let profiles = Profiles::of(&train, &places).unwrap();
    for distance in [Distance::Cosine, Distance::JensenShannon] {
        let groups = Grouping::by_viewing(&profiles, 3, distance).unwrap();
        assert_eq!(groups.of_territory(), [0, 1, 0, 1, 2], "{groups}");
        assert_eq!(groups.members(1), ["t1", "t3"]);
        assert!(groups.why(2).starts_with("alone, 1.000 from"), "{groups}");
    }
    // By hand: (2, 1) and (1, 2) have the cosine 4/5; one half of each against their mean, in bits.
    assert!((profiles.distance(0, 2, Distance::Cosine) - 0.2).abs() < 1e-12);
    let js = (2.0 / 3.0) * (4.0f64 / 3.0).log2() + (1.0 / 3.0) * (2.0f64 / 3.0).log2();
    assert!((profiles.distance(0, 2, Distance::JensenShannon) - js.sqrt()).abs() < 1e-12);
    assert_eq!(profiles.distance(0, 1, Distance::JensenShannon), 1.0);
}

#[test]
fn size_balance_puts_small_ones_beside_large_ones() {
    let sizes = [50, 40, 20, 20, 15, 4, 2];
    let rows: Vec<Vec<u32>> = sizes.iter().map(|&n| vec![0; n]).collect();
    let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
    let (train, places) = planted(&rows, 1);
    let profiles = Profiles::of(&train, &places).unwrap();
    let groups = Grouping::by_size(&profiles, 4).unwrap();
    assert_eq!(groups.of_territory(), [0, 1, 2, 3, 2, 3, 1], "{groups}");
    assert_eq!((0..4).map(|group| groups.rows(group)).collect::<Vec<_>>(), [50, 42, 35, 24]);
    assert_eq!(
        groups.to_string().lines().nth(3).unwrap(),
        "group 2  t1, t6              2         42   27.8 %  1.11 of an even share"
    );
}

#[test]
fn a_rule_must_name_every_territory_and_no_other() {
    let (train, places) = planted(&[&[0], &[0], &[0]], 1);
    let profiles = Profiles::of(&train, &places).unwrap();
    let rule = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|&(t, g)| (t.to_owned(), g.to_owned())).collect()
    };
    let groups =
        Grouping::by_rule(&profiles, &rule(&[("t0", "west"), ("t1", "east"), ("t2", "west")])).unwrap();
    assert_eq!(
        (groups.of_territory(), groups.names()),
        (&[0, 1, 0][..], &["west".into(), "east".into()][..])
    );
    let users = groups.apply(&places).unwrap();
    assert_eq!((users.names(), users.of_user()), (groups.names(), &[0, 1, 0][..]));
    let refused = |pairs| Grouping::by_rule(&profiles, &rule(pairs)).unwrap_err().to_string();
    assert_eq!(
        refused(&[("t0", "w"), ("t1", "w")]),
        r#"grouping: found no rule for territory "t2", expected a group for every territory"#
    );
    assert_eq!(
        refused(&[("t9", "w")]),
        r#"grouping: found a rule for territory "t9", expected one of t0, t1, t2"#
    );
    let few = Grouping::by_size(&profiles, 4).unwrap_err().to_string();
    assert_eq!(few, "territory groups: found 4, expected 1 to the number of territories, 3");
    assert!(Grouping::given(&profiles, "kmeans", &[0, 0, 0], 2).is_err(), "an empty group");
    assert_eq!(Grouping::given(&profiles, "kmeans", &[0, 1, 0], 2).unwrap().why(1), "kmeans");
    let other = Territories::new(vec!["x".into()], vec![0, 0, 0]).unwrap();
    assert!(groups.apply(&other).is_err());
}

fn any_rows() -> impl Strategy<Value = Vec<Vec<u32>>> {
    proptest::collection::vec(proptest::collection::vec(0u32..8, 0..20), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_gives_each_group_a_territory_and_each_territory_a_group(rows in any_rows(), wanted in 1usize..8) {
        let slices: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let (train, places) = planted(&slices, 8);
        let profiles = Profiles::of(&train, &places).unwrap();
        let wanted = wanted.min(rows.len());
        let all = [
            Grouping::by_size(&profiles, wanted),
            Grouping::by_viewing(&profiles, wanted, Distance::Cosine),
            Grouping::by_viewing(&profiles, wanted, Distance::JensenShannon),
        ];
        for groups in all {
            let groups = groups.unwrap();
            prop_assert_eq!(groups.len(), wanted);
            prop_assert!((0..wanted).all(|group| !groups.members(group).is_empty()), "{}", groups);
            prop_assert_eq!((0..wanted).map(|g| groups.members(g).len()).sum::<usize>(), rows.len());
            prop_assert_eq!((0..wanted).map(|g| groups.rows(g)).sum::<usize>(), train.rows().len());
        }
        prop_assert!(Grouping::by_size(&profiles, wanted).unwrap().of_territory().iter().all(|&g| (g as usize) < wanted));
    }

    #[test]
    fn distances_are_symmetric_and_between_zero_and_one(rows in any_rows()) {
        let slices: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let (train, places) = planted(&slices, 8);
        let profiles = Profiles::of(&train, &places).unwrap();
        for distance in [Distance::Cosine, Distance::JensenShannon] {
            for a in 0..rows.len() {
                prop_assert_eq!(profiles.distance(a, a, distance), 0.0);
                for b in 0..rows.len() {
                    let apart = profiles.distance(a, b, distance);
                    prop_assert!((0.0..=1.0).contains(&apart));
                    prop_assert!((apart - profiles.distance(b, a, distance)).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn no_title_is_local_to_two_territories_or_global_and_local(rows in any_rows(), least in 1usize..6) {
        let slices: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let (train, places) = planted(&slices, 8);
        let rule = ReachRule { least_rows: least, global_territories: 2, ..ReachRule::default() };
        let reach = Reach::of(&train, &places, rule).unwrap();
        for (item, &title) in reach.titles().iter().enumerate() {
            let of: Vec<usize> = rows.iter().map(|own| own.iter().filter(|&&i| i as usize == item).count()).collect();
            let (all, most) = (of.iter().sum::<usize>(), of.iter().copied().max().unwrap_or(0));
            let expected = if all < least {
                Title::Other
            } else if most as f64 >= 0.8 * all as f64 - 1e-9 {
                Title::Local { territory: of.iter().position(|&n| n == most).unwrap() as u32 }
            } else if of.iter().filter(|&&n| n > 0).count() >= 2 && 2 * most <= all {
                Title::Global
            } else {
                Title::Other
            };
            prop_assert_eq!(title, expected, "item {}", item);
        }
    }
}

#[test]
fn rules_out_of_range_are_refused() {
    let (train, places) = planted(&[&[0]], 1);
    let refused = |rule| Reach::of(&train, &places, rule).unwrap_err().to_string();
    let rule = ReachRule::default();
    assert_eq!(
        refused(ReachRule { local_share: 0.5, ..rule }),
        "local share: found 0.5, expected a share above 0.5 to 1"
    );
    assert!(refused(ReachRule { global_most: 0.8, ..rule }).starts_with("global most"));
    assert!(refused(ReachRule { global_territories: 1, ..rule }).starts_with("global territories"));
    assert!(refused(ReachRule { least_rows: 0, ..rule }).starts_with("least rows"));
}

#[test]
fn xmarket_has_the_local_and_global_titles_that_a_script_counts() {
    let Some(dir) = folder("xmarket") else { return };
    let data = xmarket::read(&dir, None).unwrap();
    let places = Territories::of(&data, xmarket::FEATURE).unwrap();
    // All rows, to have figures to compare with; in an experiment only training rows are here.
    let train = Train::new(data.interactions).unwrap();
    let reach = Reach::of(&train, &places, ReachRule::default()).unwrap();
    assert_eq!(reach.local_counts(), [579, 41, 44, 3, 10, 59, 141]);
    let global = reach.global();
    assert_eq!(global.iter().filter(|&&global| global).count(), 658);
    let on_global = train.rows().item.iter().filter(|&&item| global[item as usize]).count();
    assert_eq!(on_global, 41_566);
    let profiles = Profiles::of(&train, &places).unwrap();
    for groups in 1..=7 {
        println!("{}", Grouping::by_viewing(&profiles, groups, Distance::Cosine).unwrap());
        println!("{}", Grouping::by_size(&profiles, groups).unwrap());
    }
}

#[test]
fn zip_regions_are_the_first_digit_and_everything_else_is_abroad() {
    for (code, region) in
        [("00501", 0), ("94043", 9), ("55105", 5), ("V0R2M", 10), ("", 10), ("1234-", 10), ("٣1234", 10)]
    {
        assert_eq!(zip_region(code), region, "{code:?}");
    }
    let (planted, _) = kohort_data::synthetic::Recipe::small().generate(1).unwrap();
    let error = Territories::of_zip(&planted).unwrap_err().to_string();
    assert!(
        error.ends_with(r#"expected a categorical feature "region" with the values 0 to 9 and other"#),
        "{error}"
    );
}

#[test]
fn people_of_movielens_live_in_eleven_regions() {
    let Some(dir) = folder("ml-100k") else { return };
    let data = kohort_data::read::movielens::read(&dir, None).unwrap();
    let regions = Territories::of_zip(&data).unwrap();
    assert_eq!(regions.names(), ZIP_REGIONS);
    // Counted from u.user with awk.
    let users: Vec<usize> = kohort_data::Index::new(regions.of_user(), 11).sizes().collect();
    assert_eq!(users, [96, 97, 101, 62, 77, 121, 78, 67, 56, 170, 18]);
    assert_eq!(regions.named("5 Upper Midwest").unwrap(), 5);
}
