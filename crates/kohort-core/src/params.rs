//! Parameters: named matrices that live outside the tape.

use serde::{Deserialize, Serialize};

use crate::{Real, shape};

/// Names one parameter of a [`Params`]. `Copy`, and valid for the `Params` that gave it (and its clones).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(pub(crate) u32);

impl ParamId {
    /// Position in insertion order, which is the only order there is.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a parameter's gradient arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Every entry may get a gradient: weights and biases.
    Dense,
    /// Rows are looked up, so the gradient is a list of rows: embedding tables.
    Table,
}

/// One parameter: a row-major matrix `[rows, cols]` with its name and how it is treated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot<F> {
    /// Path-like name, unique in its `Params`: `"user/embedding"`.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Values, row-major.
    pub value: Vec<F>,
    /// How the gradient arrives.
    pub layout: Layout,
    /// A frozen parameter gets no gradient, and nothing is computed below it that only it would need.
    pub trainable: bool,
    /// Weight decay that the optimiser applies to this parameter: per step, multiplied by the learning rate and by
    /// [`Slot::rate`], so that twice the rate is twice the decay too.
    pub decay: F,
    /// What the learning rate is multiplied by for this parameter; 1 unless something is to move faster or slower.
    pub rate: F,
}

/// All parameters of a model, in insertion order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Params<F = f32> {
    slots: Vec<Slot<F>>,
}

impl<F: Real> Params<F> {
    /// No parameter yet.
    pub fn new() -> Params<F> {
        Params { slots: Vec::new() }
    }

    /// Adds a dense parameter `[rows, cols]` with these values.
    ///
    /// # Panics
    /// If the name is taken or the values don't fill the shape.
    #[track_caller]
    pub fn add(&mut self, name: impl Into<String>, rows: usize, cols: usize, value: Vec<F>) -> ParamId {
        self.insert(name.into(), rows, cols, value, Layout::Dense)
    }

    /// Adds an embedding table `[rows, cols]` with these values.
    ///
    /// # Panics
    /// If the name is taken or the values don't fill the shape.
    #[track_caller]
    pub fn add_table(&mut self, name: impl Into<String>, rows: usize, cols: usize, value: Vec<F>) -> ParamId {
        self.insert(name.into(), rows, cols, value, Layout::Table)
    }

    #[track_caller]
    fn insert(&mut self, name: String, rows: usize, cols: usize, value: Vec<F>, layout: Layout) -> ParamId {
        if value.len() != rows * cols {
            shape::fail("param", &format!("{name}: {} values for [{rows}, {cols}]", value.len()));
        }
        if self.id(&name).is_some() {
            shape::fail("param", &format!("{name}: the name is taken"));
        }
        let id = ParamId(self.slots.len() as u32);
        self.slots.push(Slot {
            name,
            rows,
            cols,
            value,
            layout,
            trainable: true,
            decay: F::zero(),
            rate: F::one(),
        });
        id
    }

    /// The parameter's slot.
    pub fn slot(&self, id: ParamId) -> &Slot<F> {
        &self.slots[id.index()]
    }

    /// The parameter's slot, to change its values or its treatment.
    pub fn slot_mut(&mut self, id: ParamId) -> &mut Slot<F> {
        &mut self.slots[id.index()]
    }

    /// The parameter's values `[rows, cols]`, row-major.
    pub fn value(&self, id: ParamId) -> &[F] {
        &self.slots[id.index()].value
    }

    /// One row of the parameter.
    #[inline]
    pub fn row(&self, id: ParamId, row: usize) -> &[F] {
        let slot = &self.slots[id.index()];
        &slot.value[row * slot.cols..(row + 1) * slot.cols]
    }

    /// Finds a parameter by name.
    pub fn id(&self, name: &str) -> Option<ParamId> {
        self.slots.iter().position(|s| s.name == name).map(|i| ParamId(i as u32))
    }

    /// All slots in insertion order.
    pub fn slots(&self) -> &[Slot<F>] {
        &self.slots
    }

    /// All slots in insertion order, to change them.
    pub fn slots_mut(&mut self) -> &mut [Slot<F>] {
        &mut self.slots
    }

    /// All ids in insertion order.
    pub fn ids(&self) -> impl Iterator<Item = ParamId> + use<F> {
        (0..self.slots.len() as u32).map(ParamId)
    }

    /// Freezes (`false`) or frees (`true`) every parameter whose name starts with `prefix`; returns how many.
    pub fn set_trainable(&mut self, prefix: &str, trainable: bool) -> usize {
        let mut changed = 0;
        for slot in self.slots.iter_mut().filter(|s| s.name.starts_with(prefix)) {
            slot.trainable = trainable;
            changed += 1;
        }
        changed
    }

    /// Number of values in all parameters, or in the trainable ones only.
    pub fn count(&self, only_trainable: bool) -> usize {
        self.slots.iter().filter(|s| s.trainable || !only_trainable).map(|s| s.value.len()).sum()
    }

    /// Takes over the values and treatment of `from`, a checkpoint's parameters, if names and shapes agree and all
    /// values are finite; otherwise says what does not fit and changes nothing.
    pub fn adopt(&mut self, from: &Params<F>) -> Result<(), String> {
        if self.slots.len() != from.slots.len() {
            return Err(format!("{} parameters, the model has {}", from.slots.len(), self.slots.len()));
        }
        for (mine, theirs) in self.slots.iter().zip(&from.slots) {
            let same = mine.name == theirs.name && (mine.rows, mine.cols) == (theirs.rows, theirs.cols);
            if !same || mine.layout != theirs.layout || theirs.value.len() != mine.value.len() {
                return Err(format!(
                    "{} [{}, {}] of {} values, the model has {} [{}, {}]",
                    theirs.name,
                    theirs.rows,
                    theirs.cols,
                    theirs.value.len(),
                    mine.name,
                    mine.rows,
                    mine.cols
                ));
            }
            if let Some(i) = theirs.value.iter().position(|x| !x.is_finite()) {
                return Err(format!(
                    "{}: value {i} is {}, not a finite number",
                    theirs.name, theirs.value[i]
                ));
            }
        }
        self.clone_from(from);
        Ok(())
    }

    /// A hash of every name, shape and bit: equal hashes mean the same model, to the bit (FNV-1a, 64 bits).
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |x: u64| hash = (hash ^ x).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        for slot in &self.slots {
            slot.name.bytes().for_each(|b| eat(u64::from(b)));
            eat(slot.rows as u64);
            eat(slot.cols as u64);
            slot.value.iter().for_each(|v| eat(v.bits()));
        }
        hash
    }

    /// The same parameters in another precision, for gradient checks.
    pub fn cast<G: Real>(&self) -> Params<G> {
        let slots = self
            .slots
            .iter()
            .map(|s| Slot {
                name: s.name.clone(),
                rows: s.rows,
                cols: s.cols,
                value: s.value.iter().map(|v| G::of(v.f64())).collect(),
                layout: s.layout,
                trainable: s.trainable,
                decay: G::of(s.decay.f64()),
                rate: G::of(s.rate.f64()),
            })
            .collect();
        Params { slots }
    }
}
