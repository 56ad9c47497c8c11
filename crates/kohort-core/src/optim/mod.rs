//! Optimisers: one rule per file, one treatment of tables for all of them.
//!
//! **Tables.** Faithful treatment steps every row of a table in every step, as the papers' formulas say: moments of
//! absent rows decay and move the row on (a table that a step did not look up at all is not stepped). Touched-rows treatment leaves absent rows and their moments alone; for Adam
//! that is *another algorithm* (PyTorch's SparseAdam, TensorFlow's LazyAdam), not an optimisation, so it is a stated
//! choice. A dense weight that got no gradient in a step is not stepped: a cohort that is absent moves nothing.
//!
//! **Weight decay** is a property of each parameter ([`crate::Slot::decay`]). SGD, Adam and Adagrad add it to the
//! gradient (L2); AdamW takes it from the weight directly (Loshchilov and Hutter, ICLR 2019).

mod adagrad;
mod adam;
mod average;
mod awake;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use average::Average;
pub use sgd::Sgd;

use awake::Awake;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Grad, Grads, Params, Real, Slot};

/// What happens to table rows that a step did not touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tables {
    /// All rows are stepped: the formula as published.
    #[default]
    AllRows,
    /// Only touched rows are stepped.
    TouchedRows,
}

/// Which rule turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Stochastic gradient descent with momentum.
    Sgd(Sgd),
    /// Adam.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW(AdamW),
    /// Adagrad.
    Adagrad(Adagrad),
}

impl Rule {
    /// Checks the rule's constants.
    ///
    /// # Errors
    /// The name of the first constant that is out of range, its value, and what is allowed.
    pub fn check(&self) -> Result<(), (&'static str, f64, &'static str)> {
        let share = "a number in [0, 1)";
        let (shares, epsilon) = match *self {
            Rule::Sgd(Sgd { momentum }) => (vec![("momentum", momentum)], 0.0),
            Rule::Adam(adam) | Rule::AdamW(AdamW(adam)) => {
                (vec![("beta1", adam.beta1), ("beta2", adam.beta2)], adam.epsilon)
            }
            Rule::Adagrad(Adagrad { epsilon }) => (Vec::new(), epsilon),
        };
        for (key, value) in shares {
            if !(0.0..1.0).contains(&value) {
                return Err((key, value, share));
            }
        }
        if !(epsilon >= 0.0 && epsilon.is_finite()) {
            return Err(("epsilon", epsilon, "a finite number of at least 0"));
        }
        Ok(())
    }
}

/// One entry-wise update rule.
trait Update<F: Real>: Sync {
    /// Which of the two moments the rule keeps per value.
    fn moments(&self) -> [bool; 2];
    /// Factors of the moments in a parameter's step `t`, counted from 1, which undo that they began at zero.
    fn corrections(&self, _t: u64) -> [F; 2] {
        [F::one(); 2]
    }
    /// Whether a value whose moments are zero stays exactly as it is in a step with a gradient of zero.
    fn rests(&self, at: &At<F>) -> bool;
    /// Steps `p` by gradient `g`, with this rule's moments `m` and `v` (as long as `p`, or empty if not kept).
    fn step(&self, p: &mut [F], g: &[F], m: &mut [F], v: &mut [F], at: &At<F>);
}

/// What is the same for all entries of a parameter in one step.
struct At<F> {
    /// Learning rate.
    rate: F,
    /// Weight decay.
    decay: F,
    /// What a moment is multiplied by because it began at zero, as [`Update::corrections`] says.
    corrections: [F; 2],
}

/// Steps parameters along their gradients, and keeps moments and step counts, which checkpoints save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer<F = f32> {
    rule: Rule,
    tables: Tables,
    states: Vec<State<F>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State<F> {
    steps: u64,
    moments: [Vec<F>; 2],
    /// Of a table; found again, from the moments or a step's gradients, where it is not known.
    #[serde(skip)]
    awake: Awake,
}

impl<F: PartialEq> PartialEq for State<F> {
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps && self.moments == other.moments
    }
}

impl<F: Real> Optimizer<F> {
    /// A fresh optimiser for `params`.
    pub fn new(params: &Params<F>, rule: Rule, tables: Tables) -> Optimizer<F> {
        let mut optimizer = Optimizer { rule, tables, states: Vec::new() };
        optimizer.grow(params);
        optimizer
    }

