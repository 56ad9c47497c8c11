//! One number for all that a run learns from: a checkpoint is taken up by the run that left it and by no other.

use kohort_data::records::{Target, ValidationRecords};
use kohort_layers::{FieldValues, Table};

/// A hash of words in their order (FNV-1a with a rotation, 64 bits): tells data apart, keeps no secret.
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    pub(crate) fn new() -> Fingerprint {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn eat(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }

    /// A list of ids and its length, so that where one list ends and the next begins counts too.
    pub(crate) fn eat_ids(&mut self, ids: &[u32]) {
        self.eat(ids.len() as u64);
        ids.iter().for_each(|&id| self.eat(id.into()));
    }

    /// A list of numbers and its length.
    pub(crate) fn eat_numbers(&mut self, numbers: &[f32]) {
        self.eat(numbers.len() as u64);
        numbers.iter().for_each(|number| self.eat(number.to_bits().into()));
    }

    /// Columns as an encoder reads them.
    pub(crate) fn eat_table(&mut self, table: &Table) {
        for (name, _, values) in &table.columns {
            name.bytes().for_each(|byte| self.eat(byte.into()));
            match values {
                FieldValues::Categorical(codes) => self.eat_ids(codes),
                FieldValues::MultiHot { codes, offsets } => {
                    self.eat_ids(codes);
                    self.eat_ids(offsets);
                }
                FieldValues::Numeric(values) | FieldValues::Dense(values) => self.eat_numbers(values),
            }
        }
    }

    /// A target's values, and which of them are known.
    pub(crate) fn eat_target(&mut self, target: &Target) {
        self.eat_numbers(&target.values);
        self.eat(u64::from(target.known.is_some()));
        target.known.iter().flatten().for_each(|&known| self.eat(known.into()));
    }

    /// Rows held out, which decide when a run stops and are part of it therefore.
    pub(crate) fn eat_held(&mut self, held: &ValidationRecords) {
        self.eat_ids(held.origin());
        held.answers().targets.iter().for_each(|target| self.eat_target(target));
    }

    pub(crate) fn value(&self) -> u64 {
        self.0
    }
}
