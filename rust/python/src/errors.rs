//! The two worlds of errors: what the core reports, and the exceptions of `treering.errors`.

use std::path::Path;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use treering_core::error::Error;
use treering_core::level::{self, Level};
use treering_core::textfile::Failure;

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
        Error::Format { name, .. } => {
            fields.set_item("field", *name)?;
            ("ConfigurationError", "format_invalid")
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

/// The Python exception for what a text file reports.
#[must_use]
pub fn raise_file(failure: Failure) -> PyErr {
    Python::attach(|py| file_exception(py, &failure).unwrap_or_else(|failed| failed))
}

fn file_exception(py: Python<'_>, failure: &Failure) -> PyResult<PyErr> {
    let fields = PyDict::new(py);
    let (class, message) = match failure {
        Failure::Unavailable(error) => {
            fields.set_item("path", path(error))?;
            ("OutputUnavailable", error.to_string())
        }
        Failure::Write { accepted, error } => {
            fields.set_item("path", path(error))?;
            fields.set_item("accepted", *accepted)?;
            ("FileWriteFailed", error.to_string())
        }
        Failure::Flag { option, path, source } => {
            fields.set_item("path", path)?;
            fields.set_item("field", *option)?;
            fields.set_item("code", "file_flag_refused")?;
            let place = path.display();
            let wanted = "a file system with such flags and CAP_LINUX_IMMUTABLE would be right";
            let message =
                format!("option {option} cannot be had for '{place}': {source}: {wanted}");
            ("ConfigurationError", message)
        }
    };
    let class = py.import("treering.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call((message,), Some(&fields))?))
}

fn path(error: &Error) -> Option<&Path> {
    match error {
        Error::Io { path, .. }
        | Error::Damaged { path, .. }
        | Error::Refused { path, .. }
        | Error::Unsafe { path, .. } => Some(path),
        Error::Setting { .. } | Error::Format { .. } | Error::Pattern { .. } => None,
    }
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
