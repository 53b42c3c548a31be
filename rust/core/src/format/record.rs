//! A record, borrowed from its line.

use serde_json::{Map, Value};

use super::neutral::is_obeyed;
use super::raw::Raw;
use super::scan::{Scan, DEEPEST};
use crate::clock::parse_rfc3339;
use crate::level::{self, Level};
use crate::line::{push_string, visible};

/// The keys of a record, in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Timestamp,
    Level,
    Category,
    Component,
    Message,
    EventId,
    EventName,
    Cause,
    Module,
    Function,
    File,
    Line,
    Process,
    Thread,
    Host,
    TraceId,
    SpanId,
    Context,
    Metadata,
    PerformanceData,
    Exception,
}

/// As they are spelled, in the order of `Key`.
pub const KEYS: [(&str, Key); 21] = [
    ("timestamp", Key::Timestamp),
    ("level", Key::Level),
    ("category", Key::Category),
    ("component", Key::Component),
    ("message", Key::Message),
    ("event_id", Key::EventId),
    ("event_name", Key::EventName),
    ("cause", Key::Cause),
    ("module", Key::Module),
    ("function", Key::Function),
    ("file", Key::File),
    ("line", Key::Line),
    ("process", Key::Process),
    ("thread", Key::Thread),
    ("host", Key::Host),
    ("trace_id", Key::TraceId),
    ("span_id", Key::SpanId),
    ("context", Key::Context),
    ("metadata", Key::Metadata),
    ("performance_data", Key::PerformanceData),
    ("exception", Key::Exception),
];

/// The same as they begin in a canonical line.
pub const CANONICAL: [&str; KEYS.len()] = [
    r#""timestamp":"#,
    r#""level":"#,
    r#""category":"#,
    r#""component":"#,
    r#""message":"#,
    r#""event_id":"#,
    r#""event_name":"#,
    r#""cause":"#,
    r#""module":"#,
    r#""function":"#,
    r#""file":"#,
    r#""line":"#,
    r#""process":"#,
    r#""thread":"#,
    r#""host":"#,
    r#""trace_id":"#,
    r#""span_id":"#,
    r#""context":"#,
    r#""metadata":"#,
    r#""performance_data":"#,
    r#""exception":"#,
];

/// Where the fields of a record stand, the nearest to the call first.
const GROUPS: [(Key, &str); 3] = [
    (Key::Metadata, "\"metadata\""),
    (Key::Context, "\"context\""),
    (Key::PerformanceData, "\"performance_data\""),
];

/// One record. Keys may stand in any order; the last of two equal ones counts.
#[derive(Debug, Default)]
pub struct Record<'a> {
    /// Its place in the journal; without one, among the records of its process.
    pub index: Option<u64>,
    values: [Raw<'a>; KEYS.len()],
    /// Keys that no record of ours has.
    others: Vec<(Raw<'a>, Raw<'a>)>,
    /// The line is no JSON object; the message is the whole of it, made visible.
    pub is_broken: bool,
}

impl<'a> Record<'a> {
    /// Reads a line; one that cannot be read becomes a record whose message it is.
    ///
    /// `spelled` holds the line where it has to be spelled anew: what a terminal would obey is
    /// escaped, and so never reaches any output as it is.
    pub fn read(line: &'a [u8], spelled: &'a mut String) -> Self {
        let text = std::str::from_utf8(line).ok();
        if text.is_some_and(is_clean) {
            if let Some(record) = text.and_then(Self::scan) {
                return record;
            }
        } else if let Some(json) = text.and_then(respelled) {
            *spelled = json;
            return Self::scan(spelled).unwrap_or_default();
        }
        let mut message = Vec::new();
        push_string(&mut message, &visible(line));
        *spelled = escaped(&String::from_utf8_lossy(&message));
        let mut record = Record { is_broken: true, ..Record::default() };
        record.values[Key::Message as usize] = Raw::new(spelled);
        record
    }