    /// Takes in parameters that were added to `params` since: no step taken, no moment. The others keep theirs. Without it, new
    /// ones are not stepped.
    pub fn grow(&mut self, params: &Params<F>) {
        let moments = update::<F>(&self.rule).moments();
        let fresh = |slot: &Slot<F>| State {
            steps: 0,
            moments: moments.map(|kept| vec![F::zero(); if kept { slot.value.len() } else { 0 }]),
            awake: Awake::default(),
        };
        let known = self.states.len().min(params.slots().len());
        self.states.extend(params.slots()[known..].iter().map(fresh));
    }

    /// Lets a parameter start afresh: no step taken, no moment. For values that were drawn anew in a place that had others.
    pub fn forget(&mut self, id: crate::ParamId) {
        let state = &mut self.states[id.index()];
        state.steps = 0;
        state.moments.iter_mut().for_each(|moment| moment.fill(F::zero()));
    }

    /// Number of steps that a parameter has taken.
    pub fn steps(&self, id: crate::ParamId) -> u64 {
        self.states[id.index()].steps
    }

    /// The moments of a parameter, each as long as its values (Adam: mean, then uncentred variance); empty if the
    /// rule keeps none.
    pub fn moments(&self, id: crate::ParamId) -> &[Vec<F>; 2] {
        &self.states[id.index()].moments
    }

    /// Whether this state is one of `rule` and `tables`, fits `params` and is finite: a checkpoint's might not.
    pub fn fits(&self, params: &Params<F>, rule: Rule, tables: Tables) -> bool {
        let moments = update::<F>(&self.rule).moments();
        let finite = self.states.iter().flat_map(|s| &s.moments).flatten().all(|x| x.is_finite());
        self.rule == rule
            && self.tables == tables
            && finite
            && self.states.len() == params.slots().len()
            && self.states.iter().zip(params.slots()).all(|(state, slot)| {
                let wanted = moments.map(|kept| if kept { slot.value.len() } else { 0 });
                state.moments[0].len() == wanted[0] && state.moments[1].len() == wanted[1]
            })
    }

    /// Steps every trainable parameter that has a gradient, with learning rate `rate` times its own ([`crate::Slot::rate`]).
    ///
    /// Parameters are stepped in parallel; each entry's arithmetic is its own, so threads change no bit.
    pub fn step(&mut self, params: &mut Params<F>, grads: &Grads<F>, rate: F) {
        let rule = self.rule;
        let tables = self.tables;
        let ids: Vec<_> = params.ids().collect();
        params.slots_mut().par_iter_mut().zip(&mut self.states).zip(ids).for_each(|((slot, state), id)| {
            if slot.trainable {
                step_slot(update(&rule), tables, slot, state, grads.slot(id), rate);
            }
        });
    }
}

fn update<F: Real>(rule: &Rule) -> &dyn Update<F> {
    match rule {
        Rule::Sgd(rule) => rule,
        Rule::Adam(rule) => rule,
        Rule::AdamW(rule) => rule,
        Rule::Adagrad(rule) => rule,
    }
}

fn step_slot<F: Real>(
    rule: &dyn Update<F>,
    tables: Tables,
    slot: &mut Slot<F>,
    state: &mut State<F>,
    grad: &Grad<F>,
    rate: F,
) {
    let State { steps, moments: [m, v], awake } = state;
    let rate = rate * slot.rate;
    match grad {
        Grad::Dense { touched: false, .. } => {}
        Grad::Dense { value: g, .. } => {
            *steps += 1;
            let at = At { rate, decay: slot.decay, corrections: rule.corrections(*steps) };
            in_chunks(0, (&mut slot.value, m, v), CHUNK, &|from, (p, m, v)| {
                rule.step(p, &g[from..from + p.len()], m, v, &at);
            });
        }
        Grad::Rows(rows) if rows.ids().is_empty() => {}
        Grad::Rows(rows) => {
            *steps += 1;
            let at = At { rate, decay: slot.decay, corrections: rule.corrections(*steps) };
            let cols = slot.cols;
            let ids = match tables {
                Tables::TouchedRows => awake.touched(rows),
                Tables::AllRows => awake.wake((slot.rows, cols), rows, [m, v], rule.rests(&at)),
            };
            awake::step(rule, (&mut slot.value, m, v), (rows, cols, 0), ids, &at);
        }
    }
}

