//! Columns of numbers with mean 0 and deviation 1.

/// Means and deviations of columns.
#[derive(Clone, Debug)]
pub(crate) struct Scaling {
    mean: Vec<f32>,
    inv_deviation: Vec<f32>,
    limit: f32,
}

impl Scaling {
    /// From rows of `width` columns. A constant column becomes 0.
    pub(crate) fn fit(values: &[f32], width: usize) -> Scaling {
        let rows = (values.len() / width.max(1)).max(1) as f64;
        let (mut mean, mut square) = (vec![0.0f64; width], vec![0.0f64; width]);
        for row in values.chunks_exact(width.max(1)) {
            row.iter().zip(&mut mean).for_each(|(&x, m)| *m += f64::from(x) / rows);
        }
        for row in values.chunks_exact(width.max(1)) {
            let spread = row.iter().zip(&mean).zip(&mut square);
            spread.for_each(|((&x, m), s)| *s += (f64::from(x) - m).powi(2) / rows);
        }
        Scaling {
            mean: mean.iter().map(|&m| m as f32).collect(),
            inv_deviation: square
                .iter()
                .map(|&s| if s > 1e-12 { (1.0 / s.sqrt()) as f32 } else { 0.0 })
                .collect(),
            limit: f32::INFINITY,
        }
    }

    /// Holds standardised values within this many deviations, where a rare extreme should not steer a step.
    pub(crate) fn within(self, limit: f32) -> Scaling {
        Scaling { limit, ..self }
    }

    /// From means and the inverses of deviations.
    pub(crate) fn given(mean: &[f32], inv_deviation: &[f32]) -> Scaling {
        Scaling { mean: mean.to_vec(), inv_deviation: inv_deviation.to_vec(), limit: f32::INFINITY }
    }

    /// Means and the inverses of deviations.
    pub(crate) fn parts(&self) -> (&[f32], &[f32]) {
        (&self.mean, &self.inv_deviation)
    }

    /// Standardises rows.
    pub(crate) fn apply(&self, values: &[f32]) -> Vec<f32> {
        let mut scaled = values.to_vec();
        self.apply_to(&mut scaled);
        scaled
    }

    /// Standardises rows where they are.
    pub(crate) fn apply_to(&self, values: &mut [f32]) {
        for row in values.chunks_exact_mut(self.mean.len().max(1)) {
            for ((x, mean), inv_deviation) in row.iter_mut().zip(&self.mean).zip(&self.inv_deviation) {
                *x = ((*x - mean) * inv_deviation).clamp(-self.limit, self.limit);
            }
        }
    }
}
