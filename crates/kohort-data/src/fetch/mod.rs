//! Finding a data set's files.

/// A place that was tried, and why it did not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The place.
    pub place: String,
    /// What went wrong there.
    pub why: String,
}

pub(crate) fn tell(name: &str, attempts: &[Attempt], advice: &[String]) -> String {
    let mut text = format!("no place has the data set {name}");
    for attempt in attempts {
        text.push_str(&format!("\n  tried {}: {}", attempt.place, attempt.why));
    }
    for line in advice {
        text.push_str(&format!("\n  next: {line}"));
    }
    text
}
