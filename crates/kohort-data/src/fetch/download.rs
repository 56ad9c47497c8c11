//! One file over HTTP, going on where an earlier try stopped.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use super::Progress;
use crate::DataError;

/// A machine without network shall know it soon.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);
const BODY: Duration = Duration::from_secs(900);

/// Brings `url` to `partial`, which may hold its beginning; `bytes` is the length it must have.
///
/// The server's length is not believed: more than `bytes` is an error as soon as it arrives.
pub(super) fn download(
    url: &str,
    partial: &Path,
    bytes: u64,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DataError> {
    let mut here = std::fs::metadata(partial).map(|data| data.len()).unwrap_or(0);
    if here == bytes {
        return Ok(());
    }
    if here > bytes {
        std::fs::remove_file(partial).map_err(DataError::io(partial, "remove it"))?;
        here = 0;
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(BODY))
        .http_status_as_error(false)
        .build()
        .into();
    let failed = |what: String| DataError::Place { what };
    let mut request = agent.get(url);
    if here > 0 {
        request = request.header("Range", format!("bytes={here}-"));
    }
    let response = request.call().map_err(|error| failed(error.to_string()))?;
    let resumed = match response.status().as_u16() {
        206 if here > 0 => {
            let range = response.headers().get("content-range").and_then(|range| range.to_str().ok());
            // A server may answer with another part than the one asked for.
            if range.is_some_and(|range| !range.trim().starts_with(&format!("bytes {here}-"))) {
                return Err(failed(format!(
                    "asked for bytes from {here}, got {}",
                    range.unwrap_or_default()
                )));
            }
            true
        }
        200 => false,
        416 => {
            std::fs::remove_file(partial).map_err(DataError::io(partial, "remove it"))?;
            return Err(failed(
                "the server has less than an earlier try brought; the next try starts anew".to_owned(),
            ));
        }
        status => return Err(failed(format!("the server answered with status {status}, expected 200"))),
    };
    let mut file: File = if resumed {
        OpenOptions::new().append(true).open(partial).map_err(DataError::io(partial, "go on writing it"))?
    } else {
        here = 0;
        File::create(partial).map_err(DataError::io(partial, "write it"))?
    };
    let mut body = response.into_body().into_reader();
    let mut block = vec![0u8; 1 << 16];
    loop {
        let read = body
            .read(&mut block)
            .map_err(|error| failed(format!("after {here} of {bytes} bytes: {error}")))?;
        if read == 0 {
            break;
        }
        if here + read as u64 > bytes {
            drop(std::fs::remove_file(partial));
            return Err(failed(format!("more than {bytes} bytes came")));
        }
        file.write_all(&block[..read]).map_err(DataError::io(partial, "write it"))?;
        here += read as u64;
        progress(Progress::Downloading { url: url.to_owned(), bytes: here, of: bytes });
    }
    if here < bytes {
        return Err(failed(format!(
            "the connection ended after {here} of {bytes} bytes; the next try goes on there"
        )));
    }
    file.sync_all().map_err(DataError::io(partial, "write it"))
}
