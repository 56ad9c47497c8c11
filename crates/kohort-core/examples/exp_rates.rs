//! What an exponential costs on this machine, by itself and in the ops that are made of it.
//!
//! ```text
//! exp_rates [<repeats>]   ns per entry on one thread, the fastest of 200 repeats
//! ```
//!
//! 64,000 entries as rows of 8, 64 and 1,000: what a gate, a layer and a list of items have. An op's forward pass is timed, recording and all.

use std::time::Instant;

use kohort_core::kernels::{backend, wide};
use kohort_core::{Activation, LossKind, Real, Tape, Var};

const ENTRIES: usize = 64_000;

fn main() {
    let repeats: usize = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(200);
    println!("{}", backend());
    let x: Vec<f32> = (0..ENTRIES).map(|at| ((at * 7919) % 1601) as f32 * 0.01 - 8.0).collect();
    let mut y = vec![0.0f32; ENTRIES];
    let exp = fastest(repeats, || exps(&x, &mut y));
    println!("{exp:>7.3} ns  exp");
    for cols in [8, 64, 1000] {
        let of = |op: &dyn Fn(&mut Tape<f32>, Var)| {
            let mut tape = Tape::new();
            fastest(repeats, || {
                tape.reset();
                let v = tape.input(ENTRIES / cols, cols, &x);
                op(&mut tape, v);
            })
        };
        let base = of(&|_, _| {});
        let t: Vec<f32> = (0..ENTRIES).map(|at| (at % 2) as f32).collect();
        let classes: Vec<u32> = (0..ENTRIES / cols).map(|at| (at % cols) as u32).collect();
        let act = |act| of(&move |tape, v| _ = tape.activate(v, act)) - base;
        println!("columns: {cols}");
        println!("{:>7.3} ns  sigmoid", act(Activation::Sigmoid));
        println!("{:>7.3} ns  tanh", act(Activation::Tanh));
        println!("{:>7.3} ns  softplus", act(Activation::Softplus));
        println!("{:>7.3} ns  softmax", of(&|tape, v| _ = tape.softmax(v)) - base);
        let loss = of(&|tape, v| _ = tape.loss(LossKind::Logistic, v, &t, None, 1.0)) - base;
        println!("{loss:>7.3} ns  logistic loss");
        let loss = of(&|tape, v| _ = tape.cross_entropy(v, &classes, None, 1.0)) - base;
        println!("{loss:>7.3} ns  cross-entropy");
    }
}

fn exps<F: Real>(x: &[F], y: &mut [F]) {
    wide(
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, &x)| *y = x.exp()),
    );
}

/// ns per entry of the fastest of some times.
fn fastest(repeats: usize, mut work: impl FnMut()) -> f64 {
    let times = (0..repeats).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min) * 1e9 / ENTRIES as f64
}
