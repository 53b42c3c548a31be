//! The fields of a record for systemd's journal, in its native protocol.
//!
//! Source: <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>. The message and the program's name are its
//! sender's to add.

use std::io::Write;

use super::raw::Raw;
use super::record::{Key, Record, KEYS};
use super::{syslog, traceback};

const PREFIX: &str = "TREERING_";

/// Of a field's name, in bytes.
const LONGEST_NAME: usize = 64;

/// journald ignores an entry of more than 1024 fields; a larger group is one field, as JSON.
const MOST_MEMBERS: usize = 256;

/// Appends `NAME=value` and a line feed for each field of a canonical line; nothing for an empty one,
/// which an erased record has left. `spelled` is what `Record::read` asks for.
pub fn journald_fields(line: &[u8], index: u64, spelled: &mut String, out: &mut Vec<u8>) {
    if line.is_empty() {
        return;
    }
    let record = Record::read(line, spelled);
    let severity = syslog::severity(&record);
    // A vector takes everything.
    let _ = write!(out, "PRIORITY={severity}\nTREERING_INDEX={index}\n");
    for (name, key) in KEYS {
        let value = record.get(key);
        match key {
            _ if value.is_absent() => {}
            Key::Message => {}
            Key::Process => push(b"SYSLOG_PID", value, out),
            Key::Thread => push(b"TID", value, out),
            Key::File => push(b"CODE_FILE", value, out),
            Key::Line => push(b"CODE_LINE", value, out),
            Key::Function => push(b"CODE_FUNC", value, out),
            Key::Context | Key::Metadata | Key::PerformanceData => push_group(name, value, out),
            Key::Exception if value.is_object() => push_exception(&record, value, out),
            _ => push(&field_name(&[name]), value, out),
        }
    }
    for (key, value) in record.others() {
        push(&field_name(&[&key.text()]), *value, out);
    }
}

fn push_group(name: &str, group: Raw<'_>, out: &mut Vec<u8>) {
    if group.entries().nth(MOST_MEMBERS).is_some() {
        return push(&field_name(&[name]), group, out);
    }
    for (key, value) in group.entries() {
        push(&field_name(&[name, "_", &key.text()]), value, out);
    }
}

fn push_exception(record: &Record<'_>, exception: Raw<'_>, out: &mut Vec<u8>) {
    push(b"TREERING_EXCEPTION_TYPE", exception.get("type"), out);
    push(b"TREERING_EXCEPTION_MESSAGE", exception.get("message"), out);
    push_field(b"TREERING_EXCEPTION", traceback::text_of(record).as_bytes(), out);
}

/// Capital letters, digits and underscores.
fn field_name(parts: &[&str]) -> Vec<u8> {
    let letters = parts.iter().flat_map(|part| part.chars()).flat_map(char::to_uppercase);
    let clean = letters.map(|c| if c.is_ascii_alphanumeric() { c as u8 } else { b'_' });
    PREFIX.bytes().chain(clean).take(LONGEST_NAME).collect()
}

fn push(name: &[u8], value: Raw<'_>, out: &mut Vec<u8>) {
    push_field(name, value.text().as_bytes(), out);
}

/// One field; a value with line feeds in it has its length before it.
fn push_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    if value.contains(&b'\n') {
        out.push(b'\n');
        out.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        out.push(b'=');
    }
    out.extend_from_slice(value);
    out.push(b'\n');
}
