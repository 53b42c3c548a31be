//! Encrypted files of the archive, and the index of words beside the others.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use treering_core::archive::{self, outside, tokens, Recipients};
use treering_core::drain::as_leader;
use treering_core::error::Error;

use crate::errors::raise;

/// How long a person waits for the lead of a journal.
const LEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// What encrypted files are opened with.
#[pyclass(module = "treering._core", frozen)]
pub struct Identities {
    pub inner: archive::Identities,
}

#[pymethods]
impl Identities {
    #[new]
    fn new(py: Python<'_>, files: Vec<PathBuf>) -> PyResult<Self> {
        let inner = py.detach(|| archive::Identities::from_files(&files)).map_err(raise)?;
        Ok(Self { inner })
    }

    #[getter]
    fn recipients(&self) -> Vec<String> {
        self.inner.names()
    }

    fn __repr__(&self) -> String {
        format!("<Identities of {}>", self.inner.names().join(", "))
    }
}

/// A decrypted file that only exists in memory.
#[pyclass(module = "treering._core", frozen)]
pub struct MemoryFile {
    inner: archive::MemoryFile,
}

#[pymethods]
impl MemoryFile {
    #[getter]
    fn path(&self) -> PathBuf {
        self.inner.path()
    }

    fn fileno(&self) -> i32 {
        self.inner.file().as_raw_fd()
    }
}

/// The recipients in their one spelling; refuses what is none.
#[pyfunction]
pub fn age_recipients(recipients: Vec<String>) -> PyResult<Vec<String>> {
    Ok(Recipients::parse(&recipients).map_err(raise)?.names())
}

/// Encrypts a file; gives length and SHA-256 of what was written.
#[pyfunction]
pub fn age_encrypt(
    py: Python<'_>,
    plain: PathBuf,
    path: PathBuf,
    recipients: Vec<String>,
) -> PyResult<(u64, String)> {
    let recipients = Recipients::parse(&recipients).map_err(raise)?;
    py.detach(|| {
        let file = File::open(&plain).map_err(|source| Error::Io {
            what: "opening",
            path: plain.clone(),
            source,
        })?;
        let written = archive::encrypt_file(file, &path, &recipients)?;
        Ok((written.bytes, treering_core::seal::hex(&written.sha256)))
    })
    .map_err(raise)
}

/// Decrypts a file into memory.
#[pyfunction]
pub fn age_decrypt(py: Python<'_>, path: PathBuf, identities: &Identities) -> PyResult<MemoryFile> {
    let open = || archive::open_decrypted(&path, &identities.inner)?.into_memory(&path);
    Ok(MemoryFile { inner: py.detach(open).map_err(raise)? })
}

/// Whose identities open an encrypted file, as the facts beside it say.
#[pyfunction]
pub fn archive_recipients(path: PathBuf) -> PyResult<Vec<String>> {
    Ok(outside::read(&path).map_err(raise)?.recipients)
}

/// Encrypts all encrypted files of a journal anew; gives files, bytes, and files left as they were.
#[pyfunction]
pub fn archive_rewrap(
    py: Python<'_>,
    directory: PathBuf,
    identities: &Identities,
    recipients: Vec<String>,
) -> PyResult<(u64, u64, u64)> {
    let recipients = Recipients::parse(&recipients).map_err(raise)?;
    let work = || {
        as_leader(&directory, LEAD_TIMEOUT, |leader| leader.rewrap(&identities.inner, &recipients))
    };
    let done = py.detach(work).map_err(raise)?;
    Ok((done.files, done.bytes, done.others))
}

type Ranges = Vec<(u64, u64)>;

/// For each Parquet file, the index ranges outside of which no record has all of the words.
#[pyfunction]
pub fn token_ranges(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    words: Vec<String>,
) -> PyResult<Vec<Ranges>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    py.detach(|| paths.iter().map(|path| tokens::lookup(path, &words)).collect::<Result<_, _>>())
        .map_err(raise)
}

/// Makes the index of words beside a Parquet file.
#[pyfunction]
pub fn token_build(py: Python<'_>, path: PathBuf) -> PyResult<()> {
    py.detach(|| tokens::build(&path)).map_err(raise)
}

/// `complete`, `missing`, `unusable` or `hides`, and from which index on.
#[pyfunction]
pub fn token_check(py: Python<'_>, path: PathBuf) -> PyResult<(&'static str, Option<u64>)> {
    Ok(match py.detach(|| tokens::check(&path)).map_err(raise)? {
        tokens::Checked::Complete => ("complete", None),
        tokens::Checked::Missing => ("missing", None),
        tokens::Checked::Unusable => ("unusable", None),
        tokens::Checked::Hides(index) => ("hides", Some(index)),
    })
}

/// The words of a text as searches compare them.
#[pyfunction]
pub fn words(text: &str) -> Vec<String> {
    archive::words(text)
}

/// Adds the functions to the module.
///
/// # Errors
/// As Python's.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(age_decrypt, module)?,
        wrap_pyfunction!(age_encrypt, module)?,
        wrap_pyfunction!(age_recipients, module)?,
        wrap_pyfunction!(archive_recipients, module)?,
        wrap_pyfunction!(archive_rewrap, module)?,
        wrap_pyfunction!(token_build, module)?,
        wrap_pyfunction!(token_check, module)?,
        wrap_pyfunction!(token_ranges, module)?,
        wrap_pyfunction!(words, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
