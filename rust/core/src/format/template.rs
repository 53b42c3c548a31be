//! Lines made by a template, whichever way it was written.

use std::io::Write;

use super::json::{push_object, push_quoted};
use super::logfmt;
use super::neutral;
use super::raw::Raw;
use super::record::{Key, Record};
use super::spec::{Result, SpecError};
use super::time::TimeFormat;
use super::{traceback, Format, Scratch};
use crate::console::Paint;

/// What a specifier stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Timestamp,
    Index,
    FileName,
    /// The logger's name, `root` for the one without.
    LoggerName,
    LevelNumber,
    /// Seconds since the epoch, with microseconds.
    Created,
    /// Milliseconds of the second.
    Milliseconds,
    Key(Key),
    Field(String),
    /// All fields as `key=value`.
    Fields,
    /// Type and message of the exception.
    Exception,
    Traceback,
}

/// What a format's own reader makes of the text behind a `%`, and the text behind that.
type Item<'a> = std::result::Result<(Part, &'a str), String>;

/// Reads a format string: literals, `%%`, and what `item` makes of everything else behind a `%`.
///
/// # Errors
/// What `item` says, with the place of its `%`.
pub fn parts(text: &str, item: impl Fn(&str) -> Item<'_>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let place = text.len() - rest.len() + at;
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            literal.push('%');
            rest = after;
            continue;
        }
        let (found, after) = item(rest).map_err(|message| SpecError::at(text, place, message))?;
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(found);
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

impl Value {
    /// Nothing of it means that the gap before it goes as well.
    fn closes_gap(&self) -> bool {
        matches!(self, Self::Fields | Self::Exception | Self::Traceback)
    }

    pub fn is_number(&self) -> bool {
        match self {
            Self::Index | Self::LevelNumber | Self::Created | Self::Milliseconds => true,
            Self::Key(key) => matches!(key, Key::Line | Key::Process | Key::Thread),
            _ => false,
        }
    }
}

/// How a number of the standard library's style is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Number {
    pub decimals: Option<usize>,
    pub zeros: bool,
    pub sign: Option<char>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    pub width: usize,
    pub left: bool,
    /// Characters after which text is cut.
    pub most: Option<usize>,
    pub number: Option<Number>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    Item {
        value: Value,
        layout: Layout,
        /// In JSON: inside the quotes of a string.
        quoted: bool,
    },
}

/// A template, taken apart.
#[derive(Debug)]
pub struct Template {
    parts: Vec<Part>,
    time: TimeFormat,
    /// What the template makes is JSON, and stays so whatever a record says.
    is_json: bool,
    paint: Paint,
}

impl Template {
    /// Puts a template together; `text` is what it was read from.
    pub fn new(text: &str, mut parts: Vec<Part>, time: TimeFormat, colour: bool) -> Result<Self> {
        // A line feed would make two lines of a record, and anything else a terminal obeys is
        // better left to the colours of levels.
        if let Some(at) = text.find(|c| neutral::is_obeyed(c) && c != '\t') {
            let message = "the template has a control character: text or a tab would be right";
            return Err(SpecError::at(text, at, message));
        }
        let is_json = mark_quoted(&mut parts);
        Ok(Self { parts, time, is_json, paint: Paint::new(colour) })
    }

    /// Whether the exception would be missing from what it makes.
    pub fn lacks_traceback(&self) -> bool {
        let shows = |part: &Part| {
            matches!(part, Part::Item { value: Value::Exception | Value::Traceback, .. })
        };
        !self.is_json && !self.parts.iter().any(shows)
    }

    fn push_item(
        &self,
        item: &Part,
        record: &Record<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let Part::Item { value, layout, quoted } = item else { return };
        if !self.is_json {
            return self.push_padded(value, layout, record, scratch, out);
        }
        match (quoted, raw(value, record)) {
            (false, Some(raw)) => raw.push_json(out),
            (false, None) if *value == Value::Fields => {
                push_object(record.fields(), &mut scratch.names, out);
            }
            (true, Some(raw)) if *layout == Layout::default() => {
                if raw.is_string() {
                    out.extend_from_slice(raw.inside().as_bytes());
                } else {
                    push_inside(raw.json(), out);
                }
            }
            _ => {
                let mut text = std::mem::take(&mut scratch.text);
                text.clear();
                self.push_padded(value, layout, record, scratch, &mut text);
                let said = String::from_utf8_lossy(&text);
                if *quoted {
                    push_inside(&said, out);
                } else if value.is_number() && serde_json::from_str::<f64>(&said).is_ok() {
                    out.extend_from_slice(&text);
                } else {
                    push_quoted(&said, out);
                }
                scratch.text = text;
            }
        }
    }

    fn push_padded(
        &self,
        value: &Value,
        layout: &Layout,
        record: &Record<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let is_level = *value == Value::Key(Key::Level) && !self.is_json;
        let mut write = |out: &mut Vec<u8>| {
            let begin = out.len();
            self.push_value(value, record, scratch, out);
            if let Some(number) = layout.number {
                write_number(number, layout, begin, out);
            }
            fit(layout, begin, out);
        };
        if is_level {
            self.paint.level(record.get(Key::Level).inside(), out, write);
        } else {
            write(out);
        }
    }

