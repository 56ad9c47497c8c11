//! What can be wrong with an adapter.

/// Why an adapter could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// A rank that the layer cannot have.
    #[error("{layer}: adapter of rank {rank}, expected 1 to {most}, the shorter side of its weights")]
    Rank {
        /// The layer.
        layer: String,
        /// The rank asked for.
        rank: usize,
        /// The highest there can be.
        most: usize,
    },
    /// A setting out of range.
    #[error("{layer}: {field} is {value}, expected {allowed}")]
    Setting {
        /// The layer.
        layer: String,
        /// The setting.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// A cohort that already has an adapter here.
    #[error("{layer}: cohort {cohort} already has an adapter")]
    Taken {
        /// The layer.
        layer: String,
        /// The cohort.
        cohort: u32,
    },
    /// A cohort that has no adapter here.
    #[error("{layer}: cohort {cohort} has no adapter; there are {known} others")]
    Unknown {
        /// The layer.
        layer: String,
        /// The cohort.
        cohort: u32,
        /// How many cohorts have one.
        known: usize,
    },
    /// A parameter's name that is taken: the layer has adapters of this kind already.
    #[error("{name}: the name is taken by a parameter of the model")]
    Name {
        /// The name.
        name: String,
    },
    /// Factors of another shape than the layer's.
    #[error(
        "{layer}: factors [{}, {}] and [{}, {}], expected [{inputs}, r] and [r, {outputs}]",
        a.0, a.1, b.0, b.1
    )]
    Shape {
        /// The layer.
        layer: String,
        /// Shape of A.
        a: (usize, usize),
        /// Shape of B.
        b: (usize, usize),
        /// Inputs of the layer.
        inputs: usize,
        /// Outputs of the layer.
        outputs: usize,
    },
    /// Factors whose product has no singular values: entries that are not finite, or far too large.
    #[error(
        "{layer}: the singular values of the adapter's product could not be found; its entries may not be finite"
    )]
    Diverged {
        /// The layer.
        layer: String,
    },
}
