//! Damped biases, what they leave over, and training rows by user and by item.

use kohort_data::{Index, Interactions, Scale};

/// Columns that [`Reference::statistics`] writes.
pub(super) const NAMES: [&str; 10] = [
    "user bias",
    "item bias",
    "user count",
    "item count",
    "user spread",
    "item spread",
    "user top share",
    "item top share",
    "user low share",
    "item low share",
];

/// One training rating, seen from its user or from its item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rating {
    /// The item of a user's rating, the user of an item's.
    pub(super) other: u32,
    pub(super) time: i64,
    /// `r − (μ + b_u + b_i)`.
    pub(super) residual: f32,
}

#[derive(Clone, Debug)]
struct Side {
    bias: Vec<f32>,
    offsets: Vec<u32>,
    ratings: Vec<Rating>,
    spread: Vec<f32>,
    top: Vec<f32>,
    low: Vec<f32>,
}

#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) mean: f32,
    users: Side,
    items: Side,
    /// First and last time of all rows.
    pub(super) span: (i64, i64),
}

impl Reference {
    /// Biases by three rounds of damped means (`b_i = Σ(r − μ − b_u)/(n_i + damping)`, then `b_u` likewise), and the rows
    /// of each user and item in order of time.
    pub(super) fn fit(rows: &Interactions, scale: Scale, damping: f64) -> Reference {
        let mean = rows.mean().unwrap_or_default();
        let by_user = Index::new(&rows.user, rows.users);
        let by_item = Index::new(&rows.item, rows.items);
        let (mut of_user, mut of_item) = (vec![0.0f64; rows.users], vec![0.0f64; rows.items]);
        let damped = |index: &Index, bias: &mut [f64], others: &[f64], other: &[u32]| {
            for (key, bias) in bias.iter_mut().enumerate() {
                let list = index.rows(key);
                let left =
                    |&r: &u32| f64::from(rows.rating[r as usize]) - mean - others[other[r as usize] as usize];
                let sum: f64 = list.iter().map(left).sum();
                let weight = list.len() as f64 + damping;
                *bias = if weight > 0.0 { sum / weight } else { 0.0 };
            }
        };
        for _ in 0..3 {
            damped(&by_item, &mut of_item, &of_user, &rows.user);
            damped(&by_user, &mut of_user, &of_item, &rows.item);
        }
        let residual: Vec<f32> = (0..rows.len())
            .map(|r| {
                let bias = of_user[rows.user[r] as usize] + of_item[rows.item[r] as usize];
                (f64::from(rows.rating[r]) - mean - bias) as f32
            })
            .collect();
        let side = |index: &Index, bias: Vec<f64>, other: &[u32]| {
            Side::new(index, &bias, rows, other, &residual, scale)
        };
        let times = rows.time.iter();
        Reference {
            mean: mean as f32,
            users: side(&by_user, of_user, &rows.item),
            items: side(&by_item, of_item, &rows.user),
            span: (times.clone().min().copied().unwrap_or(0), times.max().copied().unwrap_or(0)),
        }
    }

    /// `μ + b_u + b_i`; an id beyond those of training has bias 0.
    pub(super) fn base(&self, user: u32, item: u32) -> f32 {
        self.mean + self.users.bias(user) + self.items.bias(item)
    }

    /// The user's ratings in order of time.
    pub(super) fn of_user(&self, user: u32) -> &[Rating] {
        self.users.of(user)
    }

    /// The item's ratings in order of time.
    pub(super) fn of_item(&self, item: u32) -> &[Rating] {
        self.items.of(item)
    }

    pub(super) fn statistics(&self, user: u32, item: u32, out: &mut [f32]) {
        for (n, (side, key)) in [(&self.users, user), (&self.items, item)].into_iter().enumerate() {
            let at = |values: &[f32], newcomer: f32| values.get(key as usize).copied().unwrap_or(newcomer);
            out[n] = side.bias(key);
            out[2 + n] = (side.of(key).len() as f32).ln_1p();
            out[4 + n] = at(&side.spread, 1.0);
            out[6 + n] = at(&side.top, 0.2);
            out[8 + n] = at(&side.low, 0.2);
        }
    }
}

impl Side {
    fn new(
        index: &Index,
        bias: &[f64],
        rows: &Interactions,
        other: &[u32],
        residual: &[f32],
        scale: Scale,
    ) -> Side {
        // A rating counts as low in the lowest quarter of the scale: 1 and 2 of 1 to 5.
        let low_below = scale.low + 0.25 * (scale.high - scale.low);
        let keys = index.keys();
        let mut side = Side {
            bias: bias.iter().map(|&b| b as f32).collect(),
            offsets: vec![0],
            ratings: Vec::with_capacity(rows.len()),
            spread: Vec::with_capacity(keys),
            top: Vec::with_capacity(keys),
            low: Vec::with_capacity(keys),
        };
        for key in 0..keys {
            let list = index.rows(key);
            let mut sorted = list.to_vec();
            sorted.sort_by_key(|&r| rows.time[r as usize]); // stable: equal times stay in row order
            side.ratings.extend(sorted.iter().map(|&r| Rating {
                other: other[r as usize],
                time: rows.time[r as usize],
                residual: residual[r as usize],
            }));
            side.offsets.push(side.ratings.len() as u32);
            let n = list.len() as f32;
            let squares: f32 = list.iter().map(|&r| residual[r as usize] * residual[r as usize]).sum();
            let count =
                |f: &dyn Fn(f32) -> bool| list.iter().filter(|&&r| f(rows.rating[r as usize])).count();
            side.spread.push(((squares + 5.0) / (n + 5.0)).sqrt());
            side.top.push((count(&|r| r >= scale.high) as f32 + 1.0) / (n + 5.0));
            side.low.push((count(&|r| r <= low_below) as f32 + 1.0) / (n + 5.0));
        }
        side
    }

    fn bias(&self, key: u32) -> f32 {
        self.bias.get(key as usize).copied().unwrap_or(0.0)
    }

    fn of(&self, key: u32) -> &[Rating] {
        match self.offsets.get(key as usize..key as usize + 2) {
            Some(&[from, to]) => &self.ratings[from as usize..to as usize],
            _ => &[],
        }
    }
}
