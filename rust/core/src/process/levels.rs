//! What configurations say about levels, measured against what they said before.
//!
//! A process that starts with the configuration everybody has changes nothing, so that it does not undo
//! what a person has changed since. A configuration that says something new is a change.

use crate::domain::Domain;
use crate::journal::Journal;
use crate::level::{Level, INFO};

/// A component, its level before, and its level now; `None` inherits.
pub type LevelChange = (String, Option<Level>, Option<Level>);

/// Sets what a configuration without a journal says.
pub fn set_all(domain: &Domain, configured: &[(String, Level)]) {
    for (component, level) in configured {
        domain.levels().set(component, Some(*level));
    }
}

/// Sets what is new in `configured`. Components in `removed` inherit again unless somebody has changed
/// them since. `fresh`: no other process has the journal open.
pub fn apply(
    domain: &Domain,
    journal: &Journal,
    configured: &[(String, Level)],
    removed: &[(String, Level)],
    fresh: bool,
) -> Vec<LevelChange> {
    let mut note = journal.configured_levels(domain.control().id());
    let before = note.clone();
    let mut stored = journal.stored_levels().unwrap_or_default();
    let stored_before = stored.len();
    let mut changes = Vec::new();
    for (component, level) in configured {
        let level = *level;
        let said = note.in_force.insert(component.clone(), level);
        let ever = note.ever.insert(component.clone(), level);
        let is_stored = stored.iter().any(|(name, _)| name == component);
        if said == Some(level) || (said.is_none() && is_stored && ever == Some(level)) {
            continue;
        }
        stored.retain(|(name, _)| name != component);
        let found = domain.levels().explicit(component);
        domain.levels().set(component, Some(level));
        let old = if fresh && !is_stored { ever } else { found };
        if old != Some(level) && (!fresh || ever.is_some()) {
            changes.push((component.clone(), old, Some(level)));
        }
    }
    for (component, level) in removed {
        if note.in_force.get(component) == Some(level) {
            note.in_force.remove(component);
            if domain.levels().explicit(component) == Some(*level) {
                let inherited = component.is_empty().then_some(INFO);
                domain.levels().set(component, inherited);
                changes.push((component.clone(), Some(*level), inherited));
            }
        }
    }
    // A full disk must not keep a process from logging: what is not noted now is set again by the next
    // one that starts, and that is all.
    if note != before {
        let _ = journal.note_configured_levels(&note);
    }
    if stored.len() != stored_before {
        let _ = journal.store_levels(&stored);
    }
    changes
}
