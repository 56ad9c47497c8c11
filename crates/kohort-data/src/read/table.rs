//! Delimited text as a table of cells that know their line and column.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{DataError, Scale};

/// How the bytes of a file spell its letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark; anything else is an error at its line.
    #[default]
    Utf8,
    /// ISO 8859-1, in which every byte is a letter (MovieLens' `u.item`).
    Latin1,
}

/// Where the names of the columns come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// The first line of the file; spaces around a name do not count.
    #[default]
    FirstLine,
    /// The file has none: these are the names.
    Given(Vec<String>),
}

impl Header {
    /// Names for a file without a header line.
    pub fn given(names: &[&str]) -> Header {
        Header::Given(names.iter().map(|&name| name.to_owned()).collect())
    }
}

/// How a delimited file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The byte between two columns.
    pub delimiter: u8,
    /// Where the names come from.
    pub header: Header,
    /// Whether a cell may stand in double quotes, and then hold delimiters and line ends.
    pub quotes: bool,
    /// How letters are spelled.
    pub encoding: Encoding,
    /// Largest file in bytes; checked before reading.
    pub limit: u64,
}

impl Default for Format {
    /// Comma, header in the first line, quotes, UTF-8, 1 GiB.
    fn default() -> Format {
        Format {
            delimiter: b',',
            header: Header::FirstLine,
            quotes: true,
            encoding: Encoding::Utf8,
            limit: super::DEFAULT_LIMIT,
        }
    }
}

