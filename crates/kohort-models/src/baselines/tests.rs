//! What all baselines have in common, and golden predictions from scikit-surprise.

mod contract;
mod golden;

use kohort_data::{Interactions, Train};
use kohort_random::stream;
use ndarray_rand::rand_distr::{Distribution, Uniform};

/// Made-up ratings 1..=5 in random order; the last user and the last item have none.
fn made_up(users: usize, items: usize, share: f32, seed: u64) -> Train {
    let mut numbers = stream(seed, "made-up ratings", &[]);
    let uniform = Uniform::new(0.0f32, 1.0).unwrap();
    let mut rows = Interactions { users, items, ..Interactions::default() };
    for user in 0..users as u32 - 1 {
        for item in 0..items as u32 - 1 {
            let (kept, liked) = (uniform.sample(&mut numbers), uniform.sample(&mut numbers));
            if kept < share {
                rows.user.push(user);
                rows.item.push(item);
                rows.rating.push((liked * 3.0 + ((user + item) % 3) as f32).floor() + 1.0);
                rows.time.push(0);
            }
        }
    }
    let order = kohort_random::permutation(rows.len(), &mut numbers);
    Train::new(rows.select(&order)).unwrap()
}

/// Every pair of `users` and `items`, users outermost.
fn all_pairs(users: usize, items: usize) -> (Vec<u32>, Vec<u32>) {
    (0..users as u32).flat_map(|user| (0..items as u32).map(move |item| (user, item))).unzip()
}
