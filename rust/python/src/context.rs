//! Ambient context: fields that hold for a `with` block, in the task or thread that entered it.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::encode::Fields;

/// The context variable, null until the first use: programs without ambient context never look.
static VARIABLE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// Immutable fields, encoded once when the block is entered.
#[pyclass(module = "treering._core", frozen)]
pub struct Ambient {
    pub fields: Fields,
}

#[pymethods]
impl Ambient {
    #[new]
    fn new(fields: Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Self { fields: Fields::new(Some(fields.copy()?)) })
    }

    #[getter(fields)]
    fn copied<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.fields.dict(py).map_or_else(|| Ok(PyDict::new(py)), pyo3::types::PyDictMethods::copy)
    }
}

/// Names the context variable that holds an `Ambient` or `None`.
#[pyfunction]
pub fn set_context_variable(variable: Bound<'_, PyAny>) {
    VARIABLE.store(variable.into_ptr(), Ordering::Relaxed);
}

/// The ambient context of the running task, encoded under the rules in force.
pub fn current(py: Python<'_>) -> Option<Bound<'_, Ambient>> {
    let variable = VARIABLE.load(Ordering::Relaxed);
    if variable.is_null() {
        return None;
    }
    // SAFETY: the GIL is held; the variable lives for ever.
    let variable = unsafe { Bound::from_borrowed_ptr(py, variable) };
    let ambient = variable.call_method0("get").ok()?.cast_into::<Ambient>().ok()?;
    ambient.get().fields.refresh(py);
    Some(ambient)
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
