//! Experts that read only the rows sent to them, each with parameters of its own: `y[j] = f_{e(j)}(x[rows[j]])`.
//!
//! One product for each expert that is asked ([`Tape::blocks`]). An expert that no row of a shard asks for costs nothing and
//! gets no gradient, so the optimiser leaves it and its moments alone.

use kohort_core::{Activation, Block, Params, Real, Tape, Var};

use super::error::at_least_one;
use super::{Expert, ExpertConfig, ExpertError, NO_EXPERT, Outputs};
use crate::{Mode, Segments};

/// Experts of equal shape, each on its own rows.
#[derive(Clone, Debug)]
pub struct RoutedExperts {
    /// `layers[i][e]`: weights `[in, out]` and bias `[1, out]`.
    layers: Vec<Vec<Block>>,
    outputs: usize,
    activation: Activation,
    dropout: f64,
}

/// Which rows go to which expert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    /// Row of each entry; `None` where the entries are the rows as they are.
    rows: Option<Vec<u32>>,
    /// Runs of entries of one expert.
    segments: Segments,
}

impl Routes {
    /// One expert for each row, [`NO_EXPERT`] for none. Rows in runs of one expert each stay where they are; others are
    /// brought together, in their order.
    pub fn of(experts: &[Expert]) -> Routes {
        let segments = Segments::of(experts.iter().copied());
        let mut seen: Vec<Expert> = segments.cohorts.clone();
        seen.sort_unstable();
        if seen.windows(2).all(|pair| pair[0] != pair[1]) {
            return Routes { rows: None, segments };
        }
        let mut rows: Vec<u32> =
            (0u32..).zip(experts).filter(|(_, e)| **e != NO_EXPERT).map(|(n, _)| n).collect();
        rows.sort_by_key(|&row| experts[row as usize]); // stable: an expert's rows keep their order
        let segments = Segments::of(rows.iter().map(|&row| experts[row as usize]));
        Routes { rows: Some(rows), segments }
    }

    /// All experts that a gate `[n, columns]` gives a row some weight, for its first `experts` columns, and the gate's cells in
    /// the order of the entries.
    pub fn of_gate<F: Real>(gate: &[F], columns: usize, experts: usize) -> (Routes, Vec<u32>) {
        let (mut rows, mut cells) = (Vec::new(), Vec::new());
        let mut segments = Segments { offsets: vec![0], cohorts: Vec::new() };
        for expert in 0..experts.min(columns) {
            let column = gate.iter().skip(expert).step_by(columns);
            for (row, _) in (0u32..).zip(column).filter(|(_, g)| **g != F::zero()) {
                rows.push(row);
                cells.push(row * columns as u32 + expert as u32);
            }
            if segments.rows() < rows.len() {
                segments.offsets.push(rows.len() as u32);
                segments.cohorts.push(expert as Expert);
            }
        }
        (Routes { rows: Some(rows), segments }, cells)
    }

    /// Whether no row goes to any expert.
    pub fn is_empty(&self) -> bool {
        self.segments.iter().all(|(rows, expert)| expert == NO_EXPERT || rows.is_empty())
    }
}

