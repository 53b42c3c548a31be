//! Python values in their canonical JSON form. Nothing here fails: what cannot be rendered becomes a
//! visible marker.

mod containers;
mod fields;
mod numbers;
mod others;
mod texts;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use treering_core::line::push_string;
use treering_core::redact::{Action, Redactor};

pub use containers::{fields, mapping_arguments, pairs};
pub use fields::Fields;
pub use texts::{push_str_of as push_message, push_text, text_of};

/// Containers within containers before `<too deep>`.
const MAX_DEPTH: usize = 16;
/// Items of one container before the rest is only counted.
const MAX_ITEMS: usize = 1000;

/// The containers being encoded, outermost first, how a cycle is noticed; and what redacts them by key.
#[derive(Debug)]
pub struct Ancestors {
    containers: Vec<*mut pyo3::ffi::PyObject>,
    redactor: Arc<Redactor>,
    /// Values that were redacted.
    pub redactions: u64,
}

impl Default for Ancestors {
    fn default() -> Self {
        Self { containers: Vec::new(), redactor: crate::pipeline::redactor(), redactions: 0 }
    }
}

impl Ancestors {
    /// Encodes a container unless it is one of its own ancestors or lies too deep.
    fn enter(
        &mut self,
        value: &Bound<'_, PyAny>,
        out: &mut Vec<u8>,
        encode: impl FnOnce(&mut Self, &mut Vec<u8>),
    ) {
        if self.containers.contains(&value.as_ptr()) {
            push_string(out, "<cycle>");
        } else if self.containers.len() >= MAX_DEPTH {
            push_string(out, "<too deep>");
        } else {
            self.containers.push(value.as_ptr());
            encode(self, out);
            self.containers.pop();
        }
    }

    /// Must the value under this key be redacted? Constants say nothing.
    fn is_secret(&self, key: &str, value: &Bound<'_, PyAny>) -> bool {
        self.redactor.key(key) && !value.is_none() && !value.is_exact_instance_of::<PyBool>()
    }

    /// Appends what stands for the value of a sensitive key.
    fn push_redacted(&mut self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) {
        self.redactions += 1;
        let mut encoded = Vec::new();
        if self.redactor.key_action() == Action::Hash {
            push_value(value, &mut encoded, self);
        }
        self.redactor.push_for_json(&encoded, out);
    }

    fn drops(&self) -> bool {
        self.redactor.key_action() == Action::Drop
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
