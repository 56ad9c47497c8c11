//! Cohorts for new users.

use kohort_cohorts::{AssignError, Assigner, Assignment, Points, Standardiser};
use kohort_core::checkpoint;
use serde_json::{Value, json};

use crate::{config, planted, points};

fn made() -> (Vec<f32>, Assignment, Assigner) {
    let (mut values, _) = planted(600, 3, 4, 6.0, 10);
    // One feature in much larger units than the others.
    values.iter_mut().step_by(3).for_each(|x| *x *= 1000.0);
    let columns = Standardiser::fit(&points(&values, 3));
    let scaled = columns.apply(&values);
    let fit = config(4).fit(&points(&scaled, 3)).unwrap();
    let mut cohorts = Assignment::first(&fit);
    cohorts.ids = vec![10, 20, 30, 40];
    cohorts.labels.iter_mut().for_each(|l| *l = (*l + 1) * 10);
    let names = ["income", "age", "visits"].map(str::to_owned).to_vec();
    let assigner = Assigner::new(names, columns, &fit, &cohorts.ids).unwrap();
    (values, cohorts, assigner)
}

#[test]
fn users_of_the_fit_get_their_own_cohort_under_its_stable_id() {
    let (values, cohorts, assigner) = made();
    assert_eq!(assigner.assign(&values).unwrap(), cohorts.labels);
    assert!(assigner.assign(&[]).unwrap().is_empty());
}

#[test]
fn a_user_on_a_centre_has_distance_0_and_one_between_two_has_margin_0() {
    let fit = config(2).fit(&points(&[0.0, 8.0], 1)).unwrap();
    let assigner = Assigner::new(vec!["x".into()], Standardiser::identity(1), &fit, &[5, 6]).unwrap();
    let placed = assigner.place(&[0.0, 4.0, 5.0]).unwrap();
    assert_eq!((placed[0].distance, placed[0].margin), (0.0, Some(8.0)));
    assert_eq!((placed[1].cohort, placed[1].margin), (5, Some(0.0)));
    assert_eq!((placed[2].distance, placed[2].margin), (3.0, Some(2.0)));
    let fit = config(1).fit(&points(&[0.0, 8.0], 1)).unwrap();
    let alone = Assigner::new(vec!["x".into()], Standardiser::identity(1), &fit, &[5]).unwrap();
    assert_eq!(alone.place(&[1.0]).unwrap()[0].margin, None);
}

#[test]
fn bad_users_are_named_by_row_and_feature() {
    let (_, _, assigner) = made();
    let error = assigner.assign(&[1.0, 2.0, 3.0, 4.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "4 values do not fill rows of the 3 features the cohorts were made from (income, age, visits)"
    );
    for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
        let error = assigner.assign(&[1.0, 2.0, 3.0, 4.0, bad, 6.0]).unwrap_err();
        let AssignError::Feature { row: 1, feature, .. } = error else { panic!("{error}") };
        assert_eq!(feature, "age");
    }
}

#[test]
fn a_stored_assigner_is_checked_when_it_is_read() {
    let (_, _, assigner) = made();
    let good = serde_json::to_value(&assigner).unwrap();
    assert_eq!(serde_json::from_value::<Assigner>(good.clone()).unwrap(), assigner);
    let spoilt: [(&str, Value, &str); 7] = [
        ("/features", json!(["income", "age"]), "standardiser.mean: 3 values, expected 2"),
        ("/features", json!([]), "features: at least one is needed"),
        ("/features/0", json!("age"), "features[1] = \"age\": allowed is each name once"),
        ("/ids", json!([1, 2, 3]), "centres: 12 values, expected 9"),
        ("/ids/3", json!(10), "ids[3] = 10: allowed is each id once"),
        (
            "/standardiser/scale/1",
            json!(0.0),
            "standardiser.scale[1] = 0: allowed is a finite number above 0",
        ),
        ("/centres", json!([1.0]), "centres: 1 values, expected 12"),
    ];
    for (place, value, says) in spoilt {
        let mut parts = good.clone();
        *parts.pointer_mut(place).unwrap() = value;
        let error = serde_json::from_value::<Assigner>(parts).unwrap_err().to_string();
        assert!(error.contains(says), "{place}: {error}");
    }
}

#[test]
fn an_assigner_survives_a_checkpoint_and_damage_is_refused() {
    let (values, cohorts, assigner) = made();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assigner.kohort");
    checkpoint::write(&path, &assigner).unwrap();
    let loaded: Assigner = checkpoint::read(&path).unwrap();
    assert_eq!(loaded, assigner);
    assert_eq!(loaded.assign(&values).unwrap(), cohorts.labels);
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(checkpoint::read::<Assigner>(&path).is_err(), "byte {at}");
    }
}

#[test]
fn constant_columns_are_centred_and_left_alone() {
    let values = [0.1f32, 1.0, 0.1, 2.0, 0.1, 3.0];
    let columns = Standardiser::fit(&Points::new(&values, 2).unwrap());
    assert_eq!(columns.scale[0], 1.0);
    let scaled = columns.apply(&values);
    assert!(scaled.iter().step_by(2).all(|x| x.abs() < 1e-6));
}