    fn scan(text: &'a str) -> Option<Self> {
        let mut record = Record::default();
        let mut scan = Scan::new(text);
        if !scan.take(b'{') {
            return None;
        }
        let mut next = 0;
        while !scan.take(b'}') {
            let key = match scan.expected(&CANONICAL[next..]) {
                Some(found) => Ok(next + found),
                None => scan.key().map(known)?,
            };
            let value = scan.value(DEEPEST)?;
            match key {
                Ok(at) => {
                    record.values[at] = value;
                    next = at + 1;
                }
                Err(other) => record.others.push((other, value)),
            }
            if !scan.take(b',') {
                if !scan.take(b'}') {
                    return None;
                }
                break;
            }
            // A comma promises another key.
            if scan.clone().take(b'}') {
                return None;
            }
        }
        scan.is_at_end().then_some(record)
    }

    #[inline]
    pub fn get(&self, key: Key) -> Raw<'a> {
        self.values[key as usize]
    }

    /// All fields: of the call, of the context, of performance, then keys that are not ours.
    pub fn fields(&self) -> impl Iterator<Item = (Raw<'a>, Raw<'a>)> + '_ {
        let groups = GROUPS.iter().flat_map(|(group, name)| self.get(*group).members(name));
        groups.chain(self.others.iter().copied())
    }

    /// Keys that no record of ours has, with their values.
    pub fn others(&self) -> &[(Raw<'a>, Raw<'a>)] {
        &self.others
    }

    /// A field by path, as filters find it: `context.user_id`, or `user_id` wherever it stands.
    pub fn field(&self, path: &str) -> Raw<'a> {
        let groups = || GROUPS.iter().map(|(group, _)| self.get(*group));
        let first = |of: &dyn Fn(Raw<'a>) -> Raw<'a>| {
            groups().map(of).find(|found| !found.is_absent()).unwrap_or_default()
        };
        let whole = path.split_once('.').and_then(|(name, rest)| {
            let (_, key) = KEYS.iter().find(|(known, _)| *known == name)?;
            Some(walk(self.get(*key), rest)).filter(|found| !found.is_absent())
        });
        let other = || self.others.iter().rev().find(|(key, _)| key.says(path));
        let found = whole.unwrap_or_else(|| first(&|group| group.get(path)));
        if !found.is_absent() {
            return found;
        }
        match other() {
            Some((_, value)) => *value,
            None if path.contains('.') => first(&|group| walk(group, path)),
            None => found,
        }
    }

    pub fn timestamp_ns(&self) -> Option<u64> {
        parse_rfc3339(self.get(Key::Timestamp).inside())
    }

    pub fn level(&self) -> Option<Level> {
        level::parse(self.get(Key::Level).inside())
    }

    /// The last part of the file's path.
    pub fn file_name(&self) -> Raw<'a> {
        let file = self.get(Key::File);
        let inside = file.inside();
        // With a backslash the last part may be that of an escape, or of another system.
        match inside.rfind('/') {
            Some(at) if file.is_string() && !inside[at..].contains('\\') => {
                // Its closing quote ends a string that lacks the opening one: `inside` sees to both.
                Raw::new(&inside[at + 1..])
            }
            _ => file,
        }
    }
}

/// Where a key of ours stands among them; any other key itself.
fn known(key: Raw<'_>) -> std::result::Result<usize, Raw<'_>> {
    let name = key.text();
    KEYS.iter().position(|(known, _)| *known == name).ok_or(key)
}

fn walk<'a>(object: Raw<'a>, path: &str) -> Raw<'a> {
    let found = object.get(path);
    match path.split_once('.') {
        Some((first, rest)) if found.is_absent() => walk(object.get(first), rest),
        _ => found,
    }
}

/// Nothing in it would be obeyed.
fn is_clean(text: &str) -> bool {
    // Without branches, so that the compiler looks at many bytes at once.
    let (controls, high) = text.bytes().fold((0, 0), |(controls, high), byte| {
        (controls | u8::from(byte < 0x20), high | u8::from(byte >= 0x7f))
    });
    controls == 0 && (high == 0 || !text.chars().any(is_obeyed))
}

/// The line as JSON that nobody obeys; nothing when it is no record.
fn respelled(text: &str) -> Option<String> {
    if text.bytes().any(|byte| byte < 0x20) {
        // Only white space between values may be a control character; written anew it is gone.
        let record = serde_json::from_str::<Map<String, Value>>(text).ok()?;
        return Some(escaped(&serde_json::to_string(&record).ok()?));
    }
    // Before anything is escaped: a backslash in front of it would be made an escape's own.
    Record::scan(text)?;
    Some(escaped(text))
}

/// JSON with everything obeyed inside its strings escaped.
pub fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_obeyed(character) {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}