/// The cells of a delimited file, as text, all rows of one width. Blank lines do not count as rows.
///
/// ```
/// use kohort_data::read::{Format, Table};
///
/// let table = Table::parse("taste.csv".as_ref(), b"user, stars\nann,4\nbob,9\n", &Format::default())?;
/// let stars = table.column("stars")?;
/// assert_eq!(table.text(0, 0), "ann");
/// assert_eq!(table.number::<u8>(0, stars, "a whole number")?, 4);
///
/// let wrong = table.rating(1, stars, kohort_data::Scale { low: 1.0, high: 5.0 }).unwrap_err();
/// assert_eq!(wrong.to_string(), r#"taste.csv:3: field stars: found "9", expected a number from 1 to 5"#);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    /// All cells, one after the other.
    text: String,
    /// Where each cell ends in `text`; row-major.
    ends: Vec<u32>,
    /// Line of each row, counted from 1.
    lines: Vec<u64>,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that is too large, unreadable, wrongly encoded, or whose rows differ in width.
    pub fn read(path: &Path, format: &Format) -> Result<Table, DataError> {
        // Cell ends are u32: a Latin-1 byte may take two in UTF-8.
        let bytes = super::bytes_of(path, format.limit.min(u64::from(u32::MAX / 2)))?;
        Table::parse(path, &bytes, format)
    }

    /// Reads bytes; `path` is only named in errors.
    ///
    /// # Errors
    /// As [`Table::read`], except for the file itself.
    pub fn parse(path: &Path, bytes: &[u8], format: &Format) -> Result<Table, DataError> {
        let most = u64::from(u32::MAX / 2);
        if bytes.len() as u64 > most {
            return Err(DataError::TooLarge { path: path.into(), bytes: bytes.len() as u64, limit: most });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(format.delimiter)
            .quoting(format.quotes)
            .from_reader(bytes);
        let mut table = Table {
            path: path.to_path_buf(),
            columns: Vec::new(),
            text: String::with_capacity(bytes.len()),
            ends: Vec::new(),
            lines: Vec::new(),
        };
        let mut named = match &format.header {
            Header::FirstLine => false,
            Header::Given(names) => {
                table.columns.clone_from(names);
                true
            }
        };
        let mut record = csv::ByteRecord::new();
        loop {
            let more = reader.read_byte_record(&mut record).map_err(|error| DataError::Text {
                path: path.to_path_buf(),
                line: error.position().map_or(0, csv::Position::line),
                what: error.to_string(),
            })?;
            if !more {
                break;
            }
            let line = line_of(&record, bytes);
            if !named {
                for (at, cell) in record.iter().enumerate() {
                    let name = decode(cell, format.encoding)
                        .map_err(|found| table.not_utf8(line, &format!("{}", at + 1), found))?;
                    table.columns.push(name.trim().to_owned());
                }
                named = true;
                continue;
            }
            if record.len() != table.columns.len() {
                return Err(DataError::Width {
                    path: path.to_path_buf(),
                    line,
                    found: record.len(),
                    expected: table.columns.len(),
                    columns: table.columns.join(", "),
                });
            }
            for (at, cell) in record.iter().enumerate() {
                let cell = decode(cell, format.encoding)
                    .map_err(|found| table.not_utf8(line, &table.columns[at], found))?;
                table.text.push_str(&cell);
                table.ends.push(table.text.len() as u32);
            }
            table.lines.push(line);
        }
        if !named {
            return Err(DataError::Text {
                path: path.to_path_buf(),
                line: 1,
                what: "the file is empty, expected a line with the names of the columns".to_owned(),
            });
        }
        Ok(table)
    }

    /// The path, as errors name it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Gives the columns other names, as many as there are.
    pub(super) fn rename(&mut self, columns: Vec<String>) {
        debug_assert_eq!(columns.len(), self.columns.len());
        self.columns = columns;
    }

    /// Number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The line that `row` starts on, counted from 1.
    pub fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// Where the column of that name is.
    ///
    /// # Errors
    /// [`DataError::NoColumn`], which lists the columns there are.
    pub fn column(&self, name: &str) -> Result<usize, DataError> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| DataError::NoColumn {
            path: self.path.clone(),
            column: name.to_owned(),
            found: self.columns.join(", "),
        })
    }

    /// The text of a cell without the spaces around it.
    pub fn text(&self, row: usize, column: usize) -> &str {
        let cell = row * self.columns.len() + column;
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] as usize };
        self.text[start..self.ends[cell] as usize].trim()
    }

    /// The texts of a column.
    pub fn texts(&self, column: usize) -> impl Iterator<Item = &str> {
        (0..self.rows()).map(move |row| self.text(row, column))
    }

    /// A cell as a number of type `T`; `expected` says in words what is allowed.
    ///
    /// # Errors
    /// [`DataError::Field`].
    pub fn number<T: FromStr>(&self, row: usize, column: usize, expected: &str) -> Result<T, DataError> {
        self.text(row, column).parse().map_err(|_| self.wrong(row, column, expected))
    }

    /// A cell as a finite number.
    ///
    /// # Errors
    /// [`DataError::Field`].
    pub fn float(&self, row: usize, column: usize) -> Result<f32, DataError> {
        let value: f32 = self.number(row, column, "a number")?;
        if value.is_finite() { Ok(value) } else { Err(self.wrong(row, column, "a finite number")) }
    }

    /// A cell as a finite number, or `None` if it is blank.
    ///
    /// # Errors
    /// [`DataError::Field`].
    pub fn float_or_blank(&self, row: usize, column: usize) -> Result<Option<f32>, DataError> {
        if self.text(row, column).is_empty() { Ok(None) } else { self.float(row, column).map(Some) }
    }

    /// A cell as a rating on `scale`.
    ///
    /// # Errors
    /// [`DataError::Field`].
    pub fn rating(&self, row: usize, column: usize, scale: Scale) -> Result<f32, DataError> {
        match self.text(row, column).parse::<f32>() {
            Ok(value) if scale.contains(value) => Ok(value),
            _ => Err(self.wrong(row, column, &format!("a number from {} to {}", scale.low, scale.high))),
        }
    }

    /// A cell as Unix time in whole seconds; fractions are cut.
    ///
    /// # Errors
    /// [`DataError::Field`].
    pub fn time(&self, row: usize, column: usize) -> Result<i64, DataError> {
        let text = self.text(row, column);
        if let Ok(seconds) = text.parse::<i64>() {
            return Ok(seconds);
        }
        match text.parse::<f64>() {
            // Below 2^53 every whole second is a double.
            Ok(seconds) if seconds.abs() < 9.0e15 => Ok(seconds.trunc() as i64),
            _ => Err(self.wrong(row, column, "Unix time in seconds")),
        }
    }

    /// The error for a cell that cannot be used.
    pub fn wrong(&self, row: usize, column: usize, expected: &str) -> DataError {
        DataError::Field {
            path: self.path.clone(),
            line: self.lines[row],
            field: self.columns[column].clone(),
            found: shorten(self.text(row, column)),
            expected: expected.to_owned(),
        }
    }

    /// Refuses a table that has not `expected` rows; no expectation takes any number.
    ///
    /// # Errors
    /// [`DataError::Rows`].
    pub fn expect_rows(&self, expected: Option<u64>) -> Result<(), DataError> {
        let found = self.rows() as u64;
        match expected {
            Some(expected) if expected != found => Err(DataError::Rows {
                path: self.path.clone(),
                line: self.lines.last().copied().unwrap_or(1),
                found,
                expected,
            }),
            _ => Ok(()),
        }
    }

    fn not_utf8(&self, line: u64, field: &str, found: String) -> DataError {
        DataError::Field {
            path: self.path.clone(),
            line,
            field: field.to_owned(),
            found,
            expected: "UTF-8 text (a file in Latin-1 has to be read as such)".to_owned(),
        }
    }
}

/// The csv crate names the line where it began to look; blank lines may come before the row itself.
fn line_of(record: &csv::ByteRecord, bytes: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let ahead = bytes.get(position.byte() as usize..).unwrap_or_default();
    let blank = ahead.iter().take_while(|&&b| b == b'\n' || b == b'\r').filter(|&&b| b == b'\n').count();
    position.line() + blank as u64
}

fn decode(cell: &[u8], encoding: Encoding) -> Result<std::borrow::Cow<'_, str>, String> {
    match encoding {
        Encoding::Utf8 => {
            std::str::from_utf8(cell).map(Into::into).map_err(|_| shorten(&String::from_utf8_lossy(cell)))
        }
        Encoding::Latin1 => Ok(encoding_rs::mem::decode_latin1(cell)),
    }
}

/// Errors show the start of a long cell.
fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
