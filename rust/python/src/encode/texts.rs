//! Text and bytes.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use treering_core::line::{push_string, visible};

/// Appends a string; lone surrogates become visible text, as Python's `backslashreplace` writes them.
pub fn push_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) {
    match text.to_str() {
        Ok(plain) => push_string(out, plain),
        Err(_) => push_string(out, &replaced(text)),
    }
}

fn replaced(text: &Bound<'_, PyString>) -> String {
    text.call_method1("encode", ("utf-8", "backslashreplace"))
        .and_then(|bytes| bytes.extract::<Vec<u8>>())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| "<unprintable str>".into())
}

/// The text of a string object, surrogates made visible.
pub fn text_of(text: &Bound<'_, PyString>) -> String {
    text.to_str().map_or_else(|_| replaced(text), str::to_owned)
}

/// Appends bytes as the text they are, with `\xNN` for what is not UTF-8.
pub fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    push_string(out, &visible(bytes));
}

/// Appends `str(value)`, or a marker when that fails.
pub fn push_str_of(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) {
    match value.str() {
        Ok(text) => push_text(&text, out),
        Err(_) => super::push_unprintable(value, out),
    }
}

/// Bytes-like objects that are not `bytes`.
pub fn push_bytes_like(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) {
    match value
        .py()
        .get_type::<PyBytes>()
        .call1((value,))
        .and_then(|bytes| bytes.extract::<Vec<u8>>())
    {
        Ok(bytes) => push_bytes(&bytes, out),
        Err(_) => super::push_unprintable(value, out),
    }
}
