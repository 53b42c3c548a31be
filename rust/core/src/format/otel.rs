//! A log record of OpenTelemetry in the JSON encoding of OTLP (`opentelemetry/proto/logs/v1`).
//!
//! Integers of 64 bits are text there, ids are hexadecimal. Attribute names are those of the
//! semantic conventions (`code.*`, `process.pid`, `thread.id`, `exception.*`) where there is one.

use super::json::{push_key, push_text_pair, push_traceback};
use super::names::Names;
use super::raw::Raw;
use super::record::{Key, Record};
use super::spec::{Options, Result};
use super::{Format, Scratch};
use crate::level::{self, Level};
use crate::line::push_int;

pub const OPTIONS: [&str; 0] = [];

/// Attributes that are no fields, under their names.
const ATTRIBUTES: [(&str, Key); 10] = [
    ("treering.category", Key::Category),
    ("treering.event_id", Key::EventId),
    ("treering.cause", Key::Cause),
    ("treering.module", Key::Module),
    ("code.function.name", Key::Function),
    ("code.file.path", Key::File),
    ("code.line.number", Key::Line),
    ("process.pid", Key::Process),
    ("thread.id", Key::Thread),
    ("host.name", Key::Host),
];

#[derive(Debug)]
pub struct Otel;

impl Otel {
    pub fn new(options: &mut Options) -> Result<Self> {
        options.refuse_date_format("otel")?;
        Ok(Self)
    }
}

impl Format for Otel {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        // 0 is the protocol's word for an unknown time.
        let time = scratch.time.read(record.get(Key::Timestamp)).unwrap_or_default();
        let severity = record.level().map_or(0, severity);
        for begin in ["{\"timeUnixNano\":\"", "\",\"observedTimeUnixNano\":\""] {
            out.extend_from_slice(begin.as_bytes());
            push_int(out, (time.0 * 1_000_000_000 + u64::from(time.1)) as i64);
        }
        out.push(b'"');
        push_key("severityNumber", out);
        push_int(out, severity.into());
        push_text_pair("severityText", record.get(Key::Level), out);
        out.extend_from_slice(b",\"body\":{\"stringValue\":");
        record.get(Key::Message).push_string(out);
        out.extend_from_slice(b"},\"attributes\":[");
        push_attributes(record, &mut scratch.names, out);
        out.push(b']');
        for (name, key, digits) in [("traceId", Key::TraceId, 32), ("spanId", Key::SpanId, 16)] {
            if is_id(record.get(key), digits) {
                push_text_pair(name, record.get(key), out);
            }
        }
        push_text_pair("eventName", record.get(Key::EventName), out);
        out.push(b'}');
    }
}

/// The number of a severity; numbers between our levels get that of the level below.
pub fn severity(level: Level) -> u8 {
    match level {
        ..level::DEBUG => 1,
        level::DEBUG..level::INFO => 5,
        level::INFO..level::NOTICE => 9,
        level::NOTICE..level::WARNING => 10,
        level::WARNING..level::ERROR => 13,
        level::ERROR..level::CRITICAL => 17,
        level::CRITICAL..level::SECURITY => 21,
        level::SECURITY..level::AUDIT => 13,
        level::AUDIT.. => 9,
    }
}

/// An id that the protocol takes; any other is an attribute. All zeros are none (W3C Trace Context).
pub fn is_id(value: Raw<'_>, digits: usize) -> bool {
    let inside = value.inside();
    inside.len() == digits
        && inside.bytes().all(|byte| byte.is_ascii_hexdigit())
        && inside.bytes().any(|byte| byte != b'0')
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy)]
pub enum Held<'a> {
    Value(Raw<'a>),
    /// The record's, as Python prints it.
    Traceback,
}

/// Calls `attribute` with the name and the value of each, fields last; names may come twice.
pub fn attributes<'a>(record: &Record<'a>, mut attribute: impl FnMut(Raw<'a>, Held<'a>)) {
    let mut present = |name: &'static str, value: Raw<'a>| {
        if !value.is_absent() {
            attribute(Raw::new(name), Held::Value(value));
        }
    };
    for (name, key) in ATTRIBUTES {
        present(name, record.get(key));
    }
    if record.timestamp_ns().is_none() {
        present("treering.timestamp", record.get(Key::Timestamp));
    }
    let ids = [("treering.trace_id", Key::TraceId, 32), ("treering.span_id", Key::SpanId, 16)];
    for (name, key, digits) in ids {
        if !is_id(record.get(key), digits) {
            present(name, record.get(key));
        }
    }
    let exception = record.get(Key::Exception);
    if exception.is_object() {
        present("exception.type", exception.get("type"));
        present("exception.message", exception.get("message"));
        attribute(Raw::new("exception.stacktrace"), Held::Traceback);
    }
    for (key, value) in record.fields() {
        attribute(key, Held::Value(value));
    }
}

fn push_attributes(record: &Record<'_>, names: &mut Names, out: &mut Vec<u8>) {
    names.clear();
    let begin = out.len();
    let mut push = |name: Raw<'_>, held: Held<'_>| {
        out.extend_from_slice(if out.len() > begin { b",{\"key\":\"" } else { b"{\"key\":\"" });
        names.push(usize::MAX, out, |out| out.extend_from_slice(name.inside().as_bytes()));
        out.extend_from_slice(b"\",\"value\":");
        match held {
            Held::Value(value) => push_any(value, out),
            Held::Traceback => {
                out.extend_from_slice(b"{\"stringValue\":");
                push_traceback(record, "\"\"", out);
                out.push(b'}');
            }
        }
        out.push(b'}');
    };
    let component = record.get(Key::Component);
    if !component.is_absent() {
        push(Raw::new("treering.component"), Held::Value(component));
    }
    attributes(record, push);
}

/// Appends an `AnyValue`.
fn push_any(value: Raw<'_>, out: &mut Vec<u8>) {
    let json = value.json();
    let kind = match json.as_bytes().first() {
        Some(b'"') => "stringValue",
        Some(b't' | b'f') => "boolValue",
        Some(b'{') => return push_map(value, out),
        Some(b'[') => return push_array(value, out),
        None | Some(b'n') => return out.extend_from_slice(b"{}"),
        Some(_) if json.parse::<i64>().is_ok() => {
            return push_parts(&["{\"intValue\":\"", json, "\"}"], out);
        }
        // Whole numbers of more than 64 bits would lose digits as floats.
        Some(_) if !json.contains(['.', 'e', 'E']) => {
            return push_parts(&["{\"stringValue\":\"", json, "\"}"], out);
        }
        Some(_) => "doubleValue",
    };
    push_parts(&["{\"", kind, "\":", json, "}"], out);
}

fn push_parts(parts: &[&str], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn push_map(value: Raw<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"kvlistValue\":{\"values\":[");
    for (at, (key, value)) in value.entries().enumerate() {
        out.extend_from_slice(if at > 0 { b",{" } else { b"{" });
        out.extend_from_slice(b"\"key\":");
        out.extend_from_slice(key.json().as_bytes());
        push_key("value", out);
        push_any(value, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}}");
}

fn push_array(value: Raw<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"arrayValue\":{\"values\":[");
    for (at, value) in value.items().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_any(value, out);
    }
    out.extend_from_slice(b"]}}");
}
