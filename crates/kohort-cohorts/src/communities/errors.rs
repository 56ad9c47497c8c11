//! What a search for communities can refuse.

/// Why there are no communities, or no number for them.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommunityError {
    /// A setting out of its range.
    #[error("{setting} = {value}: allowed is {allowed}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// Not one label per node.
    #[error("{labels} labels for {nodes} nodes: one for each node is needed")]
    LabelCount {
        /// Labels given.
        labels: usize,
        /// Nodes of the graph.
        nodes: usize,
    },
    /// A label above the number of nodes.
    #[error(
        "node {node}: label {label} is not allowed, labels are numbers below the number of nodes, {nodes}"
    )]
    Label {
        /// Node, from 0.
        node: usize,
        /// Its label.
        label: u32,
        /// Nodes of the graph.
        nodes: usize,
    },
    /// A matrix of the graph that could not be made.
    #[error(transparent)]
    Matrix(#[from] kohort_core::sparse::SparseError),
    /// Eigenvectors that could not be computed.
    #[error(transparent)]
    Spectrum(#[from] kohort_core::svd::SvdError),
    /// Rows of eigenvectors that are no points.
    #[error("rows of eigenvectors: {0}")]
    Points(crate::PointsError),
    /// Points that could not be clustered.
    #[error("rows of eigenvectors: {0}")]
    Clusters(#[from] crate::KMeansError),
}

pub(super) fn at_least_one(setting: &'static str, value: usize) -> Result<(), CommunityError> {
    match value {
        0 => Err(CommunityError::Setting { setting, value: "0".to_owned(), allowed: "1 or more" }),
        _ => Ok(()),
    }
}

pub(super) fn check_labels(labels: &[u32], nodes: usize) -> Result<(), CommunityError> {
    if labels.len() != nodes {
        return Err(CommunityError::LabelCount { labels: labels.len(), nodes });
    }
    match labels.iter().position(|&label| label as usize >= nodes) {
        Some(node) => Err(CommunityError::Label { node, label: labels[node], nodes }),
        None => Ok(()),
    }
}
