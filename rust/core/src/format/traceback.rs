//! Exceptions as Python prints them.

use std::cell::RefCell;
use std::io::Write;

use serde_json::{Map, Value};

use super::neutral;
use super::record::{Key, Record};

pub const CAUSE: &str = "The above exception was the direct cause of the following exception:";
pub const CONTEXT: &str = "During handling of the above exception, another exception occurred:";

/// Bytes of the largest source file worth reading for one line of it.
const SOURCE_BYTES: u64 = 4 << 20;
const SOURCES_KEPT: usize = 8;

type Object = Map<String, Value>;

/// The exception of a record, if it has one.
pub fn of(record: &Record<'_>) -> Option<Object> {
    let exception = record.get(Key::Exception);
    exception.is_object().then(|| serde_json::from_str(exception.json()).ok()).flatten()
}

/// Appends the traceback of an exception, its causes first, two spaces in.
pub fn push(exception: &Object, sources: bool, out: &mut Vec<u8>) {
    Traceback { out, margin: 2, sources, depth: 0, needs_close: false }.exception(exception);
}

/// The traceback of a record's exception in lines without end; empty when it has none.
pub fn text_of(record: &Record<'_>) -> String {
    let mut out = Vec::new();
    if let Some(exception) = of(record) {
        let traceback = &mut Traceback {
            out: &mut out,
            margin: 0,
            sources: false,
            depth: 0,
            needs_close: false,
        };
        traceback.exception(&exception);
        out.pop();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends `ValueError: no` on one line; nothing when the record has no exception.
pub fn push_summary(record: &Record<'_>, out: &mut Vec<u8>) {
    let exception = record.get(Key::Exception);
    let (kind, message) = (exception.get("type"), exception.get("message"));
    kind.push_text(out);
    if !message.is_empty() {
        out.extend_from_slice(b": ");
        message.push_text(out);
    }
}

/// The string under `key`, empty when there is none.
pub(crate) fn text<'a>(object: &'a Object, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

struct Traceback<'a> {
    out: &'a mut Vec<u8>,
    /// Spaces before every line.
    margin: usize,
    sources: bool,
    /// Groups around what is being printed, as in Python's `_ExceptionPrintContext`.
    depth: usize,
    /// The last member of a group closes it, unless a group inside it has already.
    needs_close: bool,
}

impl Traceback<'_> {
    fn exception(&mut self, exception: &Object) {
        let earlier = [("cause", CAUSE), ("context", CONTEXT)]
            .into_iter()
            .find_map(|(key, sentence)| Some((exception.get(key)?.as_object()?, sentence)));
        if let Some((earlier, sentence)) = earlier {
            self.exception(earlier);
            self.line(0, "");
            self.line(0, sentence);
            self.line(0, "");
        }
        match exception.get("exceptions").and_then(Value::as_array) {
            Some(members) if !members.is_empty() => self.group(exception, members),
            _ => {
                self.stack(exception, "Traceback (most recent call last):", '|');
                self.summary(exception);
            }
        }
    }

    fn group(&mut self, exception: &Object, members: &[Value]) {
        let outermost = self.depth == 0;
        if outermost {
            self.depth = 1;
        }
        let mark = if outermost { '+' } else { '|' };
        self.stack(exception, "Exception Group Traceback (most recent call last):", mark);
        self.summary(exception);
        for (at, member) in members.iter().enumerate() {
            let last = at + 1 == members.len();
            self.needs_close = last;
            self.indent();
            let branch = if at == 0 { "+-" } else { "  " };
            let number = at + 1;
            // A vector takes everything.
            let _ = writeln!(self.out, "{branch}+---------------- {number} ----------------");
            self.depth += 1;
            if let Some(member) = member.as_object() {
                self.exception(member);
            }
            if last && self.needs_close {
                self.indent();
                self.out.extend_from_slice(b"+------------------------------------\n");
                self.needs_close = false;
            }
            self.depth -= 1;
        }
        if outermost {
            self.depth = 0;
        }
    }

    fn stack(&mut self, exception: &Object, title: &str, mark: char) {
        let Some(stack) = exception.get("stack").and_then(Value::as_array) else {
            return;
        };
        if stack.is_empty() {
            return;
        }
        self.marked(0, title, mark);
        for frame in stack.iter().filter_map(Value::as_object) {
            let file = text(frame, "file");
            let number = frame.get("line").and_then(Value::as_u64).unwrap_or_default();
            let function = text(frame, "function");
            self.line(2, &format!("File \"{file}\", line {number}, in {function}"));
            if self.sources {
                if let Some(source) = source_line(file, number) {
                    let redacted = crate::redact::here().text(&source);
                    self.line(4, &redacted.map_or(source, |(text, _)| text));
                }
            }
        }
    }

    fn summary(&mut self, exception: &Object) {
        let (kind, message) = (text(exception, "type"), text(exception, "message"));
        if message.is_empty() {
            self.line(0, kind);
        } else {
            self.lines(&format!("{kind}: {message}"));
        }
        let notes = exception.get("notes").and_then(Value::as_array).into_iter().flatten();
        notes.filter_map(Value::as_str).for_each(|note| self.lines(note));
    }

    /// Text of several lines stays so: indented, no line of it can pass for a record.
    fn lines(&mut self, text: &str) {
        text.split('\n').for_each(|line| self.line(0, line));
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.marked(indent, text, '|');
    }

    fn marked(&mut self, indent: usize, text: &str, mark: char) {
        if text.is_empty() && self.depth == 0 {
            return self.out.push(b'\n');
        }
        self.indent();
        if self.depth > 0 {
            self.out.extend_from_slice(&[mark as u8, b' ']);
        }
        self.out.resize(self.out.len() + indent, b' ');
        neutral::push_text(text, self.out);
        self.out.push(b'\n');
    }

    fn indent(&mut self) {
        self.out.resize(self.out.len() + self.margin + 2 * self.depth, b' ');
    }
}

/// A line of a Python file, stripped. Nothing else is read: the name comes from a record, and the
/// reader of a journal may be allowed to see more than its writer.
fn source_line(file: &str, number: u64) -> Option<String> {
    thread_local! {
        static SOURCES: RefCell<Vec<(String, Option<String>)>> = const { RefCell::new(Vec::new()) };
    }
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    SOURCES.with_borrow_mut(|sources| {
        let known = sources.iter().position(|(name, _)| name == file);
        let place = known.unwrap_or_else(|| {
            if sources.len() == SOURCES_KEPT {
                sources.remove(0);
            }
            sources.push((file.to_owned(), read_source(file)));
            sources.len() - 1
        });
        let line = sources[place].1.as_ref()?.lines().nth(at)?.trim();
        (!line.is_empty()).then(|| line.to_owned())
    })
}

fn read_source(file: &str) -> Option<String> {
    let path = std::path::Path::new(file);
    let real = path.canonicalize().ok()?;
    let metadata = real.metadata().ok()?;
    let python = real.extension().is_some_and(|extension| extension == "py");
    if !python || !metadata.is_file() || metadata.len() > SOURCE_BYTES {
        return None;
    }
    std::fs::read_to_string(real).ok()
}
