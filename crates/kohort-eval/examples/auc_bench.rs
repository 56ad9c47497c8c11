//! Median time of average precision and ROC-AUC on one thread, as one line of JSON.
//!
//! ```text
//! auc_bench N REPEATS                 scores and labels from a named stream
//! auc_bench SCORES LABELS REPEATS     raw little-endian f32 scores, one byte (0 or 1) per label
//! ```
//!
//! Each repeat calls the public function on the same slices, so every allocation and check is in the time. Converting
//! label bytes to `bool` is not: a Rust caller has booleans.

use kohort_eval::binary::{average_precision, rank_scores, roc_auc};
use kohort_random::rand::Rng;
use kohort_random::stream;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (scores, labels, repeats) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [n, repeats] => {
            let (scores, labels) = generate(n.parse()?);
            (scores, labels, repeats.parse()?)
        }
        [scores, labels, repeats] => (read_scores(scores)?, read_labels(labels)?, repeats.parse()?),
        _ => return Err("usage: auc_bench N REPEATS | auc_bench SCORES.f32 LABELS.u8 REPEATS".into()),
    };
    let repeats: usize = repeats;
    if repeats == 0 {
        return Err("REPEATS is 0; allowed: at least 1".into());
    }
    let ranked = rank_scores(&scores, &labels)?;
    let ap_ms = median_ms(repeats, || average_precision(&scores, &labels).map(black_box).is_ok());
    let auc_ms = median_ms(repeats, || roc_auc(&scores, &labels).map(black_box).is_ok());
    let both_ms = median_ms(repeats, || rank_scores(&scores, &labels).map(black_box).is_ok());
    println!(
        "{{\"n\":{},\"repeats\":{repeats},\"ap_ms\":{ap_ms:.3},\"auc_ms\":{auc_ms:.3},\"both_ms\":{both_ms:.3},\
         \"average_precision\":{},\"roc_auc\":{}}}",
        scores.len(),
        json(ranked.average_precision),
        json(ranked.roc_auc),
    );
    Ok(())
}

/// Uniform scores; the label is positive with the score's square as its chance, so the AUC is neither ½ nor 1.
fn generate(n: usize) -> (Vec<f32>, Vec<bool>) {
    let mut numbers = stream(0, "auc bench", &[]);
    let mut scores = Vec::with_capacity(n);
    let mut labels = Vec::with_capacity(n);
    for _ in 0..n {
        let score: f32 = numbers.random();
        labels.push(numbers.random::<f32>() < score * score);
        scores.push(score);
    }
    (scores, labels)
}

fn read_scores(path: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let (words, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(format!("{path} has {} bytes; allowed: a multiple of 4", bytes.len()).into());
    }
    Ok(words.iter().map(|&word| f32::from_le_bytes(word)).collect())
}

fn read_labels(path: &str) -> Result<Vec<bool>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    match bytes.iter().position(|&byte| byte > 1) {
        None => Ok(bytes.into_iter().map(|byte| byte == 1).collect()),
        Some(at) => Err(format!("{path} holds {} at byte {at}; allowed: 0 or 1", bytes[at]).into()),
    }
}

fn median_ms(repeats: usize, run: impl Fn() -> bool) -> f64 {
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[repeats / 2]
}

fn json(value: Option<f64>) -> String {
    value.map_or("null".into(), |value| value.to_string())
}
