//! JSON objects, one a line, with the usual spellings of the usual keys.

use serde_json::{Map, Value};

use super::times::{epoch, iso, Zone};
use super::{push_json, Foreign};
use crate::level::{self, Level};

const TIMES: [&str; 8] =
    ["timestamp", "@timestamp", "time", "ts", "datetime", "date", "asctime", "eventTime"];
const LEVELS: [&str; 6] = ["level", "severity", "lvl", "levelname", "log.level", "loglevel"];
const MESSAGES: [&str; 5] = ["message", "msg", "event", "text", "log"];
const COMPONENTS: [&str; 6] =
    ["component", "logger", "logger_name", "log.logger", "name", "module"];

pub fn recognise(line: &str, zone: Zone) -> Option<Foreign> {
    if !line.trim_start().starts_with('{') {
        return None;
    }
    // Some writers end every line with a comma.
    let text = line.trim().trim_end_matches(',');
    let Ok(Value::Object(mut object)) = serde_json::from_str(text) else {
        return None;
    };
    if let Some(foreign) = super::poseidonos::json(&object, zone) {
        return Some(foreign);
    }
    let mut foreign = Foreign::default();
    if is_canonical(&object, text) {
        foreign.verbatim = Some(text.as_bytes().to_vec());
    }
    if let Some(time) = take(&mut object, &TIMES, |value| time_of(value, zone)) {
        foreign.timestamp_ns = Some(time);
    }
    foreign.level = take(&mut object, &LEVELS, level_of);
    foreign.message = take(&mut object, &MESSAGES, text_of).unwrap_or_default();
    foreign.component = take(&mut object, &COMPONENTS, text_of);
    foreign.category = take(&mut object, &["category"], text_of);
    foreign.host = take(&mut object, &["host", "hostname"], text_of);
    foreign.process =
        take(&mut object, &["process", "pid", "processId", "process_id"], Value::as_u64);
    if let Some(id) = take(&mut object, &["event_id"], text_of) {
        foreign.event_id = Some(id);
        foreign.event_name = take(&mut object, &["event_name"], text_of);
        foreign.cause = take(&mut object, &["cause"], text_of);
    }
    for (key, part) in [("context", &mut foreign.context), ("metadata", &mut foreign.metadata)] {
        if let Some(Value::Object(fields)) = object.get_mut(key).map(Value::take) {
            object.remove(key);
            *part = fields;
        }
    }
    for (key, value) in object {
        foreign.metadata.entry(key).or_insert(value);
    }
    Some(foreign)
}

/// A line of our own that says the same in the same bytes.
fn is_canonical(object: &Map<String, Value>, text: &str) -> bool {
    let has = |key: &str| object.get(key).is_some_and(Value::is_string);
    if !has("timestamp")
        || !has("level")
        || !has("message")
        || !text.starts_with("{\"timestamp\":\"")
    {
        return false;
    }
    // Time and level in our own spelling: else filters would see another record than `pipe` did.
    let text_at = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let time = crate::clock::parse_rfc3339(text_at("timestamp")).map(crate::clock::rfc3339);
    let level = level::parse(text_at("level")).map(level::name);
    if time.as_deref() != Some(text_at("timestamp")) || level.as_deref() != Some(text_at("level")) {
        return false;
    }
    let mut again = Vec::with_capacity(text.len());
    push_json(&mut again, &Value::Object(object.clone()));
    again == text.as_bytes()
}

/// Takes the first of these keys whose value can be read; the others stay fields.
fn take<T>(
    object: &mut Map<String, Value>,
    keys: &[&str],
    read: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    for key in keys {
        if let Some(found) = object.get(*key).and_then(&read) {
            object.shift_remove(*key);
            return Some(found);
        }
    }
    None
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn time_of(value: &Value, zone: Zone) -> Option<u64> {
    match value {
        Value::String(text) => iso(text, zone).or_else(|| text.parse().ok().and_then(epoch)),
        Value::Number(number) => number.as_f64().and_then(epoch),
        _ => None,
    }
}

fn level_of(value: &Value) -> Option<Level> {
    match value {
        Value::String(text) if text == "SECURITY" || text == "AUDIT" => level::parse(text),
        Value::String(text) => super::plain::level_word(text),
        Value::Number(number) => number
            .as_u64()
            .and_then(|number| Level::try_from(number).ok())
            // Foreign numbers are severities; who may say SECURITY or AUDIT says it in words.
            .filter(|number| *number < level::SECURITY),
        _ => None,
    }
}
