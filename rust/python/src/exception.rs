//! Exceptions as structured data: type, message, frames, notes, groups, and the chain behind them.

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use treering_core::line::{push_int, push_string};

use crate::encode::{push_value, Ancestors};

const MAX_FRAMES: usize = 100;
const MAX_CHAIN: usize = 10;

/// Appends the exception that `exc_info` means: an exception, a `sys.exc_info()` tuple, or true for the
/// one being handled. Nothing when there is none.
pub fn push_exc_info(exc_info: &Bound<'_, PyAny>, out: &mut Vec<u8>) {
    let py = exc_info.py();
    let found = if exc_info.is_instance_of::<PyBaseException>() {
        Some(exc_info.clone())
    } else if let Ok(value) = exc_info.get_item(1) {
        Some(value)
    } else if exc_info.is_truthy().unwrap_or(false) {
        py.import("sys").and_then(|sys| sys.call_method0("exc_info")?.get_item(1)).ok()
    } else {
        None
    };
    if let Some(exception) =
        found.filter(pyo3::types::PyAnyMethods::is_instance_of::<PyBaseException>)
    {
        push_exception(&exception, out, MAX_CHAIN);
    }
}

/// Appends `{"stack":[…]}` of the running call.
pub fn push_stack(py: Python<'_>, up: usize, out: &mut Vec<u8>) {
    let frames = || -> PyResult<Vec<(Bound<'_, PyAny>, u64)>> {
        let mut frame = py.import("sys")?.call_method1("_getframe", (up,))?;
        let mut frames = Vec::new();
        while !frame.is_none() && frames.len() <= MAX_FRAMES {
            frames.push((
                frame.getattr("f_code")?,
                frame.getattr("f_lineno")?.extract().unwrap_or(0),
            ));
            frame = frame.getattr("f_back")?;
        }
        frames.reverse();
        Ok(frames)
    };
    if let Ok(frames) = frames() {
        out.extend_from_slice(b"{\"stack\":");
        push_frames(&frames, out);
        out.push(b'}');
    }
}

fn push_exception(exception: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) {
    let class = exception.get_type();
    let name = class.qualname().map_or_else(|_| "Exception".into(), |name| name.to_string());
    let module = class.module().map_or_else(|_| "builtins".into(), |module| module.to_string());
    out.extend_from_slice(b"{\"type\":");
    push_string(out, &if module == "builtins" { name } else { format!("{module}.{name}") });
    out.extend_from_slice(b",\"message\":");
    crate::encode::push_message(exception, out);
    if let Ok(traceback) = exception.getattr("__traceback__") {
        let frames = traceback_frames(traceback).unwrap_or_default();
        if !frames.is_empty() {
            out.extend_from_slice(b",\"stack\":");
            push_frames(&frames, out);
        }
    }
    if let Ok(notes) = exception.getattr("__notes__") {
        out.extend_from_slice(b",\"notes\":");
        push_value(&notes, out, &mut Ancestors::default());
    }
    if depth > 0 {
        push_group(exception, out, depth);
        push_chain(exception, out, depth);
    }
    out.push(b'}');
}

fn push_group(exception: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) {
    let Ok(members) =
        exception.getattr("exceptions").and_then(|all| all.extract::<Vec<Bound<'_, PyAny>>>())
    else {
        return;
    };
    if members.is_empty()
        || !members.iter().all(pyo3::types::PyAnyMethods::is_instance_of::<PyBaseException>)
    {
        return;
    }
    out.extend_from_slice(b",\"exceptions\":[");
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_exception(member, out, depth - 1);
    }
    out.push(b']');
}

/// `raise … from` is a cause; an exception while handling another has it as context, unless suppressed.
fn push_chain(exception: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) {
    let other = |name: &str| exception.getattr(name).ok().filter(|other| !other.is_none());
    let suppressed =
        other("__suppress_context__").is_some_and(|yes| yes.is_truthy().unwrap_or(false));
    let (key, next) = match other("__cause__") {
        Some(cause) => (&b",\"cause\":"[..], Some(cause)),
        None if suppressed => return,
        None => (&b",\"context\":"[..], other("__context__")),
    };
    if let Some(next) = next {
        out.extend_from_slice(key);
        push_exception(&next, out, depth - 1);
    }
}

fn traceback_frames(mut traceback: Bound<'_, PyAny>) -> PyResult<Vec<(Bound<'_, PyAny>, u64)>> {
    let mut frames = Vec::new();
    while !traceback.is_none() && frames.len() <= MAX_FRAMES {
        let code = traceback.getattr("tb_frame")?.getattr("f_code")?;
        frames.push((code, traceback.getattr("tb_lineno")?.extract().unwrap_or(0)));
        traceback = traceback.getattr("tb_next")?;
    }
    Ok(frames)
}

/// Outermost first; at most `MAX_FRAMES`, with a word where more are left out.
fn push_frames(frames: &[(Bound<'_, PyAny>, u64)], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, (code, line)) in frames.iter().take(MAX_FRAMES).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"file\":");
        push_string(out, &text(code, "co_filename"));
        out.extend_from_slice(b",\"line\":");
        push_int(out, i64::try_from(*line).unwrap_or(0));
        out.extend_from_slice(b",\"function\":");
        push_string(out, &text(code, "co_name"));
        out.push(b'}');
    }
    if frames.len() > MAX_FRAMES {
        out.extend_from_slice(b",\"<more frames>\"");
    }
    out.push(b']');
}

fn text(code: &Bound<'_, PyAny>, name: &str) -> String {
    code.getattr(name).and_then(|value| value.extract()).unwrap_or_default()
}
