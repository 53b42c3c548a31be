//! Python values in their canonical JSON form. Nothing here fails: what cannot be rendered becomes a
//! visible marker.

mod containers;
mod numbers;
mod others;
mod texts;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use treering_core::line::push_string;

pub use containers::{fields, pairs};
pub use texts::{push_str_of as push_message, push_text, text_of};

/// Containers within containers before `<too deep>`.
const MAX_DEPTH: usize = 16;
/// Items of one container before the rest is only counted.
const MAX_ITEMS: usize = 1000;

/// The containers being encoded, outermost first; how a cycle is noticed.
#[derive(Debug, Default)]
pub struct Ancestors(Vec<*mut pyo3::ffi::PyObject>);

impl Ancestors {
    /// Encodes a container unless it is one of its own ancestors or lies too deep.
    fn enter(
        &mut self,
        value: &Bound<'_, PyAny>,
        out: &mut Vec<u8>,
        encode: impl FnOnce(&mut Self, &mut Vec<u8>),
    ) {
        if self.0.contains(&value.as_ptr()) {
            push_string(out, "<cycle>");
        } else if self.0.len() >= MAX_DEPTH {
            push_string(out, "<too deep>");
        } else {
            self.0.push(value.as_ptr());
            encode(self, out);
            self.0.pop();
        }
    }
}

/// Appends the JSON form of any value.
pub fn push_value(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, ancestors: &mut Ancestors) {
    if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(text) = value.cast_exact::<PyString>() {
        push_text(text, out);
    } else if let Ok(boolean) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if boolean.is_true() { b"true" } else { b"false" });
    } else if value.cast_exact::<PyInt>().is_ok() {
        numbers::push_int(value, out);
    } else if let Ok(float) = value.cast_exact::<PyFloat>() {
        treering_core::line::push_float(out, float.value());
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        containers::push_dict(dict, out, ancestors);
    } else if value.is_exact_instance_of::<PyList>() || value.is_exact_instance_of::<PyTuple>() {
        containers::push_sequence(value, out, ancestors);
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        texts::push_bytes(bytes.as_bytes(), out);
    } else {
        others::push_other(value, out, ancestors);
    }
}

/// What stands for a value whose rendering failed.
fn push_unprintable(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) {
    let name = value.get_type().name();
    let name = name.as_ref().map_or("object".into(), |name| name.to_string_lossy());
    push_string(out, &format!("<unprintable {name}>"));
}
