//! One canonical line as a `LogRecord`.
//!
//! Sources: `opentelemetry/proto/logs/v1/logs.proto`; the logs data model; the semantic conventions for
//! `code`, `exception`, `thread`, `process` and `host`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::json::Reader;
use super::wire;
use crate::clock;
use crate::console;
use crate::level::{self, Level};
use crate::line::visible;

/// Google's readers of protobuf take messages nested 100 deep; a value in a value is three.
const MAX_DEPTH: usize = 24;

/// Fields of `LogRecord`.
mod field {
    pub const TIME: u32 = 1;
    pub const SEVERITY_NUMBER: u32 = 2;
    pub const SEVERITY_TEXT: u32 = 3;
    pub const BODY: u32 = 5;
    pub const ATTRIBUTES: u32 = 6;
    pub const FLAGS: u32 = 8;
    pub const TRACE_ID: u32 = 9;
    pub const SPAN_ID: u32 = 10;
    pub const OBSERVED_TIME: u32 = 11;
    pub const EVENT_NAME: u32 = 12;
}

/// Appends the record and gives its component. A line that is no record becomes the body of one.
pub fn push<'a>(line: &'a [u8], out: &mut Vec<u8>) -> Cow<'a, str> {
    let begin = out.len();
    let read = std::str::from_utf8(line).ok().and_then(|line| {
        let mut record =
            Record { out, component: Cow::Borrowed(""), module: None, is_timed: false };
        record.read(line).map(|()| record.component)
    });
    read.unwrap_or_else(|| {
        out.truncate(begin);
        wire::fixed64(out, field::OBSERVED_TIME, clock::now_ns());
        wire::message(out, field::BODY, |out| wire::bytes(out, 1, visible(line).as_bytes()));
        Cow::Borrowed("")
    })
}

struct Record<'a, 'o> {
    out: &'o mut Vec<u8>,
    component: Cow<'a, str>,
    /// Stands before the function, of whose name it is the first part.
    module: Option<Cow<'a, str>>,
    is_timed: bool,
}

impl<'a> Record<'a, '_> {
    fn read(&mut self, line: &'a str) -> Option<()> {
        let mut reader = Reader::new(line);
        reader.object(|reader, key| self.member(&key, reader))?;
        if !self.is_timed {
            wire::fixed64(self.out, field::OBSERVED_TIME, clock::now_ns());
        }
        if let Some(module) = self.module.take() {
            text_attribute(self.out, &["module"], &module);
        }
        reader.is_at_end().then_some(())
    }

    fn member(&mut self, key: &str, reader: &mut Reader<'a>) -> Option<()> {
        match (key, reader.peek()?) {
            ("message", _) => {
                wire::message(self.out, field::BODY, |out| push_value(reader, out, 0))
            }
            ("context" | "metadata" | "performance_data", b'{') => {
                let out = &mut *self.out;
                reader.object(|reader, name| attribute(out, &[key, &name], reader))
            }
            ("exception", b'{') => {
                push_exception(reader.raw()?, self.out);
                Some(())
            }
            (_, b'"') => {
                let text = reader.string()?;
                self.text(key, text);
                Some(())
            }
            _ => attribute(self.out, &[attribute_name(key)], reader),
        }
    }

    /// A string; one that does not mean what its key says is an attribute under that key.
    fn text(&mut self, key: &str, text: Cow<'a, str>) {
        match key {
            "component" => return self.component = text,
            "module" => return self.module = Some(text),
            "function" => return self.function(&text),
            "event_name" => return wire::bytes(self.out, field::EVENT_NAME, text.as_bytes()),
            _ => {}
        }
        let understood = match key {
            "timestamp" => clock::parse_rfc3339(&text).map(|time| self.time(time)),
            "level" => level::parse(&text).map(|level| self.level(level)),
            "trace_id" => id::<16>(&text).map(|id| wire::bytes(self.out, field::TRACE_ID, &id)),
            "span_id" => id::<8>(&text).map(|id| wire::bytes(self.out, field::SPAN_ID, &id)),
            "trace_flags" => u8::from_str_radix(&text, 16).ok().map(|flags| self.flags(flags)),
            _ => None,
        };
        if understood.is_none() {
            text_attribute(self.out, &[attribute_name(key)], &text);
        }
    }

    fn time(&mut self, time_ns: u64) {
        self.is_timed = true;
        wire::fixed64(self.out, field::TIME, time_ns);
        wire::fixed64(self.out, field::OBSERVED_TIME, time_ns);
    }

    fn level(&mut self, level: Level) {
        wire::number(self.out, field::SEVERITY_NUMBER, severity(level).into());
        wire::bytes(self.out, field::SEVERITY_TEXT, level::name(level).as_bytes());
    }

    fn function(&mut self, function: &str) {
        let name = match self.module.take() {
            Some(module) => format!("{module}.{function}"),
            None => function.to_owned(),
        };
        text_attribute(self.out, &["code.function.name"], &name);
    }

    fn flags(&mut self, flags: u8) {
        wire::fixed32(self.out, field::FLAGS, flags.into());
    }
}

