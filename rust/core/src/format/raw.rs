//! JSON values as they stand in a line.

use std::borrow::Cow;

use super::neutral;
use super::scan::{Scan, DEEPEST};
use crate::line::push_string;

/// A JSON value as it stands in a record's line; empty when the record has none.
///
/// The text is valid JSON and has no character that a terminal would obey: `Record::read` sees to
/// both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    pub fn new(json: &'a str) -> Self {
        Self(json)
    }

    pub fn json(self) -> &'a str {
        self.0
    }

    pub fn is_absent(self) -> bool {
        self.0.is_empty()
    }

    /// Absent, `null` or `""`: nothing to show.
    pub fn is_empty(self) -> bool {
        matches!(self.0, "" | "null" | "\"\"")
    }

    pub fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// A string without its quotes, still escaped; any other value as it is.
    pub fn inside(self) -> &'a str {
        self.0.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(self.0)
    }

    /// What a string says; any other value as JSON.
    pub fn text(self) -> Cow<'a, str> {
        let inside = self.inside();
        if !self.is_string() || !inside.contains('\\') {
            return inside.into();
        }
        // The scan has made sure that it reads.
        serde_json::from_str::<String>(self.0).map_or(inside.into(), Into::into)
    }

    pub fn says(self, text: &str) -> bool {
        let inside = self.inside();
        inside == text || (inside.contains('\\') && self.text() == text)
    }

    pub fn as_u64(self) -> Option<u64> {
        self.inside().parse().ok()
    }

    /// Appends what a string says, or any other value as JSON; nothing in it is obeyed.
    pub fn push_text(self, out: &mut Vec<u8>) {
        let inside = self.inside();
        if self.is_string() && inside.contains('\\') {
            neutral::push_text(&self.text(), out);
        } else {
            out.extend_from_slice(inside.as_bytes());
        }
    }

    /// Appends it as a JSON string, whatever it is; `""` when absent.
    pub fn push_string(self, out: &mut Vec<u8>) {
        if self.is_string() {
            out.extend_from_slice(self.0.as_bytes());
        } else {
            push_string(out, self.0);
        }
    }

    /// Appends it as JSON; `null` when absent.
    pub fn push_json(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.0.is_empty() { b"null" } else { self.0.as_bytes() });
    }

    /// Keys and values of an object; none of anything else.
    pub fn entries(self) -> Members<'a> {
        Members::of(self.0, "{")
    }

    /// The same; anything else is one entry, called `name`.
    pub fn members(self, name: &'static str) -> Members<'a> {
        let alone = !self.is_absent() && !self.is_object();
        Members { alone: alone.then_some((Raw(name), self)), ..self.entries() }
    }

    /// Values of an array; none of anything else.
    pub fn items(self) -> impl Iterator<Item = Raw<'a>> {
        Members::of(self.0, "[").map(|(_, value)| value)
    }

    /// The value under a key of an object; absent when there is none.
    #[must_use]
    pub fn get(self, key: &str) -> Raw<'a> {
        let found = self.entries().filter(|(name, _)| name.says(key)).last();
        found.map_or(Raw::default(), |(_, value)| value)
    }
}

/// Members of an object, or of an array without keys.
#[derive(Debug)]
pub struct Members<'a> {
    rest: Option<Scan<'a>>,
    has_keys: bool,
    alone: Option<(Raw<'a>, Raw<'a>)>,
}

impl<'a> Members<'a> {
    fn of(json: &'a str, open: &str) -> Self {
        let rest = json.strip_prefix(open).map(Scan::new);
        Self { rest, has_keys: open == "{", alone: None }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Raw<'a>, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let Some(scan) = self.rest.as_mut() else { return self.alone.take() };
        let key = if self.has_keys { scan.key()? } else { Raw::default() };
        let value = scan.value(DEEPEST)?;
        if !scan.take(b',') {
            self.rest = None;
        }
        Some((key, value))
    }
}
