//! Lines of `PoseidonOS`, text and JSON, in every form it has had.
//!
//! Source: `doc/development/guides/logging.md` of `poseidonos/poseidonos` and its earlier versions
//! (December 2021 to March 2023). Event id, name, cause and place go to the record's own keys; the
//! variables are metadata by name, and so are `solution`, `command`, `pos_id` and `pos_version`.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::times::{iso, Zone};
use super::{plain, Foreign};
use crate::level::{self, Level};

type Forms<const N: usize> = LazyLock<[Option<Regex>; N]>;

static HEADS: Forms<2> = LazyLock::new(|| {
    [
        // [2022-03-04 15:56:08.557557315][23198][23302][78442531][1207][ info  ]  NAME - …
        r"^\[(?<datetime>\d{4}-\d\d-\d\d[ T][^\]]+)\]\[(?<process>\d+)\]\[(?<thread>\d+)\]\[(?<pos_id>\d+)\]\[ *(?<event_id>\d+) *\]\[ *(?<level>\w+) *\] +(?<event_name>\S+) - ?(?<rest>.*)$",
        // [10262307][21743][21776][2022-02-18 13:47:14.993519][1502][I]   NAME - …
        r"^\[(?<pos_id>\d+)\]\[(?<process>\d+)\]\[(?<thread>\d+)\]\[(?<datetime>\d{4}-\d\d-\d\d[ T][^\]]+)\]\[ *(?<event_id>\d+) *\]\[ *(?<level>\w+) *\] +(?<event_name>\S+) - ?(?<rest>.*)$",
    ]
    .map(|form| Regex::new(form).ok())
});

// Variables are the one part that may hold anything, so they take as much as they can.
static BODIES: Forms<4> = LazyLock::new(|| {
    [
        r#"^MSG:"(?<message>.*?)" CAUSE:"(?<cause>.*?)" SOLUTION:"(?<solution>.*?)" VARIABLES:"(?<variables>.*)" @ (?<source>.+):(?<line>\d+) (?<function>.*)\(\) - POS: (?<version>\S*)$"#,
        r"^(?<message>.*?) ?\(cause: (?<cause>.*?), solution: (?<solution>.*?), variables: (?<variables>.*)\), source: (?<source>.+):(?<line>\d+) (?<function>.*)\(\), pos_version: (?<version>\S*)$",
        r"^(?<message>.*?), cause: ?(?<cause>.*?), solution: ?(?<solution>.*?),(?: command: ?(?<command>.*?),)? variables: ?(?<variables>.*), source: (?<source>.+):(?<line>\d+) (?<function>.*)\(\), pos_version: (?<version>\S*)$",
        r"^(?<message>.*?) ?MESSAGE: ?(?<variables>.*) CAUSE: ?(?<cause>.*?)(?: SOLUTION: ?(?<solution>.*?))?(?: REPETITION: ?(?<repetition>\d+))? SOURCE: (?<source>.+):(?<line>\d+) (?<function>.*)\(\) VERSION: (?<version>\S*)$",
    ]
    .map(|form| Regex::new(form).ok())
});

/// A line of text.
pub fn text(line: &str, zone: Zone) -> Option<Foreign> {
    if !line.starts_with('[') {
        return None;
    }
    let head = captured(&*HEADS, line)?;
    let part = |name: &str| head.name(name).map(|found| found.as_str().to_owned());
    let mut foreign = Foreign {
        level: level_of(&head["level"]),
        event_id: part("event_id"),
        event_name: part("event_name"),
        process: head["process"].parse().ok(),
        thread: head["thread"].parse().ok(),
        ..Foreign::default()
    };
    keep_level(&mut foreign, &head["level"]);
    read_time(&mut foreign, &head["datetime"], zone);
    match captured(&*BODIES, &head["rest"]) {
        Some(body) => read_body(&mut foreign, &body),
        None => head["rest"].clone_into(&mut foreign.message),
    }
    put(&mut foreign.metadata, "pos_id", number(&head["pos_id"]));
    Some(foreign)
}

fn captured<'a>(forms: &[Option<Regex>], text: &'a str) -> Option<Captures<'a>> {
    forms.iter().flatten().find_map(|form| form.captures(text))
}

