//! All titles of the user's territory but those of the own training and validation rows: nDCG@10, and what the lists do to
//! popular, rare, local and global titles.

use anyhow::Result;
use kohort_data::Index;
use kohort_data::territories::{Reach, ReachRule, Title};
use kohort_eval::popularity::{Popularity, Tail, bias, local_lift, local_share, popularity_lift};
use kohort_eval::ranking::{CandidateLists, Candidates, Catalogue, Exclusions};

use super::sampled::{NDCG, NO_POSITIVES, by_users, protocol};
use super::{WHOLE, Yardstick, undefined};
use crate::outcome::{Curve, Number, Outcome};
use crate::territories::systems::Fitted;
use crate::territories::world::World;

/// Length of the lists.
pub(crate) const K: usize = 10;
/// The long tail: all but the most popular fifth of the territory's titles.
pub(crate) const TAIL: Tail = Tail::OutsideHead { share: 0.2 };
/// The classes of titles in distributions.
pub(crate) const CLASSES: [&str; 2] = ["local", "global"];
/// Titles with fewer training rows than this, over all territories, have no standing of their own.
pub(crate) const LEAST_ROWS: u32 = 10;
/// Metrics of popularity bias, in the order of tables.
pub(crate) const BIAS: [&str; 9] = [
    "ARP",
    "Popularity lift",
    "APLT",
    "ACLT",
    "Gini",
    "Coverage",
    "Local share",
    "Local lift",
    "Global share",
];

/// Bins of log-odds: width 0.5 from −18 to 8, what lies outside in the last ones.
const FIRST: f64 = -18.0;
const WIDTH: f64 = 0.5;
const COUNT: usize = 52;

pub(super) fn measure(yardstick: &Yardstick<'_>, fitted: &Fitted) -> Result<Outcome> {
    let world = yardstick.world;
    let mut outcome = Outcome::default();
    let reach = Reach::of(world.train(), &world.territories, ReachRule::default())?;
    let popular = rows_of_items(world);
    for territory in 0..world.territories.len() as u32 {
        of_territory(&mut outcome, yardstick, fitted, territory, &reach, &popular)?;
    }
    Ok(outcome)
}

/// Training rows of each item, over all territories.
pub(crate) fn rows_of_items(world: &World) -> Vec<u32> {
    let rows = world.train().rows();
    Index::new(&rows.item, rows.items).sizes().map(|size| size as u32).collect()
}

