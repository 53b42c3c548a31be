//! Fields that many records have: encoded when they are given, and again when the rules of redaction change.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Ancestors;
use crate::pipeline;

/// For no fields, which every rule leaves as they are.
const ALWAYS: u32 = u32::MAX;

/// `"key":value,…` and under which rules it was encoded.
#[derive(Debug)]
pub struct Encoded {
    version: u32,
    pub redactions: u64,
    /// `,"trace_id":…,"span_id":…`, which do not stand among the others.
    pub trace: Vec<u8>,
    pub bytes: Vec<u8>,
}

impl Encoded {
    fn of(fields: &Bound<'_, PyDict>) -> Self {
        // SAFETY: the GIL is held; no Python code runs.
        let version = unsafe { pipeline::state().rules_version };
        let mut ancestors = Ancestors::default();
        let (trace, bytes) = crate::trace::split(fields, &mut ancestors);
        Self { version, redactions: ancestors.redactions, trace, bytes }
    }

    /// Was it encoded under these rules?
    #[inline]
    pub fn is_of(&self, version: u32) -> bool {
        self.version == version || self.version == ALWAYS
    }
}

/// Fields and their encoding.
pub struct Fields {
    dict: Option<Py<PyDict>>,
    encoded: UnsafeCell<Encoded>,
}

// SAFETY: the encoding is only touched with the GIL held, and no Python code runs meanwhile.
unsafe impl Sync for Fields {}

impl Fields {
    pub fn new(dict: Option<Bound<'_, PyDict>>) -> Self {
        let dict = dict.filter(|dict| !dict.is_empty());
        let none = Encoded { version: ALWAYS, redactions: 0, trace: Vec::new(), bytes: Vec::new() };
        let encoded = dict.as_ref().map_or(none, Encoded::of);
        Self { dict: dict.map(Bound::unbind), encoded: UnsafeCell::new(encoded) }
    }

    pub fn dict<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyDict>> {
        self.dict.as_ref().map(|dict| dict.bind(py))
    }

    /// # Safety
    /// The GIL is held, and no Python code runs while the reference lives.
    #[inline]
    pub unsafe fn encoded(&self) -> &Encoded {
        // SAFETY: promised by the caller.
        unsafe { &*self.encoded.get() }
    }

    /// Encodes again what was encoded under other rules.
    pub fn refresh(&self, py: Python<'_>) {
        // SAFETY: the GIL is held; no Python code runs.
        let is_stale = unsafe { !self.encoded().is_of(pipeline::state().rules_version) };
        if let Some(dict) = self.dict(py).filter(|_| is_stale) {
            let encoded = Encoded::of(dict);
            // SAFETY: as above; the old encoding holds no Python object.
            unsafe { *self.encoded.get() = encoded };
        }
    }
}
