//! Named adapters of one base, for scoring: they come, go and change while other threads score.
//!
//! **Whole or not at all.** Whoever scores takes a [`Snapshot`], which never changes; a change makes the next one and puts it in
//! place behind a lock. No thread sees half of an adapter. Each change copies the model's parameters: it is paid by who
//! changes, never by who scores.
//!
//! **The base is kept.** Merging makes a copy of the base with `W + s·A·B`, and unmerging goes back to the base itself, bit for
//! bit; nothing is subtracted. While an adapter is merged, rows of others are refused, and so is what would take it away:
//! removing, disabling, swapping it, or merging another.
//!
//! **Files** name the base by a fingerprint and are refused on another: [`AdapterStore::save`].

mod adapter;
mod errors;
mod file;
mod snapshot;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use kohort_core::{Params, Real};

pub use adapter::Adapter;
pub use errors::StoreError;
pub use snapshot::Snapshot;

use crate::Mlp;
use adapter::{Site, check};

/// Named adapters of a stack of dense layers. All methods take `&self`: share it between threads.
#[derive(Debug)]
pub struct AdapterStore<F: Real> {
    /// Held by whoever changes something; scoring never waits for it.
    state: Mutex<State<F>>,
    current: RwLock<Arc<Snapshot<F>>>,
    base: u64,
}

#[derive(Debug)]
struct State<F: Real> {
    params: Arc<Params<F>>,
    mlp: Mlp,
    sites: Vec<Site>,
    entries: BTreeMap<String, Entry>,
    merged: Option<String>,
    version: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    adapter: Adapter,
    enabled: bool,
}

/// What a store says of an adapter.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its rank.
    pub rank: usize,
    /// Its scale.
    pub scale: f64,
    /// Whether rows of it are scored with it; those of a disabled one are the base's.
    pub enabled: bool,
    /// Whether it is in the base.
    pub merged: bool,
}

impl<F: Real> AdapterStore<F> {
    /// Of a model's parameters and the stack whose layers adapters are for, with no adapter yet. Parameters of adapters that were
    /// trained beside the base (`…/adapter/…`) may be among them; they are not part of it.
    pub fn new(mut params: Params<F>, mlp: &Mlp) -> AdapterStore<F> {
        let base = base_fingerprint(&params);
        params.slots_mut().iter_mut().for_each(|slot| slot.trainable = false);
        let sites = Site::all(&params, mlp);
        let first = Snapshot::new(&params, mlp, &sites, std::iter::empty(), None, 0);
        let state = State {
            params: Arc::new(params),
            mlp: mlp.clone(),
            sites,
            entries: BTreeMap::new(),
            merged: None,
            version: 0,
        };
        AdapterStore { state: Mutex::new(state), current: RwLock::new(Arc::new(first)), base }
    }

    /// The store at this moment, to score with.
    pub fn snapshot(&self) -> Arc<Snapshot<F>> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// All adapters by name.
    pub fn list(&self) -> Vec<Listed> {
        let state = self.state();
        let listed = |(name, entry): (&String, &Entry)| Listed {
            name: name.clone(),
            rank: entry.adapter.rank(),
            scale: entry.adapter.scale(),
            enabled: entry.enabled,
            merged: state.merged.as_ref() == Some(name),
        };
        state.entries.iter().map(listed).collect()
    }

    /// A copy of an adapter.
    ///
    /// # Errors
    /// No such adapter.
    pub fn get(&self, name: &str) -> Result<Adapter, StoreError> {
        self.state().known(name).map(|entry| entry.adapter.clone())
    }

    /// Adds an adapter, enabled. Its layers are some of the base's, in their order, all of one rank and scale.
    ///
    /// # Errors
    /// A name that is taken or no file's, or factors that don't fit.
    pub fn add(&self, name: &str, adapter: Adapter) -> Result<(), StoreError> {
        self.add_all([(name.to_owned(), adapter)])
    }

    /// Adds many adapters at once, or none: one change, one copy of the parameters.
    ///
    /// # Errors
    /// As [`AdapterStore::add`], for the first that is refused.
    pub fn add_all(&self, adapters: impl IntoIterator<Item = (String, Adapter)>) -> Result<(), StoreError> {
        self.change(|state| {
            let mut entries = state.entries.clone();
            for (name, adapter) in adapters {
                check_name(&name)?;
                if entries.contains_key(&name) {
                    return Err(StoreError::Taken { name });
                }
                state.fits(&name, &adapter)?;
                entries.insert(name, Entry { adapter, enabled: true });
            }
            state.entries = entries;
            Ok(())
        })
    }

    /// Removes an adapter and gives it back.
    ///
    /// # Errors
    /// No such adapter, or one that is merged.
    pub fn remove(&self, name: &str) -> Result<Adapter, StoreError> {
        let mut removed = None;
        self.change(|state| {
            state.unmerged("remove", name)?;
            removed = Some(state.known(name)?.adapter.clone());
            state.entries.remove(name);
            Ok(())
        })?;
        removed.ok_or_else(|| StoreError::Missing { name: name.to_owned(), known: Vec::new() })
    }

