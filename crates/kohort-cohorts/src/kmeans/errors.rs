//! What a KMeans fit can refuse.

/// Why a fit could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum KMeansError {
    /// A field of the config out of its range.
    #[error("kmeans config, {field} = {value}: allowed is {allowed}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// More clusters than points that differ.
    #[error("{clusters} clusters need as many distinct points of positive weight, the data has {distinct}")]
    TooFewDistinctPoints {
        /// Clusters asked for.
        clusters: usize,
        /// Distinct points there are.
        distinct: usize,
    },
    /// Given centres of the wrong size.
    #[error("{given} values given for the centres, but {clusters} clusters of {dim} dimensions need {}", clusters * dim)]
    CentreShape {
        /// Values given.
        given: usize,
        /// Clusters asked for.
        clusters: usize,
        /// Dimensions of the data.
        dim: usize,
    },
    /// A given centre that is not a point.
    #[error("given centres: {0}")]
    Centre(crate::PointsError),
    /// Points for a fitted model with another number of columns.
    #[error("the points have {got} dimensions, the centres have {expected}")]
    Dimension {
        /// Dimensions of the centres.
        expected: usize,
        /// Dimensions of the points.
        got: usize,
    },
}
