//! Call sites: what is constant where a call stands, encoded once.
#![allow(unsafe_code)]

use std::cell::Cell;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use treering_core::level::{self, Level};
use treering_core::line::{push_int, push_string};

use crate::frame::Place;
use crate::logger::Logger;
use crate::pipeline::{self, Component};

/// Call sites remembered at once; more of them take each other's place.
const SITES: usize = 4096;

/// What a call site's records have in common.
#[derive(Debug)]
pub struct Site {
    place: Place,
    component: *const Component,
    category: *const u8,
    level: Level,
    keys: Vec<*mut ffi::PyObject>,
    pub kwnames: *mut ffi::PyObject,
    /// The message object whose text is in `head`; null when it changes from call to call.
    pub message: Cell<*mut ffi::PyObject>,
    /// `"level":…,"message":"` and, from `message_end` on, the rest up to the thread's number.
    pub head: Vec<u8>,
    pub message_begin: usize,
    pub message_end: usize,
    /// Where the location ends and the process begins.
    location_end: usize,
    /// `,"metadata":{"first":`, then `,"second":` and so on; `ends[i]` is where field i's key ends.
    pub fields: Vec<u8>,
    pub ends: Vec<usize>,
    /// A field has a meaning of its own (`exc_info`, `extra`, …), or is redacted.
    pub is_special: bool,
    /// What keeps the pointers above from being used again by other objects.
    _alive: Vec<Py<PyAny>>,
}

/// Fields of a call that are not metadata.
pub const SPECIAL: [&str; 4] = ["extra", "exc_info", "stack_info", "stacklevel"];

impl Site {
    /// The location, as `Location::push` writes it.
    pub fn location(&self) -> &[u8] {
        &self.head[self.message_end + 1..self.location_end]
    }

    /// The very same call as last time, or one that only made its tuple of names anew.
    ///
    /// # Safety
    /// `place` is that of a running call: its objects are alive.
    #[inline]
    unsafe fn is(
        &self,
        place: Place,
        logger: &Logger,
        level: Level,
        kwnames: *mut ffi::PyObject,
    ) -> bool {
        self.place == place
            && std::ptr::eq(self.component, logger.component)
            && self.category == logger.category_pointer()
            && self.level == level
            // SAFETY: `kwnames` is null or a tuple of the running call.
            && (self.kwnames == kwnames || unsafe { self.has_names(kwnames) })
    }

    #[cold]
    unsafe fn has_names(&self, kwnames: *mut ffi::PyObject) -> bool {
        // SAFETY: promised by the caller.
        unsafe {
            let count = if kwnames.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(kwnames) };
            usize::try_from(count).ok() == Some(self.keys.len())
                && (0..count)
                    .zip(&self.keys)
                    .all(|(at, key)| ffi::PyTuple_GET_ITEM(kwnames, at) == *key)
        }
    }
}

/// A table in which a call site has exactly one place.
#[derive(Debug)]
pub struct CallSites {
    sites: Vec<Option<Box<Site>>>,
}

impl Default for CallSites {
    fn default() -> Self {
        Self { sites: (0..SITES).map(|_| None).collect() }
    }
}

#[inline]
fn slot(place: Place, component: *const Component, level: Level) -> usize {
    let mixed = (place.instruction as u64)
        ^ (place.code as u64).rotate_left(17)
        ^ (component as u64).rotate_left(31)
        ^ u64::from(level);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize & (SITES - 1)
}

impl CallSites {
    /// # Safety
    /// The GIL is held; `kwnames` is null or a tuple.
    #[inline]
    pub unsafe fn find(
        &self,
        place: Place,
        logger: &Logger,
        level: Level,
        kwnames: *mut ffi::PyObject,
    ) -> Option<&Site> {
        let site = self.sites[slot(place, logger.component, level)].as_deref()?;
        // SAFETY: promised by the caller.
        unsafe { site.is(place, logger, level, kwnames) }.then_some(site)
    }

    /// Remembers a site. What it replaces is returned, to be dropped where Python code may run.
    #[must_use]
    pub fn put(&mut self, site: Box<Site>) -> Option<Box<Site>> {
        let at = slot(site.place, site.component, site.level);
        self.sites[at].replace(site)
    }

    pub fn clear(&mut self) {
        for site in self.sites.drain(..) {
            // Dropping Python objects may run Python code, which must not find this table in use.
            std::mem::forget(site);
        }
        *self = Self::default();
    }
}

/// Where the call stands, in words.
#[derive(Debug, Default, Clone)]
pub struct Location {
    pub module: Option<String>,
    pub function: Option<String>,
    pub file: Option<String>,
    pub line: u64,
}