    /// Puts another adapter of the same rank and layers in one's place, at once for all layers.
    ///
    /// # Errors
    /// No such adapter, one that is merged, or factors of another rank or other layers.
    pub fn swap(&self, name: &str, adapter: Adapter) -> Result<(), StoreError> {
        self.change(|state| {
            state.unmerged("swap", name)?;
            state.fits(name, &adapter)?;
            let old = &state.known(name)?.adapter;
            let shape = |what: String| StoreError::Shape { name: name.to_owned(), what };
            if old.rank() != adapter.rank() {
                let (new, old) = (adapter.rank(), old.rank());
                return Err(shape(format!("swap: rank {new} for rank {old}; remove it and add the other")));
            }
            if !old.layers.iter().map(|layer| &layer.0).eq(adapter.layers.iter().map(|layer| &layer.0)) {
                return Err(shape("swap: other layers; remove it and add the other".to_owned()));
            }
            state.entries.entry(name.to_owned()).and_modify(|entry| entry.adapter = adapter);
            Ok(())
        })
    }

    /// Enables or disables an adapter; rows of a disabled one are the base's.
    ///
    /// # Errors
    /// No such adapter, or one that is merged.
    pub fn enable(&self, name: &str, enabled: bool) -> Result<(), StoreError> {
        self.change(|state| {
            state.unmerged(if enabled { "enable" } else { "disable" }, name)?;
            state.known(name)?;
            state.entries.entry(name.to_owned()).and_modify(|entry| entry.enabled = enabled);
            Ok(())
        })
    }

    /// Adds the adapter whose change is `Σ weight·ΔW` of others: exactly, with all their ranks together, or the nearest to it
    /// of rank `rank`.
    ///
    /// # Errors
    /// What [`AdapterStore::add`] refuses, parts that are not there or of different layers, or a rank that no layer has.
    pub fn combine(&self, name: &str, parts: &[(&str, f64)], rank: Option<usize>) -> Result<(), StoreError> {
        let own: Vec<Adapter> = parts.iter().map(|(part, _)| self.get(part)).collect::<Result<_, _>>()?;
        let most = self.state().sites.iter().map(|site| site.inputs.min(site.outputs)).min().unwrap_or(0);
        if let Some(rank) = rank.filter(|rank| !(1..=most).contains(rank)) {
            let what = format!("combine: rank {rank}, expected 1 to {most}");
            return Err(StoreError::Shape { name: name.to_owned(), what });
        }
        let parts: Vec<(&Adapter, f64)> = own.iter().zip(parts).map(|(own, part)| (own, part.1)).collect();
        self.add(name, Adapter::combined(name, &parts, rank)?)
    }

    /// Puts an adapter into a copy of the base: its rows then cost what the base costs, and no other rows are scored.
    ///
    /// # Errors
    /// No such adapter, one that is disabled, or any that is merged already.
    pub fn merge(&self, name: &str) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(merged) = &state.merged {
                let action = format!("merge {name}");
                return Err(StoreError::Merged { action, merged: merged.clone() });
            }
            if !state.known(name)?.enabled {
                return Err(StoreError::Disabled { name: name.to_owned() });
            }
            state.merged = Some(name.to_owned());
            Ok(())
        })
    }

    /// Goes back to the base as it was given, bit for bit.
    ///
    /// # Errors
    /// Nothing is merged.
    pub fn unmerge(&self) -> Result<(), StoreError> {
        self.change(|state| state.merged.take().map(drop).ok_or(StoreError::NotMerged))
    }

    /// Writes an adapter to `dir/NAME.safetensors` and `dir/NAME.json`.
    ///
    /// # Errors
    /// No such adapter, or what the file system says.
    pub fn save(&self, name: &str, dir: &Path) -> Result<(), StoreError> {
        file::save::<F>(dir, name, &self.get(name)?, self.base)
    }

    /// Reads an adapter that [`AdapterStore::save`] wrote, and adds it.
    ///
    /// # Errors
    /// Files that are not there, not intact or of another base, or what [`AdapterStore::add`] refuses.
    pub fn load(&self, name: &str, dir: &Path) -> Result<(), StoreError> {
        check_name(name)?;
        let sites = self.state().sites.clone();
        self.add(name, file::load::<F>(dir, name, &sites, self.base)?)
    }

    fn state(&self) -> MutexGuard<'_, State<F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, or leaves it if `what` fails, and puts the next snapshot in place.
    fn change(&self, what: impl FnOnce(&mut State<F>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut state = self.state();
        what(&mut state)?;
        state.version += 1;
        let entries =
            state.entries.iter().map(|(name, entry)| (name.as_str(), &entry.adapter, entry.enabled));
        let State { params, mlp, sites, merged, version, .. } = &*state;
        let next = Arc::new(Snapshot::new(params, mlp, sites, entries, merged.as_deref(), *version));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

impl<F: Real> State<F> {
    fn known(&self, name: &str) -> Result<&Entry, StoreError> {
        let missing =
            || StoreError::Missing { name: name.to_owned(), known: self.entries.keys().cloned().collect() };
        self.entries.get(name).ok_or_else(missing)
    }

    fn fits(&self, name: &str, adapter: &Adapter) -> Result<(), StoreError> {
        check(adapter, &self.sites).map_err(|what| StoreError::Shape { name: name.to_owned(), what })
    }

    fn unmerged(&self, action: &str, name: &str) -> Result<(), StoreError> {
        match self.merged.as_deref() {
            Some(merged) if merged == name => {
                Err(StoreError::Merged { action: format!("{action} {name}"), merged: merged.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(StoreError::Name { name: name.to_owned() });
    }
    Ok(())
}

/// [`Params::fingerprint`] of all parameters but adapters' (`…/adapter/…`).
fn base_fingerprint<F: Real>(params: &Params<F>) -> u64 {
    let mut base = Params::new();
    for slot in params.slots().iter().filter(|slot| !slot.name.contains("/adapter/")) {
        base.add(slot.name.clone(), slot.rows, slot.cols, slot.value.clone());
    }
    base.fingerprint()
}
