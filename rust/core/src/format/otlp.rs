//! Records as an `ExportLogsServiceRequest` of OTLP, in protobuf.
//!
//! Written by hand: some ten fields of a format that changes no more, without a description of it in
//! memory. Attributes are those of `otel`. `tests/outputs/test_otlp_records.py` reads all of it with
//! OpenTelemetry's own classes.

use std::collections::HashMap;

use super::names::Names;
use super::otel::{attributes, is_id, severity, Held};
use super::raw::Raw;
use super::record::{Key, Record};
use super::scan::{Scan, DEEPEST};
use super::{traceback, wire};
use crate::clock;

/// Google's readers of protobuf take messages nested 100 deep; a value in a value is three.
const MAX_DEPTH: usize = 24;

/// Fields of `LogRecord` (`opentelemetry/proto/logs/v1/logs.proto`).
mod field {
    pub const TIME: u32 = 1;
    pub const SEVERITY_NUMBER: u32 = 2;
    pub const SEVERITY_TEXT: u32 = 3;
    pub const BODY: u32 = 5;
    pub const ATTRIBUTES: u32 = 6;
    pub const TRACE_ID: u32 = 9;
    pub const SPAN_ID: u32 = 10;
    pub const OBSERVED_TIME: u32 = 11;
    pub const EVENT_NAME: u32 = 12;
}

/// The request for canonical lines, one scope for each component, in the order of their first records.
///
/// `resource` and `scope` are JSON objects: the attributes of the one and of each of the other.
/// `None` when they are not.
pub fn otlp_logs(data: &[u8], resource: &[u8], scope: &[u8]) -> Option<Vec<u8>> {
    let resource = json_attributes(resource, 1)?;
    let scope = json_attributes(scope, 3)?;
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
fn by_component(data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut scopes: Vec<(String, Vec<u8>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut spelled, mut scratch) = (String::new(), Scratch::default());
    for line in data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record = Record::read(line, &mut spelled);
        let component = record.get(Key::Component).text();
        let place = if let Some(place) = places.get(component.as_ref()) {
            *place
        } else {
            places.insert(component.to_string(), scopes.len());
            scopes.push((component.into_owned(), Vec::new()));
            scopes.len() - 1
        };
        wire::message(&mut scopes[place].1, 2, |out| push(&record, &mut scratch, out));
    }
    scopes
}

/// The members of a JSON object as `KeyValue`s in `field`.
fn json_attributes(json: &[u8], field: u32) -> Option<Vec<u8>> {
    let mut scan = Scan::new(std::str::from_utf8(json).ok()?);
    let object = scan.value(DEEPEST).filter(|value| value.is_object())?;
    let mut out = Vec::new();
    for (key, value) in object.entries() {
        key_value(&mut out, field, &key.text(), |out| push_value(value, out, 0));
    }
    scan.is_at_end().then_some(out)
}

/// What one record after the other makes use of.
#[derive(Default)]
struct Scratch {
    names: Names,
    written: Vec<u8>,
}

fn push(record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let time_ns = record.timestamp_ns();
    if let Some(time_ns) = time_ns {
        wire::fixed64(out, field::TIME, time_ns);
    }
    // Somebody has seen it now, whenever it was.
    wire::fixed64(out, field::OBSERVED_TIME, time_ns.unwrap_or_else(clock::now_ns));
    if let Some(level) = record.level() {
        wire::number(out, field::SEVERITY_NUMBER, severity(level).into());
    }
    push_text(record.get(Key::Level), field::SEVERITY_TEXT, out);
    wire::message(out, field::BODY, |out| push_value(record.get(Key::Message), out, 0));
    for (key, field, digits) in
        [(Key::TraceId, field::TRACE_ID, 32), (Key::SpanId, field::SPAN_ID, 16)]
    {
        let value = record.get(key);
        if is_id(value, digits) {
            wire::bytes(out, field, &bytes_of(value.inside()));
        }
    }
    push_text(record.get(Key::EventName), field::EVENT_NAME, out);
    push_attributes(record, scratch, out);
}

fn push_text(value: Raw<'_>, field: u32, out: &mut Vec<u8>) {
    if !value.is_absent() {
        wire::bytes(out, field, value.text().as_bytes());
    }
}

fn push_attributes(record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let Scratch { names, written } = scratch;
    names.clear();
    written.clear();
    attributes(record, |name, held| {
        let begin = written.len();
        names.push(usize::MAX, written, |out| out.extend_from_slice(name.text().as_bytes()));
        wire::message(out, field::ATTRIBUTES, |out| {
            wire::bytes(out, 1, &written[begin..]);
            wire::message(out, 2, |out| match held {
                Held::Value(value) => push_value(value, out, 0),
                Held::Traceback => wire::bytes(out, 1, traceback::text_of(record).as_bytes()),
            });
        });
    });
}

fn key_value(out: &mut Vec<u8>, field: u32, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
    wire::message(out, field, |out| {
        wire::bytes(out, 1, key.as_bytes());
        wire::message(out, 2, write);
    });
}

/// Appends the fields of an `AnyValue`; null, and nothing, is one without any.
fn push_value(value: Raw<'_>, out: &mut Vec<u8>, depth: usize) {
    let json = value.json();
    match json.as_bytes().first() {
        None | Some(b'n') => {}
        Some(b'"') => wire::bytes(out, 1, value.text().as_bytes()),
        Some(b't' | b'f') => wire::number(out, 2, u64::from(json == "true")),
        Some(b'[' | b'{') if depth == MAX_DEPTH => wire::bytes(out, 1, json.as_bytes()),
        Some(b'[') => wire::message(out, 5, |out| {
            for item in value.items() {
                wire::message(out, 1, |out| push_value(item, out, depth + 1));
            }
        }),
        Some(b'{') => wire::message(out, 6, |out| {
            for (key, value) in value.entries() {
                key_value(out, 1, &key.text(), |out| push_value(value, out, depth + 1));
            }
        }),
        Some(_) => push_number(json, out),
    }
}

/// A whole number that 64 bits cannot hold keeps its digits, as text.
fn push_number(json: &str, out: &mut Vec<u8>) {
    if let Ok(number) = json.parse::<i64>() {
        wire::number(out, 3, number as u64);
    } else if json.contains(['.', 'e', 'E']) {
        let number: f64 = json.parse().unwrap_or(f64::NAN);
        wire::fixed64(out, 4, number.to_bits());
    } else {
        wire::bytes(out, 1, json.as_bytes());
    }
}

/// The bytes of hexadecimal digits.
fn bytes_of(digits: &str) -> Vec<u8> {
    let digit = |sign: u8| char::from(sign).to_digit(16).unwrap_or_default() as u8;
    digits.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
