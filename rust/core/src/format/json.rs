//! What the JSON shapes share: times, sources, tracebacks and objects.

use super::names::Names;
use super::neutral::is_obeyed;
use super::raw::Raw;
use super::record::{escaped, Key, Record};
use super::time::TimeFormat;
use super::traceback;
use super::Scratch;
use crate::line::push_string;

/// Appends text as a JSON string in which nothing is obeyed.
pub fn push_quoted(text: &str, out: &mut Vec<u8>) {
    let begin = out.len();
    push_string(out, text);
    // Direction marks are no matter of JSON's and come through.
    if !text.is_ascii() && text.contains(is_obeyed) {
        let json = escaped(&String::from_utf8_lossy(&out[begin..]));
        out.truncate(begin);
        out.extend_from_slice(json.as_bytes());
    }
}

/// Appends the record's time as a JSON string; what is no time, as it is.
pub fn push_time(time: &TimeFormat, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let timestamp = record.get(Key::Timestamp);
    out.push(b'"');
    if time.push_if_time(timestamp, &mut scratch.time, out) {
        return out.push(b'"');
    }
    out.pop();
    timestamp.push_string(out);
}

/// Appends `,"key":"text"`, unless there is none.
pub fn push_text_pair(key: &str, value: Raw<'_>, out: &mut Vec<u8>) {
    if !value.is_absent() {
        push_key(key, out);
        value.push_string(out);
    }
}

/// Appends `,"key":`; the key is ours and needs no escape.
pub fn push_key(key: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a number that JSON calls an integer, or what stands for none.
pub fn push_integer(value: Raw<'_>, otherwise: &str, out: &mut Vec<u8>) {
    let digits = value.inside().trim_start_matches('0');
    let digits = if digits.is_empty() && !value.is_absent() { "0" } else { digits };
    let whole =
        !digits.is_empty() && digits.len() < 19 && digits.bytes().all(|b| b.is_ascii_digit());
    out.extend_from_slice(if whole { digits.as_bytes() } else { otherwise.as_bytes() });
}

/// Appends the traceback as a JSON string, or what stands for none.
pub fn push_traceback(record: &Record<'_>, otherwise: &str, out: &mut Vec<u8>) {
    if record.get(Key::Exception).is_object() {
        push_quoted(&traceback::text_of(record), out);
    } else {
        out.extend_from_slice(otherwise.as_bytes());
    }
}

/// Appends `"app.py:7"`; `""` when the place is not known.
pub fn push_source(record: &Record<'_>, out: &mut Vec<u8>) {
    record.file_name().push_string(out);
    let line = record.get(Key::Line);
    if line.as_u64().is_some() {
        out.pop();
        out.push(b':');
        out.extend_from_slice(line.inside().as_bytes());
        out.push(b'"');
    }
}

/// Appends an object of fields; a name that was there before gets a number.
pub fn push_object<'a>(
    fields: impl Iterator<Item = (Raw<'a>, Raw<'a>)>,
    names: &mut Names,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    names.clear();
    for (at, (key, value)) in fields.enumerate() {
        out.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
        names.push(usize::MAX, out, |out| out.extend_from_slice(key.inside().as_bytes()));
        out.extend_from_slice(b"\":");
        value.push_json(out);
    }
    out.push(b'}');
}
