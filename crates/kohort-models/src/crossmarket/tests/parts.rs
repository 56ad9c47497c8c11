use kohort_core::GradCheck;

use super::*;
use crate::crossmarket::loss::list_loss;
use crate::crossmarket::offer::Offer;

#[test]
fn the_gradient_of_the_list_loss_is_its_finite_difference() {
    let mut params = Params::<f64>::new();
    let x = params.add("x", 6, 1, vec![0.3, -0.8, 1.5, 2.0, 0.1, -30.0]);
    for weight in [None, Some(vec![0.5, 2.0])] {
        GradCheck::default()
            .run(&params, |tape, params| {
                let x = tape.param(params, x);
                list_loss(tape, params, x, 3, weight.clone(), 0.7)
            })
            .unwrap();
    }
}

#[test]
fn the_list_loss_is_the_cross_entropy_of_class_0() {
    let values = [0.3f32, -0.8, 1.5, 2.0, 0.1, -1e4];
    let (mut tape, params) = (Tape::new(), Params::new());
    let (column, rows) = (tape.input(6, 1, &values), tape.input(2, 3, &values));
    let ours = list_loss(&mut tape, &params, column, 3, Some(vec![0.5, 2.0]), 0.7);
    let theirs = tape.cross_entropy(rows, &[0, 0], Some(&[0.5, 2.0]), 0.7);
    assert_eq!(tape.scalar(ours), tape.scalar(theirs));
}

#[test]
fn negatives_are_all_items_on_offer_that_the_user_does_not_have_and_no_others() {
    let (rows, territories) = made_up(4);
    let train = Train::new(rows.clone()).unwrap();
    let last = rows.items as u32 - 1; // nobody has it
    let mut catalogue = vec![vec![last, 0], vec![], (0..last + 1).collect()];
    for given in [None, Some(&catalogue[..])] {
        let offer = Offer::new(&train, &territories, given).unwrap();
        for user in 0..rows.users as u32 {
            let home = territories.of_user()[user as usize];
            let sold = |item: u32| {
                let rows =
                    |&r: &usize| rows.item[r] == item && territories.of_user()[rows.user[r] as usize] == home;
                given.is_none_or(|given| given[home as usize].contains(&item))
                    || (0..rows_len(&train)).any(|r| rows(&r))
            };
            let has = |item: u32| (0..rows.len()).any(|r| (rows.user[r], rows.item[r]) == (user, item));
            let expected: Vec<u32> = (0..rows.items as u32).filter(|&i| sold(i) && !has(i)).collect();
            assert_eq!(offer.free(user), expected.len());
            let mut numbers = stream(1, "test", &[user.into()]);
            let mut all = offer.sample(user, 1000, &mut numbers);
            all.sort_unstable();
            assert_eq!(all, expected);
            let mut drawn: Vec<u32> = (0..400).map(|_| offer.draw(user, &mut numbers)).collect();
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn, expected, "of 400 draws from at most 20 items each comes up");
        }
    }
    let message =
        |catalogue: &[Vec<u32>]| Offer::new(&train, &territories, Some(catalogue)).err().unwrap().to_string();
    assert_eq!(message(&catalogue[1..]), "config: catalogue: 2 territories, expected 3");
    catalogue[1] = vec![3, 20];
    assert_eq!(message(&catalogue), "config: catalogue of y: item 20, expected below 20");
}

fn rows_len(train: &Train) -> usize {
    train.rows().len()
}
