//! Choosing among records.

use serde_json::{Map, Value};

use crate::journal::COMPONENT as JOURNAL;
use crate::level::{self, Level};

mod events;
mod grep;
mod head;
#[cfg(test)]
mod tests;

pub use events::Events;
use head::Head;

/// What a record must have to be chosen; what is `None` or empty asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The lowest level.
    pub level: Option<Level>,
    /// `auth` is it and everything below it, `auth.*` only what is below, `auth*` what begins so.
    pub component: Option<String>,
    pub category: Option<String>,
    pub since_ns: Option<u64>,
    /// Exclusive.
    pub until_ns: Option<u64>,
    /// Occurs anywhere in the line, in any case.
    pub grep: Option<String>,
    /// A path such as `context.user_id`, or a key of `metadata`, `context` or the record itself, the
    /// first that has it; and its value as text.
    pub fields: Vec<(String, String)>,
    pub events: Option<Events>,
    /// Also what the journal says about itself; asking for its component shows that anyway.
    pub journal: bool,
}

impl Filter {
    /// True when the record of a canonical line is chosen. A line that is no record can only be
    /// found by its text.
    #[must_use]
    pub fn matches(&self, line: &[u8]) -> bool {
        let head = Head::of(line);
        if head.as_ref().is_some_and(|head| !self.matches_head(head)) {
            return false;
        }
        if self.events.as_ref().is_some_and(|events| !events.passes(line)) {
            return false;
        }
        if self.grep.as_ref().is_some_and(|needle| !grep::contains(line, needle)) {
            return false;
        }
        let whole = || serde_json::from_slice::<Map<String, Value>>(line).ok();
        if self.fields.is_empty() && (head.is_some() || !self.asks_for_head()) {
            // Only a line that hides its component from the cheap look needs the dear one.
            return head.is_some()
                || whole().is_none_or(|record| self.matches_head(&Head::from(&record)));
        }
        if !self.fields.iter().all(|(_, value)| grep::may_contain(line, value)) {
            return false;
        }
        let Some(record) = whole() else { return false };
        (head.is_some() || self.matches_head(&Head::from(&record)))
            && self.fields.iter().all(|(path, expected)| {
                lookup(&record, path).is_some_and(|found| is_text(found, expected))
            })
    }

    fn asks_for_head(&self) -> bool {
        self.level.is_some()
            || self.component.is_some()
            || self.category.is_some()
            || self.since_ns.is_some()
            || self.until_ns.is_some()
    }

    fn matches_head(&self, head: &Head<'_>) -> bool {
        if self.since_ns.is_some() || self.until_ns.is_some() {
            let Some(timestamp_ns) = crate::clock::parse_rfc3339(head.timestamp) else {
                return false;
            };
            if self.since_ns.is_some_and(|since_ns| timestamp_ns < since_ns)
                || self.until_ns.is_some_and(|until_ns| timestamp_ns >= until_ns)
            {
                return false;
            }
        }
        if let Some(lowest) = self.level {
            if level::parse(head.level).is_none_or(|level| level < lowest) {
                return false;
            }
        }
        if self.category.as_ref().is_some_and(|category| category != head.category) {
            return false;
        }
        match &self.component {
            Some(pattern) => {
                is_component(head.component, pattern)
                    && (self.journal || head.component != JOURNAL || asks_for_journal(pattern))
            }
            None => self.journal || head.component != JOURNAL,
        }
    }
}

fn is_component(component: &str, pattern: &str) -> bool {
    if let Some(beginning) = pattern.strip_suffix('*') {
        return component.starts_with(beginning);
    }
    component.strip_prefix(pattern).is_some_and(|below| below.is_empty() || below.starts_with('.'))
}

/// A pattern for everything, `*`, is no wish to see the journal's own records.
fn asks_for_journal(pattern: &str) -> bool {
    pattern.starts_with("treering")
}

fn lookup<'a>(record: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let groups =
        || ["metadata", "context"].iter().filter_map(|group| record.get(*group)?.as_object());
    let whole = path.contains('.').then(|| walk(record, path)).flatten();
    whole
        .or_else(|| groups().find_map(|group| group.get(path)))
        .or_else(|| record.get(path))
        .or_else(|| groups().find_map(|group| walk(group, path)))
}

fn walk<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => object.get(path),
        Some((first, rest)) => walk(object.get(first)?.as_object()?, rest),
    }
}

fn is_text(value: &Value, expected: &str) -> bool {
    match value {
        Value::String(text) => text == expected,
        other => {
            let text = other.to_string();
            text == expected
        }
    }
}
