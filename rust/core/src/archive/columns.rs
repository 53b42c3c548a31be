//! The columns of the archive, and how a canonical line falls apart into them.

use std::borrow::Cow;

use arrow_schema::{DataType, Field, TimeUnit};

use crate::clock::parse_rfc3339;
use crate::format::raw::Raw;
use crate::format::record::{Key, Record, CANONICAL, KEYS};
use crate::format::scan::{Scan, DEEPEST};
use crate::level::{self, Level, NAMED};
use crate::line::{push_string, TIMESTAMP_BYTES};

/// What a column of a record's key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Timestamp,
    Text,
    Number,
    Json,
}

pub(super) const COUNT: usize = KEYS.len();
pub(super) const INDEX: &str = "index";
pub(super) const LEVEL_NUMBER: &str = "level_number";
pub(super) const LAYOUT: &str = "layout";
pub(super) const VERBATIM: &str = "verbatim";

/// The three objects with fields, in the order of the record.
pub(super) const GROUPS: [Key; 3] = [Key::Context, Key::Metadata, Key::PerformanceData];

pub(super) const fn kind(key: Key) -> Kind {
    match key {
        Key::Timestamp => Kind::Timestamp,
        Key::Line | Key::Process | Key::Thread => Kind::Number,
        Key::Context | Key::Metadata | Key::PerformanceData | Key::Exception => Kind::Json,
        _ => Kind::Text,
    }
}

pub(super) fn name(key: Key) -> &'static str {
    KEYS[key as usize].0
}

pub(super) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// The columns that every file has, in order; promoted ones stand before the last two.
pub(super) fn fields() -> Vec<Field> {
    let mut fields = vec![Field::new(INDEX, DataType::Int64, false)];
    for (name, key) in KEYS {
        let data_type = match kind(key) {
            Kind::Timestamp => timestamp_type(),
            Kind::Number => DataType::Int64,
            Kind::Text | Kind::Json => DataType::Utf8,
        };
        fields.push(Field::new(name, data_type, true));
        if key == Key::Level {
            fields.push(Field::new(LEVEL_NUMBER, DataType::Int16, true));
        }
    }
    fields.push(Field::new(LAYOUT, DataType::Utf8, true));
    fields.push(Field::new(VERBATIM, DataType::Binary, true));
    fields
}

/// A line's values as the columns have them.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    /// By `Key`, as they stand in the line; empty where the record has none.
    values: [&'a str; COUNT],
    /// What strings with escapes say.
    unescaped: Vec<(usize, String)>,
    pub timestamp: Option<i64>,
    /// The line, where the values would not give it back.
    pub verbatim: Option<&'a [u8]>,
}

impl<'a> Row<'a> {
    pub fn json(&self, key: Key) -> Option<&'a str> {
        let value = self.values[key as usize];
        (!value.is_empty()).then_some(value)
    }

    /// What a string says; any other value as JSON.
    pub fn text(&self, key: Key) -> Option<Cow<'_, str>> {
        let value = self.json(key)?;
        let unescaped = self.unescaped.iter().find(|(at, _)| *at == key as usize);
        match unescaped {
            Some((_, text)) => Some(Cow::Borrowed(text)),
            None if self.verbatim.is_some() => Some(Raw::new(value).text()),
            None => Some(Cow::Borrowed(Raw::new(value).inside())),
        }
    }

    pub fn number(&self, key: Key) -> Option<i64> {
        self.json(key).and_then(|value| value.parse().ok())
    }

    pub fn level(&self) -> Option<Level> {
        let text = self.text(Key::Level)?;
        let named = NAMED.iter().find(|(_, name)| *name == text);
        named.map(|(number, _)| *number).or_else(|| level::parse(&text))
    }
}

/// Splits lines; remembers the second it last read.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    prefix: [u8; 20],
    second_ns: i64,
    /// Whether the line at hand has a backslash.
    has_escapes: bool,
}

impl Splitter {
    /// `spelled` holds the line where it has to be spelled anew.
    pub fn split<'a>(&mut self, line: &'a [u8], spelled: &'a mut String) -> Row<'a> {
        let plain = plain(line);
        self.has_escapes = plain.is_some_and(|(_, has_escapes)| has_escapes);
        if let Some(row) = plain.and_then(|(text, _)| self.canonical(text)) {
            return row;
        }
        let record = Record::read(line, spelled);
        let mut row = Row { verbatim: Some(line), ..Row::default() };
        for (_, key) in KEYS {
            row.values[key as usize] = record.get(key).json();
        }
        row.timestamp = record.timestamp_ns().and_then(|found| i64::try_from(found).ok());
        row
    }

