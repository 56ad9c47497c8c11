//! Backward sweeps. One forward, many sweeps: per-task and per-cohort gradients are the normal case here.
//!
//! A sweep marks which nodes matter, then visits them from right to left. Three prunes in the one marking pass: not
//! reachable from the seeds; nothing trainable below (or nothing that the sweep asks about); below the cut. An adjoint is zeroed, or
//! overwritten, when the first contribution arrives, so a second sweep is just another call, and sweeps are linear in their seeds: two
//! sweeps with seeds `a` and `b` add up to one sweep with both (to rounding).

use std::time::Instant;

use super::{Flow, Tape, Var};
use crate::kernels::dot_f64;
use crate::{Grads, ParamId, Params, Real, shape};

/// Values at which a sweep stops, or from which it goes on: usually the shared representation.
///
/// For `backward_to` followed by `backward_from` to equal one sweep, every path from the losses to what lies below
/// must run through the cut.
#[derive(Clone, Debug, Default)]
pub struct Cut(pub Vec<Var>);

/// Adjoints of the values of a [`Cut`]: the gradient of a loss with respect to the shared representation.
#[derive(Clone, Debug, Default)]
pub struct Adjoint<F> {
    /// One `[rows, cols]` matrix per value of the cut, in its order.
    pub parts: Vec<Vec<F>>,
}

impl<F: Real> Adjoint<F> {
    /// Inner product with another adjoint of the same cut, in f64.
    pub fn dot(&self, other: &Adjoint<F>) -> f64 {
        self.parts.iter().zip(&other.parts).map(|(a, b)| dot_f64(a, b)).sum()
    }

    /// Adds `scale ·` another adjoint of the same cut.
    pub fn add(&mut self, other: &Adjoint<F>, scale: F) {
        if self.parts.is_empty() {
            self.parts = other.parts.iter().map(|p| vec![F::zero(); p.len()]).collect();
        }
        for (mine, theirs) in self.parts.iter_mut().zip(&other.parts) {
            mine.iter_mut().zip(theirs).for_each(|(a, &b)| *a += scale * b);
        }
    }
}

/// What a sweep has to do with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing.
    Skipped,
    /// It comes by, and has left nothing yet.
    Wanted,
    /// Its adjoint holds what was added so far.
    Reached,
}

enum Until<'a, F> {
    Inputs,
    At(&'a Cut),
    Cut(&'a Cut, &'a mut Adjoint<F>),
}

impl<F: Real> Tape<F> {
    /// Adds to `out` the gradient of `Σ seed · value` over the seeds. Repeatable on one recording.
    ///
    /// A seed's value may have any shape: its scalar then weighs the sum of its entries.
    pub fn backward(&mut self, params: &Params<F>, seeds: &[(Var, F)], out: &mut Grads<F>) {
        let start: Vec<Var> = seeds.iter().map(|s| s.0).collect();
        self.mark(&start, &[], None);
        self.seed(seeds);
        self.sweep(params, Until::Inputs, None, out);
    }

    /// Like [`Tape::backward`] for some parameters alone, `[parameters]`: what does not lead to one of them is not visited, and the
    /// others get no gradient.
    ///
    /// # Panics
    /// If `only` has not an entry a parameter.
    #[track_caller]
    pub fn backward_of(&mut self, params: &Params<F>, seeds: &[(Var, F)], only: &[bool], out: &mut Grads<F>) {
        shape::same("backward_of: parameters", (only.len(), 1), (params.slots().len(), 1));
        let start: Vec<Var> = seeds.iter().map(|s| s.0).collect();
        self.mark(&start, &[], Some(only));
        self.seed(seeds);
        self.sweep(params, Until::Inputs, Some(only), out);
    }

    /// Like [`Tape::backward`], but stops at `cut` and leaves its adjoint in `at`. Parameters above get gradients.
    pub fn backward_to(
        &mut self,
        params: &Params<F>,
        seeds: &[(Var, F)],
        cut: &Cut,
        at: &mut Adjoint<F>,
        out: &mut Grads<F>,
    ) {
        let start: Vec<Var> = seeds.iter().map(|s| s.0).collect();
        self.mark(&start, &cut.0, None);
        self.seed(seeds);
        self.sweep(params, Until::Cut(cut, at), None, out);
    }

    /// The way to `cut` alone: leaves adjoints at its values, to be read with [`Tape::adjoint`], and gives no parameter a gradient.
    /// `unused` stays as it is.
    pub fn pull_to(&mut self, params: &Params<F>, seeds: &[(Var, F)], cut: &Cut, unused: &mut Grads<F>) {
        let start: Vec<Var> = seeds.iter().map(|s| s.0).collect();
        self.mark(&start, &cut.0, None);
        self.seed(seeds);
        self.sweep(params, Until::At(cut), Some(&vec![false; params.slots().len()]), unused);
    }

    /// Goes on below `cut` with the adjoint `at` that sweeps to it left, or any combination of such.
    ///
    /// # Panics
    /// If `at` does not have the cut's shapes.
    #[track_caller]
    pub fn backward_from(&mut self, params: &Params<F>, cut: &Cut, at: &Adjoint<F>, out: &mut Grads<F>) {
        if at.parts.len() != cut.0.len() {
            shape::fail("backward_from", &format!("{} adjoints for {} values", at.parts.len(), cut.0.len()));
        }
        self.mark(&cut.0, &[], None);
        for (&var, part) in cut.0.iter().zip(&at.parts) {
            let range = self.nodes[var.0 as usize].range();
            if part.len() != range.len() {
                shape::fail("backward_from", &format!("{} values for {}", part.len(), range.len()));
            }
            if let Some(adjoint) = self.reach(var) {
                adjoint.iter_mut().zip(part).for_each(|(a, &b)| *a += b);
            }
        }
        self.sweep(params, Until::Inputs, None, out);
    }

