//! Items a user did not touch: drawn for training from what training knows, and for ranking from what nobody touched.
//!
//! Two types, because they know different things. [`TrainNegatives`] is made from training rows alone, so a held-out
//! item is as likely to be drawn as any other: a trainer cannot learn from what it is *not* given. (The published code
//! of the cross-market papers keeps held-out items out of its training negatives, which tells the model a little.)
//! [`RankingCandidates`] are for an evaluator: their negatives leave out whatever the user touched in *any* part.
//!
//! Both draw from the items of the user's own territory: those with a row there, or a catalogue that is given.

use kohort_random::{
    Stream,
    rand::{Rng, seq::index},
    stream,
};
use std::collections::BTreeSet;

use crate::split::Parts;
use crate::territories::Territories;
use crate::{DataError, Interactions, Train};

/// Draws training negatives: items with a training row in the user's territory, without those the user has in training.
///
/// ```
/// use kohort_data::{TrainNegatives, Way, synthetic::Recipe, territories::Territories};
///
/// let (data, _) = Recipe::small().generate(7)?;
/// let regions = Territories::of(&data, "region")?;
/// let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1)?;
/// let negatives = TrainNegatives::new(&split.train, &regions)?;
/// let mut numbers = kohort_random::stream(1, "doc", &[]);
/// let item = negatives.draw(3, &mut numbers).unwrap();
/// let known = split.train.rows();
/// assert!((0..known.len()).all(|row| (known.user[row], known.item[row]) != (3, item)));
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TrainNegatives {
    touched: Touched,
}

impl TrainNegatives {
    /// Remembers the items of each territory and the training items of each user.
    ///
    /// # Errors
    /// [`DataError::Columns`] for territories of other users.
    pub fn new(train: &Train, territories: &Territories) -> Result<TrainNegatives, DataError> {
        TrainNegatives::among(train, territories, vec![Vec::new(); territories.len()])
    }

    /// The same with a catalogue: the items of each territory, sold or not, `[territories]`, beside those with a training
    /// row there.
    ///
    /// # Errors
    /// As [`TrainNegatives::new`]; [`DataError::Setting`] for a catalogue of other territories or of unknown items.
    pub fn with_catalogue(
        train: &Train,
        territories: &Territories,
        catalogue: &[Vec<u32>],
    ) -> Result<TrainNegatives, DataError> {
        let wrong =
            |found: String, expected: String| DataError::Setting { name: "catalogue", found, expected };
        let (there, items) = (territories.len(), train.rows().items);
        if catalogue.len() != there {
            return Err(wrong(format!("{} territories", catalogue.len()), format!("{there}")));
        }
        for (own, name) in catalogue.iter().zip(territories.names()) {
            if let Some(item) = own.iter().find(|&&item| item as usize >= items) {
                return Err(wrong(format!("item {item} in {name}"), format!("items below {items}")));
            }
        }
        TrainNegatives::among(train, territories, catalogue.to_vec())
    }

    /// The same among all items, wherever they are known.
    ///
    /// # Errors
    /// As [`TrainNegatives::new`].
    pub fn of_all_items(train: &Train, territories: &Territories) -> Result<TrainNegatives, DataError> {
        let all: Vec<u32> = (0..train.rows().items as u32).collect();
        TrainNegatives::among(train, territories, vec![all; territories.len()])
    }

    fn among(
        train: &Train,
        territories: &Territories,
        pools: Vec<Vec<u32>>,
    ) -> Result<TrainNegatives, DataError> {
        Ok(TrainNegatives { touched: Touched::new(&[train.rows()], territories, pools)? })
    }

    /// One item, every allowed one equally likely; `None` if the user has all items of the territory. Takes one number
    /// from the stream.
    pub fn draw(&self, user: u32, numbers: &mut Stream) -> Option<u32> {
        let free = self.touched.free(user);
        (free > 0).then(|| self.touched.item(user, numbers.random_range(0..free)))
    }

    /// Up to `count` distinct allowed items, in random order, so that any beginning of them is a sample too.
    pub fn sample(&self, user: u32, count: usize, numbers: &mut Stream) -> Vec<u32> {
        let free = self.free(user);
        let ranks = index::sample(numbers, free, count.min(free));
        ranks.into_iter().map(|rank| self.touched.item(user, rank as u32)).collect()
    }

    /// The number of items that [`TrainNegatives::draw`] chooses from.
    pub fn free(&self, user: u32) -> usize {
        self.touched.free(user) as usize
    }

    /// The items of the user's territory, ascending.
    pub fn pool(&self, user: u32) -> &[u32] {
        self.touched.pool(user)
    }
}

/// For each user of a held-out part the positives and a sample of negatives, user by user.
#[derive(Clone, Debug, PartialEq)]
pub struct RankingCandidates {
    /// User of each candidate, ascending, `[candidates]`.
    pub user: Vec<u32>,
    /// Item of each candidate: a user's positives first, then the negatives, each ascending.
    pub item: Vec<u32>,
    /// Whether the candidate is held out.
    pub positive: Vec<bool>,
    /// Negatives asked for a user.
    pub count: u32,
    /// Seed of the sample.
    pub seed: u64,
    /// Users with fewer negatives than asked for, because their territory has no more.
    pub short: usize,
}

