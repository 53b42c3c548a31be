//! The journal as Python sees it: a reader with a cursor, its levels, its state, and a drain.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use treering_core::domain::Domain;
use treering_core::drain::{DrainThread, Leader, Purpose};
use treering_core::error::Error;
use treering_core::journal::{self, Journal};
use treering_core::level::Level;

use crate::encryption::Identities;
use crate::errors::raise;

/// Follows a journal from an index on.
#[pyclass(module = "treering._core")]
pub struct Reader {
    inner: journal::Reader,
}

#[pymethods]
impl Reader {
    #[new]
    #[pyo3(signature = (directory, index = 0, identities = None))]
    fn new(
        py: Python<'_>,
        directory: PathBuf,
        index: u64,
        identities: Option<&Identities>,
    ) -> PyResult<Self> {
        let identities = identities.map(|keys| keys.inner.clone()).unwrap_or_default();
        let opened = py.detach(|| journal::Reader::open_with(&directory, index, identities));
        Ok(Self { inner: opened.map_err(raise)? })
    }

    fn read<'py>(
        &mut self,
        py: Python<'py>,
        max_bytes: usize,
    ) -> PyResult<(u64, Bound<'py, PyBytes>)> {
        let batch = py.detach(|| self.inner.read(max_bytes)).map_err(raise)?;
        Ok((batch.first, PyBytes::new(py, &batch.bytes)))
    }

    fn seek(&mut self, py: Python<'_>, index: u64) -> PyResult<()> {
        py.detach(|| self.inner.seek(index)).map_err(raise)
    }

    #[getter]
    fn position(&self) -> u64 {
        self.inner.position()
    }

    #[getter]
    fn begin(&self) -> PyResult<u64> {
        self.inner.begin().map_err(raise)
    }

    #[getter]
    fn end(&mut self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.inner.end()).map_err(raise)
    }

    fn __repr__(&self) -> String {
        let directory = self.inner.journal().directory().display();
        format!("<Reader of '{directory}' before index {}>", self.inner.position())
    }
}

/// Drains what dead processes left in their rings, unless a living leader does so anyway.
///
/// Returns whether this call led.
#[pyfunction]
pub fn recover(py: Python<'_>, directory: PathBuf) -> PyResult<bool> {
    py.detach(|| -> treering_core::error::Result<bool> {
        let (journal, settings) = Journal::open(&directory)?;
        let place = journal.domain_place(&settings)?;
        let Ok(domain) = Domain::attach(&place, |_| {}) else {
            return Ok(false);
        };
        let domain = Arc::new(domain);
        let led = match Leader::take(&journal, &settings, &domain, None, Purpose::Upkeep) {
            // A copy without its keys, or one that was tampered with: it is looked at as it is.
            Ok(None) | Err(Error::Damaged { .. }) => false,
            Err(error) => {
                domain.detach();
                return Err(error);
            }
            Ok(Some(mut leader)) => {
                while leader.drain()? > 0 {}
                leader.retire_orphans();
                leader.close()?;
                true
            }
        };
        domain.detach();
        Ok(led)
    })
    .map_err(raise)
}

/// What the journal's files and its domain say about it.
#[pyfunction]
pub fn journal_status(py: Python<'_>, directory: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let (journal, settings) = Journal::open(&directory).map_err(raise)?;
    let status = PyDict::new(py);
    status.set_item("id", &settings.id)?;
    status.set_item("created", &settings.created)?;
    status.set_item("segment_max_bytes", settings.segment_max_bytes)?;
    status.set_item("segment_max_age_s", settings.segment_max_age_s)?;
    let durability = match settings.durability {
        journal::Durability::Process => "process",
        journal::Durability::Batch => "batch",
    };
    status.set_item("durability", durability)?;
    let segments = journal::segments(&journal).map_err(raise)?;
    let archived = treering_core::archive::list(journal.directory()).map_err(raise)?;
    // A segment that was just being archived counts once.
    let is_archived = |segment: &&journal::Segment| {
        archived.iter().any(|file| file.facts.segments.contains(&segment.first))
    };
    let active = segments.iter().filter(|segment| !is_archived(segment));
    let active: Vec<&std::path::Path> = active.map(|segment| segment.path.as_path()).collect();
    let older: usize = archived.iter().map(|file| file.facts.segments.len()).sum();
    let archived_bytes = bytes_of(archived.iter().map(|file| file.path.as_path()));
    status.set_item("segments", active.len() + older)?;
    status.set_item("bytes", bytes_of(active.into_iter()) + archived_bytes)?;
    status.set_item("archived_files", archived.len())?;
    status.set_item("archived_segments", older)?;
    status
        .set_item("archived_records", archived.iter().map(|file| file.facts.rows).sum::<u64>())?;
    status.set_item("archived_bytes", archived_bytes)?;
    status.set_item("begin", journal::begin(&journal).map_err(raise)?)?;
    let led = !matches!(journal.try_lead(), Ok(Some(_)));
    status.set_item("led", led)?;
    let leader = if led { journal.last_leader().map(|(process, _)| process) } else { None };
    status.set_item("leader", leader)?;
    let place = journal.domain_place(&settings).map_err(raise)?;
    status.set_item("domain", domain_status(py, &place)?)?;
    Ok(status)
}

