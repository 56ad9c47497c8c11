//! What cohorts are made of, what to call them, and whether they would come out again.
//!
//! | File | Idea |
//! |---|---|
//! | `attributes` | who has what: codes or sets, with names |
//! | `lift` | how over-represented an attribute is in a cohort, with an interval |
//! | `portrait` | size and foremost attributes of each cohort, and a name made of them |
//! | `resampling` | how far fits on resampled users agree |
//! | `normal` | quantiles of the normal distribution |
//! | `errors` | what can be refused |

mod attributes;
mod errors;
mod lift;
mod normal;
mod portrait;
mod resampling;

pub use attributes::Attributes;
pub use errors::ProfileError;
pub use lift::Lift;
pub use portrait::{Portrait, PortraitConfig, Portraits, Trait};
pub use resampling::{Resampling, Sampled, Spread, Stability, StabilityError};