    /// The values of a line that they give back byte for byte.
    fn canonical<'a>(&mut self, text: &'a str) -> Option<Row<'a>> {
        let mut row = Row::default();
        let mut scan = Scan::new(text);
        if !scan.take(b'{') {
            return None;
        }
        let (mut next, mut bytes) = (0, 1);
        let mut is_open = text != "{}";
        while is_open {
            let at = next + scan.expected(&CANONICAL[next..])?;
            let value = scan.value(DEEPEST)?.json();
            if !self.is_exact(KEYS[at].1, value, &mut row) {
                return None;
            }
            is_open = scan.take(b',');
            row.values[at] = value;
            // With the comma, or the brace at the end.
            bytes += CANONICAL[at].len() + value.len() + 1;
            next = at + 1;
        }
        let is_ended = scan.take(b'}') && scan.is_at_end();
        (is_ended && bytes.max(2) == text.len()).then_some(row)
    }

    /// True when the value's column gives it back as it stands.
    #[inline]
    fn is_exact(&mut self, key: Key, value: &str, row: &mut Row<'_>) -> bool {
        match kind(key) {
            Kind::Json => true,
            Kind::Number => integer(value).is_some(),
            Kind::Timestamp => {
                row.timestamp = self.timestamp(value);
                row.timestamp.is_some()
            }
            Kind::Text if !value.starts_with('"') => false,
            Kind::Text if !self.has_escapes || !value.contains('\\') => true,
            Kind::Text => unescape(value).is_some_and(|text| {
                row.unescaped.push((key as usize, text));
                true
            }),
        }
    }

    fn timestamp(&mut self, value: &str) -> Option<i64> {
        let inside: &[u8; TIMESTAMP_BYTES] =
            value.strip_prefix('"')?.strip_suffix('"')?.as_bytes().try_into().ok()?;
        let (prefix, rest) = inside.split_first_chunk::<20>()?;
        if *prefix != self.prefix || rest[9] != b'Z' {
            // A leap second reads as another second, and so is not given back.
            if prefix[10] != b'T'
                || prefix[19] != b'.'
                || rest[9] != b'Z'
                || &prefix[17..19] > b"59".as_slice()
            {
                return None;
            }
            let second = std::str::from_utf8(&prefix[..19]).ok()?;
            self.second_ns = i64::try_from(parse_rfc3339(second)?).ok()?;
            self.prefix = *prefix;
        }
        let fraction = rest[..9].iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })?;
        self.second_ns.checked_add(fraction)
    }
}

/// The line as text if nothing in it has to be escaped that is not, and whether it has escapes.
fn plain(line: &[u8]) -> Option<(&str, bool)> {
    // Without branches, so that the compiler looks at many bytes at once.
    let (mut controls, mut high, mut escapes) = (0, 0, 0);
    for byte in line {
        controls |= u8::from(*byte < 0x20);
        high |= u8::from(*byte >= 0x7f);
        escapes |= u8::from(*byte == b'\\');
    }
    if controls != 0 || line.len() < 2 {
        return None;
    }
    let text = std::str::from_utf8(line).ok()?;
    let is_escaped = |char| matches!(char, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}');
    (high == 0 || !text.contains(is_escaped)).then_some((text, escapes != 0))
}

/// An integer in the one spelling that is given back.
pub(super) fn integer(value: &str) -> Option<i64> {
    match value.strip_prefix('-').unwrap_or(value).as_bytes() {
        [b'1'..=b'9', ..] => value.parse().ok(),
        // -0 is 0.
        [b'0'] => (value.len() == 1).then_some(0),
        _ => None,
    }
}

/// The text of a JSON string with escapes, if they are the ones that we write.
pub(super) fn unescape(value: &str) -> Option<String> {
    let text: String = serde_json::from_str(value).ok()?;
    let mut spelled = Vec::with_capacity(value.len() + 8);
    push_string(&mut spelled, &text);
    (spelled == value.as_bytes()).then_some(text)
}
