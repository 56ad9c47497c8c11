//! Maps of users.

use kohort_cohorts::map::Map;
use kohort_cohorts::{Points, PointsError};

use crate::{planted, points, under};

#[test]
fn the_map_is_that_of_the_principal_components() {
    // numpy 2.4.6: C=X-X.mean(0); U,s,V=svd(C,full_matrices=False); the largest entry of each V[i] made positive;
    // (U*s)[:,:2], s**2/(s**2).sum()
    let users = [1.0, 2.0, 0.0, 3.0, 1.0, 4.0, 0.0, 5.0, 2.0, 7.0, 7.0, 1.0, 2.0, 0.0, 9.0, 4.0, 4.0, 4.0f64];
    let expected = [
        (-1.2261488909674354, -3.5128512672539247),
        (1.7640093694276353, -0.04032276440190314),
        (-1.286371905662641, -2.573765379373206),
        (-5.258022376553956, 3.13469620358504),
        (6.356863026313757, 1.4884923856673407),
        (-0.35032922255735977, 1.503750821776654),
    ];
    let map = Map::of(&Points::new(&users, 3).unwrap(), 0).unwrap();
    for (place, expected) in map.places.iter().zip(expected) {
        assert!((place.0 - expected.0).abs() < 1e-9 && (place.1 - expected.1).abs() < 1e-9, "{place:?}");
    }
    assert!((map.explained.0 - 0.6363176089723245).abs() < 1e-9);
    assert!((map.explained.1 - 0.2843522614033394).abs() < 1e-9);
}

#[test]
fn clusters_stay_apart_on_the_map_and_threads_do_not_matter() {
    let (values, labels) = planted(300, 8, 3, 6.0, 7);
    let map = under(1, || Map::of(&points(&values, 8), 5).unwrap());
    for (a, one) in map.places.iter().zip(&labels) {
        for (b, other) in map.places.iter().zip(&labels) {
            let apart = (a.0 - b.0).hypot(a.1 - b.1);
            assert!(one == other || apart > 6.0, "{apart}");
        }
    }
    for threads in [2, 5] {
        assert_eq!(under(threads, || Map::of(&points(&values, 8), 5).unwrap()), map);
    }
}

#[test]
fn users_without_differences_have_one_place() {
    let origin = |users: &[f32], dim: usize| {
        let map = Map::of(&points(users, dim), 0).unwrap();
        assert!(map.places.iter().all(|&place| place == (0.0, 0.0)), "{map:?}");
        assert_eq!(map.explained, (0.0, 0.0));
    };
    origin(&[0.1, 0.7], 2); // one user
    origin(&[0.1; 21], 3); // duplicates only
    origin(&[5.0], 1);
    let line = Map::of(&points(&[1.0, 2.0, 4.0], 1), 0).unwrap();
    assert!(line.places.iter().all(|place| place.1 == 0.0) && line.explained.1 == 0.0);
    // Without users, or with NaN, there are no points to map.
    assert!(Points::<f32>::new(&[], 2).is_err());
    assert!(matches!(Points::new(&[f32::NAN], 1), Err(PointsError::Value { row: 0, column: 0, .. })));
}
