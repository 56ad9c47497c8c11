//! The flat result row, and `results.json` as an array of such rows.

use serde::{Deserialize, Deserializer, Serialize};

/// One number of an experiment with everything needed to judge it; the line of `results.json`.
///
/// The fields are written in this order. An absent field is `null`, and so is a number that is not finite, because
/// JSON has no word for it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The experiment the number belongs to (`main`, `lambda`, `attention`, …).
    pub experiment: String,
    /// Name of the data set's manifest.
    pub dataset: String,
    /// Name of the protocol; its full text stands in the manifest and in the report's protocol box.
    #[serde(default)]
    pub protocol: Option<String>,
    /// The model or baseline.
    #[serde(default)]
    pub system: Option<String>,
    /// What differs from the system's main setting (`lambda=0.5`, `attention=uniform`).
    #[serde(default)]
    pub variant: Option<String>,
    /// The part of the users the number is about; absent for all.
    #[serde(default)]
    pub cohort: Option<String>,
    /// `rating`, `ranking`, `profiling`, ….
    #[serde(default)]
    pub task: Option<String>,
    /// Name of the metric, `RMSE` or `NDCG@10`.
    pub metric: String,
    /// Mean over the seeds.
    #[serde(default, deserialize_with = "finite")]
    pub mean: Option<f64>,
    /// Lower end of the interval of the mean.
    #[serde(default, deserialize_with = "finite")]
    pub low: Option<f64>,
    /// Upper end of the interval of the mean.
    #[serde(default, deserialize_with = "finite")]
    pub high: Option<f64>,
    /// How many seeds the mean is over.
    #[serde(default)]
    pub seeds: Option<u32>,
    /// What a random order (or a constant guess) gets under the same protocol.
    #[serde(default, deserialize_with = "finite")]
    pub floor: Option<f64>,
    /// What an oracle gets under the same protocol.
    #[serde(default, deserialize_with = "finite")]
    pub ceiling: Option<f64>,
    /// The number in the paper.
    #[serde(default, deserialize_with = "finite")]
    pub published: Option<f64>,
    /// Whether the published number was met.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// Why the verdict is what it is, one sentence; or why there is no mean.
    #[serde(default)]
    pub reason: Option<String>,
    /// Two-sided p-value of a paired test between the main system and this row's.
    #[serde(default, deserialize_with = "finite")]
    pub p_value: Option<f64>,
}

/// Whether a published number was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// Ours lies within the band stated for the row.
    #[serde(rename = "reproduced")]
    Reproduced,
    /// Ours lies outside the band.
    #[serde(rename = "not reproduced")]
    NotReproduced,
    /// The two numbers do not measure the same thing, or there is no published one.
    #[serde(rename = "not comparable")]
    NotComparable,
}

impl Verdict {
    /// The verdict in words, as `results.json` spells it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::NotComparable => "not comparable",
        }
    }
}

/// A setter per optional field; a number that is not finite is the same as none.
impl Row {
    /// A row with only its address; the setters fill the rest.
    pub fn new(experiment: impl Into<String>, dataset: impl Into<String>, metric: impl Into<String>) -> Self {
        Self {
            experiment: experiment.into(),
            dataset: dataset.into(),
            metric: metric.into(),
            ..Self::default()
        }
    }

    /// Names the protocol.
    pub fn protocol(mut self, name: impl Into<String>) -> Self {
        self.protocol = Some(name.into());
        self
    }

    /// Names the system.
    pub fn system(mut self, name: impl Into<String>) -> Self {
        self.system = Some(name.into());
        self
    }

    /// Names the variant.
    pub fn variant(mut self, name: impl Into<String>) -> Self {
        self.variant = Some(name.into());
        self
    }

    /// Names the cohort.
    pub fn cohort(mut self, name: impl Into<String>) -> Self {
        self.cohort = Some(name.into());
        self
    }

    /// Names the task.
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.task = Some(name.into());
        self
    }

    /// Sets the mean.
    pub fn mean(mut self, mean: f64) -> Self {
        self.mean = keep_finite(mean);
        self
    }

    /// Sets both ends of the interval.
    pub fn interval(mut self, low: f64, high: f64) -> Self {
        self.low = keep_finite(low);
        self.high = keep_finite(high);
        self
    }

    /// Sets the number of seeds.
    pub fn seeds(mut self, seeds: u32) -> Self {
        self.seeds = Some(seeds);
        self
    }

    /// Sets the random floor and the oracle ceiling.
    pub fn between(mut self, floor: f64, ceiling: f64) -> Self {
        self.floor = keep_finite(floor);
        self.ceiling = keep_finite(ceiling);
        self
    }

    /// Sets the number in the paper.
    pub fn published(mut self, value: f64) -> Self {
        self.published = keep_finite(value);
        self
    }

    /// Sets the verdict with its reason.
    pub fn verdict(mut self, verdict: Verdict, reason: impl Into<String>) -> Self {
        self.verdict = Some(verdict);
        self.reason = Some(reason.into());
        self
    }

    /// Sets the p-value of the paired test against the main system.
    pub fn p_value(mut self, p: f64) -> Self {
        self.p_value = keep_finite(p);
        self
    }
}

fn keep_finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.and_then(keep_finite))
}

/// The text of `results.json`: an array with one object per row, in the order given, keys in a fixed order.
pub fn results_json(rows: &[Row]) -> String {
    let mut text = serde_json::to_string_pretty(rows).expect("a row holds only strings and numbers");
    text.push('\n');
    text
}

/// Reads what [`results_json`] wrote.
///
/// # Errors
/// With line and column when the text is not an array of rows, or a row has an unknown or missing key.
pub fn parse_results(text: &str) -> Result<Vec<Row>, serde_json::Error> {
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 18] = [
        "experiment",
        "dataset",
        "protocol",
        "system",
        "variant",
        "cohort",
        "task",
        "metric",
        "mean",
        "low",
        "high",
        "seeds",
        "floor",
        "ceiling",
        "published",
        "verdict",
        "reason",
        "p_value",
    ];

    #[test]
    fn every_row_lands_in_results_json_with_every_key_in_order() {
        let rows: Vec<Row> =
            (0..20).map(|i| Row::new("main", "d", format!("m{i}")).mean(f64::from(i))).collect();
        let text = results_json(&rows);
        let objects: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(objects.len(), rows.len());
        let first_object = &text[..text.find('}').unwrap()];
        let at: Vec<usize> =
            KEYS.iter().map(|key| first_object.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(at.is_sorted(), "{first_object}");
        assert!(objects.iter().all(|object| object.as_object().unwrap().len() == KEYS.len()));
        assert_eq!(parse_results(&text).unwrap(), rows);
    }

    #[test]
    fn a_number_that_is_not_finite_is_null() {
        let mut row = Row::new("main", "d", "RMSE").mean(f64::NAN).interval(f64::NEG_INFINITY, f64::INFINITY);
        row.floor = Some(f64::NAN);
        let text = results_json(&[row]);
        assert!(!text.contains("NaN") && !text.to_lowercase().contains("inf"), "{text}");
        assert_eq!(parse_results(&text).unwrap()[0].mean, None);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error =
            parse_results(r#"[{"experiment":"a","dataset":"b","metric":"c","maen":1.0}]"#).unwrap_err();
        assert!(error.to_string().contains("maen"), "{error}");
    }
}
