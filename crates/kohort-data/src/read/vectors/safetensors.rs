//! One tensor of a safetensors file.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::half::{bfloat, half};
use super::ids::{Ids, expect, lines};
use super::rows::{Rows, wrong};
use crate::DataError;
use crate::read::{DEFAULT_LIMIT, bytes_of};
use crate::vectors::Named;

/// Reads the tensor `name` `[rows, width]` and the names of its rows.
///
/// # Errors
/// [`DataError::Vectors`], [`DataError::Text`] for a broken file of names, [`DataError::TooLarge`], [`DataError::Io`].
pub fn safetensors(path: &Path, name: &str, ids: Ids<'_>) -> Result<Named, DataError> {
    let bytes = bytes_of(path, DEFAULT_LIMIT)?;
    let broken =
        |error: safetensors::SafeTensorError| wrong(path, format!("not a safetensors file: {error}"));
    let file = SafeTensors::deserialize(&bytes).map_err(broken)?;
    let tensor = file.tensor(name).map_err(|_| {
        let mut names = file.names();
        names.sort_unstable();
        wrong(path, format!("no tensor {name:?}; the tensors are {}", names.join(", ")))
    })?;
    let &[rows, width] = tensor.shape() else {
        let found = tensor.shape();
        return Err(wrong(
            path,
            format!("{name}: found shape {found:?}, expected two dimensions, rows and width"),
        ));
    };
    if width == 0 {
        return Err(wrong(path, format!("{name}: found shape [{rows}, 0], expected a width of at least 1")));
    }
    let names = match ids {
        Ids::Lines(names) => lines(names, rows, path)?,
        Ids::Metadata(key) => {
            let names = of_metadata(&bytes, key).map_err(|what| wrong(path, what))?;
            expect(path, names.len(), rows, path)?;
            names
        }
    };
    let data = tensor.data();
    let fixed = |at: usize, bytes: usize| &data[at * bytes..(at + 1) * bytes];
    let number: Box<dyn Fn(usize) -> f64> = match tensor.dtype() {
        Dtype::F16 => {
            Box::new(|at| fixed(at, 2).try_into().map_or(f64::NAN, |b| half(u16::from_le_bytes(b))))
        }
        Dtype::BF16 => {
            Box::new(|at| fixed(at, 2).try_into().map_or(f64::NAN, |b| bfloat(u16::from_le_bytes(b))))
        }
        Dtype::F32 => {
            Box::new(|at| fixed(at, 4).try_into().map_or(f64::NAN, |b| f32::from_le_bytes(b).into()))
        }
        Dtype::F64 => Box::new(|at| fixed(at, 8).try_into().map_or(f64::NAN, f64::from_le_bytes)),
        other => return Err(wrong(path, format!("{name}: found {other:?}, expected F16, BF16, F32 or F64"))),
    };
    let mut all = Rows::new(path, Some(width));
    for (row, id) in names.iter().enumerate() {
        all.push(id, (0..width).map(|column| number(row * width + column)))?;
    }
    all.finish()
}

fn of_metadata(bytes: &[u8], key: &str) -> Result<Vec<String>, String> {
    let (_, head) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let entries = head.metadata().as_ref();
    let entry = entries.and_then(|entries| entries.get(key)).ok_or_else(|| {
        let mut keys: Vec<&str> =
            entries.into_iter().flat_map(|entries| entries.keys()).map(String::as_str).collect();
        keys.sort_unstable();
        format!(
            "no metadata {key:?}; there is {}",
            if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
        )
    })?;
    serde_json::from_str(entry)
        .map_err(|error| format!("metadata {key:?}: {error}, expected a JSON list of strings"))
}