fn read_body(foreign: &mut Foreign, body: &Captures<'_>) {
    let part = |name: &str| body.name(name).map_or("", |found| found.as_str());
    foreign.cause = said(part("cause"));
    foreign.function = said(part("function"));
    foreign.file = said(part("source"));
    foreign.line = part("line").parse().ok();
    read_message(foreign, part("message"), part("variables"));
    for (key, name) in
        [("solution", "solution"), ("command", "command"), ("pos_version", "version")]
    {
        if let Some(value) = said(part(name)) {
            put(&mut foreign.metadata, key, value.into());
        }
    }
    if let Some(times) = body.name("repetition") {
        put(&mut foreign.metadata, "repetition", number(times.as_str()));
    }
}

/// The message, and its variables as metadata. An event without a text of its own says what the caller
/// wrote, or its name.
fn read_message(foreign: &mut Foreign, message: &str, variables: &str) {
    let pairs = pairs_of(variables);
    match (said(message), said(variables)) {
        (Some(message), _) => foreign.message = message,
        (None, Some(text)) if pairs.is_none() => foreign.message = text,
        (None, _) => foreign.message = foreign.event_name.clone().unwrap_or_default(),
    }
    match pairs {
        Some(pairs) => {
            for (key, value) in pairs {
                put(&mut foreign.metadata, &key, value);
            }
        }
        None if foreign.message != variables => {
            if let Some(text) = said(variables) {
                put(&mut foreign.metadata, "variables", text.into());
            }
        }
        None => {}
    }
}

/// `fd:655, client_ip:127.0.0.1` as pairs; `None` when the text does not begin with a name.
fn pairs_of(text: &str) -> Option<Vec<(String, Value)>> {
    let mut pairs: Vec<(String, Value)> = Vec::new();
    let (mut rest, mut first) = (text.trim(), true);
    while !rest.is_empty() || first {
        first = false;
        let name = name_at(rest)?;
        let after = &rest[name + 1..];
        let end = end_of_value(after);
        let (value, next) = after.split_at(end);
        pairs.push((rest[..name].to_owned(), number(value.trim())));
        rest = next.trim_start_matches([',', ' ']);
    }
    Some(pairs)
}

/// Length of the name before a colon at the beginning of the text.
fn name_at(text: &str) -> Option<usize> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '.';
    let end = text.find(|char| !is_name(char))?;
    let begins = text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    (begins && text[end..].starts_with(':')).then_some(end)
}

