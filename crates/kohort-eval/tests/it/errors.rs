//! Wrong input is refused with the slice, the place and what is allowed; nothing panics.

use kohort_eval::EvalError;
use kohort_eval::interval::Alternative;
use kohort_eval::ranking::{
    CandidateLists, Candidates, Catalogue, Exclusions, Gain, PerUnit, RankingMetric, RankingProtocol,
    UNRATED, compare_rankings,
};

fn lists() -> CandidateLists {
    CandidateLists::held_out(&[0, 0], &[0, 1], &[5.0, -1.0]).unwrap()
}

fn binary_gain() -> RankingProtocol {
    RankingProtocol { gain: Gain::Binary, ..RankingProtocol::default() }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, EvalError>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn a_protocol_for_another_candidate_set_is_refused() {
    let protocol = RankingProtocol { candidates: Candidates::WholeCatalogue, ..binary_gain() };
    refused(
        lists().evaluate(&protocol, &[1.0, 2.0]),
        "`candidates` is WholeCatalogue; allowed: HeldOutRated, which is what these lists hold",
    );
    let (held_out, exclude) = (lists(), Exclusions::default());
    let catalogue = Catalogue::new(&held_out, &exclude, 2).unwrap();
    refused(
        catalogue.evaluate(&binary_gain(), |_, scores| scores.fill(0.0)),
        "`candidates` is HeldOutRated; allowed: WholeCatalogue for a catalogue",
    );
    let sampled = held_out.with_negatives(1, 0, 5, &exclude).unwrap();
    assert!(Catalogue::new(&sampled, &exclude, 5).is_err());
    assert!(sampled.with_negatives(1, 0, 5, &exclude).is_err());
}

#[test]
fn settings_out_of_range_are_named() {
    let protocol = RankingProtocol { k: 0, ..binary_gain() };
    refused(lists().evaluate(&protocol, &[1.0, 2.0]), "`k` is 0; allowed: at least 1");
    let protocol = RankingProtocol { relevant_from: f32::NAN, ..binary_gain() };
    assert!(lists().floor(&protocol).is_err());
    refused(
        lists().evaluate(&RankingProtocol::default(), &[1.0, 2.0]),
        "`grades` is -1 at index 1; allowed: 0 to 64 with exponential gain",
    );
    let huge = CandidateLists::held_out(&[0], &[0], &[1e30]).unwrap();
    assert!(huge.ceiling(&RankingProtocol::default()).is_err());
}

#[test]
fn scores_that_do_not_fit_are_named() {
    refused(
        lists().evaluate(&binary_gain(), &[1.0]),
        "`scores` has 1 values but `rows` has 2; both must describe the same rows",
    );
    refused(
        lists().evaluate(&binary_gain(), &[1.0, f32::NAN]),
        "`scores` is NaN at index 1; allowed: any number but NaN",
    );
}

#[test]
fn scores_a_model_forgot_to_write_are_an_error() {
    let (held_out, exclude) = (lists(), Exclusions::default());
    let catalogue = Catalogue::new(&held_out, &exclude, 3).unwrap();
    let protocol = RankingProtocol { candidates: Candidates::WholeCatalogue, ..binary_gain() };
    let result = catalogue.evaluate(&protocol, |_, scores| scores[..2].fill(1.0));
    refused(result, "`scores` is NaN at index 2; allowed: any number but NaN");
    assert!(catalogue.evaluate_blocks(&protocol, 0, |_, _| ()).is_err());
}

#[test]
fn rows_that_make_no_list_are_refused() {
    assert!(matches!(CandidateLists::held_out(&[], &[], &[]), Err(EvalError::TooFew { .. })));
    assert!(matches!(CandidateLists::held_out(&[0], &[], &[1.0]), Err(EvalError::Length { .. })));
    assert!(CandidateLists::held_out(&[0], &[0], &[f32::NAN]).is_err());
    assert!(CandidateLists::held_out(&[0], &[0], &[f32::INFINITY]).is_err());
    assert!(CandidateLists::held_out(&[0], &[0], &[UNRATED]).is_ok());
    assert!(Exclusions::new(&[0], &[]).is_err());
}

#[test]
fn items_outside_the_catalogue_are_named() {
    let held_out = CandidateLists::held_out(&[0], &[7], &[5.0]).unwrap();
    refused(
        Catalogue::new(&held_out, &Exclusions::default(), 7),
        "`items` is 7 at index 0; allowed: less than the number of items",
    );
    let exclude = Exclusions::new(&[0], &[9]).unwrap();
    assert!(Catalogue::new(&held_out, &exclude, 8).is_err());
    assert!(held_out.with_negatives(1, 0, 8, &exclude).is_err());
    assert!(Catalogue::new(&held_out, &Exclusions::default(), u32::MAX).is_err());
}

#[test]
fn rankings_under_different_protocols_are_not_compared() {
    let lists = CandidateLists::held_out(&[0, 0, 1, 1], &[0, 1, 0, 1], &[5.0, 1.0, 1.0, 5.0]).unwrap();
    let run = |k, scores: [f32; 4]| {
        lists.evaluate(&RankingProtocol { k, ..RankingProtocol::default() }, &scores).unwrap()
    };
    let (good, poor) = (run(1, [1.0, 0.0, 0.0, 1.0]), run(1, [1.0, 0.0, 1.0, 0.0]));
    let compare = |a: &PerUnit, b: &PerUnit| {
        compare_rankings(
            std::slice::from_ref(a),
            std::slice::from_ref(b),
            RankingMetric::Precision,
            Alternative::TwoSided,
        )
    };
    assert_eq!(compare(&good, &poor).unwrap().difference, 0.5);
    let error = compare(&good, &run(2, [1.0, 0.0, 1.0, 0.0])).unwrap_err().to_string();
    assert!(
        error.starts_with("`protocol` is \"Top 2 of") && error.contains("the other run's \"Top 1 of"),
        "{error}"
    );
}
