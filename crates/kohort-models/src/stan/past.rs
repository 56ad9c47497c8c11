//! What a row's user did before it: the pseudo-labels of preferences, and how much they rest on.
//!
//! `l_i^k` is the mean of task k's known labels in the user's training rows of strictly earlier times, `c_i^k` their number. A row of
//! a user's first time has `c = 0` and the mean of the task over all training rows, so that nothing of the row itself, nor of what came with or
//! after it, is in its own pseudo-label.

use kohort_data::records::Target;

/// Of each training row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Past {
    /// For each task `l`, `[rows]`.
    pub(super) mean: Vec<Vec<f32>>,
    /// For each task `c`, `[rows]`.
    pub(super) count: Vec<Vec<f32>>,
}

impl Past {
    pub(super) fn of(users: &[u32], times: &[i64], targets: &[&Target]) -> Past {
        let mut order: Vec<usize> = (0..users.len()).collect();
        order.sort_by_key(|&row| (users[row], times[row], row));
        let mut past = Past { mean: Vec::new(), count: Vec::new() };
        for target in targets {
            let known = target.known_rows().max(1) as f64;
            let all = (0..users.len()).filter(|&row| target.is_known(row));
            let overall = all.map(|row| f64::from(target.values[row])).sum::<f64>() / known;
            let (mut mean, mut count) = (vec![overall as f32; users.len()], vec![0.0; users.len()]);
            for own in order.chunk_by(|&a, &b| users[a] == users[b]) {
                let (mut sum, mut seen) = (0.0f64, 0usize);
                for moment in own.chunk_by(|&a, &b| times[a] == times[b]) {
                    for &row in moment.iter().filter(|_| seen > 0) {
                        mean[row] = (sum / seen as f64) as f32;
                        count[row] = seen as f32;
                    }
                    for &row in moment.iter().filter(|&&row| target.is_known(row)) {
                        sum += f64::from(target.values[row]);
                        seen += 1;
                    }
                }
            }
            past.mean.push(mean);
            past.count.push(count);
        }
        past
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strictly_earlier_rows_of_the_same_user_count() {
        let users = [0, 0, 1, 0, 0];
        let times = [30, 10, 5, 10, 20];
        let mut target = Target::binary("like", [true, true, false, false, true]);
        let past = Past::of(&users, &times, &[&target]);
        assert_eq!(past.count[0], [3.0, 0.0, 0.0, 0.0, 2.0]);
        assert_eq!(past.mean[0], [2.0 / 3.0, 0.6, 0.6, 0.6, 0.5]);
        // Of a label that nobody knows nothing is learned, whatever stands there.
        target.known = Some(vec![true, true, true, false, true]);
        let masked = Past::of(&users, &times, &[&target]);
        assert_eq!(masked.count[0], [2.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(masked.mean[0], [1.0, 0.75, 0.75, 0.75, 1.0]);
    }
}
