//! Records as people read them in a terminal.

use serde_json::{Map, Value};

mod exception;
mod neutral;
mod output;
mod style;
#[cfg(test)]
mod tests;

pub(crate) use exception::push as push_exception;
pub use output::ConsoleOutput;
pub use style::Style;

use style::Paint;

/// Appends one canonical line as people read it, then a line feed.
///
/// ```text
/// [2026-11-21 10:30:45] [INFO    ] auth: User authenticated  user_id=7 method=password
/// ```
///
/// A line that is no JSON object is shown as it is, except for what a terminal would obey.
pub fn render(line: &[u8], style: &Style, out: &mut Vec<u8>) {
    if style.json {
        out.extend_from_slice(line);
        out.push(b'\n');
        return;
    }
    if let Ok(record) = serde_json::from_slice::<Map<String, Value>>(line) {
        push_record(&record, *style, out);
    } else {
        neutral::push_bytes(line, out);
        out.push(b'\n');
    }
}

fn push_record(record: &Map<String, Value>, style: Style, out: &mut Vec<u8>) {
    let level = text(record, "level");
    let paint = Paint::new(style.colour);
    out.push(b'[');
    style::push_local_time(text(record, "timestamp"), out);
    out.extend_from_slice(b"] ");
    paint.level(level, out, |out| {
        out.push(b'[');
        neutral::push_text(level, out);
        out.resize(out.len() + 8_usize.saturating_sub(level.chars().count()), b' ');
        out.push(b']');
    });
    out.push(b' ');
    let component = text(record, "component");
    if !component.is_empty() {
        neutral::push_text(component, out);
        out.extend_from_slice(b": ");
    }
    neutral::push_text(text(record, "message"), out);
    push_fields(record, level, paint, out);
    out.push(b'\n');
    if let Some(Value::Object(exception)) = record.get("exception") {
        exception::push(exception, style.sources, out);
    }
}

fn push_fields(record: &Map<String, Value>, level: &str, paint: Paint, out: &mut Vec<u8>) {
    let kind =
        matches!(level, "SECURITY" | "AUDIT").then(|| record.get_key_value("category")).flatten();
    let groups = ["metadata", "context", "performance_data"];
    let fields = groups.iter().filter_map(|group| record.get(*group)?.as_object()).flatten();
    let mut gap: &[u8] = b"  ";
    for (key, value) in kind.into_iter().chain(fields) {
        out.extend_from_slice(gap);
        gap = b" ";
        paint.key(out, |out| {
            neutral::push_word(key, out);
            out.push(b'=');
        });
        match value {
            Value::String(value) => neutral::push_word(value, out),
            Value::Array(_) | Value::Object(_) => neutral::push_text(&value.to_string(), out),
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
    }
}

/// The string under `key`, empty when there is none.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}