/// Where a value ends: at a comma with a name behind it that no quotes or braces hold together.
fn end_of_value(text: &str) -> usize {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            b',' if !quoted && depth == 0 => {
                let next = text[at + 1..].trim_start();
                if next.is_empty() || name_at(next).is_some() {
                    return at;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Digits as a number when writing it again gives the same digits, anything else as text.
fn number(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => number.into(),
        _ => text.into(),
    }
}

/// What was said: `PoseidonOS` writes nothing, `none` or `NONE` where there is nothing to say.
fn said(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.eq_ignore_ascii_case("none")).then(|| text.to_owned())
}

/// A field beside others, none of which it replaces.
fn put(fields: &mut Map<String, Value>, key: &str, value: Value) {
    let mut key = key.to_owned();
    while fields.contains_key(&key) {
        key.push('_');
    }
    fields.insert(key, value);
}

/// A time that no clock shows stays a field, and the record gets that of its arrival.
fn read_time(foreign: &mut Foreign, text: &str, zone: Zone) {
    foreign.timestamp_ns = iso(text, zone);
    if foreign.timestamp_ns.is_none() {
        put(&mut foreign.metadata, "datetime", text.into());
    }
}

/// `trace` is for the highest events (an array is created, a command arrives) and ranks between info
/// and warning, unlike everybody else's.
fn level_of(word: &str) -> Option<Level> {
    match word.to_ascii_lowercase().as_str() {
        "trace" | "t" => Some(level::NOTICE),
        "d" => Some(level::DEBUG),
        "i" => Some(level::INFO),
        "w" => Some(level::WARNING),
        "e" => Some(level::ERROR),
        "c" => Some(level::CRITICAL),
        word => plain::level_word(word),
    }
}

/// What NOTICE came from, for whoever writes the line again.
fn keep_level(foreign: &mut Foreign, word: &str) {
    if foreign.level == Some(level::NOTICE) || foreign.level.is_none() {
        put(&mut foreign.metadata, "pos_level", word.into());
    }
}

const NAMES: [&str; 5] = ["eventName", "event_name", "event_name:", "name", "name:"];
const IDS: [&str; 2] = ["eventId", "event_id"];
const VERSIONS: [&str; 2] = ["posVersion", "pos_version"];

/// A JSON object, flat or with a nested `description`; `None` when it is somebody else's.
pub fn json(object: &Map<String, Value>, zone: Zone) -> Option<Foreign> {
    if !VERSIONS.iter().any(|key| object.contains_key(*key)) {
        return None;
    }
    let mut fields = object.clone();
    let nested = matches!(object.get("description"), Some(Value::Object(_)));
    if let (true, Some(Value::Object(inner))) = (nested, fields.shift_remove("description")) {
        fields.extend(inner);
    }
    let has = |keys: &[&str]| keys.iter().any(|key| fields.contains_key(*key));
    if !has(&NAMES) || !has(&["message"]) || !(nested || has(&IDS)) {
        return None;
    }
    let mut foreign = Foreign::default();
    let fields = &mut fields;
    foreign.event_id = take(fields, &IDS);
    foreign.event_name = take(fields, &NAMES);
    foreign.cause = take(fields, &["cause"]).and_then(|cause| said(&cause));
    foreign.component =
        take(fields, &["moduleName", "logger_name"]).filter(|name| !name.is_empty());
    foreign.function = take(fields, &["function"]);
    foreign.process = take(fields, &["process_id", "processId"]).and_then(|id| id.parse().ok());
    foreign.thread = take(fields, &["thread_id", "threadId"]).and_then(|id| id.parse().ok());
    if let Some(word) = take(fields, &["level"]) {
        foreign.level = level_of(&word);
        keep_level(&mut foreign, &word);
    }
    if let Some(time) = take(fields, &["datetime"]) {
        read_time(&mut foreign, &time, zone);
    }
    read_source(&mut foreign, fields);
    read_variables(&mut foreign, fields);
    for (key, names) in [
        ("pos_id", &["pos_id", "instanceId", "instance_id"][..]),
        ("pos_version", &VERSIONS[..]),
        ("error_code", &["errorCode"][..]),
    ] {
        if let Some(value) = take(fields, names) {
            put(&mut foreign.metadata, key, number(&value));
        }
    }
    for (key, value) in std::mem::take(fields) {
        if value.as_str().is_none_or(|text| said(text).is_some()) {
            put(&mut foreign.metadata, &key, value);
        }
    }
    Some(foreign)
}

/// The text or number of the first of these keys.
fn take(fields: &mut Map<String, Value>, keys: &[&str]) -> Option<String> {
    let key = keys.iter().find(|key| {
        fields.get(**key).is_some_and(|value| value.is_string() || value.is_number())
    })?;
    Some(match fields.shift_remove(*key)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// `"array.cpp:80"`, or file and line apart.
fn read_source(foreign: &mut Foreign, fields: &mut Map<String, Value>) {
    foreign.line = take(fields, &["line"]).and_then(|line| line.parse().ok());
    let Some(source) = take(fields, &["source"]) else {
        return;
    };
    let place = source.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    match place.filter(|_| foreign.line.is_none()) {
        Some((file, line)) => (foreign.file, foreign.line) = (said(file), Some(line)),
        None => foreign.file = said(&source),
    }
}

/// Variables as text, as one object, or as objects of one pair each.
fn read_variables(foreign: &mut Foreign, fields: &mut Map<String, Value>) {
    let message = take(fields, &["message"]).unwrap_or_default();
    let objects = match fields.shift_remove("variables") {
        Some(Value::String(text)) => return read_message(foreign, &message, &text),
        Some(Value::Array(items)) => items,
        Some(other) => vec![other],
        None => Vec::new(),
    };
    read_message(foreign, &message, "");
    for object in objects {
        match object {
            Value::Object(pairs) => {
                for (key, value) in pairs {
                    put(&mut foreign.metadata, &key, value);
                }
            }
            Value::Null => {}
            other => put(&mut foreign.metadata, "variables", other),
        }
    }
}
