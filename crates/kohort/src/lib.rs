//! Cohort-aware multi-task recommendation: one front door to the Kohort crates
