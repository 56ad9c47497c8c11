//! The same inputs for both sides, made here so that neither side's library decides them.

use std::f64::consts::TAU;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014); small enough not
/// to need a crate.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}

/// `u.data` as lines `user<TAB>item<TAB>rating`, a random 80 % and the rest.
pub(super) fn split(text: &str) -> (String, String) {
    let mut rows: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let mut numbers = Numbers(1);
    for at in (1..rows.len()).rev() {
        rows.swap(at, numbers.below(at + 1));
    }
    let train = rows.len() * 4 / 5;
    let join = |rows: &[&str]| {
        let mut out = String::new();
        for row in rows {
            // The fourth column is the time, which neither side looks at.
            out.push_str(&row.split('\t').take(3).collect::<Vec<_>>().join("\t"));
            out.push('\n');
        }
        out
    };
    (join(&rows[..train]), join(&rows[train..]))
}

/// Scores in [0, 1), and labels that are 1 with the score's square as their chance. At this number some scores are
/// equal, so ties are part of the work.
pub(super) fn scores(count: usize) -> (Vec<f32>, Vec<u8>) {
    let mut numbers = Numbers(2);
    (0..count)
        .map(|_| {
            let score = numbers.uniform();
            (score as f32, u8::from(numbers.uniform() < score * score))
        })
        .unzip()
}

/// Points around `clusters` middles, `[rows, dim]`, and starting centres that are points, `[clusters, dim]`.
pub(super) fn points(rows: usize, dim: usize, clusters: usize) -> (Vec<f32>, Vec<f32>) {
    let mut numbers = Numbers(3);
    let middles: Vec<f64> = (0..clusters * dim).map(|_| numbers.normal()).collect();
    let mut points = Vec::with_capacity(rows * dim);
    for _ in 0..rows {
        let middle = numbers.below(clusters) * dim;
        points.extend(middles[middle..middle + dim].iter().map(|value| (value + numbers.normal()) as f32));
    }
    // Evenly spaced rows are distinct and as random as the rows are.
    let centres =
        (0..clusters).flat_map(|c| points[c * (rows / clusters) * dim..][..dim].iter().copied()).collect();
    (points, centres)
}

/// Pairs of nodes: for each node `edges`, of ten `inside` to its own community of `members` neighbours in number, the others to
/// any node. Repeats and loops are among them.
pub(super) fn planted(nodes: usize, members: usize, edges: usize, inside: usize) -> Vec<[u32; 2]> {
    let mut numbers = Numbers(4);
    let mut pairs = Vec::with_capacity(nodes * edges);
    for node in 0..nodes {
        let first = node / members * members;
        for _ in 0..edges {
            let other = match numbers.below(10) < inside {
                true => first + numbers.below(members.min(nodes - first)),
                false => numbers.below(nodes),
            };
            pairs.push([node as u32, other as u32]);
        }
    }
    pairs
}

/// Little-endian.
pub(super) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_keeps_every_row_once() {
        let text: String = (0..100).map(|i| format!("{i}\t{}\t3\t99\n", i * 7)).collect();
        let (train, test) = split(&text);
        assert_eq!((train.lines().count(), test.lines().count()), (80, 20));
        let mut users: Vec<u32> = train
            .lines()
            .chain(test.lines())
            .map(|line| line.split('\t').next().unwrap().parse().unwrap())
            .collect();
        users.sort_unstable();
        assert_eq!(users, (0..100).collect::<Vec<_>>());
        assert!(train.lines().all(|line| line.split('\t').count() == 3));
    }

    #[test]
    fn points_have_the_asked_shape_and_a_spread_of_about_two() {
        let (points, centres) = points(1000, 4, 5);
        assert_eq!((points.len(), centres.len()), (4000, 20));
        let variance = points.iter().map(|v| f64::from(v * v)).sum::<f64>() / 4000.0;
        assert!((1.0..4.0).contains(&variance), "{variance}");
    }

    #[test]
    fn seven_of_ten_planted_edges_stay_inside() {
        let pairs = planted(1000, 50, 10, 7);
        assert_eq!(pairs.len(), 10_000);
        let inside = pairs.iter().filter(|[a, b]| a / 50 == b / 50).count();
        assert!((6_800..7_500).contains(&inside), "{inside}");
    }

    #[test]
    fn the_chance_of_a_label_grows_with_its_score() {
        let (scores, labels) = scores(10_000);
        let share = |low: f32, high: f32| {
            let chosen = || scores.iter().zip(&labels).filter(|(s, _)| (low..high).contains(*s));
            chosen().filter(|(_, label)| **label == 1).count() as f64 / chosen().count() as f64
        };
        assert!(share(0.0, 0.3) < 0.1 && share(0.8, 1.0) > 0.7);
    }
}
