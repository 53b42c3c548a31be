//! Archiving as a person asks for it.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use treering_core::drain::{archive_now as archive, Progress};

use crate::errors::raise;

/// How long a person waits for the lead of a journal.
const LEAD_TIMEOUT: Duration = Duration::from_secs(15);

type Told = (u64, u64, u64, u64);

fn told(progress: Progress) -> Told {
    (progress.files, progress.records, progress.lines_bytes, progress.file_bytes)
}

/// Archives all closed segments now, and the active one too when `all`.
///
/// Gives files, records, bytes of JSON Lines and bytes of the files; `progress` gets the same meanwhile,
/// and stops it by raising.
#[pyfunction]
#[pyo3(signature = (directory, all = false, progress = None))]
pub fn archive_now(
    py: Python<'_>,
    directory: PathBuf,
    all: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Told> {
    let mut raised = None;
    let archived = py.detach(|| {
        archive(&directory, LEAD_TIMEOUT, all, &mut |now| {
            Python::attach(|py| {
                let shown = progress
                    .as_ref()
                    .map_or(Ok(()), |progress| progress.call1(py, told(now)).map(drop));
                match shown.and_then(|()| py.check_signals()) {
                    Ok(()) => true,
                    Err(error) => {
                        raised = Some(error);
                        false
                    }
                }
            })
        })
    });
    match raised {
        Some(error) => Err(error),
        None => archived.map(told).map_err(raise),
    }
}
