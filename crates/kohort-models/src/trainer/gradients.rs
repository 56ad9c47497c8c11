//! Gradients of objectives one by one, as far as a balancer looks at them, and of all of them under its coefficients.
//!
//! With `F` the cost of a forward pass, `B` that of a backward sweep over everything, `H` that of the heads alone and `L` that of a layer,
//! a step under a balancer of `K` objectives costs
//!
//! | site | cost |
//! |---|---|
//! | no look at gradients | `F + B` |
//! | representation | `F + K·H + B` |
//! | layer | `F + K·L + B`, less what of `L` the last sweep need not do again |
//! | shared parameters | `F + K·B` |
//!
//! and everything below a frozen part costs nothing, because no sweep goes there.

use std::sync::{Mutex, PoisonError};

use kohort_core::shards::Shards;
use kohort_core::{Adjoint, Grads, ParamId, Params, Var};
use kohort_objectives::Coefficients;

use super::{Recorded, Site};

/// How gradients are had; keeps its buffers from step to step.
pub(super) struct Gradients {
    site: Site,
    /// Whether each parameter is looked at.
    only: Vec<bool>,
    /// Adjoints of each objective at the representation, by shard.
    adjoints: Vec<Mutex<Vec<Adjoint<f32>>>>,
    /// Parameters that are one objective's own, as far as a kept sweep has to know them.
    own: Vec<bool>,
}

impl Gradients {
    pub(super) fn new(site: Site, params: &Params) -> Gradients {
        let mut only = vec![false; params.slots().len()];
        if let Site::Layer(ids) | Site::Shared(ids) = &site {
            ids.iter().for_each(|id| only[id.index()] = params.slot(*id).trainable);
        }
        Gradients { own: vec![false; only.len()], site, only, adjoints: Vec::new() }
    }

    /// Inner products of the objectives' gradients at the site, `[objectives, objectives]`; the diagonal alone unless `whole`.
    pub(super) fn gram(
        &mut self,
        shards: &mut Shards,
        params: &Params,
        recorded: &[Recorded],
        present: &[bool],
        whole: bool,
    ) -> Vec<f64> {
        match self.site {
            Site::Representation => self.at_representation(shards, params, recorded, whole),
            Site::Layer(_) => {
                let only = &self.only;
                shards.apart(params, present.len(), |shard, tape, apart| {
                    for (k, grads) in apart.iter_mut().enumerate().filter(|&(k, _)| present[k]) {
                        tape.backward_of(params, &[(recorded[shard].losses[k], 1.0)], only, grads);
                    }
                });
                self.of_totals(shards.totals(params), params, present, whole)
            }
            Site::Shared(_) => {
                self.own = self.sweep_apart(shards, params, recorded, present);
                self.of_totals(shards.totals(params), params, present, whole)
            }
        }
    }

    /// Rows of different shards are different coordinates, so inner products add over shards.
    fn at_representation(
        &mut self,
        shards: &mut Shards,
        params: &Params,
        recorded: &[Recorded],
        whole: bool,
    ) -> Vec<f64> {
        let objectives = recorded.first().map_or(0, |recorded| recorded.losses.len());
        self.adjoints.resize_with(recorded.len().max(self.adjoints.len()), Mutex::default);
        let adjoints = &self.adjoints;
        let parts = shards.apart(params, 1, |shard, tape, unused| {
            let Recorded { losses, shared, .. } = &recorded[shard];
            let mut products = vec![0.0; objectives * objectives];
            // No other thread has this shard, and what a panic left in it is written anew.
            let mut kept = adjoints[shard].lock().unwrap_or_else(PoisonError::into_inner);
            kept.resize_with(if whole { objectives } else { 0 }, Adjoint::default);
            for (k, &loss) in losses.iter().enumerate() {
                tape.pull_to(params, &[(loss, 1.0)], shared, &mut unused[0]);
                let parts = shared.0.iter().map(|&var| tape.adjoint(var).unwrap_or_default());
                if !whole {
                    products[k * objectives + k] =
                        parts.map(|part| kohort_core::kernels::dot_f64(part, part)).sum();
                    continue;
                }
                kept[k].parts.resize(shared.0.len(), Vec::new());
                for (into, part) in kept[k].parts.iter_mut().zip(parts) {
                    into.clear();
                    into.extend_from_slice(part);
                }
                for j in 0..=k {
                    let dot = kept[k].dot(&kept[j]);
                    products[k * objectives + j] = dot;
                    products[j * objectives + k] = dot;
                }
            }
            products
        });
        let mut sum = vec![0.0; objectives * objectives];
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
        sum
    }

