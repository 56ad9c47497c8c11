//! Sorting a unit's candidates and cutting them into tie groups.

use super::grade::TieOrder;
use super::list::Group;
use super::protocol::{RankingProtocol, Ties};

/// One candidate of one unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Higher is better.
    pub(super) key: u32,
    /// Order among equal keys, lower first; unused with averaged ties.
    tie: u64,
    relevant: bool,
    gain: f64,
}

/// Makes the entries of one unit.
pub(super) struct Unit<'a> {
    protocol: &'a RankingProtocol,
    order: Option<TieOrder>,
}

impl<'a> Unit<'a> {
    pub(super) fn new(protocol: &'a RankingProtocol, unit: u32) -> Self {
        let order = match protocol.ties {
            Ties::Random { seed } => Some(TieOrder::new(seed, unit)),
            Ties::Average | Ties::Pessimistic => None,
        };
        Self { protocol, order }
    }

    pub(super) fn entry(&self, key: u32, item: u32, grade: f32) -> Entry {
        let relevant = self.protocol.is_relevant(grade);
        let gain = self.protocol.gain_of(grade);
        let tie = match &self.order {
            Some(order) => order.place(item, grade),
            // Gains are never negative, so their bits have their order.
            None => (u64::from(relevant) << 63) | gain.to_bits(),
        };
        Entry { key, tie, relevant, gain }
    }

    /// Sorts `entries`, best first, and returns their tie groups.
    pub(super) fn groups<'e>(&self, entries: &'e mut [Entry]) -> impl Iterator<Item = Group> + use<'e> {
        let averaged = self.protocol.ties == Ties::Average;
        if averaged {
            // Within a group by gain, so that its sum does not depend on the order of the input.
            entries.sort_unstable_by(|a, b| b.key.cmp(&a.key).then(b.tie.cmp(&a.tie)));
        } else {
            entries.sort_unstable_by(|a, b| b.key.cmp(&a.key).then(a.tie.cmp(&b.tie)));
        }
        let entries: &[Entry] = entries;
        entries.chunk_by(move |a, b| averaged && a.key == b.key).map(|tied| Group {
            size: tied.len(),
            relevant: tied.iter().filter(|entry| entry.relevant).count(),
            gain: tied.iter().map(|entry| entry.gain).sum(),
        })
    }
}