impl Location {
    /// The location of the Python frame `up` levels above the innermost one.
    pub fn here(py: Python<'_>, up: usize) -> Self {
        Self::read(py, up).unwrap_or_default()
    }

    fn read(py: Python<'_>, up: usize) -> PyResult<Self> {
        // SAFETY: the GIL is held; a new reference or null.
        let frame = unsafe {
            let frame = ffi::PyThreadState_GetFrame(ffi::PyThreadState_Get());
            Bound::from_owned_ptr_or_opt(py, frame.cast())
        };
        let Some(mut frame) = frame else {
            return Ok(Self::default());
        };
        for _ in 0..up {
            let back = frame.getattr("f_back")?;
            if back.is_none() {
                break;
            }
            frame = back;
        }
        let code = frame.getattr("f_code")?;
        let module = frame.getattr("f_globals")?.get_item("__name__");
        Ok(Self {
            module: module.and_then(|name| name.extract()).ok(),
            function: code.getattr("co_name")?.extract().ok(),
            file: code.getattr("co_filename")?.extract().ok(),
            line: frame.getattr("f_lineno")?.extract().unwrap_or(0),
        })
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.push(&mut out);
        out
    }

    /// `,"module":…,"function":…,"file":…,"line":…`, whatever of it is known.
    pub fn push(&self, out: &mut Vec<u8>) {
        for (key, value) in [
            (&b",\"module\":"[..], &self.module),
            (&b",\"function\":"[..], &self.function),
            (&b",\"file\":"[..], &self.file),
        ] {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                out.extend_from_slice(key);
                push_string(out, value);
            }
        }
        if self.line > 0 {
            out.extend_from_slice(b",\"line\":");
            push_int(out, i64::try_from(self.line).unwrap_or(i64::MAX));
        }
    }
}

/// `"level":…,"category":…,"component":…,"message":`.
pub fn push_begin(out: &mut Vec<u8>, level: Level, category: Option<&str>, component: &str) {
    out.extend_from_slice(b"\"level\":");
    push_string(out, &level::name(level));
    if let Some(category) = category {
        out.extend_from_slice(b",\"category\":");
        push_string(out, category);
    }
    if !component.is_empty() {
        out.extend_from_slice(b",\"component\":");
        push_string(out, component);
    }
    out.extend_from_slice(b",\"message\":");
}

/// `,"process":…,"thread":`; the thread's number is the caller's to add.
pub fn push_process(out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"process\":");
    push_int(out, i64::from(std::process::id()));
    out.extend_from_slice(b",\"thread\":");
}

/// Encodes what is constant about the running call.
pub fn build(
    py: Python<'_>,
    place: Place,
    logger: &Logger,
    level: Level,
    message: &Bound<'_, PyAny>,
    kwnames: Option<&Bound<'_, PyTuple>>,
) -> PyResult<Box<Site>> {
    let mut head = Vec::new();
    push_begin(&mut head, level, logger.category, &logger.component.name);
    head.push(b'"');
    let message_begin = head.len();
    let text: &str = message.extract()?;
    let mut quoted = Vec::new();
    push_string(&mut quoted, text);
    head.extend_from_slice(&quoted[1..quoted.len() - 1]);
    let message_end = head.len();
    head.push(b'"');
    Location::here(py, 0).push(&mut head);
    let location_end = head.len();
    push_process(&mut head);
    let (mut fields, mut ends, mut keys, mut is_special) =
        (Vec::new(), Vec::new(), Vec::new(), false);
    // SAFETY: the code object of the running frame.
    let code: Bound<'_, PyAny> = unsafe { Bound::from_borrowed_ptr(py, place.code) };
    let redactor = pipeline::redactor();
    let mut alive = vec![code.unbind(), message.clone().unbind()];
    for name in kwnames.into_iter().flatten() {
        let text: String = name.extract()?;
        is_special |= SPECIAL.contains(&text.as_str()) || redactor.key(&text);
        fields.extend_from_slice(if ends.is_empty() { b",\"metadata\":{" } else { b"," });
        push_string(&mut fields, &text);
        fields.push(b':');
        ends.push(fields.len());
        keys.push(name.as_ptr());
        alive.push(name.unbind());
    }
    alive.extend(kwnames.map(|names| names.clone().into_any().unbind()));
    Ok(Box::new(Site {
        place,
        component: logger.component,
        category: logger.category_pointer(),
        level,
        keys,
        kwnames: kwnames.map_or(std::ptr::null_mut(), pyo3::Bound::as_ptr),
        message: Cell::new(message.as_ptr()),
        head,
        message_begin,
        message_end,
        location_end,
        fields,
        ends,
        is_special,
        _alive: alive,
    }))
}