    /// The parameters that sweeps from `ends` to `cut` give gradients, frozen ones left out, ascending, each once.
    pub fn params_above(&mut self, params: &Params<F>, ends: &[Var], cut: &Cut) -> Vec<ParamId> {
        self.mark(ends, &cut.0, None);
        let mut found = vec![false; params.slots().len()];
        let wanted = |n: &usize| self.marks[*n] != Mark::Skipped && !cut.0.contains(&Var(*n as u32));
        for n in (0..self.nodes.len()).filter(wanted) {
            self.nodes[n].op.each_param(&self.lists, &mut |id| found[id.index()] = params.slot(id).trainable);
        }
        params.ids().filter(|id| found[id.index()]).collect()
    }

    /// Whether each node reads one of the parameters, or something below it does.
    fn leads(&self, only: &[bool]) -> Vec<bool> {
        let mut leads = vec![false; self.nodes.len()];
        for (n, node) in self.nodes.iter().enumerate() {
            let mut found = false;
            node.op.each_param(&self.lists, &mut |id| found |= only[id.index()]);
            node.op.each_input(&self.lists, &mut |x: Var| found |= leads[x.0 as usize]);
            leads[n] = found;
        }
        leads
    }

    /// Marks the nodes that are reachable from `start`, have something trainable below that is asked about, and do not lie below
    /// `cut`.
    fn mark(&mut self, start: &[Var], cut: &[Var], only: Option<&[bool]>) {
        self.lap(None);
        let leads = only.map(|only| self.leads(only));
        let goes = |n: usize, live: bool| live && leads.as_ref().is_none_or(|leads| leads[n]);
        self.marks.clear();
        self.marks.resize(self.nodes.len(), Mark::Skipped);
        for &var in start {
            if goes(var.0 as usize, self.nodes[var.0 as usize].live) {
                self.marks[var.0 as usize] = Mark::Wanted;
            }
        }
        for n in (0..self.nodes.len()).rev() {
            if self.marks[n] == Mark::Skipped || cut.contains(&Var(n as u32)) {
                continue;
            }
            let (nodes, marks) = (&self.nodes, &mut self.marks);
            nodes[n].op.each_input(&self.lists, &mut |x: Var| {
                if goes(x.0 as usize, nodes[x.0 as usize].live) {
                    marks[x.0 as usize] = Mark::Wanted;
                }
            });
        }
    }

    /// The adjoint of a node that the sweep comes by, zero if nothing was added yet.
    fn reach(&mut self, var: Var) -> Option<&mut [F]> {
        let n = var.0 as usize;
        let adjoint = &mut self.adjoint[self.nodes[n].range()];
        match self.marks[n] {
            Mark::Skipped => return None,
            Mark::Wanted => adjoint.fill(F::zero()),
            Mark::Reached => {}
        }
        self.marks[n] = Mark::Reached;
        Some(adjoint)
    }

    fn seed(&mut self, seeds: &[(Var, F)]) {
        for &(var, seed) in seeds {
            if let Some(adjoint) = self.reach(var) {
                adjoint.iter_mut().for_each(|a| *a += seed);
            }
        }
    }

    fn sweep(&mut self, params: &Params<F>, until: Until<'_, F>, only: Option<&[bool]>, out: &mut Grads<F>) {
        let stops: &[Var] = match &until {
            Until::Inputs => &[],
            Until::At(cut) | Until::Cut(cut, _) => &cut.0,
        };
        for n in (0..self.nodes.len()).rev() {
            // An op need not have added to all of its inputs.
            if self.reach(Var(n as u32)).is_none() || stops.contains(&Var(n as u32)) {
                continue;
            }
            let node = &self.nodes[n];
            let (left, right) = self.adjoint.split_at_mut(node.at);
            let mut flow = Flow {
                nodes: &self.nodes,
                values: &self.value,
                lists: &self.lists,
                node,
                left,
                own: &mut right[..node.rows * node.cols],
                marks: &mut self.marks,
                only,
                scratch: &mut self.scratch,
                params,
                grads: out,
            };
            let Some(watch) = &mut self.watch else {
                node.op.backward(&mut flow);
                continue;
            };
            let start = Instant::now();
            node.op.backward(&mut flow);
            let (mut gradients, mut adjoints) = (false, false);
            node.op.each_param(&self.lists, &mut |id| gradients |= flow.trains(id));
            node.op.each_input(&self.lists, &mut |x| adjoints |= flow.wants(x));
            let times = f64::from(u8::from(gradients)) + f64::from(u8::from(adjoints));
            watch.backward(
                node.key(&self.lists),
                start.elapsed(),
                times * node.flops(&self.nodes, &self.lists),
            );
        }
        if let Until::Cut(cut, at) = until {
            at.parts.resize(cut.0.len(), Vec::new());
            for (&var, part) in cut.0.iter().zip(&mut at.parts) {
                let range = self.nodes[var.0 as usize].range();
                part.clear();
                if self.marks[var.0 as usize] == Mark::Reached {
                    part.extend_from_slice(&self.adjoint[range]);
                } else {
                    part.resize(range.len(), F::zero());
                }
            }
        }
    }
}
