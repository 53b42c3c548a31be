//! The archive: its files, and journals as streams of Arrow record batches.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};
use treering_core::archive::{self, Against, Archived, Facts, Identities, Input, Wanted};
use treering_core::error::Result;

use crate::console::Filter;
use crate::encryption::Identities as Opening;
use crate::errors::raise;

fn set_facts(dict: &Bound<'_, PyDict>, facts: &Facts) -> PyResult<()> {
    let text =
        serde_json::to_string(facts).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let read = dict.py().import("json")?.call_method1("loads", (text,))?;
    dict.call_method1("update", (read,)).map(|_| ())
}

/// The files of a journal's archive, in order: facts, `path`, `is_encrypted` and `bytes`.
#[pyfunction]
pub fn archive_list(py: Python<'_>, directory: PathBuf) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let files = py.detach(|| archive::list(&directory)).map_err(raise)?;
    let files = files.into_iter().map(|file| {
        let dict = PyDict::new(py);
        set_facts(&dict, &file.facts)?;
        dict.set_item("bytes", std::fs::metadata(&file.path).map_or(0, |found| found.len()))?;
        dict.set_item("path", file.path)?;
        dict.set_item("is_encrypted", file.is_encrypted)?;
        Ok(dict)
    });
    files.collect()
}

/// Writes JSON Lines that follow each other (index of the first record, path) into one file, checks
/// that it gives them back, and returns its facts.
#[pyfunction]
#[pyo3(signature = (inputs, path, journal_id = ""))]
pub fn archive_write<'py>(
    py: Python<'py>,
    inputs: Vec<(u64, PathBuf)>,
    path: PathBuf,
    journal_id: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let segment = |(first, path)| Input::Segment { first, records: None, path };
    let inputs: Vec<Input> = inputs.into_iter().map(segment).collect();
    let write = || -> Result<Facts> {
        let identities = Identities::default();
        let options = archive::WriteOptions { journal_id, keep: None, identities: &identities };
        let facts = archive::write(&inputs, &path, &options)?;
        let file = Archived { path: path.clone(), is_encrypted: false, facts };
        archive::check(&file, Against::Inputs(&inputs), &identities)?;
        Ok(file.facts)
    };
    let facts = py.detach(write).map_err(raise)?;
    let dict = PyDict::new(py);
    set_facts(&dict, &facts)?;
    Ok(dict)
}

/// The records of a file from `index` on: index of the first, and lines.
#[pyfunction]
#[pyo3(signature = (path, index = 0, identities = None))]
pub fn archive_lines<'py>(
    py: Python<'py>,
    path: PathBuf,
    index: u64,
    identities: Option<&Opening>,
) -> PyResult<Vec<(u64, Bound<'py, PyBytes>)>> {
    let identities = identities.map(|given| given.inner.clone()).unwrap_or_default();
    let read = || -> Result<Vec<(u64, Vec<u8>)>> {
        let facts = archive::facts(&path)?;
        let is_encrypted = path.extension().is_some_and(|ending| ending == "age");
        let file = Archived { path, is_encrypted, facts };
        let mut lines = archive::Lines::open(&file, index, &identities)?;
        std::iter::from_fn(|| lines.next_piece().transpose()).collect()
    };
    let pieces = py.detach(read).map_err(raise)?;
    Ok(pieces.into_iter().map(|(first, lines)| (first, PyBytes::new(py, &lines))).collect())
}

/// The records with these indexes, which must rise: lines, empty where there is none.
#[pyfunction]
pub fn archive_lines_at(
    py: Python<'_>,
    path: PathBuf,
    indexes: Vec<u64>,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let lines = py.detach(|| archive::lines_at(&path, &indexes)).map_err(raise)?;
    Ok(lines.into_iter().map(|line| PyBytes::new(py, &line)).collect())
}

fn wanted(filter: Option<&Bound<'_, Filter>>, columns: Option<Vec<String>>) -> Wanted {
    Wanted { filter: filter.map(|filter| filter.get().inner().clone()), columns }
}

/// A stream of batches for whoever speaks the Arrow `PyCapsule` interface.
fn capsule(py: Python<'_>, batches: Result<archive::Batches>) -> PyResult<Bound<'_, PyCapsule>> {
    let stream = FFI_ArrowArrayStream::new(Box::new(batches.map_err(raise)?));
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

/// Lines in the columns of the archive. May be read more than once.
#[pyclass(module = "treering._core", frozen)]
pub struct LineBatches(archive::LineBatches);

#[pymethods]
impl LineBatches {
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer ignore what was requested.
        let _ = requested_schema;
        capsule(py, self.0.read())
    }

    fn __repr__(&self) -> String {
        format!("<LineBatches of {} bytes from index {}>", self.0.lines.len(), self.0.first)
    }
}

/// Canonical lines as Arrow record batches.
#[pyfunction]
#[pyo3(signature = (first_index, lines, filter = None, columns = None))]
pub fn lines_to_arrow(
    first_index: u64,
    lines: &[u8],
    filter: Option<&Bound<'_, Filter>>,
    columns: Option<Vec<String>>,
) -> PyResult<LineBatches> {
    let wanted = wanted(filter, columns);
    let lines = archive::LineBatches { first: first_index, lines: Arc::from(lines), wanted };
    lines.read().map_err(raise)?;
    Ok(LineBatches(lines))
}

/// A journal's records that are not archived yet. May be read more than once.
#[pyclass(module = "treering._core", frozen)]
pub struct ActiveBatches {
    inner: archive::ActiveBatches,
    directory: PathBuf,
}

#[pymethods]
impl ActiveBatches {
    #[new]
    #[pyo3(signature = (directory, start = 0, end = None, filter = None, columns = None))]
    fn new(
        py: Python<'_>,
        directory: PathBuf,
        start: u64,
        end: Option<u64>,
        filter: Option<&Bound<'_, Filter>>,
        columns: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let wanted = wanted(filter, columns);
        let open = || -> Result<archive::ActiveBatches> {
            let inner = archive::ActiveBatches::open(&directory, start, end, wanted)?;
            inner.read()?;
            Ok(inner)
        };
        let inner = py.detach(open).map_err(raise)?;
        Ok(Self { inner, directory })
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        capsule(py, self.inner.read())
    }

    fn __repr__(&self) -> String {
        format!("<ActiveBatches of '{}'>", self.directory.display())
    }
}
