//! A record as people read it in a terminal, but for its traceback.

use super::neutral;
use super::record::{Key, Record};
use super::spec::{Options, Result};
use super::time::TimeFormat;
use super::{traceback, Format, Scratch};
use crate::console::Paint;

pub const OPTIONS: [&str; 0] = [];

/// `[2026-11-21 10:30:45] [INFO    ] auth: User authenticated  user_id=7 method=password`
#[derive(Debug)]
pub struct Console {
    time: TimeFormat,
    paint: Paint,
    /// Type and message of the exception as a field, where no traceback follows.
    exception: bool,
}

impl Console {
    pub fn new(options: &mut Options, exception: bool) -> Result<Self> {
        let time = match &options.date_format {
            Some(format) => TimeFormat::parse(format, options.utc)?,
            None => TimeFormat::own("%Y-%m-%d %H:%M:%S", options.utc),
        };
        Ok(Self { time, paint: Paint::new(options.colour), exception })
    }

    fn push_fields(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let mut gap: &[u8] = b"  ";
        let mut key = |out: &mut Vec<u8>, name: &str| {
            out.extend_from_slice(gap);
            gap = b" ";
            self.paint.key(out, |out| {
                neutral::push_word(name, out);
                out.push(b'=');
            });
        };
        let category = record.get(Key::Category);
        if matches!(record.get(Key::Level).inside(), "SECURITY" | "AUDIT") && !category.is_absent()
        {
            key(out, "category");
            neutral::push_word(&category.text(), out);
        }
        let event =
            [("event_id", Key::EventId), ("event_name", Key::EventName), ("cause", Key::Cause)];
        for (name, event) in event.map(|(name, key)| (name, record.get(key))) {
            if !event.is_absent() {
                key(out, name);
                neutral::push_word(&event.text(), out);
            }
        }
        for (name, value) in record.fields() {
            key(out, &name.text());
            if value.is_string() {
                neutral::push_word(&value.text(), out);
            } else {
                value.push_text(out);
            }
        }
        if self.exception && record.get(Key::Exception).is_object() {
            let mut summary = Vec::new();
            traceback::push_summary(record, &mut summary);
            key(out, "exception");
            neutral::push_word(&String::from_utf8_lossy(&summary), out);
        }
    }
}

impl Format for Console {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        if record.is_broken {
            return record.get(Key::Message).push_text(out);
        }
        out.push(b'[');
        let timestamp = record.get(Key::Timestamp);
        if !timestamp.is_absent() {
            self.time.push(timestamp, &mut scratch.time, out);
        }
        out.extend_from_slice(b"] ");
        let level = record.get(Key::Level);
        self.paint.level(level.inside(), out, |out| {
            out.push(b'[');
            let begin = out.len();
            level.push_text(out);
            let count = out[begin..].iter().filter(|byte| **byte & 0xc0 != 0x80).count();
            out.resize(out.len() + 8_usize.saturating_sub(count), b' ');
            out.push(b']');
        });
        out.push(b' ');
        let component = record.get(Key::Component);
        if !component.is_empty() {
            component.push_text(out);
            out.extend_from_slice(b": ");
        }
        record.get(Key::Message).push_text(out);
        self.push_fields(record, out);
    }
}
