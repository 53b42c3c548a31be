//! Elastic Common Schema 8, as its logging libraries write it.
//!
//! `@timestamp`, `log.level`, `message` and `ecs.version` come first, dotted, as the specification
//! of ECS logging asks (`elastic/ecs-logging`, spec.json); the rest is nested. Fields of the
//! application are `labels`, whose values are text; dots in their names become `_`.

use super::json::{push_integer, push_key, push_quoted, push_text_pair, push_traceback};
use super::names::Names;
use super::raw::Raw;
use super::record::{Key, Record};
use super::spec::{Options, Result};
use super::time::TimeCache;
use super::{Format, Scratch};
use crate::clock::rfc3339;

pub const OPTIONS: [&str; 2] = ["service_name", "service_version"];

/// The version of the schema that the field names are from.
const VERSION: &str = "8.11.0";

#[derive(Debug)]
pub struct Ecs {
    /// `,"service":{…}` or nothing.
    service: Vec<u8>,
}

impl Ecs {
    pub fn new(options: &mut Options) -> Result<Self> {
        options.refuse_date_format("ecs")?;
        let mut service = Vec::new();
        for (name, option) in [("name", "service_name"), ("version", "service_version")] {
            if let Some(text) = options.take(option) {
                push_key(name, &mut service);
                push_quoted(&text, &mut service);
            }
        }
        if !service.is_empty() {
            service.splice(0..1, *b",\"service\":{");
            service.push(b'}');
        }
        Ok(Self { service })
    }
}

impl Format for Ecs {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        out.push(b'{');
        push_timestamp(record, &mut scratch.time, out);
        out.extend_from_slice(b"\"log.level\":");
        record.get(Key::Level).push_string(out);
        push_key("message", out);
        record.get(Key::Message).push_string(out);
        push_key("ecs.version", out);
        push_quoted(VERSION, out);
        push_log(record, out);
        push_group("event", out, |out| {
            push_text_pair("code", record.get(Key::EventId), out);
            push_text_pair("action", record.get(Key::EventName), out);
            push_text_pair("reason", record.get(Key::Cause), out);
        });
        push_group("process", out, |out| {
            if record.get(Key::Process).as_u64().is_some() {
                push_key("pid", out);
                push_integer(record.get(Key::Process), "0", out);
            }
            if record.get(Key::Thread).as_u64().is_some() {
                push_key("thread", out);
                out.extend_from_slice(b"{\"id\":");
                push_integer(record.get(Key::Thread), "0", out);
                out.push(b'}');
            }
        });
        push_group("host", out, |out| push_text_pair("name", record.get(Key::Host), out));
        push_group("trace", out, |out| push_text_pair("id", record.get(Key::TraceId), out));
        push_group("span", out, |out| push_text_pair("id", record.get(Key::SpanId), out));
        out.extend_from_slice(&self.service);
        push_group("error", out, |out| push_error(record, out));
        push_group("labels", out, |out| push_labels(record, &mut scratch.names, out));
        out.push(b'}');
    }
}

/// `"@timestamp":"…",`; nothing when the record has no time: who takes it in sets one then.
fn push_timestamp(record: &Record<'_>, time: &mut TimeCache, out: &mut Vec<u8>) {
    let timestamp = record.get(Key::Timestamp);
    let Some((seconds, nanoseconds)) = time.read(timestamp) else { return };
    out.extend_from_slice(b"\"@timestamp\":");
    if timestamp.inside().len() == 30 && timestamp.inside().as_bytes()[10] == b'T' {
        timestamp.push_string(out);
    } else {
        let timestamp_ns = seconds * 1_000_000_000 + u64::from(nanoseconds);
        push_quoted(&rfc3339(timestamp_ns), out);
    }
    out.push(b',');
}

fn push_log(record: &Record<'_>, out: &mut Vec<u8>) {
    push_group("log", out, |out| {
        push_text_pair("logger", record.get(Key::Component), out);
        push_group("origin", out, |out| {
            push_group("file", out, |out| {
                push_text_pair("name", record.file_name(), out);
                if record.get(Key::Line).as_u64().is_some() {
                    push_key("line", out);
                    push_integer(record.get(Key::Line), "0", out);
                }
            });
            push_text_pair("function", record.get(Key::Function), out);
        });
    });
}

fn push_error(record: &Record<'_>, out: &mut Vec<u8>) {
    let exception = record.get(Key::Exception);
    if exception.is_object() {
        push_text_pair("type", exception.get("type"), out);
        push_text_pair("message", exception.get("message"), out);
        push_key("stack_trace", out);
        push_traceback(record, "\"\"", out);
    }
}

/// Appends an object of what `write` appends as `,"key":value`; nothing when that is nothing.
fn push_group(name: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    push_key(name, out);
    let comma = out.len();
    write(out);
    if out.len() == comma {
        return out.truncate(begin);
    }
    out[comma] = b'{';
    out.push(b'}');
}

fn push_labels(record: &Record<'_>, names: &mut Names, out: &mut Vec<u8>) {
    names.clear();
    let category = (Raw::new("\"category\""), record.get(Key::Category));
    let category = Some(category).filter(|(_, value)| !value.is_absent());
    for (key, value) in category.into_iter().chain(record.fields()) {
        out.extend_from_slice(b",\"");
        names.push(usize::MAX, out, |out| {
            let begin = out.len();
            out.extend_from_slice(key.inside().as_bytes());
            for byte in &mut out[begin..] {
                if matches!(*byte, b'.' | b' ') {
                    *byte = b'_';
                }
            }
        });
        out.extend_from_slice(b"\":");
        value.push_string(out);
    }
}