impl RankingCandidates {
    /// Number of users with a positive in each territory, `[territories]`; where it is 0, a ranking metric of the
    /// territory is undefined.
    pub fn users_by_territory(&self, territories: &Territories) -> Vec<usize> {
        let mut users = vec![0; territories.len()];
        for own in self.user.chunk_by(|a, b| a == b) {
            users[territories.of_user()[own[0] as usize] as usize] += 1;
        }
        users
    }
}

impl Parts {
    /// The test part's positives with `count` negatives a user that the user touched in no part.
    ///
    /// The sample depends on `seed` and the user only, so every model meets the same one.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a `count` of 0, [`DataError::Columns`] for territories of other users.
    pub fn test_candidates(
        &self,
        territories: &Territories,
        count: u32,
        seed: u64,
    ) -> Result<RankingCandidates, DataError> {
        self.candidates(self.test.answers(), territories, count, seed, "test-negatives")
    }

    /// The same for the validation part, with a sample of its own.
    ///
    /// # Errors
    /// As [`Parts::test_candidates`].
    pub fn validation_candidates(
        &self,
        territories: &Territories,
        count: u32,
        seed: u64,
    ) -> Result<RankingCandidates, DataError> {
        self.candidates(self.validation.rows(), territories, count, seed, "validation-negatives")
    }

    fn candidates(
        &self,
        held: &Interactions,
        territories: &Territories,
        count: u32,
        seed: u64,
        purpose: &str,
    ) -> Result<RankingCandidates, DataError> {
        if count == 0 {
            return Err(DataError::Setting {
                name: "negatives",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        let all = [self.train.rows(), self.validation.rows(), self.test.answers()];
        let touched = Touched::new(&all, territories, vec![Vec::new(); territories.len()])?;
        let mut pairs: Vec<(u32, u32)> = held.user.iter().copied().zip(held.item.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let (mut user, mut item, mut positive) = (Vec::new(), Vec::new(), Vec::new());
        let mut short = 0;
        for own in pairs.chunk_by(|a, b| a.0 == b.0) {
            let id = own[0].0;
            item.extend(own.iter().map(|pair| pair.1));
            positive.resize(item.len(), true);
            let negatives = touched.sample(id, count, &mut stream(seed, purpose, &[u64::from(id)]));
            short += usize::from(negatives.len() < count as usize);
            item.extend(negatives);
            positive.resize(item.len(), false);
            user.resize(item.len(), id);
        }
        Ok(RankingCandidates { user, item, positive, count, seed, short })
    }
}

/// Items of each territory, and where in them the items of each user are.
#[derive(Clone, Debug, PartialEq)]
struct Touched {
    of_user: Vec<u32>,
    /// Items of each territory, ascending.
    pools: Vec<Vec<u32>>,
    /// User `u` has the pool positions `positions[offsets[u]..offsets[u + 1]]`, ascending.
    offsets: Vec<usize>,
    positions: Vec<u32>,
}

impl Touched {
    /// `pools` holds what each territory has beside the items of its rows.
    fn new(
        parts: &[&Interactions],
        territories: &Territories,
        mut pools: Vec<Vec<u32>>,
    ) -> Result<Touched, DataError> {
        let mut pairs = Vec::new();
        for part in parts {
            for (pool, items) in pools.iter_mut().zip(territories.items(part)?) {
                pool.extend(items);
            }
            pairs.extend(part.user.iter().copied().zip(part.item.iter().copied()));
        }
        for pool in &mut pools {
            pool.sort_unstable();
            pool.dedup();
        }
        pairs.sort_unstable();
        pairs.dedup();
        let of_user = territories.of_user().to_vec();
        let mut offsets = vec![0usize; of_user.len() + 1];
        let mut positions = Vec::with_capacity(pairs.len());
        for &(user, item) in &pairs {
            let pool: &[u32] = &pools[of_user[user as usize] as usize];
            positions.push(pool.partition_point(|&other| other < item) as u32);
            offsets[user as usize + 1] = positions.len();
        }
        for user in 1..offsets.len() {
            offsets[user] = offsets[user].max(offsets[user - 1]);
        }
        Ok(Touched { of_user, pools, offsets, positions })
    }

    fn pool(&self, user: u32) -> &[u32] {
        &self.pools[self.of_user[user as usize] as usize]
    }

    fn taken(&self, user: u32) -> &[u32] {
        &self.positions[self.offsets[user as usize]..self.offsets[user as usize + 1]]
    }

    fn free(&self, user: u32) -> u32 {
        (self.pool(user).len() - self.taken(user).len()) as u32
    }

    /// The `rank`-th of the pool's items that are not taken.
    fn item(&self, user: u32, rank: u32) -> u32 {
        let taken = self.taken(user);
        // Before the n-th taken position there are `taken[n] − n` free ones.
        let (mut low, mut high) = (0, taken.len());
        while low < high {
            let middle = (low + high) / 2;
            if taken[middle] - middle as u32 <= rank {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.pool(user)[rank as usize + low]
    }

    /// Up to `count` distinct free items, ascending (Floyd's algorithm: Bentley and Floyd, "A sample of brilliance",
    /// CACM 1987).
    fn sample(&self, user: u32, count: u32, numbers: &mut Stream) -> Vec<u32> {
        let free = self.free(user);
        let mut ranks = BTreeSet::new();
        for highest in free - count.min(free)..free {
            let rank = numbers.random_range(0..=highest);
            if !ranks.insert(rank) {
                ranks.insert(highest);
            }
        }
        ranks.into_iter().map(|rank| self.item(user, rank)).collect()
    }
}
