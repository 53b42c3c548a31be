//! Legal holds, where records go: nobody takes what is held.

use std::path::Path;

use super::units::Unit;
use crate::archive::Identities;
use crate::clock::parse_rfc3339;
use crate::error::{Error, Result};
use crate::retention::Holds;

type Times = (Option<u64>, Option<u64>);

#[derive(serde::Deserialize)]
struct Timed<'a> {
    timestamp: Option<&'a str>,
}

/// Times of the oldest and the newest record of a unit.
fn times_of(unit: &Unit) -> Result<Times> {
    if let Unit::Archived(file) = unit {
        let time = |text: &Option<String>| text.as_deref().and_then(parse_rfc3339);
        return Ok((time(&file.facts.min_timestamp), time(&file.facts.max_timestamp)));
    }
    let (mut oldest, mut newest): Times = (None, None);
    unit.each(unit.first(), &Identities::default(), |_, line| {
        let timed = serde_json::from_slice::<Timed<'_>>(line).ok();
        if let Some(time) = timed.and_then(|timed| parse_rfc3339(timed.timestamp?)) {
            oldest = Some(oldest.map_or(time, |known| known.min(time)));
            newest = Some(newest.map_or(time, |known| known.max(time)));
        }
        true
    })?;
    Ok((oldest, newest))
}

/// # Errors
/// When one of the units holds records under a legal hold.
pub(super) fn check_held<'a>(journal: &Path, units: impl Iterator<Item = &'a Unit>) -> Result<()> {
    let holds = Holds::load(journal)?.holds;
    if holds.is_empty() {
        return Ok(());
    }
    for unit in units {
        let (oldest, newest) = times_of(unit)?;
        if let Some(hold) = holds.iter().find(|hold| hold.covers_times(oldest, newest)) {
            let path = unit.path().to_owned();
            let what = format!("it is under the legal hold '{}': {}", hold.name, hold.reason);
            return Err(Error::Refused { path, what });
        }
    }
    Ok(())
}