fn bytes_of<'a>(files: impl Iterator<Item = &'a std::path::Path>) -> u64 {
    files.filter_map(|path| std::fs::metadata(path).ok()).map(|metadata| metadata.len()).sum()
}

fn domain_status<'py>(
    py: Python<'py>,
    place: &std::path::Path,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    use std::sync::atomic::Ordering::Relaxed;
    let Some(domain) = Domain::look(place) else {
        return Ok(None);
    };
    let totals = &domain.control().totals;
    let status = PyDict::new(py);
    status.set_item("sync_errors", totals.sync_errors.load(Relaxed))?;
    status.set_item("batches", totals.batches.load(Relaxed))?;
    status.set_item("records", totals.records.load(Relaxed))?;
    status.set_item("bytes", totals.bytes.load(Relaxed))?;
    status.set_item("rotations", totals.rotations.load(Relaxed))?;
    status.set_item("takeovers", totals.takeovers.load(Relaxed))?;
    status.set_item("recoveries", totals.recoveries.load(Relaxed))?;
    status.set_item("write_errors", totals.write_errors.load(Relaxed))?;
    status.set_item("syncs", totals.syncs.load(Relaxed))?;
    status.set_item("orphans", totals.orphans.load(Relaxed))?;
    status.set_item("archived_files", totals.archived_files.load(Relaxed))?;
    status.set_item("archived_records", totals.archived_records.load(Relaxed))?;
    status.set_item("archive_errors", totals.archive_errors.load(Relaxed))?;
    let rings = domain.rings();
    let sum = |of: fn(&treering_core::ring::Header) -> u64| -> u64 {
        rings.iter().map(|ring| of(ring.mapping.header())).sum()
    };
    status.set_item("rings", rings.len())?;
    status.set_item("waiting_bytes", sum(treering_core::ring::Header::waiting_bytes))?;
    status.set_item(
        "dropped",
        totals.dropped.load(Relaxed) + sum(|header| header.counters.dropped()),
    )?;
    let truncated = sum(|header| header.counters.truncated.load(Relaxed));
    status.set_item("truncated", totals.truncated.load(Relaxed) + truncated)?;
    let redacted = sum(|header| header.counters.redacted.load(Relaxed));
    status.set_item("redacted", totals.redacted.load(Relaxed) + redacted)?;
    let redactions = sum(|header| header.counters.redactions.load(Relaxed));
    status.set_item("redactions", totals.redactions.load(Relaxed) + redactions)?;
    Ok(Some(status))
}

/// Levels set in the journal's domain, or the stored ones when no process has it open.
#[pyfunction]
pub fn journal_levels(directory: PathBuf) -> PyResult<Vec<(String, Level)>> {
    let (journal, settings) = Journal::open(&directory).map_err(raise)?;
    let place = journal.domain_place(&settings).map_err(raise)?;
    match Domain::look(&place) {
        Some(domain) => Ok(domain.levels().list()),
        None => journal.stored_levels().map_err(raise),
    }
}

/// Sets a level in every process of the journal at once; `persist` also stores it for later ones.
///
/// Returns whether a running domain took it.
#[pyfunction]
pub fn set_journal_level(
    directory: PathBuf,
    component: &str,
    level: Option<Level>,
    persist: bool,
) -> PyResult<bool> {
    let (journal, settings) = Journal::open(&directory).map_err(raise)?;
    let place = journal.domain_place(&settings).map_err(raise)?;
    let domain = Domain::look(&place);
    if let Some(domain) = &domain {
        domain.levels().set(component, level);
    }
    if persist {
        let mut levels = journal.stored_levels().map_err(raise)?;
        levels.retain(|(name, _)| name != component);
        levels.extend(level.map(|level| (component.to_owned(), level)));
        journal.store_levels(&levels).map_err(raise)?;
    }
    Ok(domain.is_some())
}

/// A process that leads a journal without logging to it.
#[pyclass(module = "treering._core")]
pub struct Drain {
    shared: Arc<DrainThread>,
    domain: Arc<Domain>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[pymethods]
impl Drain {
    #[new]
    fn new(directory: PathBuf) -> PyResult<Self> {
        let (journal, settings) = Journal::open(&directory).map_err(raise)?;
        let place = journal.domain_place(&settings).map_err(raise)?;
        let domain = Arc::new(Domain::attach(&place, |_| {})?);
        let shared = DrainThread::new(journal, settings, domain.clone(), None, None, true);
        let thread = Mutex::new(Some(shared.spawn()?));
        Ok(Self { shared, domain, thread })
    }

    #[getter]
    fn leads(&self) -> bool {
        self.shared.leads()
    }

    #[getter]
    fn last_error(&self) -> Option<String> {
        self.shared.last_error()
    }

    /// Drains what is there and gives the lead away.
    fn stop(&self, py: Python<'_>) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            self.shared.stop();
            // A drain that panicked has given the lead away already.
            let _ = py.detach(|| thread.join());
            self.domain.detach();
        }
    }
}
