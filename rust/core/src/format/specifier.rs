//! Templates with the eight specifiers: `[%t] [%-8l] %c: %m`.

use super::record::KEYS;
use super::spec::{Options, Result};
use super::template::{parts, Layout, Part, Template, Value};
use super::time::TimeFormat;

/// The sensor hub's templates, and the console's line.
pub const PRESETS: [(&str, &str); 5] = [
    ("STANDARD", "[%t] [%l] [%c] %m"),
    ("DETAILED", "[%t] [%l] [%c] [%f:%n] %m"),
    ("COMPACT", "%t %l %c %m"),
    ("JSON", r#"{"timestamp":"%t","level":"%l","component":"%c","message":"%m"}"#),
    ("CONSOLE", "[%t] [%-8l] %c: %m  %{fields}"),
];

const WANTED: &str = "one of %t %l %c %m %f %n %i %s %% or %{name} would be right";

/// Wider fields are a mistake, or a way to fill a disk.
pub const WIDEST: usize = 1024;

/// Reads a template.
pub fn template(text: &str, options: &mut Options) -> Result<Template> {
    let time = match &options.date_format {
        Some(format) => TimeFormat::parse(format, options.utc)?,
        None => TimeFormat::iso(options.utc),
    };
    Template::new(text, parts(text, item)?, time, options.colour)
}

/// Reads `-8l` or `{name}`.
fn item(text: &str) -> std::result::Result<(Part, &str), String> {
    let (layout, rest) =
        layout(text).ok_or_else(|| format!("a width from 1 to {WIDEST} would be right"))?;
    let (value, rest) = value(rest)?;
    Ok((Part::Item { value, layout, quoted: false }, rest))
}

/// `-8`, `8`, or nothing.
fn layout(text: &str) -> Option<(Layout, &str)> {
    let (left, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let width = match &rest[..end] {
        "" if !left => 0,
        digits => digits.parse().ok().filter(|width| (1..=WIDEST).contains(width))?,
    };
    Some((Layout { width, left, ..Layout::default() }, &rest[end..]))
}

fn value(text: &str) -> std::result::Result<(Value, &str), String> {
    if let Some(rest) = text.strip_prefix('{') {
        let Some((name, rest)) = rest.split_once('}') else {
            return Err("'%{' is not closed: a '}' after the name would be right".into());
        };
        return Ok((named(name)?, rest));
    }
    let letter = text.chars().next();
    let rest = &text[letter.map_or(0, char::len_utf8)..];
    let value = match letter {
        Some('t') => Value::Timestamp,
        Some('f') => Value::FileName,
        Some('s') => Value::Index,
        Some('l') => named("level")?,
        Some('c') => named("component")?,
        Some('m') => named("message")?,
        Some('n') => named("line")?,
        Some('i') => named("thread")?,
        Some(other) => {
            return Err(format!("'%{}' is no specifier: {WANTED}", other.escape_debug()))
        }
        None => return Err(format!("'%' at the end is no specifier: {WANTED}")),
    };
    Ok((value, rest))
}

fn named(name: &str) -> std::result::Result<Value, String> {
    let key = || KEYS.iter().find(|(known, _)| *known == name);
    Ok(match name {
        "" => {
            return Err("'%{}' has no name: such as %{fields} or %{user_id} would be right".into())
        }
        "fields" => Value::Fields,
        "exception" => Value::Exception,
        "traceback" => Value::Traceback,
        "timestamp" => Value::Timestamp,
        "index" => Value::Index,
        _ => key().map_or_else(|| Value::Field(name.to_owned()), |(_, key)| Value::Key(*key)),
    })
}
