//! The class `Logger`: a component's name, its bound context, and the methods that log.

use std::collections::HashSet;
use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use treering_core::level::{self, Level};

use crate::encode::Fields;
use crate::errors::level_number;
use crate::pipeline::{self, Component};

/// Logs for one component. Immutable: `bind` gives a new one.
#[pyclass(module = "treering._core", frozen, subclass, weakref)]
pub struct Logger {
    pub component: &'static Component,
    pub category: Option<&'static str>,
    /// What was bound.
    pub fields: Fields,
}

impl Logger {
    #[inline]
    pub fn category_pointer(&self) -> *const u8 {
        self.category.map_or(std::ptr::null(), str::as_ptr)
    }

    /// Does a record of this level from this component go anywhere?
    #[inline]
    pub fn is_enabled(&self, level: Level) -> bool {
        if level::is_protected(level) {
            #[allow(unsafe_code)]
            // SAFETY: the GIL is held in every method; nothing runs in between.
            let state = unsafe { pipeline::state() };
            return if level == level::AUDIT {
                state.audit_enabled
            } else {
                state.security_enabled
            };
        }
        level >= self.component.threshold() && level < level::OFF
    }
}

/// Words that live as long as the process; categories are few.
fn intern(word: &str) -> &'static str {
    static WORDS: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut words = WORDS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let words = words.get_or_insert_with(HashSet::new);
    if let Some(known) = words.get(word) {
        return known;
    }
    let word: &'static str = Box::leak(word.to_owned().into_boxed_str());
    words.insert(word);
    word
}

#[pymethods]
impl Logger {
    #[new]
    #[pyo3(signature = (name = "", category = None, bound = None))]
    fn new(name: &str, category: Option<&str>, bound: Option<Bound<'_, PyDict>>) -> Self {
        #[allow(unsafe_code)]
        // SAFETY: the GIL is held; no Python code runs.
        let component = unsafe { pipeline::state() }.component(name);
        Self { component, category: category.map(intern), fields: Fields::new(bound) }
    }

    /// The component's name.
    #[getter]
    fn name(&self) -> &str {
        &self.component.name
    }

    /// The category that this logger's records have.
    #[getter]
    fn category(&self) -> Option<&str> {
        self.category
    }

    /// The bound fields, as a new dict.
    #[getter]
    fn context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match self.fields.dict(py) {
            Some(bound) => bound.copy(),
            None => Ok(PyDict::new(py)),
        }
    }

    /// The threshold in force.
    #[getter]
    fn level(&self, py: Python<'_>) -> Level {
        pipeline::make_ready(py);
        self.component.threshold()
    }

    fn enabled_for(&self, level: &Bound<'_, PyAny>) -> PyResult<bool> {
        pipeline::make_ready(level.py());
        Ok(self.is_enabled(level_number(level)?))
    }

    #[pyo3(signature = (**fields))]
    fn bind<'py>(
        slf: &Bound<'py, Self>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let bound = this.context(py)?;
        if let Some(fields) = fields {
            bound.update(fields.as_mapping())?;
        }
        slf.get_type().call1((this.component.name.as_str(), this.category, bound))
    }

    #[pyo3(signature = (*keys))]
    fn unbind<'py>(
        slf: &Bound<'py, Self>,
        keys: &Bound<'py, pyo3::types::PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let bound = this.context(py)?;
        for key in keys {
            if bound.contains(&key)? {
                bound.del_item(key)?;
            }
        }
        slf.get_type().call1((this.component.name.as_str(), this.category, bound))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let level = level::name(self.component.threshold()).into_owned();
        let bound = if self.fields.dict(py).is_some() { ", bound context" } else { "" };
        format!("<Logger '{}', {level}{bound}>", self.component.name)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        use pyo3::IntoPyObjectExt;
        let (py, this) = (slf.py(), slf.get());
        let rebuild = py.import("treering._logger")?.getattr("_rebuild")?;
        let arguments = (this.component.name.as_str(), this.category, this.context(py)?);
        (rebuild, arguments).into_bound_py_any(py)
    }
}