/// Values that are stepped at a time: with their moments they fit in a core's first cache, and a large parameter has enough of
/// such pieces for all threads.
const CHUNK: usize = 1 << 12;

/// Values and both moments of a parameter, or a piece of them.
type Piece<'a, F> = (&'a mut [F], &'a mut [F], &'a mut [F]);

/// Runs `step` on pieces of `size` values with their moments (empty where a rule keeps none), spread over threads; it gets where a
/// piece begins. Each value's arithmetic is its own, so pieces and threads change no bit.
fn in_chunks<F: Real>(
    from: usize,
    (p, m, v): Piece<'_, F>,
    size: usize,
    step: &(impl Fn(usize, Piece<'_, F>) + Sync),
) {
    let pieces = p.len().div_ceil(size.max(1));
    if pieces <= 1 {
        return step(from, (p, m, v));
    }
    let half = pieces / 2 * size;
    let (left, right) = split((p, m, v), half);
    rayon::join(|| in_chunks(from, left, size, step), || in_chunks(from + half, right, size, step));
}

/// A piece in two, the first of `at` values. A rule without a moment keeps an empty buffer.
fn split<F>((p, m, v): Piece<'_, F>, at: usize) -> (Piece<'_, F>, Piece<'_, F>) {
    let (at_m, at_v) = (at.min(m.len()), at.min(v.len()));
    let ((p, rest_p), (m, rest_m), (v, rest_v)) =
        (p.split_at_mut(at), m.split_at_mut(at_m), v.split_at_mut(at_v));
    ((p, m, v), (rest_p, rest_m, rest_v))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table large enough for several threads, stepped row by row by hand.
    #[test]
    fn pieces_of_a_large_table_are_stepped_as_single_rows_are() {
        let (rows, cols) = (5_000, 3);
        let value: Vec<f32> = (0..rows * cols).map(|i| (i as f32 * 0.37).sin()).collect();
        let rules = [
            Rule::Sgd(Sgd { momentum: 0.9 }),
            Rule::Adam(Adam::default()),
            Rule::Adagrad(Adagrad::default()),
        ];
        for (rule, tables) in
            rules.into_iter().flat_map(|rule| [(rule, Tables::AllRows), (rule, Tables::TouchedRows)])
        {
            let mut params = Params::<f32>::new();
            let table = params.add_table("t", rows, cols, value.clone());
            params.slot_mut(table).decay = 0.01;
            let mut optimizer = Optimizer::new(&params, rule, tables);
            let mut by_hand: Vec<(Params<f32>, Optimizer<f32>)> = (0..rows)
                .map(|row| {
                    let mut params = Params::<f32>::new();
                    // As a weight: the bookkeeping of rows has no part in it.
                    let own = params.add("t", 1, cols, value[row * cols..(row + 1) * cols].to_vec());
                    params.slot_mut(own).decay = 0.01;
                    let optimizer = Optimizer::new(&params, rule, Tables::AllRows);
                    (params, optimizer)
                })
                .collect();
            let touched = |row: usize, step: usize| match tables {
                Tables::AllRows => (row + step).is_multiple_of(7),
                // In all steps or in none: steps are counted by table and not by row. The first have neighbours.
                Tables::TouchedRows => row < 900 || row.is_multiple_of(3),
            };
            for step in 0..3 {
                let mut grads = Grads::new(&params);
                (0..rows)
                    .rev()
                    .filter(|&row| touched(row, step))
                    .for_each(|row| grads.rows_mut(table).add(row as u32, 1.0, &[0.5, -1.0, 0.25]));
                optimizer.step(&mut params, &grads, 0.1);
                for (row, (params, optimizer)) in by_hand.iter_mut().enumerate() {
                    if tables == Tables::TouchedRows && !touched(row, step) {
                        continue;
                    }
                    let own = params.id("t").unwrap();
                    let mut grads = Grads::new(params);
                    let g = if touched(row, step) { [0.5, -1.0, 0.25] } else { [0.0; 3] };
                    grads.dense_mut(own, cols).copy_from_slice(&g);
                    optimizer.step(params, &grads, 0.1);
                }
            }
            for (row, (own, _)) in by_hand.iter().enumerate() {
                let id = own.id("t").unwrap();
                assert_eq!(params.row(table, row), own.value(id), "{rule:?}, {tables:?}, row {row}");
            }
        }
    }

    /// A vector of values at a time, and what is left of the last.
    #[test]
    fn values_are_stepped_together_as_they_are_alone() {
        let value: Vec<f32> = (0..37).map(|i| (i as f32 * 0.37).sin()).collect();
        for rule in [Rule::Adam(Adam::default()), Rule::AdamW(AdamW::default())] {
            let stepped = |value: &[f32]| {
                let mut params = Params::<f32>::new();
                let w = params.add("w", 1, value.len(), value.to_vec());
                params.slot_mut(w).decay = 0.1;
                let mut optimizer = Optimizer::new(&params, rule, Tables::AllRows);
                for _ in 0..3 {
                    let mut grads = Grads::new(&params);
                    let gradient = params.value(w).iter().map(|x| 0.3 - x * x).collect::<Vec<_>>();
                    grads.dense_mut(w, value.len()).copy_from_slice(&gradient);
                    optimizer.step(&mut params, &grads, 0.1);
                }
                params.value(w).to_vec()
            };
            let alone: Vec<f32> = value.iter().flat_map(|&x| stepped(&[x])).collect();
            assert_eq!(stepped(&value), alone, "{rule:?}");
        }
    }

    /// What a checkpoint brings back knows nothing of rows at rest.
    #[test]
    fn rows_at_rest_stay_and_are_found_again_from_the_moments() {
        let (rows, cols) = (3_000, 5);
        let value: Vec<f32> = (0..rows * cols).map(|i| (i as f32 * 0.37).sin()).collect();
        for decay in [0.0, 0.01] {
            let mut params = Params::<f32>::new();
            let table = params.add_table("t", rows, cols, value.clone());
            params.slot_mut(table).decay = decay;
            let rule = Rule::Adam(Adam::default());
            let mut kept = Optimizer::new(&params, rule, Tables::AllRows);
            let (mut loaded, mut theirs) = (kept.clone(), params.clone());
            for step in 0..6usize {
                let mut grads = Grads::new(&params);
                (0..rows)
                    .filter(|row| (row * row + step).is_multiple_of(11))
                    .for_each(|row| grads.rows_mut(table).add(row as u32, 1.0, &[0.5, -1.0, 0.25, 0.0, 2.0]));
                kept.step(&mut params, &grads, 0.1);
                let states = loaded.states.into_iter();
                loaded.states = states.map(|state| State { awake: Awake::default(), ..state }).collect();
                loaded.step(&mut theirs, &grads, 0.1);
                assert_eq!(params.value(table), theirs.value(table), "step {step}");
                assert_eq!(kept, loaded);
            }
            let moved =
                params.value(table).chunks(cols).zip(value.chunks(cols)).filter(|(a, b)| a != b).count();
            assert_eq!(moved == rows, decay > 0.0, "{moved} rows moved");
        }
    }

    #[test]
    fn a_parameters_own_rate_is_a_factor_of_the_learning_rate() {
        for rule in [Rule::Sgd(Sgd::default()), Rule::AdamW(AdamW::default())] {
            let stepped = |own: f32, rate: f32| {
                let mut params = Params::<f32>::new();
                let w = params.add("w", 1, 2, vec![1.0, -2.0]);
                (params.slot_mut(w).rate, params.slot_mut(w).decay) = (own, 0.1);
                let mut grads = Grads::new(&params);
                grads.dense_mut(w, 2).copy_from_slice(&[0.5, 0.25]);
                Optimizer::new(&params, rule, Tables::AllRows).step(&mut params, &grads, rate);
                params.value(w).to_vec()
            };
            assert_eq!(stepped(2.0, 0.25), stepped(1.0, 0.5));
            assert_ne!(stepped(2.0, 0.25), stepped(1.0, 0.25));
        }
    }
}