fn of_territory(
    outcome: &mut Outcome,
    yardstick: &Yardstick<'_>,
    fitted: &Fitted,
    territory: u32,
    reach: &Reach,
    popular: &[u32],
) -> Result<()> {
    let Yardstick { world, what, .. } = *yardstick;
    const BLOCK: usize = 64;
    let name = &world.territories.names()[territory as usize];
    let items = &world.catalogues[territory as usize];
    let lives = |user: u32| world.territories.of_user()[user as usize] == territory;
    // Inside a territory's catalogue a title has a number of its own; every row of its users is in it.
    let local = |item: u32| items.partition_point(|&other| other < item) as u32;
    let own_rows = |user: &[u32], item: &[u32]| -> (Vec<u32>, Vec<u32>) {
        let pairs = user.iter().zip(item).filter(|(user, _)| lives(**user));
        pairs.map(|(&user, &item)| (user, local(item))).unzip()
    };
    let (train, test) = (world.train().rows(), world.parts.test.answers());
    let (held_users, held_items) = own_rows(&test.user, &test.item);
    if held_users.is_empty() {
        for metric in std::iter::once(NDCG).chain(BIAS) {
            let task = if metric == NDCG { "ranking" } else { "popularity" };
            outcome.undefined.push(undefined(WHOLE, task, name, metric, NO_POSITIVES));
        }
        return Ok(());
    }
    let (train_users, train_items) = own_rows(&train.user, &train.item);
    let validation = world.parts.validation.rows();
    let (mut known_users, mut known_items) = own_rows(&validation.user, &validation.item);
    known_users.extend(&train_users);
    known_items.extend(&train_items);
    let exclude = Exclusions::new(&known_users, &known_items)?;
    let held = CandidateLists::held_out(&held_users, &held_items, &vec![1.0; held_users.len()])?;
    let catalogue = Catalogue::new(&held, &exclude, items.len() as u32)?;
    let protocol = protocol(Candidates::WholeCatalogue);
    let population = 1.0 / (1.0 + f64::from(yardstick.negatives));
    let shift = fitted.probabilities.map_or(Ok(0.0), |probabilities| probabilities.shift(population))?;
    let mut seen = Seen::new(items, reach, territory, shift, what.titles.then_some(popular));
    let found = catalogue.evaluate_blocks(&protocol, BLOCK, |users, scores| {
        fitted.ranker.lists(users, items, scores);
        for (&user, scores) in users.iter().zip(scores.chunks_exact(items.len())) {
            seen.add(scores, exclude.of(user));
        }
    })?;
    let mut part = Outcome::default();
    by_users(
        &mut part,
        world,
        WHOLE,
        &found,
        &catalogue.floor(&protocol)?,
        &catalogue.ceiling(&protocol)?,
        what.per_user,
    )?;
    part.undefined.clear();
    outcome.extend(part);
    outcome.counts.push((format!("{WHOLE}: titles, {name}"), items.len() as f64));

    let mut push = |metric: &str, value: Option<f64>| match value {
        Some(value) => outcome.numbers.push(Number::new(WHOLE, "popularity", metric, value).of(name)),
        None => outcome.undefined.push(undefined(WHOLE, "popularity", name, metric, "nothing to divide by")),
    };
    let popularity = Popularity::of(&train_users, &train_items, items.len())?;
    let biased = bias(&seen.lists, &popularity, &popularity.tail(TAIL)?)?;
    let profiles = profiles(held.units(), &train_users, &train_items);
    let lift = popularity_lift(&profiles, &seen.lists, &popularity)?;
    push("ARP", biased.arp);
    push("Popularity lift", lift.and_then(|lift| lift.relative()));
    push("APLT", biased.aplt);
    push("ACLT", biased.aclt);
    push("Gini", Some(biased.gini));
    push("Coverage", Some(biased.coverage));
    push("Local share", local_share(&seen.lists, &seen.is[0])?);
    push("Local lift", local_lift(&seen.lists, &train_items, &seen.is[0])?);
    push("Global share", local_share(&seen.lists, &seen.is[1])?);
    for (class, standing) in CLASSES.iter().zip(seen.standing()) {
        if let Some(value) = standing.filter(|_| what.titles) {
            let metric = format!("Mean standing, {class} titles");
            outcome.numbers.push(Number::new(WHOLE, "popularity", metric, value).of(name));
        }
    }
    outcome.curves.extend(seen.curves(name));
    Ok(())
}

/// Training items of each of `units`, each once.
fn profiles(units: &[u32], users: &[u32], items: &[u32]) -> Vec<Vec<u32>> {
    let mut pairs: Vec<(u32, u32)> = users.iter().copied().zip(items.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let own = |unit: u32| {
        let (from, to) =
            (pairs.partition_point(|pair| pair.0 < unit), pairs.partition_point(|pair| pair.0 <= unit));
        pairs[from..to].iter().map(|pair| pair.1).collect()
    };
    units.iter().map(|&unit| own(unit)).collect()
}

/// What the users' scores of a territory add up to.
struct Seen<'a> {
    items: &'a [u32],
    /// The top of every user's list.
    lists: Vec<Vec<u32>>,
    /// Whether each title is local here, or global.
    is: [Vec<bool>; 2],
    titles: Option<Titles>,
}

/// Sums over users for single titles and classes.
struct Titles {
    /// Added to a log-odds.
    shift: f64,
    /// Whether a title's standing is kept.
    kept: Vec<bool>,
    /// Sum of the share of the list below the title, and in how many lists it could be.
    below: Vec<(f64, u32)>,
    /// Users with each log-odds, for both classes.
    histogram: [[u64; COUNT]; 2],
    /// The same for the local and the global title with the most rows here.
    cases: [Option<(u32, [u64; COUNT])>; 2],
}

