//! The text file as `treering.outputs.FileOutput` drives it.

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use treering_core::process::fork;
use treering_core::textfile::{self, Compression, Failure, Naming, RotateAt, Settings, Text};

use crate::errors;

/// One file, with everything that is done to it without the GIL.
#[pyclass(module = "treering._core", frozen)]
pub struct TextFile {
    file: Mutex<textfile::TextFile>,
    counts: std::sync::Arc<textfile::Counts>,
    generation: u32,
}

#[pymethods]
impl TextFile {
    #[new]
    #[pyo3(signature = (path, *, max_bytes, max_age_s, rotate_at, utc, naming, backup_count,
                        max_total_bytes, backup_max_age_s, compression, permissions, header, sync,
                        immutable, append_only))]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)]
    fn new(
        path: PathBuf,
        max_bytes: u64,
        max_age_s: Option<f64>,
        rotate_at: Option<(u32, u32)>,
        utc: bool,
        naming: &str,
        backup_count: Option<usize>,
        max_total_bytes: Option<u64>,
        backup_max_age_s: Option<u64>,
        compression: &str,
        permissions: u32,
        header: Vec<u8>,
        sync: bool,
        immutable: bool,
        append_only: bool,
    ) -> PyResult<Self> {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(PyValueError::new_err("a path that ends with a name in UTF-8"));
        };
        let naming = Naming::parse(naming, name).map_err(PyValueError::new_err)?;
        let compression = Compression::ALL.into_iter().find(|kind| kind.name() == compression);
        let file = textfile::TextFile::new(Settings {
            path,
            max_bytes,
            max_age_ns: max_age_s.map(|age_s| (age_s * 1e9) as u64),
            rotate_at: rotate_at.map(|(period_s, offset_s)| RotateAt { period_s, offset_s }),
            utc,
            naming,
            backup_count,
            max_total_bytes,
            backup_max_age_s,
            compression,
            permissions,
            header,
            sync,
            immutable,
            append_only,
        });
        let counts = file.counts().clone();
        Ok(Self { file: Mutex::new(file), counts, generation: fork::generation() })
    }

    fn open(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.file()?.open().map_err(errors::raise_file))
    }

    #[pyo3(signature = (text, ends, now_ns))]
    fn write(
        &self,
        py: Python<'_>,
        text: &[u8],
        ends: Option<Vec<usize>>,
        now_ns: u64,
    ) -> PyResult<()> {
        let text = match &ends {
            None => Text::of_lines(text),
            Some(ends) if ends.last() == Some(&text.len()) && ends.is_sorted() => {
                Text::of_records(text, ends)
            }
            Some(_) => return Err(PyValueError::new_err("ends that rise to the text's")),
        };
        py.detach(|| self.file()?.write(text, now_ns).map_err(errors::raise_file))
    }

    fn rotate(&self, py: Python<'_>, now_ns: u64) -> PyResult<bool> {
        py.detach(|| {
            let rotated = self.file()?.rotate(now_ns);
            rotated.map_err(|error| errors::raise_file(Failure::Write { accepted: 0, error }))
        })
    }

    fn close(&self, py: Python<'_>, timeout_s: f64) -> PyResult<()> {
        if self.is_inherited() {
            return Ok(());
        }
        let timeout = Duration::try_from_secs_f64(timeout_s).unwrap_or(Duration::MAX);
        py.detach(|| self.file().map(|mut file| file.close(timeout)))
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = &self.counts;
        let out = PyDict::new(py);
        for (name, count) in [
            ("bytes", &counts.bytes),
            ("records", &counts.records),
            ("rotations", &counts.rotations),
            ("reopened", &counts.reopened),
            ("compressed", &counts.compressed),
            ("deleted", &counts.deleted),
            ("rotation_errors", &counts.rotation_errors),
            ("upkeep_errors", &counts.upkeep_errors),
        ] {
            out.set_item(name, count.load(Relaxed))?;
        }
        out.set_item("upkeep_error", counts.last_error())?;
        Ok(out)
    }
}

impl TextFile {
    fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }

    /// The lock of a parent may have been held while it forked, and then stays so in the child.
    fn file(&self) -> PyResult<MutexGuard<'_, textfile::TextFile>> {
        if self.is_inherited() {
            return Err(PyValueError::new_err("a file that this process has opened"));
        }
        Ok(self.file.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
