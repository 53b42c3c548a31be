//! Retention as a person asks for it: what would go, doing it, legal holds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pyo3::prelude::*;
use treering_core::drain::as_leader;
use treering_core::error::Result;
use treering_core::retention::{self, Hold, Holds};

use crate::errors::raise;

/// How long a person waits for the lead of a journal.
const LEAD_TIMEOUT: Duration = Duration::from_secs(15);

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What retention would take now, as JSON; nothing is changed.
#[pyfunction]
pub fn retention_plan(py: Python<'_>, directory: PathBuf) -> PyResult<String> {
    let look = |directory: &Path| -> Result<String> {
        let survey = retention::survey(directory)?;
        Ok(json(&retention::plan(&survey.situation())))
    };
    py.detach(|| look(&directory)).map_err(raise)
}

/// Takes what retention takes now; gives the plan that it followed, as JSON.
#[pyfunction]
pub fn retention_apply(py: Python<'_>, directory: PathBuf) -> PyResult<String> {
    let retained = py
        .detach(|| as_leader(&directory, LEAD_TIMEOUT, treering_core::drain::retain))
        .map_err(raise)?;
    Ok(json(&retained.plan))
}

/// Places a legal hold on the records between two times, or on all.
#[pyfunction]
#[pyo3(signature = (directory, name, reason, from_ns = None, to_ns = None))]
pub fn retention_hold(
    py: Python<'_>,
    directory: PathBuf,
    name: &str,
    reason: &str,
    from_ns: Option<u64>,
    to_ns: Option<u64>,
) -> PyResult<()> {
    let hold = Hold::new(name, reason, from_ns, to_ns);
    py.detach(|| as_leader(&directory, LEAD_TIMEOUT, |leader| retention::hold(leader, &hold)))
        .map_err(raise)
}

/// Releases a legal hold.
#[pyfunction]
#[pyo3(signature = (directory, name, reason = None))]
pub fn retention_release(
    py: Python<'_>,
    directory: PathBuf,
    name: &str,
    reason: Option<&str>,
) -> PyResult<()> {
    py.detach(|| {
        as_leader(&directory, LEAD_TIMEOUT, |leader| retention::release(leader, name, reason))
    })
    .map_err(raise)
}

/// The legal holds of a journal, as JSON.
#[pyfunction]
pub fn retention_holds(directory: PathBuf) -> PyResult<String> {
    Holds::load(&directory).map(|holds| json(&holds.holds)).map_err(raise)
}

/// Adds the functions to the module.
///
/// # Errors
/// As Python's.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(retention_apply, module)?,
        wrap_pyfunction!(retention_hold, module)?,
        wrap_pyfunction!(retention_holds, module)?,
        wrap_pyfunction!(retention_plan, module)?,
        wrap_pyfunction!(retention_release, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
