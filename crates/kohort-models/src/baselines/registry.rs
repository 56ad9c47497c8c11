//! Every baseline by name, with the settings it is compared under.

use kohort_data::Train;

use super::bias::{Bias, BiasConfig};
use super::knn::{Centre, Knn, KnnConfig, Neighbours, Similarity};
use super::mean::{GlobalMean, ItemMean, ItemMeanConfig};
use super::nmf::{Nmf, NmfConfig};
use super::popularity::Popularity;
use super::random::Random;
use super::slope_one::SlopeOne;
use super::svd::{Svd, SvdConfig};
use super::svdpp::{SvdPp, SvdPpConfig};
use super::{BaselineError, Scorer};

/// Fits a baseline with its default settings on a training part, from a seed.
pub type Fit = fn(&Train, u64) -> Result<Box<dyn Scorer>, BaselineError>;

/// One baseline.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name in results and on the command line.
    pub name: &'static str,
    /// Name in tables.
    pub title: &'static str,
    /// Fits it; the seed has no effect where the system draws no numbers.
    pub fit: Fit,
}

/// All baselines, the floors first. A new one is a file of its own and a line here.
pub fn registry() -> Vec<Entry> {
    macro_rules! entry {
        ($name:literal, $title:literal, $fit:expr) => {
            Entry { name: $name, title: $title, fit: |train, seed| boxed($fit, train, seed) }
        };
    }
    vec![
        entry!("random", "Random", Random::fit),
        entry!("popularity", "Popularity", |train, _| Popularity::fit(train)),
        entry!("global-mean", "Global mean", |train, _| GlobalMean::fit(train)),
        entry!("item-mean", "Item mean (damped)", |train, _| ItemMean::fit(
            train,
            &ItemMeanConfig::default()
        )),
        entry!("bias", "User and item bias", |train, _| Bias::fit(train, &BiasConfig::default())),
        entry!("svd", "SVD", |train, seed| Svd::fit(train, &SvdConfig::default(), seed)),
        entry!("svd++", "SVD++", |train, seed| SvdPp::fit(train, &SvdPpConfig::default(), seed)),
        entry!("nmf", "NMF", |train, seed| Nmf::fit(train, &NmfConfig::default(), seed)),
        entry!("slope-one", "Slope One", |train, _| SlopeOne::fit(train)),
        entry!("knn-user", "k-NN, users", |train, _| knn(train, Neighbours::Users, Centre::None)),
        entry!("knn-user-mean", "k-NN, users, centred", |train, _| knn(
            train,
            Neighbours::Users,
            Centre::Mean
        )),
        entry!("knn-user-zscore", "k-NN, users, z-score", |train, _| knn(
            train,
            Neighbours::Users,
            Centre::ZScore
        )),
        entry!("knn-user-bias", "k-NN, users, bias", |train, _| knn(train, Neighbours::Users, Centre::Bias)),
        entry!("knn-item", "k-NN, items", |train, _| knn(train, Neighbours::Items, Centre::None)),
        entry!("knn-item-mean", "k-NN, items, centred", |train, _| knn(
            train,
            Neighbours::Items,
            Centre::Mean
        )),
        entry!("knn-item-pearson", "k-NN, items, bias, shrunk Pearson", |train, _| Knn::fit(
            train,
            &KnnConfig {
                neighbours: Neighbours::Items,
                centre: Centre::Bias,
                similarity: Similarity::PearsonBias { shrinkage: 100.0 },
                ..KnnConfig::default()
            }
        )),
    ]
}

fn boxed<S: Scorer + 'static>(
    fit: impl Fn(&Train, u64) -> Result<S, BaselineError>,
    train: &Train,
    seed: u64,
) -> Result<Box<dyn Scorer>, BaselineError> {
    Ok(Box::new(fit(train, seed)?))
}

fn knn(train: &Train, neighbours: Neighbours, centre: Centre) -> Result<Knn, BaselineError> {
    Knn::fit(train, &KnnConfig { neighbours, centre, ..KnnConfig::default() })
}
