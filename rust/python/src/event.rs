//! Catalogued events: a record with the keys that only they have.

use std::panic::{catch_unwind, AssertUnwindSafe};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use treering_core::level::Level;
use treering_core::line::push_string;

use crate::logger::Logger;
use crate::{encode, pipeline, record};

/// Logs an event. `event` is its id, name and cause; `fields` are keyword arguments of a log call.
#[pyfunction]
pub fn log_event(
    logger: &Bound<'_, Logger>,
    level: Level,
    message: &Bound<'_, PyAny>,
    event: (Bound<'_, PyString>, Bound<'_, PyString>, Bound<'_, PyString>),
    fields: &Bound<'_, PyDict>,
) -> bool {
    // One of the borders that catch everything: counts, never raises.
    catch_unwind(AssertUnwindSafe(|| {
        let fields = fields.iter().collect();
        let mut record = record::of_fields(logger.get(), level, message, fields);
        let (id, name, cause) = event;
        for (key, value) in [("event_id", id), ("event_name", name), ("cause", cause)] {
            let value = encode::text_of(&value);
            if !value.is_empty() {
                record.event.extend_from_slice(format!(",\"{key}\":").as_bytes());
                push_string(&mut record.event, &value);
            }
        }
        record.write(logger.py())
    }))
    .unwrap_or_else(|_| {
        pipeline::count_lost();
        false
    })
}
