//! How often an item was taken: everywhere, in a territory, and in a territory around a moment.
//!
//! `recent(m, i, t) = Σ_{rows of i in m} exp(−|t − d| / τ)`, over all rows or those with d < t. With the rows of (m, i) in the order of
//! days d_1 ≤ … ≤ d_n, the sums `A_k = Σ_{l ≤ k} exp(−(d_k − d_l)/τ) = 1 + A_{k−1}·exp(−(d_k − d_{k−1})/τ)` and, from the other end, B_k give it at any
//! moment between d_k and d_{k+1} as `A_k·exp(−(t − d_k)/τ) + B_{k+1}·exp(−(d_{k+1} − t)/τ)`: a binary search and two powers.

use kohort_data::Interactions;

use super::config::Time;
use super::cooccurrence::nearness;

/// Counts of items, and their rows' days with running sums.
#[derive(Clone, Debug)]
pub(super) struct Popularity {
    items: usize,
    /// Rows of each item, `[items]`.
    pooled: Vec<u32>,
    /// Which list holds the rows of each territory and item, `[territories, items]`; the empty one where there are none.
    list: Vec<u32>,
    /// Where each list begins, and where the last ends.
    offsets: Vec<u32>,
    moments: Vec<Moment>,
    days: f64,
    time: Time,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    day: f64,
    /// Decayed count up to this row, this row included.
    before: f64,
    /// Decayed count from this row on, this row included.
    after: f64,
}

/// The list of pairs without a row.
const EMPTY: u32 = 0;

impl Popularity {
    /// `territory` is that of each row, and `day` its day, both `[rows]`.
    pub(super) fn count(
        rows: &Interactions,
        (territory, territories): (&[u32], usize),
        day: &[f64],
        days: f64,
        time: Time,
    ) -> Popularity {
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        let key = |row: u32| (territory[row as usize], rows.item[row as usize]);
        order.sort_unstable_by(|&a, &b| {
            key(a).cmp(&key(b)).then(day[a as usize].total_cmp(&day[b as usize])).then(a.cmp(&b))
        });
        let mut pooled = vec![0; rows.items];
        rows.item.iter().for_each(|&item| pooled[item as usize] += 1);
        let mut list = vec![EMPTY; territories * rows.items];
        let mut offsets = vec![0, 0];
        let mut moments = Vec::with_capacity(rows.len());
        for own in order.chunk_by(|&a, &b| key(a) == key(b)) {
            let (territory, item) = key(own[0]);
            list[territory as usize * rows.items + item as usize] = offsets.len() as u32 - 1;
            let from = moments.len();
            moments.extend(own.iter().map(|&r| Moment { day: day[r as usize], before: 1.0, after: 1.0 }));
            offsets.push(moments.len() as u32);
            let own = &mut moments[from..];
            for k in 1..own.len() {
                own[k].before += own[k - 1].before * nearness(own[k].day - own[k - 1].day, days);
            }
            for k in (1..own.len()).rev() {
                own[k - 1].after += own[k].after * nearness(own[k].day - own[k - 1].day, days);
            }
        }
        Popularity { items: rows.items, pooled, list, offsets, moments, days, time }
    }

    /// Rows of `item` anywhere; 0 for an unknown one.
    pub(super) fn pooled(&self, item: u32) -> u32 {
        self.pooled.get(item as usize).copied().unwrap_or(0)
    }

    fn moments(&self, territory: Option<u32>, item: u32) -> &[Moment] {
        let known = territory.filter(|_| (item as usize) < self.items);
        let list = known.map_or(EMPTY, |t| self.list[t as usize * self.items + item as usize]) as usize;
        &self.moments[self.offsets[list] as usize..self.offsets[list + 1] as usize]
    }

    /// Rows of `item` in `territory`.
    pub(super) fn local(&self, territory: Option<u32>, item: u32) -> usize {
        self.moments(territory, item).len()
    }

    /// Decayed count of `item` in `territory` as of day `now`, without its row on day `own` if there is one to leave out.
    pub(super) fn recent(&self, territory: Option<u32>, item: u32, now: f64, own: Option<f64>) -> f64 {
        let moments = self.moments(territory, item);
        let (past, future) = moments.split_at(moments.partition_point(|moment| moment.day < now));
        let mut sum = past.last().map_or(0.0, |m| m.before * nearness(now - m.day, self.days));
        if self.time == Time::TwoSided {
            sum += future.first().map_or(0.0, |m| m.after * nearness(m.day - now, self.days));
        }
        let seen = own.filter(|&day| self.time == Time::TwoSided || day < now);
        // The row's own term was rounded as part of a sum.
        (sum - seen.map_or(0.0, |day| nearness(now - day, self.days))).max(0.0)
    }
}
