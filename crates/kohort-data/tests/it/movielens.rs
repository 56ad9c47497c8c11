//! MovieLens 100K as it is: the figures are counted from the official files by an independent script.

use kohort_data::{Column, Index, Manifest, read::movielens};

use crate::mirror::{folder, histogram};

fn counts(column: &Column) -> Vec<(String, usize)> {
    let Column::Categorical { codes, vocabulary } = column else { panic!("not categorical") };
    let sizes: Vec<usize> = Index::new(codes, vocabulary.len()).sizes().collect();
    vocabulary.tokens().map(str::to_owned).zip(sizes).collect()
}

#[test]
fn the_official_files_have_the_published_counts() {
    let Some(dir) = folder("ml-100k") else { return };
    let manifest = Manifest::named("ml-100k").unwrap();
    let data = movielens::read(&dir, manifest.layout("official")).unwrap();
    data.check().unwrap();
    let rows = &data.interactions;
    assert_eq!((rows.len(), rows.users, rows.items), (100_000, 943, 1_682));
    assert_eq!(histogram(&rows.rating), [6_110, 11_370, 27_145, 34_174, 21_201]);
    assert_eq!(rows.repeated_pairs(), 0);
    assert_eq!((rows.time.iter().min(), rows.time.iter().max()), (Some(&874_724_710), Some(&893_286_638)));
    let mut per_user: Vec<usize> = Index::new(&rows.user, rows.users).sizes().collect();
    per_user.sort_unstable();
    assert_eq!((per_user[0], per_user[471], per_user[942]), (20, 65, 737));
    assert_eq!(data.users.get("1"), Some(0), "ids in file order");
    assert_eq!(
        (data.users.token(rows.user[0]), data.items.token(rows.item[0]), rows.rating[0], rows.time[0]),
        (Some("196"), Some("242"), 3.0, 881_250_949)
    );
}

#[test]
fn people_and_films_have_the_published_features() {
    let Some(dir) = folder("ml-100k") else { return };
    let data = movielens::read(&dir, None).unwrap();
    let Some(Column::Numeric(ages)) = data.user_features.column("age") else { panic!() };
    assert_eq!(
        (ages.iter().copied().fold(99.0, f32::min), ages.iter().copied().fold(0.0, f32::max)),
        (7.0, 73.0)
    );
    let of = |name: &str| counts(data.user_features.column(name).unwrap());
    assert_eq!(of("gender"), [("F".to_owned(), 273), ("M".to_owned(), 670)]);
    assert_eq!(of("occupation").len(), 21);
    let regions: Vec<usize> = of("region").into_iter().map(|(_, n)| n).collect();
    assert_eq!(regions, [96, 97, 101, 62, 77, 121, 78, 67, 56, 170, 18]);
    let buckets: Vec<usize> = of("age_bucket").into_iter().map(|(_, n)| n).collect();
    assert_eq!(buckets.iter().sum::<usize>(), 943);
    assert_eq!(buckets[0], ages.iter().filter(|&&age| age < 18.0).count());
    assert_eq!(buckets[6], ages.iter().filter(|&&age| age >= 56.0).count());

    let Some(Column::Categorical { codes: region, .. }) = data.user_features.column("region") else {
        panic!()
    };
    let mut ratings = [0; 11];
    for &user in &data.interactions.user {
        ratings[region[user as usize] as usize] += 1;
    }
    assert_eq!(ratings, [9_343, 10_331, 10_597, 5_933, 7_986, 11_759, 8_943, 6_728, 7_442, 18_852, 2_086]);

    let titles = data.item_names.as_ref().unwrap();
    let mut distinct = titles.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((titles.len(), distinct.len()), (1_682, 1_664));
    assert!(titles.iter().any(|title| title == "Misérables, Les (1995)"), "Latin-1 is decoded");
    let genre = data.item_features.column("genre").unwrap();
    assert_eq!(genre.cardinality(), Some(19));
    assert_eq!(genre.codes(0), &[3, 4, 5], "Toy Story: animation, children's, comedy");
    assert_eq!(data.item_features.column("year").unwrap().values(0), &[1995.0]);
    assert_eq!(data.item_features.filled("year"), &[266], "film 267 has no year");
}

#[test]
fn the_official_folds_are_read_against_the_same_ids() {
    let Some(dir) = folder("ml-100k") else { return };
    let manifest = Manifest::named("ml-100k").unwrap();
    let layout = manifest.layout("official");
    let data = movielens::read(&dir, layout).unwrap();
    for (name, train, test) in [("u1", 80_000, 20_000), ("ua", 90_570, 9_430)] {
        let split = movielens::fold(&dir, name, &data, layout).unwrap();
        assert_eq!((split.train.rows().len(), split.test.answers().len()), (train, test));
        let mut origin = [split.train.origin(), split.test.origin()].concat();
        origin.sort_unstable();
        assert!(origin.iter().enumerate().all(|(at, &row)| at as u32 == row), "every row once");
        let again = data.interactions.select(split.test.origin());
        assert_eq!(&again, split.test.answers());
    }
    assert_eq!(movielens::fold(&dir, "ua", &data, None).unwrap().train.cold_users(10), [] as [u32; 0]);
}
