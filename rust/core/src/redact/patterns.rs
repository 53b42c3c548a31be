//! Patterns that a configuration adds: regular expressions of an engine whose time is linear in the text,
//! within limits of size.

use std::ops::Range;

use regex::Regex;

use super::literals::BUILT_IN;
use super::rules::{Pattern, Rules};
use crate::error::{Error, Result};

/// Rules that are off until a configuration names them.
pub const OPTIONAL: [(&str, &str); 5] = [
    ("email", r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24}\b"),
    ("iban", r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    (
        "ipv4",
        r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\b",
    ),
    ("passport", r"\b[A-Z]{2}[0-9]{6}\b"),
    ("ssn", r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"),
];

const MAX_PATTERNS: usize = 64;
const MAX_PATTERN_BYTES: usize = 4096;
/// Of one compiled pattern, and of the states that it keeps while it searches.
const COMPILED_BYTES: usize = 1 << 20;
const MAX_NESTING: u32 = 64;

/// A pattern, compiled.
#[derive(Debug)]
pub struct Expression {
    regex: Regex,
    /// Its place among the names of all rules.
    pub rule: usize,
    /// A match within a string of a line is one within the whole line: no anchors.
    holds_in_line: bool,
}

impl Expression {
    /// May it match in some string of this line, which has no escapes?
    pub fn may_match_in(&self, line: &str) -> bool {
        !self.holds_in_line || self.regex.is_match(line)
    }

    /// Where it matches; only the group `secret` when it has one.
    pub fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let places = self.regex.captures_iter(text).filter_map(|captures| {
            Some(captures.name("secret").or_else(|| captures.get(0))?.range())
        });
        places.filter(|place| !place.is_empty())
    }
}

/// The patterns of some rules, and their names, which follow those of the built-in rules.
///
/// # Errors
/// A pattern that cannot be used.
pub fn compile(rules: &Rules) -> Result<(Vec<Expression>, Vec<String>)> {
    let (mut expressions, mut names) = (Vec::new(), Vec::new());
    for (name, pattern) in &rules.patterns {
        let Some(text) = text_of(name, pattern)? else { continue };
        let (regex, holds_in_line) = compile_one(name, text)?;
        expressions.push(Expression { regex, rule: BUILT_IN.len() + names.len(), holds_in_line });
        names.push(name.clone());
    }
    if expressions.len() > MAX_PATTERNS {
        return Err(Error::Setting {
            name: "redaction_patterns",
            found: format!("{} patterns", expressions.len()),
            wanted: "at most 64 would be right",
        });
    }
    Ok((expressions, names))
}

/// The regular expression that a pattern means; `None` for a built-in rule and for what is off.
fn text_of<'a>(name: &str, pattern: &'a Pattern) -> Result<Option<&'a str>> {
    let optional = OPTIONAL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    let is_built_in = BUILT_IN.contains(&name);
    match pattern {
        Pattern::Expression(text) if is_built_in => {
            refused(name, text, "has the name of a built-in rule; another name would be right")
        }
        Pattern::Expression(text) => Ok(Some(text)),
        Pattern::Switch(true) if optional.is_some() => Ok(optional),
        Pattern::Switch(_) if optional.is_some() || is_built_in => Ok(None),
        Pattern::Switch(_) => {
            refused(name, "", "is no built-in pattern; a regular expression would be right")
        }
    }
}

fn refused<T>(name: &str, pattern: &str, why: &str) -> Result<T> {
    let (name, pattern, why) = (name.to_owned(), pattern.to_owned(), why.to_owned());
    Err(Error::Pattern { name, pattern, why })
}

/// Compiles a pattern within limits; also says whether it has no anchors.
fn compile_one(name: &str, text: &str) -> Result<(Regex, bool)> {
    if text.len() > MAX_PATTERN_BYTES {
        return refused(name, "…", "is longer than 4096 bytes");
    }
    let parsed = regex_syntax::ParserBuilder::new().nest_limit(MAX_NESTING).build().parse(text);
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return refused(name, text, &reason(&error)),
    };
    let properties = parsed.properties();
    if properties.minimum_len().unwrap_or(1) == 0 {
        return refused(name, text, "matches the empty text, which is everywhere");
    }
    let built = regex::RegexBuilder::new(text)
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(COMPILED_BYTES)
        .nest_limit(MAX_NESTING)
        .build();
    match built {
        Ok(regex) => Ok((regex, !properties.look_set().contains_anchor())),
        Err(_) => {
            refused(name, text, "becomes too large; fewer or smaller repetitions would be right")
        }
    }
}

/// What is wrong with a pattern, and where.
fn reason(error: &regex_syntax::Error) -> String {
    let (kind, place) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.column),
        regex_syntax::Error::Translate(error) => {
            (error.kind().to_string(), error.span().start.column)
        }
        other => (other.to_string().replace('\n', " "), 1),
    };
    format!("is no regular expression: {kind}, at character {place}")
}
