//! Summed losses with explicit denominators, and balancers that weigh them
