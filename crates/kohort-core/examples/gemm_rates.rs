//! Rates of this machine.
//!
//! ```text
//! gemm_rates [<repeats>]   products at the shapes of a training step, in GFLOP/s
//! gemm_rates machine       one line of JSON: the best rate of products on all threads, and the bandwidth of a loop like Adam's over
//!                          what caches hold and over what they do not
//! ```

use std::time::Instant;

use kohort_core::kernels::{Transpose, gemm_strided};
use rayon::prelude::*;

fn main() {
    use Transpose::{No, Yes};
    if std::env::args().nth(1).as_deref() == Some("machine") {
        return machine();
    }
    let repeats: usize = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(30);
    println!("{}", kohort_core::kernels::backend());
    // What the product is, transposes, m, n, k, strides of A, B, C, whether C is added to.
    let shapes = [
        ("forward", (No, No), (512, 2048, 128), (128, 2048, 2048), 0.0),
        ("gradient of the input", (No, Yes), (512, 128, 2048), (2048, 2048, 128), 1.0),
        ("gradient of contiguous weights", (Yes, No), (256, 128, 512), (256, 128, 128), 1.0),
        ("gradient of the weights", (Yes, No), (128, 2048, 512), (128, 2048, 2048), 1.0),
        ("grouped forward", (No, No), (512, 128, 256), (2048, 128, 1024), 0.0),
        ("grouped gradient of the input", (No, Yes), (512, 256, 128), (1024, 128, 2048), 1.0),
        ("grouped gradient of the weights", (Yes, No), (256, 128, 512), (2048, 1024, 128), 1.0),
        ("tower", (No, No), (512, 64, 128), (128, 64, 64), 0.0),
        ("gate", (No, No), (512, 8, 128), (128, 8, 8), 0.0),
        ("gate gradient", (Yes, No), (128, 8, 512), (128, 8, 8), 1.0),
        ("one column", (No, No), (512, 1, 64), (64, 1, 1), 0.0),
        ("two towers", (No, No), (2048, 512, 768), (768, 512, 512), 0.0),
        ("rank 8", (No, No), (64, 8, 256), (256, 8, 8), 0.0),
        ("rank 8 up", (No, No), (64, 256, 8), (8, 256, 256), 1.0),
        ("one row", (No, No), (1, 2048, 128), (128, 2048, 2048), 0.0),
        ("square", (No, No), (1024, 1024, 1024), (1024, 1024, 1024), 0.0),
    ];
    for (name, (ta, tb), (m, n, k), (lda, ldb, ldc), beta) in shapes {
        let (rows_a, rows_b) = (if ta == No { m } else { k }, if tb == No { k } else { n });
        let value = |count: usize| (0..count).map(|i| ((i % 101) as f32 - 50.0) * 0.01).collect::<Vec<_>>();
        let (a, b, mut c) = (value(rows_a * lda), value(rows_b * ldb), value(m * ldc));
        let flops = 2.0 * (m * n * k) as f64;
        let runs = (2e7 / flops).ceil() as usize;
        let mut fastest = f64::INFINITY;
        for _ in 0..repeats {
            let start = Instant::now();
            for _ in 0..runs {
                gemm_strided((ta, tb), (m, n, k), 1.0, (&a, lda), (&b, ldb), beta, (&mut c, ldc));
            }
            fastest = fastest.min(start.elapsed().as_secs_f64() / runs as f64);
        }
        println!(
            "{:>7.1} GFLOP/s {:>10.1} µs  {name} [{m}, {k}]·[{k}, {n}]",
            flops / fastest / 1e9,
            fastest * 1e6
        );
    }
}

/// Every thread multiplies for itself, so that no hand-over is measured; the best of some shapes and times.
fn machine() {
    let mut gflops: f64 = 0.0;
    for (m, n, k) in [(512, 128, 256), (504, 256, 256), (1020, 512, 256)] {
        let best = (0..20).map(|_| {
            let start = Instant::now();
            rayon::broadcast(|_| {
                let (a, b, mut c) = (vec![0.5f32; m * k], vec![0.25f32; k * n], vec![0.0f32; m * n]);
                for _ in 0..40 {
                    gemm_strided(
                        (Transpose::No, Transpose::No),
                        (m, n, k),
                        1.0,
                        (&a, k),
                        (&b, n),
                        0.0,
                        (&mut c, n),
                    );
                }
            });
            let products = (m * n * k * 40 * rayon::current_num_threads()) as f64;
            2.0 * products / start.elapsed().as_secs_f64() / 1e9
        });
        gflops = best.fold(gflops, f64::max);
    }
    let (near_gb_s, far_gb_s) = (bandwidth(1 << 20, 40), bandwidth(1 << 25, 6));
    println!(
        "{}",
        serde_json::json!({
            "gflops": gflops,
            "near_gb_s": near_gb_s,
            "far_gb_s": far_gb_s,
            "threads": rayon::current_num_threads(),
        })
    );
}

/// Bytes a second, in 10⁹, of Adam's reads and writes over four arrays of `count` values each; the best of some times.
fn bandwidth(count: usize, times: usize) -> f64 {
    const PIECE: usize = 1 << 14;
    let [mut p, g, mut m, mut v] = [0.1f32, 0.2, 0.3, 0.4].map(|value| vec![value; count]);
    let mut fastest = f64::INFINITY;
    for _ in 0..times {
        let start = Instant::now();
        let moments = m.par_chunks_mut(PIECE).zip(v.par_chunks_mut(PIECE));
        p.par_chunks_mut(PIECE).zip(g.par_chunks(PIECE)).zip(moments).for_each(|((p, g), (m, v))| {
            for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                *m = 0.9 * *m + 0.1 * *g;
                *v = 0.999 * *v + 0.001 * *g * *g;
                *p -= 1e-3 * *m / (v.sqrt() + 1e-8);
            }
        });
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    // Four are read and three written.
    28.0 * count as f64 / fastest / 1e9
}
