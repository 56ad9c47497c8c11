//! Census-Income (KDD): income above 50,000, never married, at least college, with cohorts by age and sex.

use std::sync::Arc;

use anyhow::Result;
use kohort_data::records::Records;

use super::{CUT, Material, World};
use crate::study::{Looking, Skipped, look_records};

pub(crate) const NAME: &str = "census";

pub(super) fn find(
    looking: &Looking,
    small: bool,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<Vec<World>, Skipped>> {
    let found = match look_records("census-income", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let mut records = found.records;
    let mut notes = records.notes.clone();
    if small {
        // Rows come in no order that a seed should draw from.
        let rows: Vec<u32> = (0..records.len() as u32).step_by(6).collect();
        records = records.select(&rows);
        notes.push(format!("every sixth row, {} in all, for a quick run", rows.len()));
    }
    let records: Arc<Records> = Arc::new(records);
    Ok(Ok(vec![World {
        name: "census-income",
        title: found.title.split(',').next().unwrap_or_default().to_owned(),
        cohorts: "age; within, sex",
        split: CUT,
        notes,
        provenance: found.provenance,
        cut: Box::new(move |seed| Material::by_columns(&records, &["age band", "sex"], seed)),
        made: Default::default(),
    }]))
}
