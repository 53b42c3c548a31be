//! Syslog as BSD had it (RFC 3164): `<14>Nov 21 10:30:45 host auth[4711]: message  user_id=7`.
//!
//! The time is that of this process's zone unless UTC was asked for; a record without one gets
//! none, and the relay that takes it puts its own (section 4.3.2).

use std::io::Write;

use super::logfmt;
use super::record::{Key, Record};
use super::spec::{Options, Result};
use super::syslog::{facility, hostname, push_host, severity, word};
use super::time::TimeFormat;
use super::{traceback, Format, Scratch};
use crate::console::Paint;

pub const OPTIONS: [&str; 3] = ["facility", "hostname", "app_name"];

/// Section 4.1.3.
const TAG_BYTES: usize = 32;

#[derive(Debug)]
pub struct Rfc3164 {
    facility: u8,
    hostname: String,
    app_name: Option<String>,
    time: TimeFormat,
}

impl Rfc3164 {
    pub fn new(options: &mut Options) -> Result<Self> {
        options.refuse_date_format("rfc3164")?;
        Ok(Self {
            facility: facility(options)?,
            hostname: hostname(options)?,
            app_name: word(options, "app_name", TAG_BYTES)?,
            time: TimeFormat::own("%b %e %H:%M:%S ", options.utc),
        })
    }

    /// `auth[4711]: `, of what ends no tag where people parse it.
    fn push_tag(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let component = record.get(Key::Component).text();
        let tag = self.app_name.as_deref().unwrap_or(&component);
        let tag = if tag.is_empty() { "treering" } else { tag };
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' | '/' => c as u8,
            _ => b'_',
        };
        out.extend(tag.chars().take(TAG_BYTES).map(plain));
        if let Some(process) = record.get(Key::Process).as_u64() {
            // A vector takes everything.
            let _ = write!(out, "[{process}]");
        }
        out.extend_from_slice(b": ");
    }
}

impl Format for Rfc3164 {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let _ = write!(out, "<{}>", self.facility * 8 + severity(record));
        self.time.push_if_time(record.get(Key::Timestamp), &mut scratch.time, out);
        push_host(record, &self.hostname, out);
        out.push(b' ');
        self.push_tag(record, out);
        record.get(Key::Message).push_text(out);
        let begin = out.len();
        out.extend_from_slice(b"  ");
        logfmt::push_fields(record, &mut scratch.names, Paint::new(false), out);
        if record.get(Key::Exception).is_object() {
            if out.len() > begin + 2 {
                out.push(b' ');
            }
            out.extend_from_slice(b"exception=");
            logfmt::push_text(&traceback::text_of(record), out);
        }
        if out.len() == begin + 2 {
            out.truncate(begin);
        }
    }
}
