//! Exceptions as Python prints them, indented below their record.

use std::io::BufRead;

use serde_json::Value;

use super::neutral::push_neutral;
use super::style::{Style, BOLD, DIM};

const CAUSE: &str = "The above exception was the direct cause of the following exception:";
const CONTEXT: &str = "During handling of the above exception, another exception occurred:";
/// A source file longer than this is not searched for a line.
const MAX_SOURCE_LINES: u64 = 100_000;

/// Appends the chain, first cause first.
pub fn render(exception: &Value, style: &Style, out: &mut Vec<u8>) {
    render_at(exception, style, "  ", out);
}

fn render_at(exception: &Value, style: &Style, indent: &str, out: &mut Vec<u8>) {
    for (key, sentence) in [("cause", CAUSE), ("context", CONTEXT)] {
        if let Some(earlier) = exception.get(key) {
            render_at(earlier, style, indent, out);
            push_line(out, indent, |_| {});
            push_line(out, indent, |out| out.extend_from_slice(sentence.as_bytes()));
            push_line(out, indent, |_| {});
        }
    }
    if let Some(stack) = exception.get("stack").and_then(Value::as_array) {
        push_line(out, indent, |out| out.extend_from_slice(b"Traceback (most recent call last):"));
        for frame in stack {
            render_frame(frame, style, indent, out);
        }
    }
    let text = |key: &str| exception.get(key).and_then(Value::as_str).unwrap_or_default();
    if !text("type").is_empty() {
        push_line(out, indent, |out| {
            style.paint(out, BOLD, |out| push_neutral(out, text("type")));
            if !text("message").is_empty() {
                out.extend_from_slice(b": ");
                push_neutral(out, text("message"));
            }
        });
    }
    for note in exception.get("notes").and_then(Value::as_array).into_iter().flatten() {
        push_line(out, indent, |out| push_neutral(out, note.as_str().unwrap_or_default()));
    }
    let members = exception.get("exceptions").and_then(Value::as_array);
    for (at, member) in members.into_iter().flatten().enumerate() {
        push_line(out, indent, |out| out.extend_from_slice(format!("+-- {} --", at + 1).as_bytes()));
        render_at(member, style, &format!("{indent}| "), out);
    }
}

fn render_frame(frame: &Value, style: &Style, indent: &str, out: &mut Vec<u8>) {
    let text = |key: &str| frame.get(key).and_then(Value::as_str).unwrap_or_default();
    let line = frame.get("line").and_then(Value::as_u64).unwrap_or(0);
    push_line(out, indent, |out| {
        out.extend_from_slice(b"  File \"");
        push_neutral(out, text("file"));
        out.extend_from_slice(format!("\", line {line}, in ").as_bytes());
        push_neutral(out, text("function"));
    });
    if style.sources {
        if let Some(source) = source_line(text("file"), line) {
            push_line(out, indent, |out| {
                style.paint(out, DIM, |out| {
                    out.extend_from_slice(b"    ");
                    push_neutral(out, source.trim());
                });
            });
        }
    }
}

fn push_line(out: &mut Vec<u8>, indent: &str, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(indent.as_bytes());
    write(out);
    while out.last() == Some(&b' ') {
        out.pop();
    }
    out.push(b'\n');
}

/// The line of a source file, if it is a Python file that is here and readable.
fn source_line(file: &str, line: u64) -> Option<String> {
    if !file.ends_with(".py") || line == 0 || line > MAX_SOURCE_LINES {
        return None;
    }
    let source = std::fs::File::open(file).ok().filter(|file| {
        file.metadata().is_ok_and(|metadata| metadata.is_file())
    })?;
    let nth = usize::try_from(line - 1).ok()?;
    std::io::BufReader::new(source).lines().nth(nth)?.ok()
}
