//! One number for all that a run learns from: a checkpoint is taken up by the run that left it and by no other.

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

    pub(crate) fn value(&self) -> u64 {
        self.0
    }
}
