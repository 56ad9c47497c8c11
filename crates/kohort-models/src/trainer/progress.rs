//! A progress bar with the losses, for a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::Epoch;

/// A bar over epochs that shows losses and the validation value; silent where standard error is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of `epochs` steps named `what`.
    pub fn new(what: &str, epochs: usize) -> Progress {
        let bar = ProgressBar::new(epochs as u64);
        let template = "{prefix} [{bar:24}] epoch {pos}/{len}, {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_owned());
        Progress { bar }
    }

    /// Moves the bar by one epoch.
    pub fn observe(&self, epoch: &Epoch) {
        let mut message: Vec<String> =
            epoch.losses.iter().map(|(name, loss)| format!("{name} {loss:.4}")).collect();
        message.extend(epoch.validation.map(|value| format!("validation {value:.4}")));
        self.bar.set_message(message.join("  "));
        self.bar.set_position(epoch.epoch as u64);
        for remark in &epoch.remarks {
            self.bar.println(format!("epoch {}: {remark}", epoch.epoch));
        }
    }

    /// Leaves the bar as it is.
    pub fn finish(&self) {
        self.bar.abandon();
    }
}
