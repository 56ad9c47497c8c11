//! Cells in files: one each, written whole, found again by a fingerprint of settings, data and code.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::{Cell, Finished};
use crate::files::{sha256, write_whole};
use crate::outcome::Outcome;

/// A folder of finished cells.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    /// Checksum of the code that makes cells.
    code: String,
}

impl Store {
    /// Opens the folder, making it if need be.
    pub(crate) fn open(folder: &Path, code: String) -> Result<Store> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Store { folder: folder.to_path_buf(), code })
    }

    /// An earlier run's result. A file that cannot be read as one (cut short, edited, of another version) counts as
    /// none and is made again.
    pub(crate) fn load(&self, cell: &Cell<'_>) -> Result<Option<Finished>> {
        let fingerprint = self.fingerprint(cell)?;
        let Ok(text) = std::fs::read_to_string(self.path(cell, &fingerprint)) else { return Ok(None) };
        let finished: Option<Finished> = serde_json::from_str(&text).ok();
        Ok(finished.filter(|finished| finished.fingerprint == fingerprint && finished.key == cell.key))
    }

    /// Writes a result and reads it back, so that a resumed run has the same bits as one in a single go.
    pub(crate) fn save(&self, cell: &Cell<'_>, took: Duration, outcome: Outcome) -> Result<Finished> {
        let fingerprint = self.fingerprint(cell)?;
        let finished = Finished { key: cell.key.clone(), fingerprint, seconds: took.as_secs_f64(), outcome };
        let text = serde_json::to_string(&finished).context("cannot write a cell as JSON")?;
        write_whole(&self.path(cell, &finished.fingerprint), &text)?;
        serde_json::from_str(&text)
            .context("a cell's numbers cannot be read back; is one of them not finite?")
    }

    fn fingerprint(&self, cell: &Cell<'_>) -> Result<String> {
        let all = json!({ "key": cell.key, "settings": cell.settings, "code": self.code });
        Ok(sha256(serde_json::to_string(&all)?.as_bytes()))
    }

    fn path(&self, cell: &Cell<'_>, fingerprint: &str) -> PathBuf {
        self.folder.join(format!("{}_{}.json", cell.key.stem(), &fingerprint[..12]))
    }
}
