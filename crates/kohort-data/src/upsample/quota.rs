//! Active users a territory: proportional shares in whole numbers.

use super::Quota;

/// `total` shared out in proportion to the quota's weights, to the largest remainder (the first of equal ones);
/// `None` where there is no quota. `present` counts the users of each territory.
pub(super) fn shares(quota: Quota, total: usize, present: &[usize]) -> Option<Vec<usize>> {
    weights(quota, present).map(|weights| apportion(total, &weights))
}

/// The same where no territory gives more than it has left: what one cannot give is shared out among the others, again in
/// proportion, until all is given or nobody has any left.
pub(super) fn capped(quota: Quota, total: usize, present: &[usize], left: &[usize]) -> Option<Vec<usize>> {
    let mut open = weights(quota, present)?;
    let mut given = vec![0; present.len()];
    loop {
        let rest = total.saturating_sub(given.iter().sum());
        let wanted = apportion(rest, &open);
        let short: Vec<usize> = (0..wanted.len()).filter(|&at| wanted[at] > left[at]).collect();
        if short.is_empty() {
            given.iter_mut().zip(wanted).for_each(|(given, wanted)| *given += wanted);
            return Some(given);
        }
        for at in short {
            given[at] = left[at];
            open[at] = 0.0;
        }
    }
}

fn weights(quota: Quota, present: &[usize]) -> Option<Vec<f64>> {
    let weight = |&users: &usize| match quota {
        Quota::None => None,
        Quota::SquareRoot => Some((users as f64).sqrt()),
        Quota::Equal => Some(f64::from(u8::from(users > 0))),
    };
    present.iter().map(weight).collect()
}

/// Nothing is given where all weights are 0.
fn apportion(total: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|w| total as f64 * w / sum.max(f64::MIN_POSITIVE)).collect();
    let mut whole: Vec<usize> = exact.iter().map(|&share| share.floor() as usize).collect();
    let mut order: Vec<usize> = (0..exact.len()).filter(|&at| weights[at] > 0.0).collect();
    order.sort_by(|&a, &b| (exact[b] - exact[b].floor()).total_cmp(&(exact[a] - exact[a].floor())));
    let left = total.saturating_sub(whole.iter().sum());
    for &at in order.iter().take(left) {
        whole[at] += 1;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_follow_the_weights() {
        assert_eq!(shares(Quota::SquareRoot, 10, &[9, 4, 0]), Some(vec![6, 4, 0]));
        assert_eq!(shares(Quota::Equal, 10, &[900, 1, 0, 5]), Some(vec![4, 3, 0, 3]));
        assert_eq!(shares(Quota::None, 10, &[1, 2]), None);
        assert_eq!(shares(Quota::Equal, 0, &[1, 2]), Some(vec![0, 0]));
    }

    #[test]
    fn what_one_cannot_give_the_others_do() {
        assert_eq!(capped(Quota::Equal, 12, &[9, 9, 9], &[9, 9, 9]), Some(vec![4, 4, 4]));
        assert_eq!(capped(Quota::Equal, 12, &[9, 9, 9], &[9, 1, 9]), Some(vec![6, 1, 5]));
        assert_eq!(capped(Quota::Equal, 12, &[9, 9, 9], &[4, 1, 9]), Some(vec![4, 1, 7]));
        assert_eq!(capped(Quota::Equal, 12, &[9, 9, 0], &[4, 1, 0]), Some(vec![4, 1, 0]), "all there is");
    }
}
