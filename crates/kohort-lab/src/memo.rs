//! What several cells need, made once: whoever comes first makes it, the others wait for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Result, anyhow};

type Place<V> = Arc<OnceLock<Result<Arc<V>, String>>>;

/// Things by name.
pub(crate) struct Memo<K, V>(Mutex<BTreeMap<K, Place<V>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Memo(Mutex::default())
    }
}

impl<K: Ord, V> Memo<K, V> {
    /// The thing of this name; an error is kept as well.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> Result<V>) -> Result<Arc<V>> {
        let place = {
            let mut all = self.0.lock().map_err(|_| anyhow!("what cells share could not be made"))?;
            Arc::clone(all.entry(key).or_default())
        };
        let made = place.get_or_init(|| make().map(Arc::new).map_err(|error| format!("{error:#}")));
        made.clone().map_err(|why| anyhow!(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_made_once_and_an_error_stays() {
        let memo: Memo<u64, u64> = Memo::default();
        assert_eq!(*memo.get(1, || Ok(5)).unwrap(), 5);
        assert_eq!(*memo.get(1, || Ok(6)).unwrap(), 5);
        assert!(memo.get(2, || anyhow::bail!("no")).is_err());
        assert_eq!(memo.get(2, || Ok(1)).unwrap_err().to_string(), "no");
    }
}
