//! Where several values' ways meet: what multi-task models call the shared representation, found in the recording.

use super::{Cut, Tape, Var};
use crate::{Layout, ParamId, Params, Real};

/// Who reads a node, above it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Nobody,
    One(usize),
    Several,
}

impl<F: Real> Tape<F> {
    /// The values at which what `ends` have in common hands over to what is one end's own: read by several ends, and read directly
    /// by something that one end alone reads, or an end itself. Ascending; empty where the ends have nothing trainable in common.
    ///
    /// For a shared bottom that is its output; for experts under a gate for each task, the experts' outputs and what the gates
    /// read. Every way from an end to what several ends share runs through the cut, so [`Tape::backward_to`] and
    /// [`Tape::backward_from`] may be used with it.
    pub fn meeting(&self, ends: &[Var]) -> Cut {
        let join = |reader: &mut Reader, other: Reader| {
            *reader = match (*reader, other) {
                (Reader::Nobody, other) => other,
                (reader, other) if reader == other => reader,
                _ => Reader::Several,
            }
        };
        let mut readers = vec![Reader::Nobody; self.nodes.len()];
        let mut meets = vec![false; self.nodes.len()];
        for (k, end) in ends.iter().enumerate() {
            join(&mut readers[end.0 as usize], Reader::One(k));
        }
        for end in ends {
            meets[end.0 as usize] = true;
        }
        // Whoever reads a node lies to its right and is known by then.
        for n in (0..self.nodes.len()).rev() {
            let reader = readers[n];
            if reader == Reader::Nobody {
                continue;
            }
            self.nodes[n].op.each_input(&self.lists, &mut |x: Var| {
                join(&mut readers[x.0 as usize], reader);
                meets[x.0 as usize] |= matches!(reader, Reader::One(_));
            });
        }
        let cut = (0..self.nodes.len())
            .filter(|&n| meets[n] && readers[n] == Reader::Several && self.nodes[n].live)
            .map(|n| Var(n as u32));
        Cut(cut.collect())
    }

    /// The layer right at `cut`: the trainable dense parameters that are read first on the way down from those of its values that lie
    /// below no other. Tables are none of it.
    pub fn layer_at(&self, params: &Params<F>, cut: &Cut) -> Vec<ParamId> {
        let mut below = vec![false; self.nodes.len()];
        let mut going = vec![false; self.nodes.len()];
        for n in (0..self.nodes.len()).rev() {
            let in_cut = cut.0.contains(&Var(n as u32));
            going[n] |= in_cut && !below[n];
            if in_cut || below[n] {
                self.nodes[n].op.each_input(&self.lists, &mut |x: Var| below[x.0 as usize] = true);
            }
        }
        let mut found = vec![false; params.slots().len()];
        for n in (0..self.nodes.len()).rev().filter(|&n| self.nodes[n].live) {
            if !going[n] {
                continue;
            }
            let mut reads = false;
            self.nodes[n].op.each_param(&self.lists, &mut |id| {
                reads = true;
                found[id.index()] |= params.slot(id).trainable && params.slot(id).layout == Layout::Dense;
            });
            if !reads {
                self.nodes[n].op.each_input(&self.lists, &mut |x: Var| going[x.0 as usize] = true);
            }
        }
        params.ids().filter(|id| found[id.index()]).collect()
    }
}
