//! Counting what a file's facts tell.

use std::collections::{BTreeMap, HashMap};

use super::columns::Row;
use crate::format::record::Key;

/// Names beyond these are counted together: facts stay small whatever records say.
const MOST_NAMES: usize = 1000;
const OTHERS: &str = "*";

/// How many records have a name.
#[derive(Debug, Default)]
pub(super) struct Names {
    counts: Vec<(String, u64)>,
    places: HashMap<String, usize>,
    last: usize,
}

impl Names {
    pub fn see(&mut self, name: &str) {
        if self.counts.get(self.last).is_none_or(|(last, _)| last != name) {
            self.last = self.place(name);
        }
        self.counts[self.last].1 += 1;
    }

    fn place(&mut self, name: &str) -> usize {
        // Most journals have few names, and a look at each costs less than a hash.
        let near = self.counts.iter().take(8).position(|(known, _)| known == name);
        if let Some(place) = near.or_else(|| self.places.get(name).copied()) {
            return place;
        }
        let name = if self.counts.len() < MOST_NAMES { name } else { OTHERS };
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.places.insert(name.to_owned(), self.counts.len());
        self.counts.push((name.to_owned(), 0));
        self.counts.len() - 1
    }

    pub fn named(&self) -> BTreeMap<String, u64> {
        self.counts.iter().cloned().collect()
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub rows: u64,
    pub verbatim: u64,
    /// The earliest and the latest.
    pub times: Option<(i64, i64)>,
    pub levels: Names,
    pub categories: Names,
}

impl Counts {
    pub fn see(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.verbatim += u64::from(row.verbatim.is_some());
        if let Some(time) = row.timestamp {
            let (earliest, latest) = self.times.unwrap_or((time, time));
            self.times = Some((earliest.min(time), latest.max(time)));
        }
        if let Some(level) = row.text(Key::Level) {
            self.levels.see(&level);
        }
        if let Some(category) = row.text(Key::Category) {
            self.categories.see(&category);
        }
    }
}
