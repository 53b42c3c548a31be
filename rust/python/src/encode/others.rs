//! Everything that is not one of JSON's own: subclasses, and types known by what they offer.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMemoryView, PySet, PyString,
    PyTuple,
};
use treering_core::line;

use super::{containers, numbers, push_value, texts, Ancestors};

pub fn push_other(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, ancestors: &mut Ancestors) {
    let begin = out.len();
    if try_known(value, out, ancestors).unwrap_or(false) {
        return;
    }
    out.truncate(begin);
    texts::push_str_of(value, out);
}

/// True when the value had a form of its own.
fn try_known(
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
    ancestors: &mut Ancestors,
) -> PyResult<bool> {
    let class = value.get_type();
    if class.hasattr("__members__")? && value.hasattr("_value_")? {
        push_value(&value.getattr("_value_")?, out, ancestors);
    } else if class.hasattr("__dataclass_fields__")? {
        let names = class.getattr("__dataclass_fields__")?;
        push_attributes(value, &names, out, ancestors)?;
    } else if class.hasattr("__struct_fields__")? {
        push_attributes(value, &class.getattr("__struct_fields__")?, out, ancestors)?;
    } else if class.hasattr("__pydantic_fields__")? {
        push_attributes(value, &class.getattr("__pydantic_fields__")?, out, ancestors)?;
    } else if value.is_instance_of::<PyTuple>() && class.hasattr("_fields")? {
        push_attributes(value, &class.getattr("_fields")?, out, ancestors)?;
    } else {
        return try_builtin(value, out, ancestors);
    }
    Ok(true)
}

fn try_builtin(
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
    ancestors: &mut Ancestors,
) -> PyResult<bool> {
    if let Ok(text) = value.cast::<PyString>() {
        texts::push_text(text, out);
    } else if value.is_instance_of::<PyInt>() {
        numbers::push_int(value, out);
    } else if let Ok(float) = value.cast::<PyFloat>() {
        line::push_float(out, float.value());
    } else if let Ok(dict) = value.cast::<PyDict>() {
        containers::push_dict(dict, out, ancestors);
    } else if value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
    {
        containers::push_sequence(value, out, ancestors);
    } else if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        texts::push_bytes_like(value, out);
    } else if value.is_instance_of::<PyException>() {
        let class = value.get_type().name()?;
        line::push_string(
            out,
            &format!("{}: {}", class.to_string_lossy(), value.str()?.to_string_lossy()),
        );
    } else {
        return try_foreign(value, out, ancestors);
    }
    Ok(true)
}

fn try_foreign(
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
    ancestors: &mut Ancestors,
) -> PyResult<bool> {
    let class = value.get_type();
    let module = class.module()?;
    let name = class.name()?;
    match (module.to_str()?, name.to_str()?) {
        ("datetime", "timedelta") => {
            let seconds: f64 = value.call_method0("total_seconds")?.extract()?;
            line::push_float(out, seconds);
        }
        ("datetime", _) => push_value(&value.call_method0("isoformat")?, out, ancestors),
        // A scalar of numpy: `item` gives the Python number.
        (module, _)
            if module.starts_with("numpy") && value.getattr("ndim")?.extract::<u32>()? == 0 =>
        {
            push_value(&value.call_method0("item")?, out, ancestors);
        }
        ("numpy", "ndarray") if value.getattr("size")?.extract::<usize>()? <= super::MAX_ITEMS => {
            push_value(&value.call_method0("tolist")?, out, ancestors);
        }
        _ if class.hasattr("isoformat")? => {
            push_value(&value.call_method0("isoformat")?, out, ancestors);
        }
        _ if class.hasattr("__fspath__")? => {
            push_value(&value.call_method0("__fspath__")?, out, ancestors);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// An object of the named attributes.
fn push_attributes(
    value: &Bound<'_, PyAny>,
    names: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
    ancestors: &mut Ancestors,
) -> PyResult<()> {
    let mut items = Vec::new();
    for name in names.try_iter()? {
        let name = name?;
        if let Ok(attribute) = value.getattr(name.cast::<PyString>()?) {
            items.push((name, attribute));
        }
    }
    ancestors.enter(value, out, |ancestors, out| {
        out.push(b'{');
        out.extend_from_slice(&containers::pairs(&items, ancestors));
        out.push(b'}');
    });
    Ok(())
}