    fn push_value(
        &self,
        value: &Value,
        record: &Record<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        match value {
            Value::Timestamp => self.time.push(record.get(Key::Timestamp), &mut scratch.time, out),
            Value::Fields => logfmt::push_fields(record, &mut scratch.names, self.paint, out),
            Value::Exception => traceback::push_summary(record, out),
            Value::Traceback => neutral::push_text(&traceback::text_of(record), out),
            Value::LoggerName if record.get(Key::Component).is_empty() => {
                out.extend_from_slice(b"root");
            }
            Value::LoggerName => record.get(Key::Component).push_text(out),
            Value::LevelNumber => push_number(record.level().map(u64::from), out),
            Value::Created => push_created(record, out),
            Value::Milliseconds => {
                push_number(record.timestamp_ns().map(|ns| ns / 1_000_000 % 1000), out);
            }
            Value::Index => push_number(record.index, out),
            Value::FileName | Value::Key(_) | Value::Field(_) => {
                let raw = raw(value, record).unwrap_or_default();
                if raw.is_empty() && *value != Value::Key(Key::Message) {
                    out.push(b'-');
                } else {
                    raw.push_text(out);
                }
            }
        }
    }
}

impl Format for Template {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let mut gap = 0;
        for part in &self.parts {
            match part {
                Part::Literal(text) => {
                    out.extend_from_slice(text.as_bytes());
                    gap = text.len() - text.trim_end_matches(' ').len();
                }
                Part::Item { value, .. } => {
                    let begin = out.len();
                    self.push_item(part, record, scratch, out);
                    if out.len() == begin && value.closes_gap() && !self.is_json {
                        out.truncate(begin - gap);
                    }
                    gap = 0;
                }
            }
        }
    }
}

/// The value as it stands in the record, where it does.
fn raw<'a>(value: &Value, record: &Record<'a>) -> Option<Raw<'a>> {
    match value {
        Value::Key(key) => Some(record.get(*key)),
        Value::Field(path) => Some(record.field(path)),
        Value::FileName => Some(record.file_name()),
        _ => None,
    }
}

/// Says of each item whether it stands in quotes; true when the parts make a JSON object.
fn mark_quoted(parts: &mut [Part]) -> bool {
    let probe: String = parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::Item { .. } => "0",
        })
        .collect();
    if serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&probe).is_err() {
        return false;
    }
    let (mut in_string, mut escaped) = (false, false);
    for part in parts {
        match part {
            Part::Item { quoted, .. } => *quoted = in_string,
            Part::Literal(text) => {
                for character in text.chars() {
                    in_string ^= character == '"' && !escaped;
                    escaped = character == '\\' && !escaped;
                }
            }
        }
    }
    true
}

/// Appends text as it stands between the quotes of a JSON string.
fn push_inside(text: &str, out: &mut Vec<u8>) {
    let begin = out.len();
    push_quoted(text, out);
    out.pop();
    out.remove(begin);
}

fn push_number(number: Option<u64>, out: &mut Vec<u8>) {
    // A vector takes everything.
    let _ = match number {
        Some(number) => write!(out, "{number}"),
        None => write!(out, "-"),
    };
}

fn push_created(record: &Record<'_>, out: &mut Vec<u8>) {
    match record.timestamp_ns() {
        Some(ns) => {
            let _ = write!(out, "{}.{:06}", ns / 1_000_000_000, ns / 1000 % 1_000_000);
        }
        None => out.push(b'-'),
    }
}

/// Writes what stands from `begin` on as a number anew; `0` where there was none.
fn write_number(number: Number, layout: &Layout, begin: usize, out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(&out[begin..]).into_owned();
    out.truncate(begin);
    let value: f64 = text.parse().unwrap_or_default();
    let digits = match number.decimals {
        Some(decimals) => format!("{value:.decimals$}"),
        // Ids may have more digits than a float.
        None => text.split('.').next().filter(|digits| *digits != "-").unwrap_or("0").to_owned(),
    };
    let sign = number.sign.map_or(String::new(), String::from);
    let width = if number.zeros { layout.width.saturating_sub(sign.len()) } else { 0 };
    let _ = write!(out, "{sign}{digits:0>width$}");
}

/// Cuts and pads what stands from `begin` on.
fn fit(layout: &Layout, begin: usize, out: &mut Vec<u8>) {
    if layout.width == 0 && layout.most.is_none() {
        return;
    }
    let text = String::from_utf8_lossy(&out[begin..]);
    let mut count = text.chars().count();
    if let Some(most) = layout.most.filter(|most| *most < count) {
        let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
        out.truncate(begin + end);
        count = most;
    }
    let padding = layout.width.saturating_sub(count);
    out.resize(out.len() + padding, b' ');
    if !layout.left {
        out[begin..].rotate_right(padding);
    }
}
