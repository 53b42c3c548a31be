//! Records as OpenTelemetry has them: an `ExportLogsServiceRequest` in protobuf.
//!
//! Written by hand: some ten fields of a format that does not change any more, without a description
//! of it in memory. `tests/outputs/test_otlp.py` reads it back with OpenTelemetry's own classes.

use std::borrow::Cow;
use std::collections::HashMap;

mod json;
mod record;
mod wire;

use json::Reader;

/// The request for canonical lines, one scope for each component, in the order of their first records.
///
/// `resource` and `scope` are JSON objects: the attributes of the one and of each of the other.
/// `None` when they are not.
pub fn logs(data: &[u8], resource: &[u8], scope: &[u8]) -> Option<Vec<u8>> {
    let resource = attributes(resource, 1)?;
    let scope = attributes(scope, 3)?;
    let mut out = Vec::with_capacity(data.len() + data.len() / 4);
    wire::message(&mut out, 1, |out| {
        wire::bytes(out, 1, &resource);
        for (component, records) in by_component(data) {
            wire::message(out, 2, |out| {
                wire::message(out, 1, |out| {
                    wire::bytes(out, 1, component.as_bytes());
                    out.extend_from_slice(&scope);
                });
                out.extend_from_slice(&records);
            });
        }
    });
    Some(out)
}

/// Fields `log_records` of `ScopeLogs`, by component.
fn by_component(data: &[u8]) -> Vec<(Cow<'_, str>, Vec<u8>)> {
    let mut scopes: Vec<(Cow<str>, Vec<u8>)> = Vec::new();
    let mut places: HashMap<Cow<str>, usize> = HashMap::new();
    let mut record = Vec::new();
    for line in data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        record.clear();
        let component = record::push(line, &mut record);
        let place = *places.entry(component).or_insert_with_key(|component| {
            scopes.push((component.clone(), Vec::new()));
            scopes.len() - 1
        });
        wire::bytes(&mut scopes[place].1, 2, &record);
    }
    scopes
}

/// The members of a JSON object as `KeyValue`s in `field`.
fn attributes(json: &[u8], field: u32) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut reader = Reader::new(std::str::from_utf8(json).ok()?);
    reader.object(|reader, key| {
        record::key_value(&mut out, field, &[&key], |out| record::push_value(reader, out, 0))
    })?;
    Some(out)
}