impl RoutedExperts {
    /// Adds the experts' parameters under `name/E/0`, `name/E/1`, …, where `E` is the expert's number. Each expert's initial
    /// weights are its own draw; biases start at 0.
    ///
    /// # Errors
    /// No expert, no layer, a width of 0, or a dropout rate outside [0, 1).
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        count: usize,
        config: &ExpertConfig,
        seed: u64,
    ) -> Result<RoutedExperts, ExpertError> {
        at_least_one("experts", count)?;
        config.check()?;
        let mut layers = vec![Vec::with_capacity(count); config.widths.len()];
        for expert in 0..count {
            for (i, (inputs, outputs)) in config.layers(inputs).enumerate() {
                let w = config.draw(&format!("{name}/{i}/w"), expert as Expert, (inputs, outputs), seed);
                let name = format!("{name}/{expert}/{i}");
                let w = params.add(format!("{name}/w"), inputs, outputs, w);
                let b = params.add(format!("{name}/b"), 1, outputs, vec![F::zero(); outputs]);
                layers[i].push(Block { w, b: Some(b) });
            }
        }
        let (activation, dropout) = (config.activation, config.dropout);
        Ok(RoutedExperts { layers, outputs: config.outputs(), activation, dropout })
    }

    /// Number of experts.
    pub fn count(&self) -> usize {
        self.layers[0].len()
    }

    /// Width of one expert's output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Weights and bias of each layer of one expert.
    ///
    /// # Panics
    /// If there is no such expert.
    pub fn blocks(&self, expert: Expert) -> impl Iterator<Item = Block> {
        self.layers.iter().map(move |layer| layer[expert as usize])
    }

    /// `x [n, in]` to one output for each entry of `routes`, `[entries, out]`; `None` if there is none.
    #[track_caller]
    fn entries<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        routes: &Routes,
        mode: &mut Mode,
    ) -> Option<Var> {
        if routes.is_empty() {
            return None;
        }
        let mut x = match &routes.rows {
            Some(rows) => tape.take_rows(x, rows),
            None => x,
        };
        let Segments { offsets, cohorts } = &routes.segments;
        for layer in &self.layers {
            let block = |&expert: &Expert| (expert != NO_EXPERT).then(|| layer[expert as usize]);
            let blocks: Vec<Option<Block>> = cohorts.iter().map(block).collect();
            x = tape.blocks(params, x, offsets, &blocks, self.activation);
            x = mode.dropout(tape, x, self.dropout);
        }
        Some(x)
    }

    /// `x [n, in]` to what every expert says of every row, side by side, `[n, experts·out]`.
    pub(super) fn all<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var) -> Var {
        let n = tape.shape(x).0;
        let of_one = |expert: usize| {
            let through = |x, layer: &Vec<Block>| {
                tape.blocks(params, x, &[0, n as u32], &[Some(layer[expert])], self.activation)
            };
            self.layers.iter().fold(x, through)
        };
        let all: Vec<Var> = (0..self.count()).map(of_one).collect();
        tape.concat(&all)
    }

    /// The same beside what global experts said of the rows, `h [n, globals·out]`, whose numbers come first.
    pub(super) fn beside<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        (h, globals): (Var, usize),
    ) -> Outputs {
        let own = self.all(tape, params, x);
        let experts = (0..(globals + self.count()) as Expert).collect();
        Outputs { x: if globals > 0 { tape.concat(&[h, own]) } else { own }, experts }
    }

    /// `x [n, in]` to each row's own expert's output, `[n, out]`; zeros for a row without one.
    ///
    /// # Panics
    /// If a route names an expert that is none.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        routes: &Routes,
        mode: &mut Mode,
    ) -> Var {
        let n = tape.shape(x).0;
        match (self.entries(tape, params, x, routes, mode), &routes.rows) {
            (None, _) => tape.input_with(n, self.outputs, |_| ()),
            (Some(y), None) => y,
            (Some(y), Some(rows)) => tape.scatter_rows(y, None, rows, n),
        }
    }

    /// `x [n, in]` to the sum of the outputs of the experts that `gate [n, columns]` gives a row some weight, each times its
    /// weight, `[n, out]`. Expert `e` has column `e`.
    #[track_caller]
    pub fn weighed<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        gate: Var,
        mode: &mut Mode,
    ) -> Var {
        let (n, columns) = tape.shape(gate);
        let (routes, cells) = Routes::of_gate(tape.value(gate), columns, self.count());
        match (self.entries(tape, params, x, &routes, mode), &routes.rows) {
            (Some(y), Some(rows)) => {
                let weight = tape.pick(gate, &cells);
                tape.scatter_rows(y, Some(weight), rows, n)
            }
            _ => tape.input_with(n, self.outputs, |_| ()),
        }
    }
}
