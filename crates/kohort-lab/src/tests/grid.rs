//! The grid with cells that fail.

use anyhow::anyhow;
use serde_json::json;

use crate::grid::{Cell, End, Key, Progress, Store, run};
use crate::outcome::{Number, Outcome};

fn cell<'a>(system: &str, work: impl Fn() -> anyhow::Result<Outcome> + Send + Sync + 'a) -> Cell<'a> {
    Cell {
        key: Key {
            experiment: "main".into(),
            dataset: "d".into(),
            split: "s".into(),
            seed: 3,
            system: system.into(),
            title: system.into(),
            variant: None,
        },
        cost: 1.0,
        settings: json!(null),
        work: Box::new(work),
    }
}

fn good(value: f64) -> anyhow::Result<Outcome> {
    Ok(Outcome { numbers: vec![Number::new("a", "rating", "RMSE", value)], ..Outcome::default() })
}

#[test]
fn a_cell_that_fails_or_panics_is_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "code".into()).unwrap();
    let cells = [
        cell("fails", || Err(anyhow!("no rows"))),
        cell("panics", || panic!("index out of range")),
        cell("works", || good(0.5)),
        cell("not-a-number", || good(f64::NAN)),
    ];
    let ends = run(&cells, &store, 2, &Progress::silent()).unwrap();
    let failed: Vec<String> = ends
        .iter()
        .filter_map(|end| match end {
            End::Failed { key, why } => Some(format!("{key}: {why}")),
            End::Done { .. } => None,
        })
        .collect();
    assert_eq!(failed.len(), 3);
    assert!(failed[0].contains("seed 3, fails") && failed[0].contains("no rows"), "{}", failed[0]);
    assert!(failed[1].contains("panics") && failed[1].contains("index out of range"), "{}", failed[1]);
    assert!(failed[2].contains("finite"), "{}", failed[2]);
    assert!(
        matches!(&ends[2], End::Done { finished, resumed: false } if finished.outcome.numbers[0].value == 0.5)
    );
}

#[test]
fn a_cell_is_found_again_unless_its_settings_or_the_code_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "code".into()).unwrap();
    let first = [cell("one", || good(0.1 + 0.2))];
    run(&first, &store, 1, &Progress::silent()).unwrap();

    let never = || -> anyhow::Result<Outcome> { panic!("run again") };
    let ends = run(&[cell("one", never)], &store, 1, &Progress::silent()).unwrap();
    assert!(
        matches!(&ends[0], End::Done { finished, resumed: true } if finished.outcome.numbers[0].value == 0.1 + 0.2)
    );
    let changed = Cell { settings: json!({ "lambda": 2 }), ..cell("one", never) };
    assert!(store.load(&changed).unwrap().is_none());
    let other_code = Store::open(folder.path(), "other code".into()).unwrap();
    assert!(other_code.load(&cell("one", never)).unwrap().is_none());
}
