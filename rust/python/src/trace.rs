//! The W3C trace context of a record: `trace_id` and `span_id`, which stand before its context.
//!
//! They come from context fields of these names, or from a tracing library: its context variable says
//! which span is current, and a reader is asked once for each value that the variable takes in a thread.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::encode::{self, Ancestors};
use crate::pipeline;

/// The fields and how many hexadecimal digits they have (W3C Trace Context, 3.2.2).
const FIELDS: [(&str, usize); 2] = [("trace_id", 32), ("span_id", 16)];

/// Room that a trace context takes in a line, generously.
pub const BYTES: usize = 96;

fn is_id(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && text.bytes().any(|byte| byte != b'0')
}

fn push(out: &mut Vec<u8>, name: &str, id: &str) {
    out.extend_from_slice(format!(",\"{name}\":\"{id}\"").as_bytes());
}

/// Context fields as `,"trace_id":…,"span_id":…` and as `"key":value,…` without these two.
pub fn split(fields: &Bound<'_, PyDict>, ancestors: &mut Ancestors) -> (Vec<u8>, Vec<u8>) {
    let (mut trace, mut rest) = (Vec::new(), fields.clone());
    for (name, digits) in FIELDS {
        let Ok(Some(value)) = rest.get_item(name) else {
            continue;
        };
        let Some(id) = value.cast_exact::<PyString>().ok().and_then(|id| id.to_str().ok()) else {
            continue;
        };
        if !is_id(id, digits) {
            continue;
        }
        if let Ok(copy) = rest.copy() {
            if copy.del_item(name).is_ok() {
                push(&mut trace, name, id);
                rest = copy;
            }
        }
    }
    let context = encode::fields(&rest, ancestors);
    (trace, context)
}

thread_local! {
    /// The value that the variable had last in this thread, and its ids as they stand in a line.
    static LAST: RefCell<Option<(Py<PyAny>, Vec<u8>)>> = const { RefCell::new(None) };
    /// The reader is running: what it logs is not asked about again.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// The callable that gives the ids of a value; null when no library is asked. Never freed.
static READ: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
/// The library's context variable; null when every record has to ask. Never freed.
static VARIABLE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// Names the callable that gives `(trace_id, span_id)` or `None` for a value of a tracing library's
/// context variable; without a callable, no library is asked any more.
#[pyfunction]
#[pyo3(signature = (read = None, variable = None))]
pub fn set_trace_source(read: Option<Bound<'_, PyAny>>, variable: Option<Bound<'_, PyAny>>) {
    let pointer =
        |object: Option<Bound<'_, PyAny>>| object.map_or(std::ptr::null_mut(), Bound::into_ptr);
    VARIABLE.store(pointer(variable), Ordering::Relaxed);
    READ.store(pointer(read), Ordering::Relaxed);
    drop(LAST.take());
}

/// Is there a tracing library to ask?
#[inline]
pub fn is_installed() -> bool {
    !READ.load(Ordering::Relaxed).is_null()
}

/// Has `found` ready for the span that is current now. Runs Python code when another one was last time.
#[inline(never)]
pub fn refresh(py: Python<'_>) {
    let value = current(py);
    let is_known = LAST.with_borrow(|last| match (last, &value) {
        (Some((of, _)), Some(value)) => of.as_ptr() == value.as_ptr(),
        _ => false,
    });
    if !is_known && !IS_READING.get() {
        learn(py, value);
    }
}

#[cold]
fn learn(py: Python<'_>, value: Option<Bound<'_, PyAny>>) {
    let pending = PyErr::take(py);
    IS_READING.set(true);
    drop(LAST.take());
    let ids = ask(py, value.as_ref()).unwrap_or_else(|_| {
        pipeline::count_failed();
        Vec::new()
    });
    let value = value.unwrap_or_else(|| py.None().into_bound(py));
    LAST.set(Some((value.unbind(), ids)));
    IS_READING.set(false);
    if let Some(pending) = pending {
        pending.restore(py);
    }
}

/// The variable's value; `None` without a variable or without a value.
fn current(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let variable = VARIABLE.load(Ordering::Relaxed);
    if variable.is_null() {
        return None;
    }
    let mut value = std::ptr::null_mut();
    // SAFETY: a context variable that is never freed; the GIL is held; a new reference or null.
    unsafe {
        if ffi::PyContextVar_Get(variable, std::ptr::null_mut(), &raw mut value) != 0 {
            ffi::PyErr_Clear();
            return None;
        }
        Bound::from_owned_ptr_or_opt(py, value)
    }
}

fn ask(py: Python<'_>, value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    // SAFETY: null or an object that is never freed; the GIL is held.
    let read = unsafe { Bound::from_borrowed_ptr_or_opt(py, READ.load(Ordering::Relaxed)) };
    let Some(answer) = read.map(|read| read.call1((value,))).transpose()? else {
        return Ok(out);
    };
    if !answer.is_none() {
        let ids: (String, String) = answer.extract()?;
        for ((name, digits), id) in FIELDS.into_iter().zip([ids.0, ids.1]) {
            if is_id(&id, digits) {
                push(&mut out, name, &id);
            }
        }
    }
    Ok(out)
}

/// The ids that `refresh` found, in a line's form; when there are any, those of the context do not count.
#[inline]
pub fn found<R>(take: impl FnOnce(&[u8]) -> R) -> R {
    LAST.with_borrow(|last| take(last.as_ref().map_or(&[], |(_, ids)| ids)))
}

/// The trace context of a record that is written whole, whose context has `own`.
pub fn of(py: Python<'_>, own: Vec<u8>) -> Vec<u8> {
    if !is_installed() {
        return own;
    }
    refresh(py);
    found(|ids| if ids.is_empty() { own } else { ids.to_vec() })
}
