//! Event log entries of `PoseidonOS`, nested as its guide has them or flat as its JSON Schema has.
//!
//! The schema says that `eventId` is an integer, so a leading zero of the nine digits is not
//! written. `datetime` has no zone there: it is UTC or that of this process. The event's variables
//! are the record's fields.

use super::json::{push_integer, push_key, push_quoted, push_source, push_time, push_traceback};
use super::raw::Raw;
use super::record::{Key, Record};
use super::spec::{Options, Result};
use super::time::TimeFormat;
use super::{Format, Scratch};

pub const OPTIONS: [&str; 2] = ["instance_id", "version"];

#[derive(Debug)]
pub struct Poseidonos {
    is_flat: bool,
    time: TimeFormat,
    /// Told by the process's id when not given: a number made when the process starts.
    instance_id: Option<u64>,
    version: String,
}

impl Poseidonos {
    pub fn new(options: &mut Options, is_flat: bool) -> Result<Self> {
        options.refuse_date_format(if is_flat { "poseidonos-flat" } else { "poseidonos" })?;
        let form = if is_flat { "%Y-%m-%d %H:%M:%S.%6f" } else { "%Y-%m-%d %H:%M:%S.%3f" };
        Ok(Self {
            is_flat,
            time: TimeFormat::own(form, options.utc),
            instance_id: options.take_number("instance_id", "a whole number")?,
            version: options.take("version").unwrap_or_default(),
        })
    }

    /// `"eventName":…,` and what else describes the event.
    fn push_description(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"eventName\":");
        record.get(Key::EventName).push_string(out);
        if self.is_flat {
            push_key("moduleName", out);
            record.get(Key::Component).push_string(out);
            push_key("errorCode", out);
            push_error_code(record, out);
        }
        push_key("message", out);
        record.get(Key::Message).push_string(out);
        push_key("cause", out);
        record.get(Key::Cause).push_string(out);
        push_key("trace", out);
        push_traceback(record, "\"\"", out);
        push_key("variables", out);
        push_variables(record, out);
    }
}

impl Format for Poseidonos {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"instanceId\":");
        match self.instance_id {
            Some(id) => out.extend_from_slice(id.to_string().as_bytes()),
            None => push_integer(record.get(Key::Process), "0", out),
        }
        push_key("eventId", out);
        push_integer(record.get(Key::EventId), "0", out);
        push_key("datetime", out);
        push_time(&self.time, record, scratch, out);
        push_key("level", out);
        let begin = out.len();
        record.get(Key::Level).push_string(out);
        out[begin..].make_ascii_lowercase();
        if self.is_flat {
            out.push(b',');
            self.push_description(record, out);
        } else {
            out.extend_from_slice(b",\"description\":{");
            self.push_description(record, out);
            out.push(b'}');
        }
        push_key("source", out);
        push_source(record, out);
        push_key("posVersion", out);
        push_quoted(&self.version, out);
        out.push(b'}');
    }
}

/// The field `error_code`; 0 where there is none.
fn push_error_code(record: &Record<'_>, out: &mut Vec<u8>) {
    let mut fields = record.fields();
    let code = fields.find(|(key, _)| matches!(key.inside(), "error_code" | "errorCode"));
    let code = code.map_or(Raw::default(), |(_, code)| code);
    push_integer(if code.is_string() { Raw::default() } else { code }, "0", out);
}

/// `[{"array_name":"array1"},{"size":7}]`
fn push_variables(record: &Record<'_>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, (key, value)) in record.fields().enumerate() {
        out.extend_from_slice(if at > 0 { b",{" } else { b"{" });
        out.extend_from_slice(key.json().as_bytes());
        out.push(b':');
        value.push_json(out);
        out.push(b'}');
    }
    out.push(b']');
}
