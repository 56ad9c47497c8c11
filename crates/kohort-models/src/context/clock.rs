//! Where a query lies on the user's and the item's clock, and how the user rated around that moment.
//!
//! People rate in sessions, and within a session their mood and the list they work through carry over from one rating to
//! the next: residuals a few seconds apart resemble each other far more than a user's residuals at large.

use super::residual::{Rating, Reference};
use super::similarity::Kernels;

pub(super) const NAMES: [&str; 21] = [
    "around 20 s",
    "around 5 min",
    "around 1 h",
    "around 7 d",
    "around 1 h, items like it",
    "same second",
    "previous rating",
    "next rating",
    "ratings around 1 h",
    "ratings in same second",
    "since previous",
    "until next",
    "since first",
    "until last",
    "rank",
    "span",
    "item around 14 d",
    "item age",
    "calendar",
    "hour sine",
    "hour cosine",
];

const DAY: f32 = 86_400.0;
/// Time scales in seconds, with the pseudo-ratings that damp each mean.
const SCALES: [(f32, f32); 4] = [(20.0, 1.0), (300.0, 2.0), (3_600.0, 3.0), (7.0 * DAY, 5.0)];
/// `ln(1 + seconds)` where there is no rating before or after: longer than any gap.
const NO_NEIGHBOUR: f32 = 12.0;
const ITEM_SCALE: f32 = 14.0 * DAY;

/// `e^{−gap/scale}`; zero, without the exponential, where it could not be seen.
#[inline]
fn decay(gap: f32, scale: f32) -> f32 {
    let x = gap / scale;
    if x > 16.0 { 0.0 } else { (-x).exp() }
}

/// What one moment of one user gives for any item: a whole catalogue is scored at one moment.
#[derive(Default)]
pub(super) struct Moment {
    at: Option<(u32, i64)>,
    numbers: Vec<f32>,
    /// The user's ratings within reach of the one-hour kernel, with its weights.
    near: Vec<(Rating, f32)>,
}

pub(super) fn write(
    reference: &Reference,
    items: &Kernels,
    (user, item, time): (u32, u32, i64),
    moment: &mut Moment,
    out: &mut [f32],
) {
    if moment.at != Some((user, time)) {
        moment.at = Some((user, time));
        moment.numbers.clear();
        moment.numbers.resize(NAMES.len(), 0.0);
        let ratings = reference.of_user(user);
        around(ratings, time, &mut moment.numbers, &mut moment.near);
        position(ratings, time, &mut moment.numbers);
        calendar(reference.span, time, &mut moment.numbers);
    }
    out.copy_from_slice(&moment.numbers);
    out[4] = alike(&moment.near, items, item);

    let raters = reference.of_item(item);
    let (mut sum, mut total) = (0.0f32, 0.0f32);
    for rating in raters {
        let w = decay(time.abs_diff(rating.time) as f32, ITEM_SCALE);
        sum += w * rating.residual;
        total += w;
    }
    out[16] = sum / (total + 5.0);
    let first = raters.first().map_or(time, |r| r.time);
    out[17] = (time.saturating_sub(first).max(0) as f32 / DAY).ln_1p();
}

fn calendar((from, to): (i64, i64), time: i64, out: &mut [f32]) {
    out[18] = time.saturating_sub(from) as f32 / to.saturating_sub(from).max(1) as f32;
    let hour = (time.rem_euclid(86_400)) as f32 / DAY * std::f32::consts::TAU;
    out[19] = hour.sin();
    out[20] = hour.cos();
}

/// Means of residuals around the query's moment.
fn around(ratings: &[Rating], time: i64, out: &mut [f32], near: &mut Vec<(Rating, f32)>) {
    near.clear();
    let (mut sums, mut totals) = ([0.0f32; 5], [0.0f32; 5]);
    for rating in ratings {
        let gap = time.abs_diff(rating.time) as f32;
        let same = f32::from(u8::from(gap == 0.0));
        let [a, b, c, d] = SCALES.map(|(scale, _)| decay(gap, scale));
        if c > 0.0 {
            near.push((*rating, c));
        }
        for ((sum, total), w) in sums.iter_mut().zip(&mut totals).zip([a, b, c, d, same]) {
            *sum += w * rating.residual;
            *total += w;
        }
    }
    for (n, (_, damping)) in SCALES.into_iter().enumerate() {
        out[n] = sums[n] / (totals[n] + damping);
    }
    out[5] = sums[4] / (totals[4] + 1.0);
    out[8] = totals[2].ln_1p();
    out[9] = totals[4].ln_1p();
}

/// Mean of residuals around an hour, of items like this one by the first product of kernels.
fn alike(near: &[(Rating, f32)], items: &Kernels, item: u32) -> f32 {
    if items.len() == 0 {
        return 0.0;
    }
    let (mut single, mut values) = (Vec::new(), vec![0.0f32; items.len()]);
    let (mut sum, mut total) = (0.0f32, 0.0f32);
    for (rating, hour) in near {
        items.write(item, rating.other, &mut single, &mut values);
        sum += hour * values[0] * rating.residual;
        total += hour * values[0];
    }
    sum / (total + 2.0)
}

/// Neighbours in time, and the place in the user's history.
fn position(ratings: &[Rating], time: i64, out: &mut [f32]) {
    let before = ratings.partition_point(|r| r.time < time);
    let until = ratings.partition_point(|r| r.time <= time);
    let gap = |seconds: i64| (seconds.max(0) as f32).ln_1p();
    let hours = |seconds: i64| (seconds.max(0) as f32 / 3_600.0).ln_1p();
    (out[10], out[11]) = (NO_NEIGHBOUR, NO_NEIGHBOUR);
    if let Some(previous) = before.checked_sub(1).map(|n| &ratings[n]) {
        out[6] = previous.residual;
        out[10] = gap(time.saturating_sub(previous.time));
    }
    if let Some(next) = ratings.get(until) {
        out[7] = next.residual;
        out[11] = gap(next.time.saturating_sub(time));
    }
    if let (Some(first), Some(last)) = (ratings.first(), ratings.last()) {
        out[12] = hours(time.saturating_sub(first.time));
        out[13] = hours(last.time.saturating_sub(time));
        out[14] = 0.5 * (before + until) as f32 / ratings.len() as f32;
        out[15] = hours(last.time.saturating_sub(first.time));
    }
}
