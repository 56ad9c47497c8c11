//! Rules from configs to weights.

use kohort_objectives::rules::{Column, Kind, Known, Rows, RuleError, Rules, WeightRule};
use kohort_objectives::{Denominator, Objective};
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    weights: Vec<WeightRule>,
}

fn known() -> Known {
    let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<String>>();
    Known {
        tasks: names(&["click", "conversion"]),
        cohorts: names(&["casual", "fans"]),
        columns: vec![
            ("country".to_owned(), Kind::Names(names(&["DE", "JP", "US"]))),
            ("age".to_owned(), Kind::Numbers),
            ("price".to_owned(), Kind::Numbers),
        ],
    }
}

fn rules(text: &str) -> Result<Rules, RuleError> {
    Rules::new(&toml::from_str::<Config>(text).unwrap().weights, &known())
}

const COLUMNS: [Column<'static>; 3] = [
    Column::Codes(&[1, 1, 0, 2]),
    Column::Numbers(&[3.0, 40.0, 3.0, f32::NAN]),
    Column::Numbers(&[2.0, 0.5, 1.0, 4.0]),
];
const ROWS: Rows<'static> = Rows { count: 4, cohorts: &[0, 1, 1, 0], columns: &COLUMNS };

fn weights(text: &str, step: u64) -> Vec<Option<Vec<f32>>> {
    rules(text).unwrap().weights(ROWS, step).unwrap()
}

fn error(text: &str) -> String {
    rules(text).unwrap_err().to_string()
}

#[test]
fn new_users_in_jp_weigh_three_times_on_conversion() {
    let text = "[[weights]]
        name = 'new users in JP'
        task = 'conversion'
        when = [{ column = 'country', any-of = ['JP'] }, { column = 'age', at-least = 0, below = 30 }]
        factor = 3.0";
    assert_eq!(weights(text, 0), [None, Some(vec![3.0, 1.0, 1.0, 1.0])]);
}

#[test]
fn factors_of_several_rules_multiply_and_a_rule_without_task_is_for_all() {
    let text = "[[weights]]
        name = 'fans'
        cohort = 'fans'
        factor = 2
        [[weights]]
        name = 'by price'
        task = 'click'
        factor = { column = 'price' }";
    assert_eq!(weights(text, 0), [Some(vec![2.0, 1.0, 2.0, 4.0]), Some(vec![1.0, 2.0, 2.0, 1.0])]);
}

#[test]
fn a_plan_moves_a_rule_over_steps() {
    let text = "[[weights]]
        name = 'warm up'
        task = 'click'
        when = [{ column = 'country', any-of = ['JP', 'US'] }]
        factor = { schedule = { linear = { from = 0.0, to = 1.0, steps = 10 } } }";
    assert_eq!(weights(text, 5)[0], Some(vec![0.5, 0.5, 1.0, 0.5]));
    assert_eq!(weights(text, 10)[0], Some(vec![1.0; 4]));
}

#[test]
fn a_missing_number_meets_no_condition() {
    for condition in ["at-least = -1e9", "below = 1e9"] {
        let text = format!(
            "[[weights]]\nname = 'any age'\ntask = 'click'\nfactor = 0\nwhen = [{{ column = 'age', {condition} }}]"
        );
        assert_eq!(weights(&text, 0)[0], Some(vec![0.0, 0.0, 0.0, 1.0]));
    }
    let text =
        "[[weights]]\nname = 'three'\ntask = 'click'\nfactor = 0\nwhen = [{ column = 'age', any-of = [3] }]";
    assert_eq!(weights(text, 0)[0], Some(vec![0.0, 1.0, 0.0, 1.0]));
}

#[test]
fn weights_fit_an_objectives_terms() {
    let text = "[[weights]]\nname = 'no fans'\ntask = 'click'\ncohort = 'fans'\nfactor = 0";
    let weight = weights(text, 0).swap_remove(0);
    let objective = Objective::cross_entropy(Denominator::Weight);
    assert_eq!(objective.terms(4, weight.as_deref(), None).unwrap().scale, 0.5);
}

#[test]
fn unknown_names_are_named_with_their_rule_and_what_there_is() {
    assert_eq!(
        error("[[weights]]\nname = 'a'\ntask = 'buy'\nfactor = 1"),
        "rule `a`: no task `buy`, there are: click, conversion"
    );
    assert_eq!(
        error("[[weights]]\nname = 'a'\ncohort = 'newcomers'\nfactor = 1"),
        "rule `a`: no cohort `newcomers`, there are: casual, fans"
    );
    assert_eq!(
        error("[[weights]]\nname = 'a'\nfactor = 1\nwhen = [{ column = 'city', any-of = ['Bonn'] }]"),
        "rule `a`: no column `city`, there are: country, age, price"
    );
    assert_eq!(
        error("[[weights]]\nname = 'a'\nfactor = 1\nwhen = [{ column = 'country', any-of = ['JPN'] }]"),
        "rule `a`: no value in column `country`: `JPN`, there are: DE, JP, US"
    );
    assert_eq!(
        error("[[weights]]\nname = 'a'\nfactor = { column = 'cost' }"),
        "rule `a`: no column `cost`, there are: country, age, price"
    );
}