/// OpenTelemetry's severity numbers. NOTICE is INFO2, as its data model maps syslog's.
fn severity(level: Level) -> u8 {
    const NUMBERS: [(Level, u8); 6] = [
        (level::CRITICAL, 21),
        (level::ERROR, 17),
        (level::WARNING, 13),
        (level::NOTICE, 10),
        (level::INFO, 9),
        (level::DEBUG, 5),
    ];
    match level {
        level::SECURITY => 13,
        level::AUDIT => 9,
        _ => NUMBERS.iter().find(|(least, _)| level >= *least).map_or(1, |(_, number)| *number),
    }
}

fn attribute_name(key: &str) -> &str {
    match key {
        "file" => "code.file.path",
        "function" => "code.function.name",
        "host" => "host.name",
        "line" => "code.line.number",
        "process" => "process.pid",
        "thread" => "thread.id",
        other => other,
    }
}

/// The bytes of an id in hexadecimal; all zeros are none (W3C Trace Context, 3.2.2).
fn id<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut id = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |sign: u8| char::from(sign).to_digit(16);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    (id != [0; N]).then_some(id)
}

/// Appends the value at `reader` as an attribute; a name of two parts has a point between them.
fn attribute(out: &mut Vec<u8>, name: &[&str], reader: &mut Reader) -> Option<()> {
    key_value(out, field::ATTRIBUTES, name, |out| push_value(reader, out, 0))
}

fn text_attribute(out: &mut Vec<u8>, name: &[&str], text: &str) {
    key_value(out, field::ATTRIBUTES, name, |out| wire::bytes(out, 1, text.as_bytes()));
}

/// Appends a `KeyValue` whose value `write` writes.
pub fn key_value<T>(
    out: &mut Vec<u8>,
    field: u32,
    key: &[&str],
    write: impl FnOnce(&mut Vec<u8>) -> T,
) -> T {
    wire::message(out, field, |out| {
        wire::message(out, 1, |out| {
            for (at, part) in key.iter().enumerate() {
                out.extend_from_slice(if at == 0 { b"" } else { b"." });
                out.extend_from_slice(part.as_bytes());
            }
        });
        wire::message(out, 2, write)
    })
}

/// Appends the fields of an `AnyValue`; null is one without any.
pub fn push_value(reader: &mut Reader, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    match reader.peek()? {
        b'"' => wire::bytes(out, 1, reader.string()?.as_bytes()),
        b't' | b'f' | b'n' => {
            let word = reader.word()?;
            if word != "null" {
                wire::number(out, 2, u64::from(word == "true"));
            }
        }
        b'[' | b'{' if depth == MAX_DEPTH => wire::bytes(out, 1, reader.raw()?.as_bytes()),
        b'[' => wire::message(out, 5, |out| {
            reader.array(|reader| wire::message(out, 1, |out| push_value(reader, out, depth + 1)))
        })?,
        b'{' => wire::message(out, 6, |out| {
            reader.object(|reader, key| {
                key_value(out, 1, &[&key], |out| push_value(reader, out, depth + 1))
            })
        })?,
        _ => push_number(reader.number()?, out),
    }
    Some(())
}

/// A whole number that 64 bits cannot hold keeps its digits, as text.
fn push_number(text: &str, out: &mut Vec<u8>) {
    if let Ok(number) = text.parse::<i64>() {
        wire::number(out, 3, number as u64);
    } else if text.contains(['.', 'e', 'E']) {
        let number: f64 = text.parse().unwrap_or(f64::NAN);
        wire::fixed64(out, 4, number.to_bits());
    } else {
        wire::bytes(out, 1, text.as_bytes());
    }
}

fn push_exception(json: &str, out: &mut Vec<u8>) {
    let Ok(exception) = serde_json::from_str::<Map<String, Value>>(json) else {
        return text_attribute(out, &["exception"], json);
    };
    let mut traceback = Vec::new();
    console::push_exception(&exception, false, &mut traceback);
    // The console shows it two spaces in.
    let traceback = visible(&traceback);
    let lines: Vec<&str> =
        traceback.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    text_attribute(out, &["exception.type"], console::text(&exception, "type"));
    text_attribute(out, &["exception.message"], console::text(&exception, "message"));
    text_attribute(out, &["exception.stacktrace"], &lines.join("\n"));
}
