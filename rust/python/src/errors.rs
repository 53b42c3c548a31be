//! The two worlds of errors: what the core reports, and the exceptions of `treering.errors`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use treering_core::error::Error;
use treering_core::level::{self, Level};

/// The Python exception for an error of the core.
#[must_use]
pub fn raise(error: Error) -> PyErr {
    Python::attach(|py| exception(py, &error).unwrap_or_else(|failed| failed))
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let fields = PyDict::new(py);
    let (class, code) = match error {
        Error::Io { path, source, .. } => {
            fields.set_item("path", path)?;
            let missing = source.kind() == std::io::ErrorKind::NotFound;
            ("JournalUnavailable", if missing { "journal_missing" } else { "journal_unavailable" })
        }
        Error::Damaged { path, .. } => {
            fields.set_item("path", path)?;
            ("JournalDamaged", "journal_damaged")
        }
        Error::Refused { path, .. } => {
            fields.set_item("path", path)?;
            ("ConfigurationError", "request_refused")
        }
        Error::Setting { name, .. } => {
            fields.set_item("field", *name)?;
            ("ConfigurationError", "setting_invalid")
        }
        Error::Pattern { .. } => {
            fields.set_item("field", "redaction_patterns")?;
            ("ConfigurationError", "pattern_invalid")
        }
        Error::Unsafe { path, .. } => {
            fields.set_item("path", path)?;
            ("JournalUnavailable", "journal_unsafe")
        }
    };
    fields.set_item("code", code)?;
    let class = py.import("treering.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call((error.to_string(),), Some(&fields))?))
}

/// A level as callers write it: a number, or a name in any case.
pub fn level_number(value: &Bound<'_, PyAny>) -> PyResult<Level> {
    if let Ok(number) = value.extract::<Level>() {
        if number <= level::OFF {
            return Ok(number);
        }
    } else if let Ok(name) = value.extract::<String>() {
        if let Some(number) = level::parse(&name) {
            return Ok(number);
        }
    }
    let found = value.repr().map_or_else(|_| "?".into(), |text| text.to_string());
    Err(pyo3::exceptions::PyValueError::new_err(format!(
        "level {found} is unknown: a name such as INFO or a number from 0 to 100 would be right"
    )))
}
