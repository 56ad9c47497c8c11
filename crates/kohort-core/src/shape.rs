//! The one way in which misuse of shapes ends.

/// Panics with the op and what does not fit. Shapes are the programmer's, never the user's: data and files are
/// checked before they reach the tape.
#[track_caller]
#[cold]
pub(crate) fn fail(op: &str, what: &str) -> ! {
    panic!("{op}: {what}")
}

/// Fails unless two shapes are equal.
#[track_caller]
pub(crate) fn same(op: &str, a: (usize, usize), b: (usize, usize)) {
    if a != b {
        fail(op, &format!("[{}, {}] and [{}, {}] should be equal", a.0, a.1, b.0, b.1));
    }
}