#[test]
fn factors_that_are_negative_or_no_numbers_are_named() {
    for (factor, shown) in [("-1.0", "-1"), ("nan", "NaN"), ("inf", "inf")] {
        assert_eq!(
            error(&format!("[[weights]]\nname = 'a'\nfactor = {factor}")),
            format!("rule `a`: factor is {shown}, expected a finite number of at least 0")
        );
    }
    assert_eq!(
        error("[[weights]]\nname = 'a'\nfactor = { schedule = { constant = -2.0 } }"),
        "rule `a`: schedule: constant is -2, expected a finite number of at least 0"
    );
}

#[test]
fn weights_from_columns_that_are_negative_or_missing_are_named() {
    let rules = rules("[[weights]]\nname = 'by age'\nfactor = { column = 'age' }").unwrap();
    let message = rules.weights(ROWS, 0).unwrap_err().to_string();
    assert_eq!(message, "rule `by age`: weight of row 3 becomes NaN, expected a finite number of at least 0");
    let columns = [COLUMNS[0], Column::Numbers(&[1.0, -2.0, 1.0, 1.0]), COLUMNS[2]];
    let message = rules.weights(Rows { columns: &columns, ..ROWS }, 0).unwrap_err().to_string();
    assert_eq!(message, "rule `by age`: weight of row 1 becomes -2, expected a finite number of at least 0");
}

#[test]
fn contradictory_rules_are_named() {
    let jp = "when = [{ column = 'country', any-of = ['JP'] }, { column = 'age', below = 30 }]";
    let other_way = "when = [{ column = 'age', below = 30 }, { column = 'country', any-of = ['JP', 'JP'] }]";
    assert_eq!(
        error(&format!(
            "[[weights]]\nname = 'a'\nfactor = 3\n{jp}\n[[weights]]\nname = 'b'\nfactor = 2\n{other_way}"
        )),
        "rules `a` and `b` contradict each other: they have the same task, cohort and conditions; keep one"
    );
    assert_eq!(
        error("[[weights]]\nname = 'a'\nfactor = 3\n[[weights]]\nname = 'a'\ntask = 'click'\nfactor = 2"),
        "rules `a` and `a` contradict each other: they have one name"
    );
    let off = "[[weights]]\nname = 'young off'\nfactor = 0\nwhen = [{ column = 'age', below = 50 }]";
    assert_eq!(
        error(&format!("[[weights]]\nname = 'a'\nfactor = 3\ntask = 'click'\n{jp}\n{off}")),
        "rules `a` and `young off` contradict each other: all rows of `a` have weight 0 by `young off`"
    );
    // Rules that only overlap are both meant.
    let overlaps = "[[weights]]\nname = 'a'\nfactor = 3\nwhen = [{ column = 'age', below = 60 }]";
    assert!(rules(&format!("{overlaps}\n{off}")).is_ok());
}

#[test]
fn conditions_that_say_nothing_or_fit_no_row_are_named() {
    let of = |condition: &str| {
        error(&format!("[[weights]]\nname = 'a'\nfactor = 1\nwhen = [{condition}]"))
            .replace("rule `a`, column ", "")
    };
    assert_eq!(of("{ column = 'age' }"), "`age`: neither values nor a range");
    assert_eq!(
        of("{ column = 'age', any-of = [1], below = 2 }"),
        "`age`: values and a range, expected one of them"
    );
    assert_eq!(of("{ column = 'age', at-least = 3, below = 3 }"), "`age`: a range that holds no number");
    assert_eq!(
        of("{ column = 'country', below = 3 }"),
        "`country`: a range needs numbers, and it holds names"
    );
    assert_eq!(
        of("{ column = 'age', any-of = ['old'] }"),
        "`age`: a value that is no number, and it holds numbers"
    );
    assert_eq!(
        of("{ column = 'age', below = 3 }, { column = 'age', at-least = 7 }"),
        "`age`: two conditions, expected one with all values or the whole range"
    );
    assert_eq!(
        error("[[weights]]\nname = 'a'\nfactor = { column = 'country' }"),
        "rule `a`, column `country`: a factor needs numbers, and it holds names"
    );
}

#[test]
fn rows_that_are_not_those_that_were_known_are_refused() {
    let rules = rules("[[weights]]\nname = 'fans'\ncohort = 'fans'\nfactor = 2").unwrap();
    let message = |rows| rules.weights(rows, 0).unwrap_err().to_string();
    assert_eq!(message(Rows { columns: &COLUMNS[..2], ..ROWS }), "rows for rules: 2 columns, expected 3");
    assert_eq!(message(Rows { cohorts: &[], ..ROWS }), "rows for rules: 0 cohorts, expected 4");
    assert_eq!(
        message(Rows { cohorts: &[0, 1, 7, 0], ..ROWS }),
        "rows for rules: row 2 is of cohort 7, expected one below 2"
    );
    let columns = [Column::Codes(&[0, 3, 0, 0]), COLUMNS[1], COLUMNS[2]];
    assert_eq!(
        message(Rows { columns: &columns, ..ROWS }),
        "rows for rules: row 1 of `country` has code 3, expected one below 3"
    );
    let columns = [COLUMNS[1], COLUMNS[1], COLUMNS[2]];
    assert_eq!(
        message(Rows { columns: &columns, ..ROWS }),
        "rows for rules: `country` holds numbers, expected codes"
    );
}
