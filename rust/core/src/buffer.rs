//! Records kept in memory: the newest ones, within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::filter::Filter;

/// A record's index and its canonical line, without line feed.
pub type Kept = (u64, Arc<[u8]>);

/// What happens to a record for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It takes the place of the oldest ones, which are counted.
    DropOldest,
    /// It is not taken.
    Refuse,
}

/// A bounded queue of records.
#[derive(Debug)]
pub struct RecordBuffer {
    max_records: usize,
    max_bytes: usize,
    when_full: WhenFull,
    kept: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    lines: VecDeque<Kept>,
    bytes: usize,
    dropped: u64,
    /// How many have left it at the front, for whatever reason.
    gone: u64,
}

impl Content {
    fn pop(&mut self) -> bool {
        let Some((_, oldest)) = self.lines.pop_front() else { return false };
        self.bytes -= oldest.len();
        self.gone += 1;
        true
    }
}

/// What became of records that were appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// How many, from the first on, need not come again.
    pub taken: usize,
    /// How many of these were left out, being larger than everything the buffer may hold.
    pub too_large: usize,
}

/// How much a buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    pub records: usize,
    pub bytes: usize,
    pub dropped: u64,
}

impl RecordBuffer {
    #[must_use]
    pub fn new(max_records: usize, max_bytes: usize, when_full: WhenFull) -> Self {
        Self { max_records, max_bytes, when_full, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Content> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends lines, each ended by a line feed, as far as they are taken.
    pub fn append(&self, lines: &[u8], indexes: &[u64]) -> Appended {
        let mut kept = self.kept();
        let mut appended = Appended { taken: 0, too_large: 0 };
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines).split(|byte| *byte == b'\n');
        for (line, index) in lines.zip(indexes) {
            if line.len() > self.max_bytes {
                appended.too_large += 1;
            } else if self.make_room(&mut kept, line.len()) {
                kept.bytes += line.len();
                kept.lines.push_back((*index, line.into()));
            } else {
                break;
            }
            appended.taken += 1;
        }
        appended
    }

    fn make_room(&self, kept: &mut Content, bytes: usize) -> bool {
        while kept.lines.len() >= self.max_records || kept.bytes + bytes > self.max_bytes {
            if self.when_full == WhenFull::Refuse {
                return false;
            }
            if !kept.pop() {
                return false;
            }
            kept.dropped += 1;
        }
        true
    }

    /// Everything in it, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Kept> {
        self.kept().lines.iter().cloned().collect()
    }

    /// Takes everything out, oldest first.
    #[must_use]
    pub fn drain(&self) -> Vec<Kept> {
        let mut kept = self.kept();
        kept.bytes = 0;
        kept.gone += kept.lines.len() as u64;
        std::mem::take(&mut kept.lines).into()
    }

    /// The oldest `count`, and how many had left before them.
    #[must_use]
    pub fn oldest(&self, count: usize) -> (u64, Vec<Kept>) {
        let kept = self.kept();
        (kept.gone, kept.lines.iter().take(count).cloned().collect())
    }

    /// Has everything gone of which `gone` had or should have left by now; nothing younger.
    pub fn let_go(&self, gone: u64) {
        let mut kept = self.kept();
        while kept.gone < gone && kept.pop() {}
    }

    #[must_use]
    pub fn fill(&self) -> Fill {
        let kept = self.kept();
        Fill { records: kept.lines.len(), bytes: kept.bytes, dropped: kept.dropped }
    }
}

/// The newest of the records that match, oldest first.
#[must_use]
pub fn select(records: Vec<Kept>, newest: Option<usize>, filter: Option<&Filter>) -> Vec<Kept> {
    let matching = records
        .into_iter()
        .rev()
        .filter(|(_, line)| filter.is_none_or(|filter| filter.matches(line)));
    let mut found: Vec<Kept> = matching.take(newest.unwrap_or(usize::MAX)).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{select, Appended, RecordBuffer, WhenFull};

    fn indexes(buffer: &RecordBuffer) -> Vec<u64> {
        buffer.records().into_iter().map(|(index, _)| index).collect()
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let buffer = RecordBuffer::new(2, 100, WhenFull::DropOldest);
        assert_eq!(buffer.append(b"a\nb\nc\n", &[4, 5, 6]), Appended { taken: 3, too_large: 0 });
        assert_eq!(indexes(&buffer), [5, 6]);
        assert_eq!(buffer.fill().dropped, 1);
    }

    #[test]
    fn a_buffer_that_refuses_says_how_many_it_took() {
        let buffer = RecordBuffer::new(9, 4, WhenFull::Refuse);
        assert_eq!(
            buffer.append(b"aa\nlarger\nbb\ncc\n", &[0, 1, 2, 3]),
            Appended { taken: 3, too_large: 1 }
        );
        assert_eq!(buffer.drain().len(), 2);
        assert_eq!(buffer.append(b"cc\n", &[3]).taken, 1);
    }

    #[test]
    fn only_what_was_looked_at_is_let_go_whatever_happens_in_between() {
        let buffer = RecordBuffer::new(3, 100, WhenFull::DropOldest);
        buffer.append(b"a\nb\nc\n", &[0, 1, 2]);
        let (gone, oldest) = buffer.oldest(2);
        assert_eq!(oldest.len(), 2);
        buffer.append(b"d\n", &[3]);
        buffer.let_go(gone + 2);
        assert_eq!(indexes(&buffer), [2, 3]);
        let (gone, _) = buffer.oldest(2);
        assert_eq!(buffer.drain().len(), 2);
        buffer.append(b"e\n", &[4]);
        buffer.let_go(gone + 2);
        assert_eq!((indexes(&buffer), buffer.fill().bytes), (vec![4], 1));
    }

    #[test]
    fn the_newest_matching_come_oldest_first() {
        let buffer = RecordBuffer::new(9, 100, WhenFull::DropOldest);
        buffer.append(b"a1\nb\na2\na3\n", &[0, 1, 2, 3]);
        let filter =
            crate::filter::Filter { grep: Some("a".into()), journal: true, ..Default::default() };
        let found = select(buffer.records(), Some(2), Some(&filter));
        let found: Vec<_> = found.iter().map(|(index, _)| *index).collect();
        assert_eq!(found, [2, 3]);
    }

    proptest! {
        #[test]
        fn neither_bound_is_passed_and_every_record_is_kept_or_counted(
            lines in prop::collection::vec("[a-z]{0,12}", 0..60),
            max_records in 1_usize..20,
            max_bytes in 1_usize..60,
        ) {
            let buffer = RecordBuffer::new(max_records, max_bytes, WhenFull::DropOldest);
            let mut too_large = 0;
            for (index, line) in (0..).zip(&lines) {
                too_large += buffer.append(format!("{line}\n").as_bytes(), &[index]).too_large;
                let fill = buffer.fill();
                prop_assert!(fill.records <= max_records && fill.bytes <= max_bytes);
            }
            let fill = buffer.fill();
            let bytes: usize = buffer.records().iter().map(|(_, line)| line.len()).sum();
            prop_assert_eq!(fill.bytes, bytes);
            prop_assert_eq!(fill.records + fill.dropped as usize + too_large, lines.len());
        }
    }
}
