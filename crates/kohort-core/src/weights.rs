//! Weights as a safetensors file, which other tools read without running code.
//!
//! Values only: optimiser state and the position in training are in [`crate::checkpoint`]. One metadata key,
//! `"kohort"`, holds a string of the caller's (canonical JSON, say); more keys would be written in random order.

use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::checkpoint::replace_file;
use crate::{Params, Real};

/// Largest header that is parsed: 1 MiB.
const MAX_HEADER: u64 = 1 << 20;

/// Why weights could not be exported or imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's content does not fit.
    #[error("{}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

fn content(path: &Path, what: impl Into<String>) -> WeightsError {
    WeightsError::Content { path: path.to_owned(), what: what.into() }
}

/// Writes all parameters, each as a tensor `[rows, cols]` under its name, atomically.
pub fn export<F: Real>(params: &Params<F>, path: &Path, metadata: &str) -> Result<(), WeightsError> {
    let (dtype, width) = if F::NAME == "f32" { (Dtype::F32, 4) } else { (Dtype::F64, 8) };
    let buffers: Vec<Vec<u8>> = params
        .slots()
        .iter()
        .map(|slot| {
            let mut bytes = Vec::with_capacity(slot.value.len() * width);
            for &x in &slot.value {
                match dtype {
                    Dtype::F32 => bytes.extend_from_slice(&(x.f64() as f32).to_le_bytes()),
                    _ => bytes.extend_from_slice(&x.f64().to_le_bytes()),
                }
            }
            bytes
        })
        .collect();
    let mut views = Vec::with_capacity(buffers.len());
    for (slot, bytes) in params.slots().iter().zip(&buffers) {
        let view = TensorView::new(dtype, vec![slot.rows, slot.cols], bytes)
            .map_err(|e| content(path, format!("{}: {e}", slot.name)))?;
        views.push((slot.name.as_str(), view));
    }
    let meta = std::iter::once(("kohort".to_owned(), metadata.to_owned())).collect();
    let bytes = safetensors::serialize(views, Some(meta)).map_err(|e| content(path, e.to_string()))?;
    replace_file(path, &bytes).map_err(|source| WeightsError::Io { path: path.to_owned(), source })
}

/// Reads the values of every parameter of `params` from `path`. Names and shapes must agree; values must be finite.
/// `params` is unchanged when an error is returned.
pub fn import<F: Real>(params: &mut Params<F>, path: &Path) -> Result<(), WeightsError> {
    let io = |source| WeightsError::Io { path: path.to_owned(), source };
    let most = 8 * params.count(false) as u64 + MAX_HEADER + 8;
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > most {
        return Err(content(path, format!("{size} bytes, this model's weights take at most {most}")));
    }
    let bytes = std::fs::read(path).map_err(io)?;
    let header = bytes.get(..8).map(|b| b.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b)));
    match header {
        Some(length) if length <= MAX_HEADER => {}
        Some(length) => {
            return Err(content(path, format!("header of {length} bytes, allowed are {MAX_HEADER}")));
        }
        None => return Err(content(path, "too short for a safetensors file")),
    }
    let file = SafeTensors::deserialize(&bytes).map_err(|e| content(path, e.to_string()))?;
    if let Some(name) = file.names().iter().find(|name| params.id(name.as_ref()).is_none()) {
        return Err(content(path, format!("has a tensor {name}, which the model lacks")));
    }
    let mut values = Vec::with_capacity(params.slots().len());
    for slot in params.slots() {
        let tensor =
            file.tensor(&slot.name).map_err(|_| content(path, format!("has no tensor {}", slot.name)))?;
        if tensor.shape() != [slot.rows, slot.cols] {
            let (found, rows, cols) = (tensor.shape(), slot.rows, slot.cols);
            return Err(content(
                path,
                format!("{} has shape {found:?}, expected [{rows}, {cols}]", slot.name),
            ));
        }
        let value: Vec<F> = match tensor.dtype() {
            Dtype::F32 => floats::<F, 4>(tensor.data(), |b| f64::from(f32::from_le_bytes(b))),
            Dtype::F64 => floats::<F, 8>(tensor.data(), f64::from_le_bytes),
            other => return Err(content(path, format!("{} is {other:?}, expected F32 or F64", slot.name))),
        };
        if let Some(i) = value.iter().position(|x| !x.is_finite()) {
            let (row, col) = (i / slot.cols, i % slot.cols);
            return Err(content(
                path,
                format!("{}[{row}, {col}] is {}, not a finite number", slot.name, value[i]),
            ));
        }
        values.push(value);
    }
    for (slot, value) in params.slots_mut().iter_mut().zip(values) {
        slot.value = value;
    }
    Ok(())
}

fn floats<F: Real, const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<F> {
    let (whole, _) = bytes.as_chunks::<N>();
    whole.iter().map(|&b| F::of(read(b))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Params<f32> {
        let mut params = Params::new();
        params.add("tower/w", 2, 2, vec![1.0, -2.0, 0.5, 3.0]);
        params.add_table("user", 3, 1, vec![0.0, 1.0, 2.0]);
        params
    }

    #[test]
    fn weights_come_back_to_the_bit_and_files_are_the_same_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a.safetensors"), dir.path().join("b.safetensors"));
        export(&some(), &a, "{}").unwrap();
        export(&some(), &b, "{}").unwrap();
        assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
        let mut back = some();
        back.slots_mut().iter_mut().for_each(|s| s.value.fill(9.0));
        import(&mut back, &a).unwrap();
        assert_eq!(back, some());
    }

    #[test]
    fn a_file_for_another_model_is_refused_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.safetensors");
        let mut other = Params::<f32>::new();
        other.add("tower/w", 2, 3, vec![0.0; 6]);
        export(&other, &path, "{}").unwrap();
        let mut params = some();
        let message = import(&mut params, &path).unwrap_err().to_string();
        assert!(message.ends_with("tower/w has shape [2, 3], expected [2, 2]"), "{message}");
        assert_eq!(params, some());
    }

    #[test]
    fn a_header_that_claims_too_much_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.safetensors");
        let mut bytes = (1u64 << 60).to_le_bytes().to_vec();
        bytes.extend([0; 8]);
        std::fs::write(&path, bytes).unwrap();
        assert!(import(&mut some(), &path).unwrap_err().to_string().contains("allowed are 1048576"));
    }

    #[test]
    fn a_file_larger_than_the_model_can_fill_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.safetensors");
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap(); // sparse: reading it would not end well
        let message = import(&mut some(), &path).unwrap_err().to_string();
        assert!(message.contains("1099511627776 bytes, this model's weights take at most"), "{message}");
    }
}
