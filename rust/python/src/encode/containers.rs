//! Dicts, lists, tuples and sets. Each is copied before it is walked: a value's `__str__` may change it.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
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
    for (name, value) in &entries {
        let is_secret = ancestors.is_secret(name, value);
        if is_secret && ancestors.drops() {
            ancestors.redactions += 1;
            continue;
        }
        if !out.is_empty() {
            out.push(b',');
        }
        push_string(&mut out, name);
        out.push(b':');
        if is_secret {
            ancestors.push_redacted(value, &mut out);
        } else {
            push_value(value, &mut out, ancestors);
        }
    }
    if items.len() > MAX_ITEMS {
        let gap: &[u8] = if out.is_empty() { b"\"...\":" } else { b",\"...\":" };
        out.extend_from_slice(gap);
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
            if !push_named(item, out, ancestors) {
                push_value(item, out, ancestors);
            }
        }
        if items.len() > MAX_ITEMS {
            out.push(b',');
            push_string(out, &rest(value.len().unwrap_or(items.len())));
        }
        out.push(b']');
    });
}

/// Encodes a pair in a list of pairs, as headers come, when its first half names a secret.
fn push_named(pair: &Bound<'_, PyAny>, out: &mut Vec<u8>, ancestors: &mut Ancestors) -> bool {
    let is_pair = pair.is_exact_instance_of::<PyTuple>() || pair.is_exact_instance_of::<PyList>();
    let Some((key, value)) =
        is_pair.then(|| pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>().ok()).flatten()
    else {
        return false;
    };
    let name = match key.cast::<PyBytes>() {
        Ok(bytes) => treering_core::line::visible(bytes.as_bytes()).into_owned(),
        Err(_) if key.is_exact_instance_of::<PyString>() => key_text(&key),
        Err(_) => return false,
    };
    if !ancestors.is_secret(&name, &value) {
        return false;
    }
    out.push(b'[');
    push_string(out, &name);
    out.push(b',');
    ancestors.push_redacted(&value, out);
    out.push(b']');
    true
}

/// The mapping that `%(name)s` takes its values from, with texts under sensitive keys redacted.
pub fn mapping_arguments<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let mut ancestors = Ancestors::default();
    let copy = dict.copy()?;
    for (key, value) in dict {
        let is_text = value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>();
        if is_text && ancestors.is_secret(&key_text(&key), &value) {
            let mut json = Vec::new();
            ancestors.push_redacted(&value, &mut json);
            let text = String::from_utf8(json).unwrap_or_default();
            copy.set_item(key, treering_core::line::read_string(&text))?;
        }
    }
    Ok(copy)
}
