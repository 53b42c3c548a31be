//! logfmt: `timestamp=… level=INFO message="User authenticated" user_id=7`.
//!
//! As its parsers have it (`go-logfmt/logfmt`): a value with a space, `=`, `"` or an escape stands in
//! quotes, as a JSON string. Keys are those of the record; a field whose name is taken gets a number.

use super::json::push_quoted;
use super::names::{push_cleaned, Names};
use super::neutral::is_obeyed;
use super::raw::Raw;
use super::record::{Key, Record, KEYS};
use super::spec::{Options, Result};
use super::{traceback, Format, Scratch};
use crate::console::Paint;

pub const OPTIONS: [&str; 0] = [];

#[derive(Debug)]
pub struct Logfmt;

impl Logfmt {
    pub fn new(options: &mut Options) -> Result<Self> {
        options.refuse_date_format("logfmt")?;
        Ok(Self)
    }
}

impl Format for Logfmt {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let names = &mut scratch.names;
        names.clear();
        let begin = out.len();
        for (name, key) in &KEYS[..Key::Context as usize] {
            let value = record.get(*key);
            if !value.is_absent() {
                push_key(name, begin, names, Paint::new(false), out);
                push_value(value, out);
            }
        }
        for (key, value) in record.fields() {
            push_key(&key.text(), begin, names, Paint::new(false), out);
            push_value(value, out);
        }
        if record.get(Key::Exception).is_object() {
            let traceback = traceback::text_of(record);
            push_key("exception", begin, names, Paint::new(false), out);
            push_text(&traceback, out);
        }
    }
}

/// Appends all fields of a record, with spaces between them.
pub fn push_fields(record: &Record<'_>, names: &mut Names, paint: Paint, out: &mut Vec<u8>) {
    names.clear();
    let begin = out.len();
    for (key, value) in record.fields() {
        push_key(&key.text(), begin, names, paint, out);
        push_value(value, out);
    }
}

fn push_key(key: &str, begin: usize, names: &mut Names, paint: Paint, out: &mut Vec<u8>) {
    if out.len() > begin {
        out.push(b' ');
    }
    paint.key(out, |out| {
        names.push(usize::MAX, out, |out| {
            push_cleaned(key, |c| c > ' ' && !matches!(c, '=' | '"' | '\\') && !is_obeyed(c), out);
        });
        out.push(b'=');
    });
}

fn push_value(value: Raw<'_>, out: &mut Vec<u8>) {
    let inside = value.inside();
    if !value.is_string() && needs_quotes(inside) {
        push_quoted(inside, out);
    } else if needs_quotes(inside) {
        out.extend_from_slice(value.json().as_bytes());
    } else {
        out.extend_from_slice(inside.as_bytes());
    }
}

/// Appends text as a value.
pub fn push_text(text: &str, out: &mut Vec<u8>) {
    if needs_quotes(text) {
        push_quoted(text, out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty() || text.bytes().any(|byte| byte <= b' ' || matches!(byte, b'=' | b'"' | b'\\'))
}
