//! GELF 1.1, the Graylog Extended Log Format (<https://go2docs.graylog.org>, GELF Payload
//! Specification).
//!
//! Additional fields begin with `_` and hold text or numbers: other values become their JSON.
//! `_id` is not allowed, so a field `id` is `_id_`. A message must not be empty: `-` then.

use super::json::{push_key, push_quoted, push_text_pair};
use super::names::{push_cleaned, Names};
use super::raw::Raw;
use super::record::{Key, Record};
use super::spec::{Options, Result};
use super::time::push_fraction;
use super::{syslog, traceback, Format, Scratch};
use crate::line::push_int;

pub const OPTIONS: [&str; 1] = ["hostname"];

/// Additional fields that are no fields of the application.
const ADDITIONAL: [Key; 13] = [
    Key::Category,
    Key::Component,
    Key::EventId,
    Key::EventName,
    Key::Cause,
    Key::Module,
    Key::Function,
    Key::File,
    Key::Line,
    Key::Process,
    Key::Thread,
    Key::TraceId,
    Key::SpanId,
];

#[derive(Debug)]
pub struct Gelf {
    hostname: String,
}

impl Gelf {
    pub fn new(options: &mut Options) -> Result<Self> {
        options.refuse_date_format("gelf")?;
        Ok(Self { hostname: syslog::hostname(options)? })
    }
}

impl Format for Gelf {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"version\":\"1.1\",\"host\":");
        let host = record.get(Key::Host);
        if host.is_empty() {
            push_quoted(&self.hostname, out);
        } else {
            host.push_string(out);
        }
        let message = record.get(Key::Message);
        let message = if message.is_empty() { Raw::new("\"-\"") } else { message };
        push_text_pair("short_message", message, out);
        if record.get(Key::Exception).is_object() {
            push_key("full_message", out);
            let full = format!("{}\n{}", message.text(), traceback::text_of(record));
            push_quoted(full.trim_end(), out);
        }
        if let Some((seconds, nanoseconds)) = scratch.time.read(record.get(Key::Timestamp)) {
            push_key("timestamp", out);
            push_int(out, seconds as i64);
            out.push(b'.');
            push_fraction(nanoseconds, 6, out);
        }
        push_key("level", out);
        push_int(out, syslog::severity(record).into());
        scratch.names.clear();
        if let Some(index) = record.index {
            push_name("index", &mut scratch.names, out);
            push_int(out, index as i64);
        }
        for (name, key) in super::record::KEYS.iter().filter(|(_, key)| ADDITIONAL.contains(key)) {
            push_additional(name, record.get(*key), &mut scratch.names, out);
        }
        for (key, value) in record.fields() {
            push_additional(&key.text(), value, &mut scratch.names, out);
        }
        out.push(b'}');
    }
}

fn push_additional(name: &str, value: Raw<'_>, names: &mut Names, out: &mut Vec<u8>) {
    if value.is_absent() {
        return;
    }
    push_name(name, names, out);
    let is_number = value.json().starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if is_number {
        value.push_json(out);
    } else {
        value.push_string(out);
    }
}

/// `,"_name":`, of letters, digits, `_`, `.` and `-`.
fn push_name(name: &str, names: &mut Names, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"_");
    let name = if name == "id" { "id_" } else { name };
    names.push(usize::MAX, out, |out| {
        push_cleaned(name, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'), out);
    });
    out.extend_from_slice(b"\":");
}
