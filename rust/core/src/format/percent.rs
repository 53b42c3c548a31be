//! Format strings as the standard library's `logging.Formatter` takes them.
//!
//! Conversions are those of Python's `%` operator (printf-style String Formatting) that make sense
//! for the attributes of a `LogRecord` that a record can supply.

use super::record::Key;
use super::spec::{Options, Result};
use super::specifier::WIDEST;
use super::template::{parts, Layout, Number, Part, Template, Value};
use super::time::TimeFormat;

const ATTRIBUTES: [(&str, Value); 18] = [
    ("asctime", Value::Timestamp),
    ("created", Value::Created),
    ("exc_text", Value::Traceback),
    ("filename", Value::FileName),
    ("funcName", Value::Key(Key::Function)),
    ("levelname", Value::Key(Key::Level)),
    ("levelno", Value::LevelNumber),
    ("lineno", Value::Key(Key::Line)),
    ("message", Value::Key(Key::Message)),
    ("module", Value::Key(Key::Module)),
    ("msecs", Value::Milliseconds),
    ("name", Value::LoggerName),
    ("pathname", Value::Key(Key::File)),
    ("process", Value::Key(Key::Process)),
    ("thread", Value::Key(Key::Thread)),
    // Not the standard library's.
    ("category", Value::Key(Key::Category)),
    ("fields", Value::Fields),
    ("index", Value::Index),
];

/// Reads a format string.
pub fn template(text: &str, options: &mut Options) -> Result<Template> {
    let time = match &options.date_format {
        Some(format) => TimeFormat::parse(format, options.utc)?,
        // As `logging.Formatter` writes it without one.
        None => TimeFormat::own("%Y-%m-%d %H:%M:%S,%3f", options.utc),
    };
    Template::new(text, parts(text, item)?, time, options.colour)
}

/// Reads `(name)-8s`.
fn item(text: &str) -> std::result::Result<(Part, &str), String> {
    let wanted = "such as %(message)s or %% would be right";
    let Some(rest) = text.strip_prefix('(') else {
        return Err(format!("'%' is not followed by a name in parentheses: {wanted}"));
    };
    let Some((name, rest)) = rest.split_once(')') else {
        return Err(format!("'%(' is not closed: {wanted}"));
    };
    let Some((_, value)) = ATTRIBUTES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = ATTRIBUTES.iter().map(|(known, _)| *known).collect();
        return Err(format!(
            "a record has no '{}': one of {} would be right",
            name.escape_debug(),
            known.join(", ")
        ));
    };
    let (layout, rest) = layout(rest, name, value)?;
    Ok((Part::Item { value: value.clone(), layout, quoted: false }, rest))
}

/// Reads `-8s`: flags, width, precision and conversion.
fn layout<'a>(
    text: &'a str,
    name: &str,
    value: &Value,
) -> std::result::Result<(Layout, &'a str), String> {
    let flags_end = text.find(|c| !"-0+ #".contains(c)).unwrap_or(text.len());
    let (flags, rest) = text.split_at(flags_end);
    let (width, rest) = digits(rest)?;
    let (precision, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest).map(|(found, rest)| (Some(found.unwrap_or(0)), rest))?,
        None => (None, rest),
    };
    let left = flags.contains('-');
    let number = Number {
        decimals: None,
        zeros: flags.contains('0') && !left,
        sign: ['+', ' '].into_iter().find(|sign| flags.contains(*sign)),
    };
    let mut layout = Layout { width: width.unwrap_or(0), left, ..Layout::default() };
    let conversion = rest.chars().next();
    match conversion {
        Some('s') => layout.most = precision,
        Some('d' | 'i' | 'u') if value.is_number() => layout.number = Some(number),
        Some('f' | 'F') if value.is_number() => {
            layout.number = Some(Number { decimals: Some(precision.unwrap_or(6)), ..number });
        }
        Some('d' | 'i' | 'u' | 'f' | 'F') => {
            return Err(format!("'{name}' is text: %({name})s would be right"));
        }
        Some(other) => {
            let other = other.escape_debug();
            return Err(format!(
                "conversion '{other}' of '{name}' is unknown: s, d or f would be right"
            ));
        }
        None => return Err(format!("'%({name})' has no conversion: %({name})s would be right")),
    }
    Ok((layout, &rest[1..]))
}

fn digits(text: &str) -> std::result::Result<(Option<usize>, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Ok((None, text));
    }
    let number = text[..end].parse().ok().filter(|number| *number <= WIDEST);
    let number = number.ok_or_else(|| format!("a width up to {WIDEST} would be right"))?;
    Ok((Some(number), &text[end..]))
}
