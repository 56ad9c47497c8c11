//! Agreement with scikit-learn and scipy; `tests/golden/make.py` wrote the numbers and names the versions.

use kohort_eval::binary::{average_precision, log_loss, rank_scores, roc_auc};
use kohort_eval::interval::{
    Alternative, WilcoxonMethod, paired_t_test, seed_interval, wilcoxon_signed_rank,
};
use kohort_eval::profiling::{
    ConfusionMatrix, adjusted_rand_index, cheapest_assignment, normalised_mutual_information,
};
use kohort_eval::ranking::{CandidateLists, Gain, RankingProtocol};
use serde_json::Value;

fn golden(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../golden/golden.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
}

#[track_caller]
fn close(got: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() <= 1e-10 * expected.abs().max(1e-3), "{got} instead of {expected}");
}

#[test]
fn scores_on_binary_labels_agree_with_scikit_learn_ties_included() {
    for case in golden("binary") {
        let scores = floats(&case["scores"]);
        let labels: Vec<bool> = ids(&case["labels"]).into_iter().map(|label| label == 1).collect();
        let single: Vec<f32> = scores.iter().map(|&s| s as f32).collect();
        close(roc_auc(&scores, &labels).unwrap().unwrap(), &case["roc_auc"]);
        close(average_precision(&scores, &labels).unwrap().unwrap(), &case["average_precision"]);
        close(log_loss(&scores, &labels).unwrap(), &case["log_loss"]);
        assert_eq!(rank_scores(&scores, &labels).unwrap(), rank_scores(&single, &labels).unwrap());
    }
}

#[test]
fn ndcg_agrees_with_scikit_learn_for_every_gain() {
    for case in golden("ndcg") {
        let (lists, scores) = one_unit(&case);
        for (gain, name) in
            [(Gain::Linear, "linear"), (Gain::Exponential, "exponential"), (Gain::Binary, "binary")]
        {
            let k = case["k"].as_u64().unwrap() as usize;
            let protocol = RankingProtocol { k, gain, relevant_from: 3.0, ..RankingProtocol::default() };
            close(lists.evaluate(&protocol, &scores).unwrap().ndcg[0].unwrap(), &case[name]);
        }
    }
}

#[test]
fn averaged_ties_agree_with_scikit_learns_ndcg() {
    for case in golden("ndcg_ties") {
        let (lists, scores) = one_unit(&case);
        let k = case["k"].as_u64().unwrap() as usize;
        let protocol = RankingProtocol { k, gain: Gain::Linear, ..RankingProtocol::default() };
        close(lists.evaluate(&protocol, &scores).unwrap().ndcg[0].unwrap(), &case["linear"]);
    }
}

fn one_unit(case: &Value) -> (CandidateLists, Vec<f32>) {
    let grades: Vec<f32> = floats(&case["grades"]).into_iter().map(|g| g as f32).collect();
    let items: Vec<u32> = (0..grades.len() as u32).collect();
    let lists = CandidateLists::held_out(&vec![3; grades.len()], &items, &grades).unwrap();
    (lists, floats(&case["scores"]).into_iter().map(|s| s as f32).collect())
}

#[test]
fn profiling_scores_agree_with_scikit_learn_even_for_a_class_never_predicted() {
    for case in golden("profile") {
        let (truth, predicted) = (ids(&case["truth"]), ids(&case["predicted"]));
        let matrix =
            ConfusionMatrix::new(&truth, &predicted, case["classes"].as_u64().unwrap() as usize).unwrap();
        close(matrix.accuracy(), &case["accuracy"]);
        for (average, name) in [(matrix.macro_average(), "macro"), (matrix.micro_average(), "micro")] {
            close(average.precision, &case[name][0]);
            close(average.recall, &case[name][1]);
            close(average.f1, &case[name][2]);
        }
        for (class, scores) in matrix.per_class().into_iter().enumerate() {
            close(scores.precision.unwrap_or(0.0), &case["per_class"][0][class]);
            close(scores.recall.unwrap_or(0.0), &case["per_class"][1][class]);
            close(scores.f1.unwrap_or(0.0), &case["per_class"][2][class]);
            assert_eq!(scores.support, case["per_class"][3][class].as_u64().unwrap());
        }
        close(normalised_mutual_information(&truth, &predicted).unwrap(), &case["nmi"]);
        close(adjusted_rand_index(&truth, &predicted).unwrap(), &case["ari"]);
    }
}

#[test]
fn assignments_cost_what_scipys_cost() {
    for case in golden("assignment") {
        let (rows, columns) =
            (case["rows"].as_u64().unwrap() as usize, case["columns"].as_u64().unwrap() as usize);
        let cost = floats(&case["cost"]);
        let matched = cheapest_assignment(&cost, rows, columns).unwrap();
        let total: f64 =
            matched.iter().enumerate().filter_map(|(r, c)| c.map(|c| cost[r * columns + c])).sum();
        close(total, &case["total"]);
        assert_eq!(matched.iter().flatten().count(), rows.min(columns));
    }
}

#[test]
fn paired_tests_agree_with_scipy_for_every_alternative() {
    let mut exact_cases = 0;
    for case in golden("paired") {
        let differences = floats(&case["differences"]);
        for (at, alternative) in
            [Alternative::TwoSided, Alternative::Greater, Alternative::Less].into_iter().enumerate()
        {
            let t = paired_t_test(&differences, alternative).unwrap();
            close(t.statistic, &case["t"]);
            close(t.p, &case["t_p"][at]);
            let normal = wilcoxon_signed_rank(&differences, alternative, WilcoxonMethod::Normal).unwrap();
            close(normal.statistic, &case["w_plus"]);
            close(normal.p, &case["wilcoxon_normal_p"][at]);
            if let Some(expected) = case.get("wilcoxon_exact_p") {
                let exact = wilcoxon_signed_rank(&differences, alternative, WilcoxonMethod::Auto).unwrap();
                close(exact.p, &expected[at]);
                exact_cases += 1;
            }
        }
    }
    assert_eq!(exact_cases, 6);
}

#[test]
fn seed_intervals_agree_with_scipy() {
    for case in golden("seeds") {
        let spread = seed_interval(&floats(&case["values"]), case["level"].as_f64().unwrap()).unwrap();
        close(spread.interval.low, &case["low"]);
        close(spread.interval.high, &case["high"]);
    }
}
