use kohort_eval::binary::{average_precision, log_loss, roc_auc};
use kohort_eval::cube::{Cube, CubeMetric, Undefined};
use kohort_eval::rating::{mae, rmse};
use kohort_random::rand::Rng;
use kohort_random::stream;

const ALL: [CubeMetric; 5] = [
    CubeMetric::RocAuc,
    CubeMetric::AveragePrecision,
    CubeMetric::LogLoss,
    CubeMetric::Rmse,
    CubeMetric::Mae,
];

#[test]
fn every_cell_is_the_metric_of_its_rows() {
    let mut numbers = stream(1, "cube", &[]);
    let n = 2000;
    let cohorts: Vec<u32> = (0..n).map(|_| numbers.random_range(0..4) * 10).collect();
    let tasks: Vec<u32> = (0..n).map(|_| numbers.random_range(0..3)).collect();
    let predictions: Vec<f32> = (0..n).map(|_| numbers.random_range(0..50) as f32 / 50.0).collect();
    let targets: Vec<f32> =
        predictions.iter().map(|&p| if numbers.random::<f32>() < p { 1.0 } else { 0.0 }).collect();
    let cube = Cube::new(&ALL, &cohorts, &tasks, &predictions, &targets).unwrap();
    assert_eq!(cube.cells.len(), 5 * 3 * ALL.len());
    for cell in &cube.cells {
        let rows: Vec<usize> = (0..n)
            .filter(|&r| tasks[r] == cell.task && cell.cohort.is_none_or(|c| c == cohorts[r]))
            .collect();
        let p: Vec<f32> = rows.iter().map(|&r| predictions[r]).collect();
        let t: Vec<f32> = rows.iter().map(|&r| targets[r]).collect();
        let labels: Vec<bool> = t.iter().map(|&t| t == 1.0).collect();
        let expected = match cell.metric {
            CubeMetric::RocAuc => roc_auc(&p, &labels).unwrap().unwrap(),
            CubeMetric::AveragePrecision => average_precision(&p, &labels).unwrap().unwrap(),
            CubeMetric::LogLoss => log_loss(&p, &labels).unwrap(),
            CubeMetric::Rmse => rmse(&p, &t).unwrap(),
            CubeMetric::Mae => mae(&p, &t).unwrap(),
        };
        // Rows of all cohorts together are added in another order.
        assert!((cell.value.unwrap() - expected).abs() < 1e-12, "{cell:?}");
        assert_eq!(cell.rows, rows.len());
        assert_eq!(cell.positives, labels.iter().filter(|&&l| l).count());
    }
}

#[test]
fn cells_without_a_value_say_why() {
    let cube =
        Cube::new(&ALL, &[0, 0, 1, 2], &[0, 0, 1, 0], &[0.5, 2.0, 0.5, 0.5], &[1.0, 0.0, 3.0, 1.0]).unwrap();
    let value = |cohort, task, metric| cube.get(Some(cohort), task, metric).unwrap().value;
    assert_eq!(value(1, 0, CubeMetric::Rmse), Err(Undefined::NoRows));
    assert_eq!(value(1, 0, CubeMetric::RocAuc), Err(Undefined::NoRows));
    assert_eq!(value(1, 1, CubeMetric::RocAuc), Err(Undefined::TargetsNotBinary));
    assert_eq!(value(1, 1, CubeMetric::Mae), Ok(2.5));
    assert_eq!(value(2, 0, CubeMetric::AveragePrecision), Err(Undefined::OneClass));
    assert_eq!(value(0, 0, CubeMetric::LogLoss), Err(Undefined::NotProbabilities));
    assert_eq!(value(0, 0, CubeMetric::RocAuc), Ok(0.0));
    assert_eq!(Undefined::OneClass.to_string(), "one class only");
}

#[test]
fn absurd_tables_and_bad_rows_are_refused() {
    let ids: Vec<u32> = (0..3000).collect();
    let numbers = vec![0.5; 3000];
    let error = Cube::new(&ALL, &ids, &ids, &numbers, &numbers).unwrap_err();
    assert!(error.to_string().starts_with("`cohorts x tasks x metrics` is 45015000; allowed"), "{error}");
    assert!(Cube::new(&ALL, &[0], &[0], &[f32::NAN], &[1.0]).is_err());
    assert!(Cube::new(&ALL, &[0, 1], &[0], &[0.5], &[1.0]).is_err());
}