    /// Sweeps the whole of each objective and keeps its gradient apart, the penalty's last; gives the parameters that are heads'.
    fn sweep_apart(
        &self,
        shards: &mut Shards,
        params: &Params,
        recorded: &[Recorded],
        present: &[bool],
    ) -> Vec<bool> {
        let heads = shards.apart(params, present.len() + 1, |shard, tape, apart| {
            let Recorded { losses, shared, heads, penalty } = &recorded[shard];
            let sweeps = losses.iter().copied().zip(present.iter().copied()).map(Some);
            let penalty = penalty.map(|penalty| (penalty, true));
            for (sweep, grads) in sweeps.chain([penalty]).zip(apart) {
                if let Some((end, true)) = sweep {
                    tape.backward(params, &[(end, 1.0)], grads);
                }
            }
            if shard == 0 && *heads { tape.params_above(params, losses, shared) } else { Vec::new() }
        });
        let mut own = vec![false; params.slots().len()];
        heads.into_iter().flatten().for_each(|id| own[id.index()] = true);
        own
    }

    /// Inner products of gradients that were summed over shards first: those of parameters have cross terms.
    fn of_totals(&self, totals: &[Grads], params: &Params, present: &[bool], whole: bool) -> Vec<f64> {
        // Who is absent has an empty gradient, whose products are zero. The penalty's, if it was kept, comes last and is not one of these.
        let n = present.len();
        let include = |id: ParamId| self.only[id.index()];
        let parts: Vec<&Grads> = totals[..n].iter().collect();
        if whole {
            return Grads::gram(&parts, params, include);
        }
        let mut gram = vec![0.0; n * n];
        for (i, part) in parts.iter().enumerate() {
            gram[i * n + i] = Grads::gram(&[part], params, include)[0];
        }
        gram
    }

    /// Leaves in [`Shards::total`] the gradient of all objectives under `coefficients`, and of the penalty. `seen` says whether [`Gradients::gram`] looked at this
    /// very recording.
    pub(super) fn weighted(
        &self,
        shards: &mut Shards,
        params: &Params,
        recorded: &[Recorded],
        coefficients: &Coefficients,
        seen: bool,
    ) {
        if seen && matches!(self.site, Site::Shared(_)) {
            let Coefficients { trunk, heads } = coefficients;
            let of = |id: ParamId, k: usize| match trunk.get(k) {
                Some(_) if self.own[id.index()] => heads[k] as f32,
                Some(&trunk) => trunk as f32,
                // The penalty comes last.
                None => 1.0,
            };
            shards.weighted(of);
            return;
        }
        let Coefficients { trunk, heads } = coefficients;
        let one = trunk == heads || !recorded.first().is_some_and(|recorded| recorded.heads);
        if seen && one && matches!(self.site, Site::Layer(_)) {
            // The layer's gradients are at hand: the sweep leaves them out, and they are added under their weights.
            let others: Vec<bool> = self.only.iter().map(|only| !only).collect();
            shards.backward(|shard, tape, grads| {
                let Recorded { losses, penalty, .. } = &recorded[shard];
                if let Some(penalty) = *penalty {
                    tape.backward(params, &[(penalty, 1.0)], grads);
                }
                tape.backward_of(params, &seeds(losses, trunk), &others, grads);
            });
            shards.add_weighted(|id, k| if self.only[id.index()] { trunk[k] as f32 } else { 0.0 });
            return;
        }
        sweep(shards, params, recorded, coefficients);
    }
}

/// One sweep where trunk and heads are weighted alike; else one through the heads, one past them, and one on from there.
fn sweep(shards: &mut Shards, params: &Params, recorded: &[Recorded], coefficients: &Coefficients) {
    let alike = coefficients.trunk == coefficients.heads;
    shards.backward(|shard, tape, grads| {
        let Recorded { losses, shared, heads, penalty } = &recorded[shard];
        let trunk = seeds(losses, &coefficients.trunk);
        if alike || !heads {
            let seeds: Vec<_> = trunk.into_iter().chain(penalty.map(|penalty| (penalty, 1.0))).collect();
            tape.backward(params, &seeds, grads);
            return;
        }
        if let Some(penalty) = *penalty {
            tape.backward(params, &[(penalty, 1.0)], grads);
        }
        let mut at = Adjoint::default();
        tape.backward_to(params, &seeds(losses, &coefficients.heads), shared, &mut at, grads);
        tape.pull_to(params, &trunk, shared, grads);
        for (&var, part) in shared.0.iter().zip(&mut at.parts) {
            match tape.adjoint(var) {
                Some(adjoint) => part.copy_from_slice(adjoint),
                None => part.fill(0.0),
            }
        }
        tape.backward_from(params, shared, &at, grads);
    });
}

fn seeds(losses: &[Var], weights: &[f64]) -> Vec<(Var, f32)> {
    losses.iter().zip(weights).map(|(&loss, &w)| (loss, w as f32)).collect()
}
