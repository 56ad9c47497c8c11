//! Predictions equal those of scikit-surprise on a small table; `tests/golden/baselines.py` made the values.

use kohort_data::{Interactions, Queries, Train};
use serde::Deserialize;

use super::all_pairs;
use crate::baselines::Scorer;
use crate::baselines::bias::{Bias, BiasConfig};
use crate::baselines::factors::Table;
use crate::baselines::knn::{Centre, Knn, KnnConfig, Neighbours, Similarity};
use crate::baselines::nmf::{Nmf, NmfConfig};
use crate::baselines::observed::Observed;
use crate::baselines::slope_one::SlopeOne;
use crate::baselines::svd::{Svd, SvdConfig};
use crate::baselines::svdpp::{Start, SvdPp, SvdPpConfig};

#[derive(Deserialize)]
struct Golden {
    users: usize,
    items: usize,
    user: Vec<u32>,
    item: Vec<u32>,
    rating: Vec<f32>,
    factors: usize,
    svd_start: Drawn,
    svd: Vec<f32>,
    svdpp_start: Drawn,
    svdpp: Vec<f32>,
    nmf_start: Drawn,
    nmf: Vec<f32>,
    bias: Vec<f32>,
    slope_one: Vec<f32>,
    knn: Vec<GoldenKnn>,
}

#[derive(Deserialize)]
struct Drawn {
    users: Vec<Vec<f32>>,
    items: Vec<Vec<f32>>,
    #[serde(default)]
    implicit: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct GoldenKnn {
    neighbours: Neighbours,
    centre: Centre,
    similarity: String,
    k: usize,
    min_k: usize,
    predictions: Vec<f32>,
}

impl Golden {
    fn read() -> Golden {
        serde_json::from_str(include_str!("../../../tests/golden/baselines.json")).unwrap()
    }

    fn train(&self) -> Train {
        Train::new(Interactions {
            user: self.user.clone(),
            item: self.item.clone(),
            rating: self.rating.clone(),
            time: vec![0; self.user.len()],
            users: self.users,
            items: self.items,
        })
        .unwrap()
    }

    fn table(&self, rows: &[Vec<f32>]) -> Table {
        Table::from_rows(self.factors, rows)
    }

    fn check(&self, what: &str, model: &dyn Scorer, expected: &[f32]) {
        let (user, item) = all_pairs(self.users, self.items);
        let scores = model.score(Queries { user: &user, item: &item, time: &vec![0; user.len()] });
        assert_eq!(scores.len(), expected.len());
        for (at, (&score, &golden)) in scores.iter().zip(expected).enumerate() {
            let (user, item) = (user[at], item[at]);
            assert!(
                (score - golden).abs() <= 1e-5,
                "{what}: user {user}, item {item}: {score}, golden {golden}"
            );
        }
    }
}

#[test]
fn bias_equals_surprise() {
    let golden = Golden::read();
    golden.check("bias", &Bias::fit(&golden.train(), &BiasConfig::default()).unwrap(), &golden.bias);
}

#[test]
fn slope_one_equals_surprise() {
    let golden = Golden::read();
    golden.check("slope one", &SlopeOne::fit(&golden.train()).unwrap(), &golden.slope_one);
}

#[test]
fn every_neighbourhood_equals_surprise() {
    let golden = Golden::read();
    for case in &golden.knn {
        let similarity = match case.similarity.as_str() {
            "msd" => Similarity::MeanSquaredDifference,
            "cosine" => Similarity::Cosine,
            "pearson" => Similarity::Pearson,
            "pearson_baseline" => Similarity::PearsonBias { shrinkage: 100.0 },
            other => panic!("similarity {other}"),
        };
        let config = KnnConfig {
            neighbours: case.neighbours,
            centre: case.centre,
            similarity,
            k: case.k,
            min_k: case.min_k,
            ..KnnConfig::default()
        };
        golden.check(&format!("{config:?}"), &Knn::fit(&golden.train(), &config).unwrap(), &case.predictions);
    }
}

#[test]
fn svd_equals_surprise_from_the_same_factors() {
    let golden = Golden::read();
    let observed = Observed::new("test", &golden.train()).unwrap();
    let config = SvdConfig { factors: golden.factors, ..SvdConfig::default() };
    let start = &golden.svd_start;
    let model =
        Svd::descend(&observed, &config, golden.table(&start.users), golden.table(&start.items)).unwrap();
    golden.check("svd", &model, &golden.svd);
}

#[test]
fn svd_plus_plus_equals_surprise_from_the_same_factors() {
    let golden = Golden::read();
    let observed = Observed::new("test", &golden.train()).unwrap();
    let config = SvdConfig { factors: golden.factors, ..SvdPpConfig::default().0 };
    let drawn = &golden.svdpp_start;
    let start = Start {
        users: golden.table(&drawn.users),
        items: golden.table(&drawn.items),
        implicit: golden.table(&drawn.implicit),
    };
    golden.check("svd++", &SvdPp::descend(&observed, &config, start).unwrap(), &golden.svdpp);
}

#[test]
fn nmf_equals_surprise_from_the_same_factors() {
    let golden = Golden::read();
    let observed = Observed::new("test", &golden.train()).unwrap();
    let config = NmfConfig { factors: golden.factors, ..NmfConfig::default() };
    let start = &golden.nmf_start;
    let model =
        Nmf::descend(&observed, &config, golden.table(&start.users), golden.table(&start.items)).unwrap();
    golden.check("nmf", &model, &golden.nmf);
}
