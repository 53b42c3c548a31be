//! Dicts, lists, tuples and sets. Each is copied before it is walked: a value's `__str__` may change it.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use treering_core::line::push_string;

use super::{push_value, texts, Ancestors, MAX_ITEMS};

pub fn push_dict(dict: &Bound<'_, PyDict>, out: &mut Vec<u8>, ancestors: &mut Ancestors) {
    ancestors.enter(dict, out, |ancestors, out| {
        out.push(b'{');
        out.extend_from_slice(&fields(dict, ancestors));
        out.push(b'}');
    });
}

/// `"key":value,…` of a dict, without braces; empty for an empty one.
pub fn fields(dict: &Bound<'_, PyDict>, ancestors: &mut Ancestors) -> Vec<u8> {
    pairs(
        &dict.items().into_iter().filter_map(|item| item.extract().ok()).collect::<Vec<_>>(),
        ancestors,
    )
}

/// `"key":value,…` of pairs; of two keys that read the same the last wins, at the place of the first.
pub fn pairs(items: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)], ancestors: &mut Ancestors) -> Vec<u8> {
    let mut entries: Vec<(String, &Bound<'_, PyAny>)> = Vec::with_capacity(items.len());
    let all_text = items.iter().all(|(key, _)| key.is_exact_instance_of::<PyString>());
    let mut places: HashMap<String, usize> = HashMap::new();
    for (key, value) in items.iter().take(MAX_ITEMS) {
        let name = key_text(key);
        if !all_text {
            if let Some(place) = places.get(&name) {
                entries[*place].1 = value;
                continue;
            }
            places.insert(name.clone(), entries.len());
        }
        entries.push((name, value));
    }
    let mut out = Vec::new();
    for (at, (name, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_string(&mut out, name);
        out.push(b':');
        push_value(value, &mut out, ancestors);
    }
    if items.len() > MAX_ITEMS {
        out.extend_from_slice(b",\"...\":");
        push_string(&mut out, &rest(items.len()));
    }
    out
}

fn rest(length: usize) -> String {
    format!("<... {} more>", length - MAX_ITEMS)
}

/// A key as JSON has it: text as it is, the constants and numbers as `json` writes them, else `str`.
fn key_text(key: &Bound<'_, PyAny>) -> String {
    if let Ok(text) = key.cast::<PyString>() {
        return texts::text_of(text);
    }
    let is_plain = key.is_none()
        || key.is_exact_instance_of::<PyBool>()
        || key.is_exact_instance_of::<PyInt>()
        || key.is_exact_instance_of::<PyFloat>();
    let mut out = Vec::new();
    if is_plain {
        push_value(key, &mut out, &mut Ancestors::default());
    } else {
        texts::push_str_of(key, &mut out);
    }
    let text = String::from_utf8(out).unwrap_or_default();
    // Markers and the words for non-finite floats come quoted.
    treering_core::line::read_string(&text).unwrap_or(text)
}

pub fn push_sequence(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, ancestors: &mut Ancestors) {
    let items: PyResult<Vec<Bound<'_, PyAny>>> =
        value.try_iter().and_then(|items| items.take(MAX_ITEMS + 1).collect());
    let Ok(items) = items else {
        return super::push_unprintable(value, out);
    };
    ancestors.enter(value, out, |ancestors, out| {
        out.push(b'[');
        for (at, item) in items.iter().take(MAX_ITEMS).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_value(item, out, ancestors);
        }
        if items.len() > MAX_ITEMS {
            out.push(b',');
            push_string(out, &rest(value.len().unwrap_or(items.len())));
        }
        out.push(b']');
    });
}
