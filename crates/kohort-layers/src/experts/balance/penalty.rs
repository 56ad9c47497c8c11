//! The op behind every penalty: a scalar whose gradient is known when its value is.

use kohort_core::{Custom, Flow, Params, Real, Tape, Var};

/// A value `[1, 1]` with its gradient with respect to each input.
struct Penalty<F> {
    name: &'static str,
    inputs: Vec<Var>,
    gradients: Vec<Vec<F>>,
}

impl<F: Real> Custom<F> for Penalty<F> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn inputs(&self) -> &[Var] {
        &self.inputs
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        for (&x, gradient) in self.inputs.iter().zip(&self.gradients) {
            if let Some((own, into)) = flow.into_input(x) {
                let dy = own[0];
                into.iter_mut().zip(gradient).for_each(|(d, &g)| *d += dy * g);
            }
        }
    }
}

/// Records a penalty on `parts`, each an input and the gradient with respect to it.
pub(super) fn record<F: Real>(
    tape: &mut Tape<F>,
    params: &Params<F>,
    name: &'static str,
    value: f64,
    parts: Vec<(Var, Vec<F>)>,
) -> Var {
    let (inputs, gradients) = parts.into_iter().unzip();
    tape.custom(params, Box::new(Penalty { name, inputs, gradients }), 1, 1, &[F::of(value)])
}