impl<'a> Seen<'a> {
    fn new(items: &'a [u32], reach: &Reach, territory: u32, shift: f64, popular: Option<&[u32]>) -> Seen<'a> {
        let of = |wanted: Title| -> Vec<bool> {
            items.iter().map(|&item| reach.titles()[item as usize] == wanted).collect()
        };
        let is = [of(Title::Local { territory }), of(Title::Global)];
        let titles = popular.map(|rows| {
            let case = |of: &Vec<bool>| {
                let own = (0u32..).zip(of).filter(|(_, is)| **is).map(|(at, _)| at);
                let most = own.max_by_key(|&at| (rows[items[at as usize] as usize], std::cmp::Reverse(at)));
                most.map(|at| (at, [0; COUNT]))
            };
            Titles {
                shift,
                kept: items.iter().map(|&item| rows[item as usize] >= LEAST_ROWS).collect(),
                below: vec![(0.0, 0); items.len()],
                histogram: [[0; COUNT]; 2],
                cases: [case(&is[0]), case(&is[1])],
            }
        });
        Seen { items, lists: Vec::new(), is, titles }
    }

    /// One user's scores of all titles, without those that are `excluded`.
    fn add(&mut self, scores: &[f32], excluded: &[u32]) {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        let mut taken = excluded.iter().peekable();
        order.retain(|at| taken.next_if(|&&next| next == *at).is_none());
        let better = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
        match &mut self.titles {
            Some(titles) => {
                order.sort_unstable_by(better);
                titles.add(scores, &order, &self.is);
            }
            None => {
                if order.len() > K {
                    order.select_nth_unstable_by(K - 1, better);
                    order.truncate(K);
                }
                order.sort_unstable_by(better);
            }
        }
        self.lists.push(order.into_iter().take(K).collect());
    }

    /// Mean share of the list below a title of each class.
    fn standing(&self) -> [Option<f64>; 2] {
        let Some(titles) = &self.titles else { return [None, None] };
        [0, 1].map(|class| {
            let own = titles.below.iter().zip(&self.is[class]).filter(|(_, is)| **is);
            let (sum, n) = own.fold((0.0, 0u64), |(sum, n), ((s, m), _)| (sum + s, n + u64::from(*m)));
            (n > 0).then(|| sum / n as f64)
        })
    }

    /// Standings of single titles, and histograms.
    fn curves(&self, name: &str) -> Vec<Curve> {
        let Some(titles) = &self.titles else { return Vec::new() };
        let standing = (0..self.items.len())
            .filter(|&at| titles.kept[at] && titles.below[at].1 > 0)
            .map(|at| {
                let (sum, lists) = titles.below[at];
                // Six digits tell a place among a million.
                (f64::from(self.items[at]), (1e6 * sum / f64::from(lists)).round() / 1e6)
            })
            .collect();
        let mut curves = vec![Curve { name: format!("standing, {name}"), points: standing }];
        for (class, counts) in CLASSES.iter().zip(&titles.histogram) {
            curves.push(Curve { name: format!("scores, {name}, {class} titles"), points: shares(counts) });
        }
        for (class, case) in CLASSES.iter().zip(&titles.cases) {
            if let Some((at, counts)) = case {
                let item = self.items[*at as usize];
                curves.push(Curve { name: format!("case, {name}, {class}, {item}"), points: shares(counts) });
            }
        }
        curves
    }
}

impl Titles {
    /// `order`: the titles of one user's list, best first.
    fn add(&mut self, scores: &[f32], order: &[u32], is: &[Vec<bool>; 2]) {
        let last = order.len().saturating_sub(1).max(1) as f64;
        for (place, &at) in order.iter().enumerate() {
            let below = &mut self.below[at as usize];
            *below = (below.0 + 1.0 - place as f64 / last, below.1 + 1);
        }
        let classes = self.histogram.iter_mut().zip(&mut self.cases).zip(is);
        for ((histogram, case), is) in classes {
            for &at in order.iter().filter(|&&at| is[at as usize]) {
                histogram[bin(f64::from(scores[at as usize]) + self.shift)] += 1;
            }
            if let Some((case, counts)) = case
                && order.contains(case)
            {
                counts[bin(f64::from(scores[*case as usize]) + self.shift)] += 1;
            }
        }
    }
}

fn bin(log_odds: f64) -> usize {
    // A cast saturates: what is not a number would be 0, and there is none.
    (((log_odds - FIRST) / WIDTH) as usize).min(COUNT - 1)
}

/// Middle of the bin and share of the scores in it.
fn shares(counts: &[u64; COUNT]) -> Vec<(f64, f64)> {
    let all = counts.iter().sum::<u64>().max(1) as f64;
    let middle = |bin: usize| FIRST + WIDTH * (bin as f64 + 0.5);
    counts.iter().enumerate().map(|(bin, &n)| (middle(bin), n as f64 / all)).collect()
}
