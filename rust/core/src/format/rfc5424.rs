//! Syslog as RFC 5424 has it, with all fields as structured data.
//!
//! `<134>1 2026-11-21T10:30:45.123456Z host auth 4711 - [treering@32473 level="INFO" …] message`

use super::names::{push_cleaned, Names};
use super::neutral;
use super::raw::Raw;
use super::record::{Key, Record, KEYS};
use super::spec::{wrong, Options, Result};
use super::syslog::{facility, hostname, push_host, push_word, severity, word};
use super::time::TimeFormat;
use super::{traceback, Format, Scratch};
use crate::line::push_int;

pub const OPTIONS: [&str; 8] =
    ["facility", "hostname", "app_name", "procid", "msgid", "enterprise", "sd_id", "bom"];

/// The number that RFC 5612 keeps for examples; who has one of their own sets `enterprise`.
const ENTERPRISE: u64 = 32_473;
const APP_NAME_BYTES: usize = 48;
const PROCID_BYTES: usize = 128;
const MSGID_BYTES: usize = 32;
const NAME_BYTES: usize = 32;

#[derive(Debug)]
pub struct Rfc5424 {
    facility: u8,
    hostname: String,
    app_name: Option<String>,
    procid: Option<String>,
    msgid: Option<String>,
    sd_id: String,
    /// A byte order mark before messages that are not ASCII, as section 6.4 asks.
    bom: bool,
    time: TimeFormat,
}

impl Rfc5424 {
    pub fn new(options: &mut Options) -> Result<Self> {
        options.refuse_date_format("rfc5424")?;
        let enterprise = options.take_number("enterprise", "a private enterprise number")?;
        let sd_id = match word(options, "sd_id", NAME_BYTES)? {
            Some(id) if !id.bytes().all(is_name_byte) => {
                return Err(wrong("sd_id", &id, "a name without '=', ']' and '\"'"));
            }
            Some(id) => id,
            None => format!("treering@{}", enterprise.unwrap_or(ENTERPRISE)),
        };
        Ok(Self {
            facility: facility(options)?,
            hostname: hostname(options)?,
            app_name: word(options, "app_name", APP_NAME_BYTES)?,
            procid: word(options, "procid", PROCID_BYTES)?,
            msgid: word(options, "msgid", MSGID_BYTES)?,
            sd_id,
            bom: options.take_flag("bom")?.unwrap_or(true),
            time: TimeFormat::own("%Y-%m-%dT%H:%M:%S.%6fZ", true),
        })
    }

    fn push_header(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        out.push(b'<');
        push_int(out, (self.facility * 8 + severity(record)).into());
        out.extend_from_slice(b">1 ");
        if !self.time.push_if_time(record.get(Key::Timestamp), &mut scratch.time, out) {
            out.push(b'-');
        }
        out.push(b' ');
        push_host(record, &self.hostname, out);
        let fields = [
            (&self.app_name, Key::Component, APP_NAME_BYTES),
            (&self.procid, Key::Process, PROCID_BYTES),
            (&self.msgid, Key::EventName, MSGID_BYTES),
        ];
        for (given, key, most) in fields {
            out.push(b' ');
            match given {
                Some(text) => out.extend_from_slice(text.as_bytes()),
                None => push_word(&record.get(key).text(), most, out),
            }
        }
    }
}

impl Format for Rfc5424 {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        self.push_header(record, scratch, out);
        out.extend_from_slice(b" [");
        out.extend_from_slice(self.sd_id.as_bytes());
        let names = &mut scratch.names;
        names.clear();
        if let Some(index) = record.index {
            push_own_name("index", names, out);
            push_int(out, index as i64);
            out.push(b'"');
        }
        for (name, key) in &KEYS[..Key::Context as usize] {
            if !matches!(key, Key::Timestamp | Key::Message | Key::Host) {
                let value = record.get(*key);
                if !value.is_absent() {
                    push_own_name(name, names, out);
                    push_rest(value, out);
                }
            }
        }
        for (key, value) in record.fields() {
            push_name(names, out, |out| {
                push_cleaned(&key.text(), |c| c.is_ascii() && is_name_byte(c as u8), out);
            });
            push_rest(value, out);
        }
        if record.get(Key::Exception).is_object() {
            push_own_name("exception", names, out);
            push_value(&traceback::text_of(record), out);
            out.push(b'"');
        }
        out.push(b']');
        let message = record.get(Key::Message);
        if !message.is_empty() {
            out.push(b' ');
            if self.bom && !message.inside().is_ascii() {
                out.extend_from_slice("\u{feff}".as_bytes());
            }
            message.push_text(out);
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"')
}

/// ` name="`; the caller closes the quotes.
fn push_name(names: &mut Names, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b' ');
    names.push(NAME_BYTES, out, write);
    out.extend_from_slice(b"=\"");
}

/// A name of ours, which needs no care.
fn push_own_name(name: &str, names: &mut Names, out: &mut Vec<u8>) {
    push_name(names, out, |out| out.extend_from_slice(name.as_bytes()));
}

/// The value of a parameter and the quote after it.
fn push_rest(value: Raw<'_>, out: &mut Vec<u8>) {
    let inside = value.inside();
    if inside.bytes().any(|byte| matches!(byte, b'"' | b'\\' | b']')) {
        push_value(&value.text(), out);
    } else {
        out.extend_from_slice(inside.as_bytes());
    }
    out.push(b'"');
}

/// A value as section 6.3.3 escapes it, after what is obeyed was spelled out.
fn push_value(text: &str, out: &mut Vec<u8>) {
    let mut neutral = Vec::with_capacity(text.len());
    neutral::push_text(text, &mut neutral);
    for byte in neutral {
        if matches!(byte, b'"' | b'\\' | b']') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}
