//! Records about the journal itself: created, recovered, dropped, settings changed.

use crate::clock::{now_ns, rfc3339};

/// Component of every record that the journal writes about itself.
pub const COMPONENT: &str = "treering.journal";

/// Said when records were taken out for other people.
pub const EXPORTED: &str = "records exported";

/// Said when somebody outside the journal's processes changed a level.
pub const LEVEL_CHANGED: &str = "level changed";

/// The name under which an application's component logs: the journal's own is reserved, since its
/// records carry the seal.
#[must_use]
pub fn component_name(name: &str) -> &str {
    if name == COMPONENT {
        "application.treering.journal"
    } else {
        name
    }
}

/// One canonical line, level AUDIT, category `journal`, with `metadata` in the order given.
#[must_use]
pub fn notice(message: &str, metadata: &[(&str, serde_json::Value)]) -> Vec<u8> {
    let mut fields = serde_json::Map::new();
    for (key, value) in metadata {
        fields.insert((*key).to_owned(), value.clone());
    }
    let mut record = serde_json::Map::new();
    record.insert("timestamp".into(), rfc3339(now_ns()).into());
    record.insert("level".into(), "AUDIT".into());
    record.insert("category".into(), "journal".into());
    record.insert("component".into(), COMPONENT.into());
    record.insert("message".into(), message.into());
    record.insert("process".into(), std::process::id().into());
    if !fields.is_empty() {
        record.insert("metadata".into(), fields.into());
    }
    serde_json::to_vec(&record).unwrap_or_default()
}
