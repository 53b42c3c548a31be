//! logfmt: `level=info msg="served" duration=3ms`.

use serde_json::Value;

use super::times::{epoch, iso, Zone};
use super::{plain, Foreign};

pub fn recognise(line: &str, zone: Zone) -> Option<Foreign> {
    let pairs = pairs(line)?;
    let known = ["level", "lvl", "severity", "msg", "message"];
    if pairs.len() < 2 || !pairs.iter().any(|(key, _)| known.contains(&key.as_str())) {
        return None;
    }
    let mut foreign = Foreign::default();
    for (key, value) in pairs {
        match key.as_str() {
            "level" | "lvl" | "severity" if foreign.level.is_none() => {
                foreign.level = plain::level_word(&value);
            }
            "msg" | "message" if foreign.message.is_empty() => foreign.message = value,
            "time" | "ts" | "timestamp" if foreign.timestamp_ns.is_none() => {
                foreign.timestamp_ns =
                    iso(&value, zone).or_else(|| value.parse().ok().and_then(epoch));
                if foreign.timestamp_ns.is_none() {
                    foreign.metadata.insert(key, value.into());
                }
            }
            "logger" | "component" if foreign.component.is_none() => {
                foreign.component = Some(value);
            }
            "host" if foreign.host.is_none() => foreign.host = Some(value),
            _ => {
                let value = number_or_text(value);
                foreign.metadata.insert(key, value);
            }
        }
    }
    Some(foreign)
}

fn number_or_text(value: String) -> Value {
    match value.parse::<i64>() {
        Ok(number) if number.to_string() == value => number.into(),
        _ => value.into(),
    }
}

/// All of the line as pairs, or nothing.
fn pairs(line: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let end = rest.find(['=', ' '])?;
        let (key, after) = rest.split_at(end);
        let after = after.strip_prefix('=')?;
        let plain_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-@".contains(&byte);
        if key.is_empty() || !key.bytes().all(plain_key) {
            return None;
        }
        let (value, next) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let end = after.find(' ').unwrap_or(after.len());
            (after[..end].to_owned(), &after[end..])
        };
        found.push((key.to_owned(), value));
        rest = next.trim_start();
    }
    Some(found)
}

/// The character of the four digits that follow.
fn unit(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    let digit = |_| chars.next()?.1.to_digit(16);
    let code = (0..4).map(digit).try_fold(0, |code, digit| Some(code << 4 | digit?))?;
    char::from_u32(code)
}

fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'u' => value.push(unit(&mut chars)?),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}
