//! Legal holds: what stays whatever the rules say, until it is released.
//!
//! `holds.json` in the journal's directory, 0600. The journal says when one is placed and released.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Part;
use crate::clock::{now_ns, parse_rfc3339, rfc3339};
use crate::drain::Leader;
use crate::error::{At, Error, Result};
use crate::journal::replace_file;

/// The file that says what is held.
pub const HOLDS: &str = "holds.json";
pub const HELD: &str = "legal hold placed";
pub const RELEASED: &str = "legal hold released";

/// A hold on a range of time, or on the whole journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    pub name: String,
    pub reason: String,
    /// RFC 3339, inclusive; none for the journal's beginning.
    pub from: Option<String>,
    /// RFC 3339, exclusive; none for ever.
    pub to: Option<String>,
    /// When it was placed.
    pub since: String,
}

impl Hold {
    /// A hold from now on.
    #[must_use]
    pub fn new(name: &str, reason: &str, from_ns: Option<u64>, to_ns: Option<u64>) -> Self {
        Self {
            name: name.to_owned(),
            reason: reason.to_owned(),
            from: from_ns.map(rfc3339),
            to: to_ns.map(rfc3339),
            since: rfc3339(now_ns()),
        }
    }

    /// True when it holds something between two times, inclusive; what has no time is held by every hold.
    #[must_use]
    pub fn covers_times(&self, oldest: Option<u64>, newest: Option<u64>) -> bool {
        // A time that cannot be read does not end a hold.
        let from = self.from.as_deref().and_then(parse_rfc3339).unwrap_or(0);
        let to = self.to.as_deref().and_then(parse_rfc3339).unwrap_or(u64::MAX);
        oldest.is_none_or(|oldest| oldest < to) && newest.is_none_or(|newest| newest >= from)
    }

    #[must_use]
    pub fn covers(&self, part: &Part) -> bool {
        self.covers_times(part.oldest, part.newest)
    }
}

/// The holds of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holds {
    pub holds: Vec<Hold>,
}

impl Holds {
    /// Where they are kept.
    #[must_use]
    pub fn place(journal: &Path) -> PathBuf {
        journal.join(HOLDS)
    }

    /// # Errors
    /// When the file is there and cannot be read: nothing may be pruned then.
    pub fn load(journal: &Path) -> Result<Self> {
        let path = Self::place(journal);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default())
            }
            Err(error) => return Err(error).at("reading the legal holds", &path),
        };
        serde_json::from_str(&text)
            .map_err(|error| Error::Damaged { path, what: error.to_string() })
    }

    fn store(&self, journal: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        replace_file(&Self::place(journal), text.as_bytes())
    }
}

/// Places a hold: it is in force before the journal says so.
///
/// # Errors
/// When there is one of this name, or it cannot be written.
pub fn hold(leader: &mut Leader, hold: &Hold) -> Result<()> {
    let place = leader.directory().to_owned();
    let mut holds = Holds::load(&place)?;
    let refused = |what| Error::Refused { path: place.clone(), what };
    if holds.holds.iter().any(|known| known.name == hold.name) {
        return Err(refused(format!("there is a hold '{}' already", hold.name)));
    }
    let (from, to) = (hold.from.as_deref(), hold.to.as_deref());
    if from.and_then(parse_rfc3339).zip(to.and_then(parse_rfc3339)).is_some_and(|(f, t)| f >= t) {
        return Err(refused("a hold that ends before it begins holds nothing".into()));
    }
    holds.holds.push(hold.clone());
    holds.store(&place)?;
    leader.declare(
        HELD,
        &[
            ("name", hold.name.as_str().into()),
            ("reason", hold.reason.as_str().into()),
            ("from", from.into()),
            ("to", to.into()),
        ],
    )
}

/// Releases a hold: the journal says so before it is gone.
///
/// # Errors
/// When there is none of this name, or it cannot be written.
pub fn release(leader: &mut Leader, name: &str, reason: Option<&str>) -> Result<()> {
    let place = leader.directory().to_owned();
    let mut holds = Holds::load(&place)?;
    let Some(at) = holds.holds.iter().position(|hold| hold.name == name) else {
        return Err(Error::Refused { path: place, what: format!("there is no hold '{name}'") });
    };
    let hold = holds.holds.remove(at);
    leader.declare(
        RELEASED,
        &[
            ("name", name.into()),
            ("reason", reason.into()),
            ("since", hold.since.into()),
            ("from", hold.from.into()),
            ("to", hold.to.into()),
        ],
    )?;
    holds.store(&place)
}
