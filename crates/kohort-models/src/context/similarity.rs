//! Kernels from features: how alike two items, or two users, are.
//!
//! | column | K(a, b) |
//! |---|---|
//! | categorical | 1 if equal, else 0 |
//! | numeric | `e^{−\|a − b\|/s}`, `s` = 0.35 standard deviations of the column |
//! | multi-hot | squared cosine of the two sets |
//! | dense | squared cosine of the two vectors, 0 for opposite directions |

use kohort_data::{Column, Features};

use crate::ModelError;

#[derive(Clone, Debug)]
enum Kernel {
    Equal(Vec<u32>),
    Near { values: Vec<f32>, inv_scale: f32 },
    Overlap { offsets: Vec<u32>, codes: Vec<u32> },
    Cosine { width: usize, units: Vec<f32> },
}

/// Products of kernels, each over the same rows.
#[derive(Clone, Debug)]
pub(super) struct Kernels {
    columns: Vec<Kernel>,
    products: Vec<(String, Vec<usize>)>,
    rows: usize,
}

impl Kernels {
    pub(super) fn new(
        key: &str,
        products: &[Vec<String>],
        features: &Features,
    ) -> Result<Kernels, ModelError> {
        let mut kernels = Kernels { columns: Vec::new(), products: Vec::new(), rows: features.rows };
        let mut known: Vec<&str> = Vec::new();
        for names in products {
            let mut factors = Vec::with_capacity(names.len());
            for name in names {
                let Some(column) = features.column(name) else {
                    let have: Vec<&str> = features.columns.iter().map(|(n, _)| n.as_str()).collect();
                    return Err(ModelError::Config(format!(
                        "{key}: no feature {name:?}, there are {have:?}"
                    )));
                };
                let at = known.iter().position(|k| k == name).unwrap_or_else(|| {
                    known.push(name);
                    kernels.columns.push(Kernel::new(column));
                    known.len() - 1
                });
                factors.push(at);
            }
            kernels.products.push((names.join(" and "), factors));
        }
        Ok(kernels)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.products.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn len(&self) -> usize {
        self.products.len()
    }

    /// Writes each product's value for rows `a` and `b`; zeros for a row that has no features.
    #[inline]
    pub(super) fn write(&self, a: u32, b: u32, single: &mut Vec<f32>, out: &mut [f32]) {
        if a as usize >= self.rows || b as usize >= self.rows {
            out.fill(0.0);
            return;
        }
        single.clear();
        single.extend(self.columns.iter().map(|k| k.value(a as usize, b as usize)));
        for (value, (_, factors)) in out.iter_mut().zip(&self.products) {
            *value = factors.iter().map(|&f| single[f]).product();
        }
    }
}

impl Kernel {
    fn new(column: &Column) -> Kernel {
        match column {
            Column::Categorical { codes, .. } => Kernel::Equal(codes.clone()),
            Column::Numeric(values) => {
                let n = values.len().max(1) as f64;
                let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
                let var = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
                let scale = (0.35 * var.sqrt()).max(1e-12);
                Kernel::Near { values: values.clone(), inv_scale: (1.0 / scale) as f32 }
            }
            Column::MultiHot { offsets, codes, .. } => {
                Kernel::Overlap { offsets: offsets.clone(), codes: codes.clone() }
            }
            Column::Dense { width, values } => {
                let mut units = values.clone();
                for unit in units.chunks_exact_mut((*width).max(1)) {
                    let norm = unit.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
                    unit.iter_mut().for_each(|x| *x /= norm);
                }
                Kernel::Cosine { width: *width, units }
            }
        }
    }

    #[inline]
    fn value(&self, a: usize, b: usize) -> f32 {
        match self {
            Kernel::Equal(codes) => f32::from(u8::from(codes[a] == codes[b])),
            Kernel::Near { values, inv_scale } => (-(values[a] - values[b]).abs() * inv_scale).exp(),
            Kernel::Overlap { offsets, codes } => {
                let of = |n: usize| &codes[offsets[n] as usize..offsets[n + 1] as usize];
                let (x, y) = (of(a), of(b));
                let shared = x.iter().filter(|code| y.contains(code)).count() as f32;
                shared * shared / (x.len() * y.len()).max(1) as f32
            }
            Kernel::Cosine { width, units } => {
                let of = |n: usize| &units[n * width..(n + 1) * width];
                let cosine: f32 = of(a).iter().zip(of(b)).map(|(x, y)| x * y).sum();
                cosine.max(0.0) * cosine.max(0.0)
            }
        }
    }
}
