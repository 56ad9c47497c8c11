//! Kernel-weighted means of residuals over a list of ratings.

use super::residual::Rating;
use super::similarity::Kernels;

/// Pseudo-ratings of mean zero for kernels over a user's ratings.
pub(super) const ITEM_DAMPING: f32 = 3.0;
/// Pseudo-ratings of mean zero for kernels over an item's raters.
pub(super) const USER_DAMPING: f32 = 5.0;

/// `Σ K·e / (Σ K + damping)` for each product of kernels, over the ratings of one user (or item) around `centre`.
pub(super) fn kernel_means(
    kernels: &Kernels,
    centre: u32,
    ratings: &[Rating],
    damping: f32,
    out: &mut [f32],
) {
    out.fill(0.0);
    if out.is_empty() {
        return;
    }
    let mut total = vec![0.0f32; out.len()];
    let mut weight = vec![0.0f32; out.len()];
    let mut single = Vec::new();
    for rating in ratings {
        kernels.write(centre, rating.other, &mut single, &mut weight);
        for ((sum, total), &w) in out.iter_mut().zip(&mut total).zip(&weight) {
            *sum += w * rating.residual;
            *total += w;
        }
    }
    out.iter_mut().zip(total).for_each(|(sum, total)| *sum /= total + damping);
}
