//! A linear model small enough to differentiate by hand: `p_k(x) = v_k·(W·x)` with a shared `W`, `[width, dim]`, and a head `v_k` per
//! objective, under the mean squared error of each objective's rows.

use crate::{dot, uniform};

pub(crate) struct Rows {
    pub(crate) objective: Vec<usize>,
    pub(crate) x: Vec<Vec<f64>>,
    pub(crate) y: Vec<f64>,
}

pub(crate) struct Linear {
    pub(crate) width: usize,
    pub(crate) dim: usize,
    pub(crate) w: Vec<f64>,
    pub(crate) v: Vec<Vec<f64>>,
}

/// Losses and gradients of one batch: at the representation per row, at `W`, and at heads.
pub(crate) struct Swept {
    pub(crate) losses: Vec<f64>,
    /// `[objectives, rows·width]`
    pub(crate) representation: Vec<f64>,
    /// `[objectives, width·dim]`
    pub(crate) trunk: Vec<f64>,
    /// `[objectives][width]`
    pub(crate) heads: Vec<Vec<f64>>,
}

impl Linear {
    pub(crate) fn new(width: usize, dim: usize, objectives: usize, seed: u64) -> Linear {
        let scaled = |n, name| uniform(n, 0.0, name, seed).into_iter().map(|x| 0.5 * x).collect::<Vec<f64>>();
        let v = scaled(objectives * width, "v");
        Linear { width, dim, w: scaled(width * dim, "w"), v: v.chunks(width).map(<[f64]>::to_vec).collect() }
    }

    fn hidden(&self, x: &[f64]) -> Vec<f64> {
        self.w.chunks_exact(self.dim).map(|row| dot(row, x)).collect()
    }

    /// Denominators are given, because a part's losses are over those of the whole batch.
    pub(crate) fn sweep(&self, rows: &Rows, denominators: &[f64]) -> Swept {
        let (k, count, width) = (self.v.len(), rows.y.len(), self.width);
        let mut out = Swept {
            losses: vec![0.0; k],
            representation: vec![0.0; k * count * width],
            trunk: vec![0.0; k * width * self.dim],
            heads: vec![vec![0.0; width]; k],
        };
        for n in 0..count {
            let (of, x) = (rows.objective[n], &rows.x[n]);
            let hidden = self.hidden(x);
            let error = dot(&self.v[of], &hidden) - rows.y[n];
            out.losses[of] += error * error / denominators[of];
            let slope = 2.0 * error / denominators[of];
            for (h, hidden) in hidden.iter().enumerate() {
                let at_hidden = slope * self.v[of][h];
                out.representation[(of * count + n) * width + h] = at_hidden;
                out.heads[of][h] += slope * hidden;
                let row = (of * width + h) * self.dim;
                out.trunk[row..row + self.dim].iter_mut().zip(x).for_each(|(g, x)| *g += at_hidden * x);
            }
        }
        out
    }

    pub(crate) fn descend(&mut self, update: &[f64], heads: &[f64], swept: &Swept, rate: f64) {
        self.w.iter_mut().zip(update).for_each(|(w, g)| *w -= rate * g);
        for ((v, g), c) in self.v.iter_mut().zip(&swept.heads).zip(heads) {
            v.iter_mut().zip(g).for_each(|(v, g)| *v -= rate * c * g);
        }
    }
}

impl Rows {
    /// Rows per objective, floored at 1 so that absent ones have a denominator.
    pub(crate) fn counts(&self, objectives: usize) -> Vec<f64> {
        (0..objectives).map(|k| self.objective.iter().filter(|&&of| of == k).count().max(1) as f64).collect()
    }

    pub(crate) fn present(&self, objectives: usize) -> Vec<bool> {
        (0..objectives).map(|k| self.objective.contains(&k)).collect()
    }
}
