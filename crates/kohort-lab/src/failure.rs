//! Why the command ends badly, as an exit code: 1 a cell failed, 2 usage, 3 data, 4 a result outside its band.

use std::fmt;

/// An error with the exit code that belongs to it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A flag that asks for what there is not.
    Usage(String),
    /// Data that cannot be used.
    Data(String),
    /// Results outside the band that is stated for them.
    Band(String),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Data(_) => 3,
            Failure::Band(_) => 4,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Usage(what) | Failure::Data(what) | Failure::Band(what)) = self;
        f.write_str(what)
    }
}

impl std::error::Error for Failure {}
