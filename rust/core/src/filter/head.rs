//! The first keys of a canonical line, read without parsing the rest.

use serde_json::{Map, Value};

/// What most filters ask about; empty where the record has none.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head<'a> {
    pub timestamp: &'a str,
    pub level: &'a str,
    pub category: &'a str,
    pub component: &'a str,
}

impl<'a> Head<'a> {
    /// The head of a line in canonical order; `None` when only a parser can tell.
    pub fn of(line: &'a [u8]) -> Option<Self> {
        let rest = &mut line.strip_prefix(b"{")?;
        let head = Self {
            timestamp: string(rest, b"\"timestamp\":\"")??,
            level: string(rest, b"\"level\":\"")??,
            category: string(rest, b"\"category\":\"")?.unwrap_or_default(),
            component: string(rest, b"\"component\":\"")?.unwrap_or_default(),
        };
        // Anything else here is another order, and category or component may still come.
        rest.starts_with(b"\"message\":").then_some(head)
    }
}

impl<'a> From<&'a Map<String, Value>> for Head<'a> {
    fn from(record: &'a Map<String, Value>) -> Self {
        Self {
            timestamp: crate::format::traceback::text(record, "timestamp"),
            level: crate::format::traceback::text(record, "level"),
            category: crate::format::traceback::text(record, "category"),
            component: crate::format::traceback::text(record, "component"),
        }
    }
}

/// Takes `key` and the string after it; `Some(None)` when the key is not next, `None` when the
/// string needs a parser.
#[expect(clippy::option_option, reason = "absent and unreadable differ")]
fn string<'a>(rest: &mut &'a [u8], key: &[u8]) -> Option<Option<&'a str>> {
    let Some(text) = rest.strip_prefix(key) else {
        return Some(None);
    };
    let end = memchr::memchr2(b'"', b'\\', text)?;
    let after = text[end..].strip_prefix(b"\",")?;
    *rest = after;
    std::str::from_utf8(&text[..end]).ok().map(Some)
}
