//! Attention over lists of different lengths.

use super::*;

/// Entries, width, offsets, heads: one row, several heads, and empty sequences before, between and after.
const CASES: [(usize, usize, &[u32], usize); 4] =
    [(1, 1, &[0, 1], 1), (5, 4, &[0, 5], 2), (6, 6, &[0, 0, 4, 4, 6, 6], 3), (7, 9, &[0, 3, 4, 7], 1)];
const MASKS: [AttentionMask; 2] = [AttentionMask::Causal, AttentionMask::Full];

#[test]
fn attention_passes_finite_differences_with_several_heads_and_empty_sequences() {
    for (n, d, offsets, heads) in CASES {
        for mask in MASKS {
            check(&[("q", n, d), ("k", n, d), ("v", n, d)], |tape, params, ids| {
                let qkv =
                    (tape.param(params, ids[0]), tape.param(params, ids[1]), tape.param(params, ids[2]));
                let offsets = tape.list(offsets);
                tape.attention(qkv, offsets, heads, mask)
            });
        }
    }
}

#[test]
fn one_value_may_be_query_key_and_value_at_once() {
    check(&[("x", 5, 4)], |tape, params, ids| {
        let x = tape.param(params, ids[0]);
        let offsets = tape.list(&[0, 2, 5]);
        tape.attention((x, x, x), offsets, 2, AttentionMask::Causal)
    });
}

/// The form that masks a square of scores, one sequence and head at a time.
#[test]
fn attention_equals_a_masked_softmax_over_all_pairs() {
    let (n, d, heads) = (6, 4, 2);
    let (params, ids) = params(&[("q", n, d), ("k", n, d), ("v", n, d)]);
    let value = |which: usize, row: usize, col: usize| params.value(ids[which])[row * d + col];
    for mask in MASKS {
        let mut tape = Tape::new();
        let qkv = (tape.param(&params, ids[0]), tape.param(&params, ids[1]), tape.param(&params, ids[2]));
        let offsets = tape.list(&[0, 4, 6]);
        let y = tape.attention(qkv, offsets, heads, mask);
        let width = d / heads;
        for j in 0..n {
            let sequence = if j < 4 { 0..4 } else { 4..6 };
            for head in 0..heads {
                let columns = || head * width..(head + 1) * width;
                let seen = |i: usize| sequence.contains(&i) && (mask == AttentionMask::Full || i <= j);
                let score = |i: usize| {
                    let dot: f64 = columns().map(|c| value(0, j, c) * value(1, i, c)).sum();
                    if seen(i) { (dot / (width as f64).sqrt()).exp() } else { 0.0 }
                };
                let total: f64 = (0..n).map(score).sum();
                for c in columns() {
                    let expected: f64 = (0..n).map(|i| score(i) / total * value(2, i, c)).sum();
                    assert!((tape.value(y)[j * d + c] - expected).abs() < 1e-14, "{mask:?} {j} {c}");
                }
            }
        }
    }
}

#[test]
fn a_later_row_moves_no_earlier_one_and_a_sequence_no_other_by_a_bit() {
    let (mut params, ids) = params(&[("x", 6, 4)]);
    let run = |params: &Params<f64>| {
        let mut tape = Tape::new();
        let x = tape.param(params, ids[0]);
        let offsets = tape.list(&[0, 4, 6]);
        let y = tape.attention((x, x, x), offsets, 2, AttentionMask::Causal);
        tape.value(y).to_vec()
    };
    let before = run(&params);
    params.slot_mut(ids[0]).value[2 * 4] += 1.0;
    let after = run(&params);
    assert_eq!(before[..2 * 4], after[..2 * 4], "rows before");
    assert_ne!(before[2 * 4..4 * 4], after[2 * 4..4 * 4], "the row itself and those after it");
    assert_eq!(before[4 * 4..], after[4 * 4..], "another sequence");
}

#[test]
fn scores_that_would_overflow_give_the_value_of_the_largest() {
    let mut tape = Tape::<f32>::new();
    let q = tape.input(2, 1, &[300.0, 300.0]);
    let k = tape.input(2, 1, &[300.0, -300.0]);
    let v = tape.input(2, 1, &[7.0, 5.0]);
    let offsets = tape.list(&[0, 2]);
    let y = tape.attention((q, k, v), offsets, 1, AttentionMask::Full);
    assert_eq!(tape.value(y), [7.0, 7.0]);
}

#[test]
#[should_panic(expected = "attention: 3 heads of 4 columns")]
fn heads_that_do_not_divide_the_width_are_refused() {
    let mut tape = Tape::<f64>::new();
    let x = tape.input(1, 4, &[0.0; 4]);
    let offsets = tape.list(&[0, 1]);
    tape.attention((x, x, x), offsets, 3, AttentionMask::Causal);
}
