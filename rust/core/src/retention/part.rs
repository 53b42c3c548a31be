//! What retention knows about one file of records.

use super::Keep;
use crate::level::Level;

/// How many records of a level and category a part has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub level: Level,
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
    pub is_archived: bool,
    /// It has a copy in the second place.
    pub is_copied: bool,
}

impl Part {
    /// Records that stay when the part is thinned.
    #[must_use]
    pub fn kept(&self, keep: &Keep) -> u64 {
        let kept = |count: &&Count| keep.keeps(count.level, count.category.as_deref());
        self.counts.iter().filter(kept).map(|count| count.records).sum::<u64>().min(self.rows)
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
