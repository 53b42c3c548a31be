//! How a record looks to a person: one readable line, a traceback below when there is one.
//!
//! ```text
//! [2026-11-21 10:30:45] [INFO    ] auth: User authenticated  user_id=7 method=password
//! ```
//! Nothing a record holds reaches the terminal as a control sequence or ends the line: `neutral` stands
//! between.

mod exception;
mod neutral;
mod output;
mod style;
#[cfg(all(test, not(loom)))]
mod tests;

use serde_json::{Map, Value};

pub use output::ConsoleOutput;
pub use style::Style;

use crate::level;
use neutral::push_neutral;

/// Appends one canonical line as a person reads it, with its line feed.
pub fn render(line: &[u8], style: &Style, out: &mut Vec<u8>) {
    if style.json {
        out.extend_from_slice(line);
        out.push(b'\n');
        return;
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(record)) => render_record(&record, style, out),
        _ => {
            push_neutral(out, &String::from_utf8_lossy(line));
            out.push(b'\n');
        }
    }
}

fn text<'a>(record: &'a Map<String, Value>, key: &str) -> &'a str {
    record.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn render_record(record: &Map<String, Value>, style: &Style, out: &mut Vec<u8>) {
    let name = text(record, "level");
    let level = level::parse(name).unwrap_or(level::INFO);
    out.push(b'[');
    push_neutral(out, &style.time(text(record, "timestamp")));
    out.extend_from_slice(b"] [");
    style.paint(out, style::of_level(level), |out| {
        push_neutral(out, name);
        out.extend(std::iter::repeat_n(b' ', 8_usize.saturating_sub(name.chars().count())));
    });
    out.extend_from_slice(b"] ");
    let component = text(record, "component");
    if !component.is_empty() {
        push_neutral(out, component);
        out.extend_from_slice(b": ");
    }
    style.paint(out, if level >= level::WARNING { style::BOLD } else { "" }, |out| {
        push_neutral(out, text(record, "message"));
    });
    let mut gap = &b"  "[..];
    for part in ["metadata", "context", "performance_data"] {
        for (key, value) in record.get(part).and_then(Value::as_object).into_iter().flatten() {
            out.extend_from_slice(gap);
            gap = b" ";
            style.paint(out, style::DIM, |out| {
                push_neutral(out, key);
                out.push(b'=');
            });
            push_value(out, value);
        }
    }
    if let Some(host) = record.get("host").and_then(Value::as_str) {
        out.extend_from_slice(gap);
        style.paint(out, style::DIM, |out| out.extend_from_slice(b"host="));
        push_neutral(out, host);
    }
    out.push(b'\n');
    if let Some(exception) = record.get("exception") {
        exception::render(exception, style, out);
    }
}

/// A field's value: text bare where that is unambiguous, everything else as JSON.
fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) if is_bare(text) => push_neutral(out, text),
        other => push_neutral(out, &other.to_string()),
    }
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '"', '=', '\'', '\\']) && !text.chars().any(char::is_control)
}

/// `1204` as people read it: `1,204`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
