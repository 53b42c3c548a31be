//! What an output of Python's is fed from: this process's ring, and which lines of a batch it wants.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use treering_core::journal::PlaceLock;
use treering_core::process;

use crate::console::Filter;
use crate::errors::raise;
use crate::pipeline;

/// Follows what this process says.
#[pyclass(module = "treering._core")]
pub struct Tap {
    /// Away while a thread reads.
    inner: Option<process::Tap>,
}

#[pymethods]
impl Tap {
    #[new]
    #[pyo3(signature = (holds = false))]
    fn new(holds: bool) -> Self {
        Self { inner: pipeline::process().map(|process| process.tap(holds)) }
    }

    /// Number of the first record, lines, and how many records before them were lost.
    fn read<'py>(
        &mut self,
        py: Python<'py>,
        max_bytes: usize,
        timeout_s: f64,
    ) -> (u64, Bound<'py, PyBytes>, u64) {
        let timeout = Duration::from_secs_f64(timeout_s.clamp(0.0, 3600.0));
        let Some(mut inner) = self.inner.take() else {
            return (0, PyBytes::new(py, b""), 0);
        };
        let (inner, tapped) = py.detach(move || {
            let tapped = inner.read(max_bytes, timeout);
            (inner, tapped)
        });
        self.inner = Some(inner);
        (tapped.first, PyBytes::new(py, &tapped.lines), tapped.lost)
    }

    #[getter]
    fn behind_bytes(&self) -> u64 {
        self.inner.as_ref().map_or(0, process::Tap::behind_bytes)
    }
}

/// A lock on a file that dies with its process and is not inherited by forked children.
#[pyclass(module = "treering._core")]
pub struct Lock {
    path: PathBuf,
    held: Option<PlaceLock>,
}

#[pymethods]
impl Lock {
    #[new]
    fn new(path: PathBuf) -> Self {
        Self { path, held: None }
    }

    /// Takes the lock if nobody has it. True when it is held now.
    fn acquire(&mut self) -> PyResult<bool> {
        if self.held.is_none() {
            self.held = PlaceLock::try_take(&self.path).map_err(raise)?;
        }
        Ok(self.held.is_some())
    }

    fn release(&mut self) {
        self.held = None;
    }
}

/// The records that any of the filters chooses, with their indexes, or with `None` when it is all.
///
/// The empty lines that erased records have left are never chosen.
#[pyfunction]
pub fn pick<'py>(
    py: Python<'py>,
    filters: Vec<PyRef<'py, Filter>>,
    first: u64,
    lines: Bound<'py, PyBytes>,
) -> (Option<Vec<u64>>, Bound<'py, PyBytes>) {
    let filters: Vec<_> = filters.iter().map(|filter| filter.inner().clone()).collect();
    let bytes = lines.as_bytes();
    let (all, indexes, picked) = py.detach(|| {
        let (mut all, mut indexes, mut picked) = (true, Vec::new(), Vec::new());
        for (index, line) in (first..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if !line.is_empty() && filters.iter().any(|filter| filter.matches(line)) {
                indexes.push(index);
                picked.extend_from_slice(line);
                picked.push(b'\n');
            } else {
                all = false;
            }
        }
        (all, indexes, picked)
    });
    if all {
        (None, lines)
    } else {
        (Some(indexes), PyBytes::new(py, &picked))
    }
}
