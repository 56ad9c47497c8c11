//! An adapter as two files: `NAME.safetensors` for other tools and `NAME.json` for people.
//!
//! The JSON (which the tensors' header repeats) holds rank, alpha, scaling, the layers' shapes, the fingerprint of the base, a
//! format version, and the fingerprint of the tensors: a pair of halves from two writes is refused.

use std::path::{Path, PathBuf};

use kohort_core::checkpoint::replace_file;
use kohort_core::{Params, Real, weights};
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::adapter::{Adapter, Site, check, scale};
use crate::lora::{Factors, Scaling};

/// Format version that is written and read.
const VERSION: u32 = 1;
/// Largest JSON that is read: 1 MiB.
const MAX_CARD: u64 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    version: u32,
    base: String,
    rank: usize,
    alpha: f64,
    scaling: Scaling,
    layers: Vec<CardLayer>,
    tensors: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardLayer {
    name: String,
    inputs: usize,
    outputs: usize,
}

fn paths(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    (dir.join(format!("{name}.json")), dir.join(format!("{name}.safetensors")))
}

fn hex(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

/// The factors as parameters `LAYER/a` and `LAYER/b`.
fn tensors<F: Real>(adapter: &Adapter) -> Params<F> {
    let mut params = Params::new();
    let narrow = |value: &[f64]| value.iter().map(|&x| F::of(x)).collect();
    for (layer, f) in &adapter.layers {
        params.add(format!("{layer}/a"), f.inputs, f.rank, narrow(&f.a));
        params.add(format!("{layer}/b"), f.rank, f.outputs, narrow(&f.b));
    }
    params
}

/// Writes both files, each beside its target and renamed.
pub(super) fn save<F: Real>(dir: &Path, name: &str, adapter: &Adapter, base: u64) -> Result<(), StoreError> {
    let (json, safetensors) = paths(dir, name);
    let tensors = tensors::<F>(adapter);
    let card = Card {
        version: VERSION,
        base: hex(base),
        rank: adapter.rank(),
        alpha: adapter.alpha,
        scaling: adapter.scaling,
        layers: adapter
            .layers
            .iter()
            .map(|(name, f)| CardLayer { name: name.clone(), inputs: f.inputs, outputs: f.outputs })
            .collect(),
        tensors: hex(tensors.fingerprint()),
    };
    let text = serde_json::to_string_pretty(&card)
        .map_err(|e| StoreError::Content { path: json.clone(), what: e.to_string() })?;
    weights::export(&tensors, &safetensors, &text)?;
    replace_file(&json, text.as_bytes()).map_err(|source| StoreError::Io { path: json, source })
}

/// Reads an adapter and checks it against the base.
pub(super) fn load<F: Real>(
    dir: &Path,
    name: &str,
    sites: &[Site],
    base: u64,
) -> Result<Adapter, StoreError> {
    let (json, safetensors) = paths(dir, name);
    let content = |what: String| StoreError::Content { path: json.clone(), what };
    let io = |source| StoreError::Io { path: json.clone(), source };
    let size = std::fs::metadata(&json).map_err(io)?.len();
    if size > MAX_CARD {
        return Err(content(format!("{size} bytes, allowed are {MAX_CARD}")));
    }
    let text = std::fs::read_to_string(&json).map_err(io)?;
    let card: Card = serde_json::from_str(&text).map_err(|e| content(e.to_string()))?;
    if card.version != VERSION {
        return Err(content(format!("adapter format {}, this build reads {VERSION}", card.version)));
    }
    if card.base != hex(base) {
        return Err(StoreError::Base { path: json, found: card.base, expected: hex(base) });
    }
    // Shapes are checked against the base before anything of their size is made.
    let most = sites.iter().map(|site| site.inputs.min(site.outputs)).max().unwrap_or(0);
    if card.rank == 0 || card.rank > most || card.layers.len() > sites.len() {
        let (rank, layers) = (card.rank, card.layers.len());
        let least = sites.len();
        return Err(content(format!(
            "rank {rank} on {layers} layers, expected a rank of 1 to {most} on at most {least}"
        )));
    }
    let scale = scale(card.rank, card.alpha, card.scaling);
    let mut adapter = Adapter { alpha: card.alpha, scaling: card.scaling, layers: Vec::new() };
    for CardLayer { name, inputs, outputs } in card.layers {
        let known =
            sites.iter().any(|site| (&site.name, site.inputs, site.outputs) == (&name, inputs, outputs));
        if !known {
            return Err(content(format!("layer {name} [{inputs}, {outputs}] is none of the base's")));
        }
        let (a, b) = (vec![0.0; inputs * card.rank], vec![0.0; card.rank * outputs]);
        adapter.layers.push((name, Factors { inputs, outputs, rank: card.rank, scale, a, b }));
    }
    check(&adapter, sites).map_err(content)?;
    let mut read = tensors::<F>(&adapter);
    weights::import(&mut read, &safetensors)?;
    let found = hex(read.fingerprint());
    if found != card.tensors {
        let what = format!("its fingerprint is {found}, the JSON file beside it states {}", card.tensors);
        return Err(StoreError::Content { path: safetensors, what });
    }
    let wide = |value: &[F]| value.iter().map(|x| x.f64()).collect();
    for ((_, factors), slots) in adapter.layers.iter_mut().zip(read.slots().chunks_exact(2)) {
        (factors.a, factors.b) = (wide(&slots[0].value), wide(&slots[1].value));
    }
    Ok(adapter)
}
