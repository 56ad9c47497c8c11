//! NumPy's file of one array, versions 1 to 3.
//!
//! `\x93NUMPY`, two bytes version, the length of the head (two bytes, from version 2 on four), the head, which is a Python
//! dictionary of `descr`, `fortran_order` and `shape`, and the numbers.
//!
//! Our own reader: the crate npyz parses the head with a grammar of Python literals that takes a minute of CPU to compile,
//! and this head has three keys. An array of objects, which would have to be unpickled, is refused like any other kind.

use std::path::Path;

use super::half::half;
use super::ids::{Ids, lines};
use super::rows::{Rows, wrong};
use crate::DataError;
use crate::read::{DEFAULT_LIMIT, bytes_of};
use crate::vectors::Named;

const MAGIC: &[u8] = b"\x93NUMPY";
const KINDS: &str = "<f2, <f4, <f8, >f2, >f4 or >f8";
/// NumPy itself warns above ten thousand bytes.
const LONGEST_HEAD: usize = 1 << 16;

/// Reads a matrix `[rows, width]` and the names of its rows.
///
/// # Errors
/// [`DataError::Vectors`], [`DataError::Text`] for a broken file of names, [`DataError::TooLarge`], [`DataError::Io`].
pub fn npy(path: &Path, ids: Ids<'_>) -> Result<Named, DataError> {
    let Ids::Lines(names) = ids else {
        return Err(wrong(path, "an .npy file has no metadata, expected a file of ids"));
    };
    let bytes = bytes_of(path, DEFAULT_LIMIT)?;
    let (head, data) = cut(&bytes).map_err(|what| wrong(path, what))?;
    let array = Array::of(head, data.len()).map_err(|what| wrong(path, what))?;
    let names = lines(names, array.rows, path)?;
    let mut rows = Rows::new(path, Some(array.width));
    for (row, id) in names.iter().enumerate() {
        rows.push(id, (0..array.width).map(|column| array.number(data, row, column)))?;
    }
    rows.finish()
}

/// Head and numbers.
fn cut(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("not an .npy file: it does not begin with \\x93NUMPY")?;
    let early = || "the file ends in its head".to_owned();
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(early)?;
    let (length, rest) = match version {
        [1, _] => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(early)?;
            (u16::from_le_bytes(*length) as usize, rest)
        }
        [2 | 3, _] => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(early)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        [major, minor] => return Err(format!("version {major}.{minor}, expected 1.0, 2.0 or 3.0")),
    };
    if length > LONGEST_HEAD {
        return Err(format!("head of {length} bytes, allowed are at most {LONGEST_HEAD}"));
    }
    let (head, data) = rest.split_at_checked(length).ok_or_else(early)?;
    Ok((std::str::from_utf8(head).map_err(|_| "the head is not UTF-8")?, data))
}

/// What the head says of the numbers.
#[derive(Debug, PartialEq)]
struct Array {
    rows: usize,
    width: usize,
    fortran: bool,
    big_endian: bool,
    bytes: usize,
}

impl Array {
    /// Reads the head and compares it with the number of bytes after it.
    fn of(head: &str, length: usize) -> Result<Array, String> {
        let descr = value_of(head, "descr")?;
        let kind = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(kind, _)| kind);
        let (big_endian, bytes) = match kind {
            Some("<f2") => (false, 2),
            Some("<f4") => (false, 4),
            Some("<f8") => (false, 8),
            Some(">f2") => (true, 2),
            Some(">f4") => (true, 4),
            Some(">f8") => (true, 8),
            _ => return Err(format!("descr: found {}, expected {KINDS}", shown(descr))),
        };
        let order = value_of(head, "fortran_order")?;
        let fortran = match order {
            _ if order.starts_with("False") => false,
            _ if order.starts_with("True") => true,
            _ => return Err(format!("fortran_order: found {}, expected True or False", shown(order))),
        };
        let shape = value_of(head, "shape")?;
        let inside = shape.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside);
        let sides = inside.map(|inside| inside.split(',').map(str::trim).collect::<Vec<_>>());
        let (rows, width) = match sides.as_deref() {
            Some([rows, width] | [rows, width, ""]) => {
                (rows.parse::<usize>().ok(), width.parse::<usize>().ok())
            }
            _ => (None, None),
        };
        let (Some(rows), Some(width)) = (rows, width) else {
            return Err(format!("shape: found {}, expected two dimensions, rows and width", shown(shape)));
        };
        if width == 0 {
            return Err(format!("shape: found ({rows}, 0), expected a width of at least 1"));
        }
        let wanted = rows.checked_mul(width).and_then(|count| count.checked_mul(bytes));
        if wanted != Some(length) {
            let expected = wanted.map_or("more than there can be".to_owned(), |bytes| bytes.to_string());
            return Err(format!(
                "{length} bytes of numbers, expected {expected} for shape ({rows}, {width}) of {bytes} bytes each"
            ));
        }
        Ok(Array { rows, width, fortran, big_endian, bytes })
    }

    fn number(&self, data: &[u8], row: usize, column: usize) -> f64 {
        let at = if self.fortran { column * self.rows + row } else { row * self.width + column };
        let mut own = [0; 8];
        let own = &mut own[..self.bytes];
        own.copy_from_slice(&data[at * self.bytes..(at + 1) * self.bytes]);
        if self.big_endian {
            own.reverse();
        }
        match *own {
            [a, b] => half(u16::from_le_bytes([a, b])),
            [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => f64::NAN,
        }
    }
}

/// What stands behind a key, to the end of the head.
fn value_of<'a>(head: &'a str, key: &str) -> Result<&'a str, String> {
    let quoted = format!("'{key}':");
    let at = head.find(&quoted).ok_or_else(|| format!("the head {} has no {key}", shown(head)))?;
    Ok(head[at + quoted.len()..].trim_start())
}

/// The beginning of what was found, for a message.
fn shown(text: &str) -> String {
    format!("{:?}", text.trim_end().chars().take(60).collect::<String>())
}
