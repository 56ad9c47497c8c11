//! ITM-Rec as it is: the figures are counted from the author's files by an independent script.

use kohort_data::{Column, Duplicates, Index, Manifest, Way, read::itm_rec};

use crate::mirror::{folder, histogram};

#[test]
fn the_files_have_the_counted_figures() {
    let Some(dir) = folder("itm-rec") else { return };
    let manifest = Manifest::named("itm-rec").unwrap();
    let data = itm_rec::read(&dir, manifest.layout("official")).unwrap();
    data.check().unwrap();
    let rows = &data.interactions;
    assert_eq!((rows.len(), rows.users, rows.items), (5_230, 476, 70));
    assert_eq!((rows.users_with_rows(), rows.items_with_rows()), (454, 70));
    assert_eq!(histogram(&rows.rating), [724, 1_050, 555, 1_348, 1_553]);
    assert_eq!(rows.repeated_pairs(), 432);
    assert!(!data.has_time);

    let numbers = |name: &str| match data.row_features.column(name) {
        Some(Column::Numeric(values)) => {
            let blank = data.row_features.filled(name);
            let known = (0u32..).zip(values).filter(|(row, _)| !blank.contains(row)).map(|(_, &v)| v);
            histogram(&known.collect::<Vec<f32>>())
        }
        _ => panic!("{name} is not numeric"),
    };
    assert_eq!(numbers("App"), [514, 862, 1_062, 1_492, 1_300]);
    assert_eq!(numbers("Data"), [421, 872, 1_284, 1_549, 1_102]);
    assert_eq!(numbers("Ease"), [474, 900, 1_713, 1_511, 632]);
    assert_eq!(data.row_features.filled("Data"), &[3_297, 3_347], "lines 3299 and 3349");

    let codes = |name: &str| match data.row_features.column(name) {
        Some(Column::Categorical { codes, vocabulary }) => {
            let sizes: Vec<usize> = Index::new(codes, vocabulary.len()).sizes().collect();
            let mut named: Vec<(String, usize)> = vocabulary.tokens().map(str::to_owned).zip(sizes).collect();
            named.sort();
            named.into_iter().map(|(_, n)| n).collect::<Vec<_>>()
        }
        _ => panic!("{name} is not categorical"),
    };
    assert_eq!(codes("Class"), [2_536, 844, 1_850], "DA, DB, DM");
    assert_eq!(codes("Semester"), [3_417, 1_813], "Fall, Spring");
    assert_eq!(codes("Lockdown"), [211, 810, 4_209], "DUR, POS, PRE");
    assert_eq!(
        data.user_features.column("age").and_then(Column::cardinality),
        Some(5),
        "overlapping bins stay"
    );
    assert_eq!(data.item_names.as_ref().map(|names| names[0].as_str()), Some("E-Commerce"));
}

#[test]
fn the_real_groups_are_there_with_their_own_ratings() {
    let Some(dir) = folder("itm-rec") else { return };
    let data = itm_rec::read(&dir, None).unwrap();
    let groups = data.groups.as_ref().unwrap();
    let rows = &groups.interactions;
    assert_eq!((groups.members.len(), groups.members.memberships(), rows.len()), (143, 395 - 37, 1_117));
    assert_eq!(histogram(&rows.rating), [115, 306, 172, 244, 280]);
    assert_eq!(rows.repeated_pairs(), 0);
    let mut sizes = [0; 6];
    for group in 0..groups.members.len() {
        sizes[groups.members.of(group).len()] += 1;
    }
    assert_eq!(sizes, [0, 0, 88, 42, 9, 4]);
    // datasets.md counts rows of group.csv, 37 of which repeat a membership: 195, 80, 12, 1.
    let mut in_groups = [0; 5];
    for of_user in groups.members.groups_of(476) {
        in_groups[of_user.len()] += 1;
    }
    assert_eq!(in_groups, [476 - 288, 223, 60, 5, 0]);
    assert_eq!(groups.silent.len(), 288 - 276, "members without a rating of their own are kept and flagged");
}

#[test]
fn repeated_pairs_are_refused_by_a_split_and_can_be_merged() {
    let Some(dir) = folder("itm-rec") else { return };
    let data = itm_rec::read(&dir, None).unwrap();
    let way = Way::RandomRows { share: 0.2 };
    let refused = way.split(&data.interactions, 1).unwrap_err().to_string();
    assert!(refused.contains("432 rows repeat a pair"), "{refused}");
    way.split_with_duplicates(&data.interactions, 1).unwrap();

    let merged = data.merge_duplicates(Duplicates::Mean).unwrap();
    merged.check().unwrap();
    assert_eq!(merged.interactions.len(), 5_230 - 432);
    assert!(merged.notes.last().unwrap().contains("432"));
    way.split(&merged.interactions, 1).unwrap();
}
