//! Syslog: RFC 5424, RFC 3164, and the files syslog daemons write (without priority).

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::times::{iso, month, year_of, Parts, Zone};
use super::{plain, Foreign};
use crate::level::{self, Level};

static RFC3164: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:<(\d{1,3})>)?([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) ",
        r"(?:(\S+) )?([A-Za-z0-9_./()@-]+)(?:\[(\d+)\])?: ?(.*)$"
    ))
    .ok()
});

/// RFC 5424 table 2, severities 0 to 7.
fn level_of_priority(priority: u64) -> Level {
    match priority % 8 {
        0..=2 => level::CRITICAL,
        3 => level::ERROR,
        4 => level::WARNING,
        5 => level::NOTICE,
        6 => level::INFO,
        _ => level::DEBUG,
    }
}

pub fn recognise(line: &str, zone: Zone) -> Option<Foreign> {
    rfc5424(line, zone).or_else(|| rfc3164(line, zone))
}

fn rfc3164(line: &str, zone: Zone) -> Option<Foreign> {
    if !line.starts_with(|first: char| first == '<' || first.is_ascii_uppercase()) {
        return None;
    }
    let found = RFC3164.as_ref()?.captures(line)?;
    let number = |at: usize| found.get(at).and_then(|text| text.as_str().parse::<u64>().ok());
    let (month, day) = (month(&found[2])?, number(3)?);
    let parts = Parts {
        year: year_of(month, day),
        month,
        day,
        hour: number(4)?,
        minute: number(5)?,
        second: number(6)?,
        nanoseconds: 0,
    };
    let message = found[10].to_owned();
    let level = match number(1) {
        Some(priority) => Some(level_of_priority(priority)),
        None => plain::leading_level(&message).0,
    };
    Some(Foreign {
        timestamp_ns: parts.timestamp_ns(zone),
        level,
        component: Some(found[8].to_owned()),
        host: found.get(7).map(|host| host.as_str().to_owned()),
        process: number(9),
        message,
        ..Foreign::default()
    })
}

/// `<PRI>1 TIMESTAMP HOST APP PROCID MSGID SD MSG`.
fn rfc5424(line: &str, zone: Zone) -> Option<Foreign> {
    let (priority, rest) = line.strip_prefix('<')?.split_once('>')?;
    let priority: u64 = priority.parse().ok().filter(|priority| *priority < 192)?;
    let rest = rest.strip_prefix("1 ")?;
    let mut words = rest.splitn(6, ' ');
    let mut word = || words.next().map(|word| (word != "-").then_some(word));
    let (time, host, application, process, id) = (word()?, word()?, word()?, word()?, word()?);
    let mut foreign = Foreign {
        timestamp_ns: time.and_then(|time| iso(time, zone)),
        level: Some(level_of_priority(priority)),
        component: application.map(str::to_owned),
        host: host.map(str::to_owned),
        process: process.and_then(|process| process.parse().ok()),
        ..Foreign::default()
    };
    if let Some(id) = id {
        foreign.metadata.insert("msgid".into(), id.into());
    }
    let rest = words.next().unwrap_or("-");
    let message = structured_data(rest, &mut foreign)?;
    foreign.message = message.trim_start_matches('\u{feff}').to_owned();
    Some(foreign)
}

/// `[id name="value" …]…` into metadata; gives the message after it.
fn structured_data<'a>(text: &'a str, foreign: &mut Foreign) -> Option<&'a str> {
    if let Some(message) = text.strip_prefix('-') {
        return Some(message.strip_prefix(' ').unwrap_or(message));
    }
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let end = element.find([' ', ']'])?;
        let (id, mut after) = element.split_at(end);
        let mut fields = serde_json::Map::new();
        loop {
            after = after.trim_start_matches(' ');
            if let Some(next) = after.strip_prefix(']') {
                rest = next;
                break;
            }
            let (name, quoted) = after.split_once("=\"")?;
            let (value, next) = value(quoted)?;
            fields.insert(name.to_owned(), value.into());
            after = next;
        }
        foreign.metadata.insert(id.to_owned(), Value::Object(fields));
    }
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            other => value.push(other),
        }
    }
    None
}
