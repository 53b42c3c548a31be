//! Choosing records by the number of their event.

use serde_json::{Map, Value};

/// Which event ids pass: those that are included, or, when none is, those that are not excluded.
///
/// Source: the filter policy file of `PoseidonOS`. An id that is both passes. Ids are compared as
/// numbers; a record without an event is neither.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Events {
    /// Inclusive ranges.
    pub included: Vec<(u64, u64)>,
    pub excluded: Vec<(u64, u64)>,
}

impl Events {
    pub(super) fn passes(&self, line: &[u8]) -> bool {
        // A key is never escaped where this matters: lines are canonical.
        let has_event = memchr::memmem::find(line, b"\"event_id\":").is_some();
        let record = has_event.then(|| serde_json::from_slice::<Map<String, Value>>(line).ok());
        let id = record.flatten().and_then(|record| record.get("event_id")?.as_str()?.parse().ok());
        let within = |ranges: &[(u64, u64)]| {
            id.is_some_and(|id: u64| ranges.iter().any(|(from, to)| (*from..=*to).contains(&id)))
        };
        within(&self.included) || self.included.is_empty() && !within(&self.excluded)
    }
}
