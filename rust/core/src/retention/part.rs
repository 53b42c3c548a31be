//! What retention knows about one file of records.

use crate::drain::Keep;
use crate::level::Level;

/// How many records of a level and category a part has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// None when the records say none: then every rule about levels keeps them.
    pub level: Option<Level>,
    pub category: Option<String>,
    pub records: u64,
}

/// A closed segment, or a file of the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Path below the journal.
    pub file: String,
    pub first: u64,
    /// Exclusive.
    pub end: u64,
    /// Records whose content is there.
    pub rows: u64,
    /// With the files beside it.
    pub bytes: u64,
    /// Nanoseconds since 1970; none when no record says.
    pub oldest: Option<u64>,
    pub newest: Option<u64>,
    pub counts: Vec<Count>,
    /// What the journal says about itself: it stays when anything else does, and else goes to the seal.
    pub told: u64,
    pub is_archived: bool,
    /// Nobody can take single records out of it: it is encrypted, or the journal has no seal.
    pub is_whole: bool,
    /// It has a copy in the second place.
    pub is_copied: bool,
}

impl Part {
    /// Records that stay when the part is thinned.
    #[must_use]
    pub fn kept(&self, keep: &Keep) -> u64 {
        let kept = |count: &&Count| keep.keeps(count.level, count.category.as_deref());
        let wanted: u64 = self.counts.iter().filter(kept).map(|count| count.records).sum();
        if wanted == 0 {
            0
        } else {
            (wanted + self.told).min(self.rows)
        }
    }

    /// Bytes that are about gone when only `kept` records stay.
    #[must_use]
    pub fn freed(&self, kept: u64) -> u64 {
        if kept == 0 || self.rows == 0 {
            return self.bytes;
        }
        let stays = u128::from(self.bytes) * u128::from(kept) / u128::from(self.rows);
        self.bytes.saturating_sub(stays as u64)
    }
}
