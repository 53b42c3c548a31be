//! Ambient context: fields that hold for a `with` block, in the task or thread that entered it.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::trace;

/// The context variable, null until the first use: programs without ambient context never look.
static VARIABLE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// Immutable fields, encoded once when the block is entered.
#[pyclass(module = "treering._core", frozen)]
pub struct Ambient {
    fields: Py<PyDict>,
    pub trace: Vec<u8>,
    pub context: Vec<u8>,
}

impl Ambient {
    pub fn fields<'py>(&self, py: Python<'py>) -> &Bound<'py, PyDict> {
        self.fields.bind(py)
    }
}

#[pymethods]
impl Ambient {
    #[new]
    fn new(fields: Bound<'_, PyDict>) -> PyResult<Self> {
        let fields = fields.copy()?;
        let (trace, context) = trace::split(&fields);
        Ok(Self { fields: fields.unbind(), trace, context })
    }

    #[getter(fields)]
    fn copied<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.fields.bind(py).copy()
    }
}

/// Names the context variable that holds an `Ambient` or `None`.
#[pyfunction]
pub fn set_context_variable(variable: Bound<'_, PyAny>) {
    VARIABLE.store(variable.into_ptr(), Ordering::Relaxed);
}

/// The ambient context of the running task.
///
/// # Safety
/// The GIL is held. The reference lives while no Python code runs.
#[inline]
pub unsafe fn ambient<'a>() -> Option<&'a Ambient> {
    let variable = VARIABLE.load(Ordering::Relaxed);
    if variable.is_null() {
        return None;
    }
    // SAFETY: a `ContextVar` with a default; the value is kept alive by the context that holds it.
    unsafe {
        let mut value = std::ptr::null_mut();
        if ffi::PyContextVar_Get(variable, std::ptr::null_mut(), &raw mut value) != 0 {
            ffi::PyErr_Clear();
            return None;
        }
        if value.is_null() {
            return None;
        }
        ffi::Py_DECREF(value);
        if value == ffi::Py_None() {
            return None;
        }
        let py = Python::assume_attached();
        let value = Borrowed::<PyAny>::from_ptr(py, value);
        let ambient: *const Ambient = value.cast::<Ambient>().ok()?.get();
        Some(&*ambient)
    }
}
