//! Codes that no training row has start at zero, and stay there: what has not learned should say nothing, rather than what it was
//! drawn.

use kohort_core::Params;
use kohort_layers::{FieldValues, Table};

/// Sets the vectors of all codes that `table`'s rows don't have to zero, in the tables that an encoder named `name` has made for it.
pub(crate) fn zero_unseen(params: &mut Params, name: &str, table: &Table) {
    for (column, _, values) in &table.columns {
        let (FieldValues::Categorical(codes) | FieldValues::MultiHot { codes, .. }) = values else {
            continue;
        };
        let Some(id) = params.id(&format!("{name}/{column}")) else { continue };
        let slot = params.slot_mut(id);
        let mut seen = vec![false; slot.rows];
        codes.iter().for_each(|&code| seen[code as usize] = true);
        let vectors = slot.value.chunks_exact_mut(slot.cols);
        vectors.zip(&seen).filter(|(_, seen)| !**seen).for_each(|(vector, _)| vector.fill(0.0));
    }
}
