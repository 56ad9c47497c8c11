//! The same bits for any number of threads.

use kohort_eval::UnitValues;
use kohort_eval::interval::{Alternative, Draws, bootstrap_mean, sign_flip_test};
use kohort_eval::ranking::{CandidateLists, Candidates, Catalogue, Exclusions, RankingProtocol, Ties};

#[test]
fn one_two_and_five_threads_give_the_same_bits() {
    let rows: Vec<u32> = (0..3000).collect();
    let users: Vec<u32> = rows.iter().map(|row| row % 211).collect();
    let items: Vec<u32> = rows.iter().map(|row| (row * 37) % 400).collect();
    let grades: Vec<f32> = rows.iter().map(|row| ((row * 13) % 5 + 1) as f32).collect();
    let scores: Vec<f32> = rows.iter().map(|row| ((row * 29) % 17) as f32).collect();
    let values: Vec<f64> = rows.iter().map(|row| (f64::from(*row) * 0.7).sin()).collect();
    let work = || {
        let lists = CandidateLists::held_out(&users, &items, &grades).unwrap();
        let exclude = Exclusions::new(&[3, 4, 5], &[1, 2, 3]).unwrap();
        let random = RankingProtocol { ties: Ties::Random { seed: 1 }, ..RankingProtocol::default() };
        let whole = RankingProtocol { candidates: Candidates::WholeCatalogue, ..random.clone() };
        let catalogue = Catalogue::new(&lists, &exclude, 400).unwrap();
        let units = UnitValues::new(rows.clone(), values.iter().copied().map(Some).collect()).unwrap();
        (
            lists.evaluate(&random, &scores).unwrap(),
            lists.shuffled_floor(&random, 3, 9).unwrap(),
            catalogue
                .evaluate(&whole, |user, row| {
                    row.iter_mut().enumerate().for_each(|(i, s)| *s = ((i as u32 * 7 + user) % 31) as f32);
                })
                .unwrap(),
            bootstrap_mean(&units, &Draws { draws: 200, ..Draws::default() }).unwrap(),
            sign_flip_test(&values, Alternative::TwoSided, 500, 4).unwrap(),
        )
    };
    let with = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}
