//! Where records lie: in segments, or in files of the archive that stand for them.

use std::sync::{Mutex, PoisonError};

use super::reader::Batch;
use super::segment::{segments, Segment};
use super::Journal;
use crate::archive::{self, Archived, Identities, Lines, Unreadable};
use crate::error::Result;

/// Where a record lies.
#[derive(Debug)]
pub(super) enum Place {
    Segment {
        segment: Segment,
        /// No other follows it.
        is_newest: bool,
    },
    Archived(Box<Archived>),
}

impl Place {
    pub fn is_newest(&self) -> bool {
        matches!(self, Self::Segment { is_newest: true, .. })
    }

    fn first(&self) -> u64 {
        match self {
            Self::Segment { segment, .. } => segment.first,
            Self::Archived(file) => file.facts.first,
        }
    }
}

/// Index of the oldest record of a journal.
///
/// # Errors
/// When its directories cannot be read.
pub fn begin(journal: &Journal) -> Result<u64> {
    // Segments first: what leaves them meanwhile is in the archive by then.
    let active = segments(journal)?.first().map(|segment| segment.first);
    let archived = archive::begin(journal.directory())?;
    Ok(active.into_iter().chain(archived).min().unwrap_or(0))
}

/// Where record `index` lies, or the oldest one after it; past the end, the newest place.
///
/// The segment beginning at `ended` is known to end before it. In the open segments, one look at a
/// directory answers; only what lies before them has the archive listed.
///
/// # Errors
/// When the journal's directories cannot be read.
pub(super) fn find(journal: &Journal, index: u64, ended: Option<u64>) -> Result<Option<Place>> {
    let active = segments(journal)?;
    let newest = active.last().map(|segment| segment.first);
    let place = |segment: &Segment| Place::Segment {
        segment: segment.clone(),
        is_newest: Some(segment.first) == newest,
    };
    let below = active.iter().rfind(|segment| segment.first <= index);
    // One that was empty and has ended begins at the index that is looked for.
    let ended_here = below.is_some_and(|segment| Some(segment.first) == ended);
    if let Some(segment) = below.filter(|segment| segment.first == index && !ended_here) {
        return Ok(Some(place(segment)));
    }
    match below.map(place) {
        Some(below) if below.is_newest() => return Ok((!ended_here).then_some(below)),
        _ => {}
    }
    let (archived, unreadable) = archive::readable(journal.directory())?;
    let covers = |file: &&Archived| file.facts.first <= index && index < file.facts.end;
    if let Some(file) = archived.iter().find(covers) {
        return Ok(Some(Place::Archived(Box::new(file.clone()))));
    }
    // Where a file that cannot be read ends is unknown: nearest below, it may have the record.
    let files = archived.iter().map(|file| file.facts.first);
    let nearest = below.map(|segment| segment.first).into_iter();
    let nearest = nearest.chain(files.filter(|first| *first <= index)).max();
    let broken = unreadable.iter().rposition(|file| file.first <= index);
    if broken.is_some_and(|at| Some(unreadable[at].first) > nearest) {
        return broken_place(unreadable, broken);
    }
    if let Some(below) = below.filter(|_| !ended_here) {
        return Ok(Some(place(below)));
    }
    let segment = active.iter().find(|segment| segment.first > index).map(place);
    let file = archived.iter().find(|file| file.facts.first > index);
    let file = file.map(|file| Place::Archived(Box::new(file.clone())));
    let found = segment.into_iter().chain(file).min_by_key(Place::first);
    let broken = unreadable.iter().position(|file| file.first > index);
    match &found {
        Some(found) if broken.is_some_and(|at| unreadable[at].first < found.first()) => {
            broken_place(unreadable, broken)
        }
        None if broken.is_some() => broken_place(unreadable, broken),
        _ => Ok(found),
    }
}

fn broken_place(mut unreadable: Vec<Unreadable>, at: Option<usize>) -> Result<Option<Place>> {
    at.map_or(Ok(None), |at| Err(unreadable.swap_remove(at).error))
}

/// The records of a file of the archive, in batches.
#[derive(Debug)]
pub(super) struct ArchivedRecords {
    /// Only ever reached through `&mut`; the lock makes a reader fit for any thread.
    lines: Mutex<Lines>,
    end: u64,
    piece: Vec<u8>,
    /// Where in the piece the next record begins, and its index.
    at: usize,
    next: u64,
}

impl ArchivedRecords {
    pub fn open(file: &Archived, from: u64, identities: &Identities) -> Result<Self> {
        let lines = Mutex::new(Lines::open(file, from, identities)?);
        let next = from.max(file.facts.first);
        Ok(Self { lines, end: file.facts.end, piece: Vec::new(), at: 0, next })
    }

    /// Index of the next record, if there is one there.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Whole lines, about `max_bytes` of them; none at the end.
    pub fn read(&mut self, max_bytes: usize) -> Result<Batch> {
        if self.at == self.piece.len() {
            let lines = self.lines.get_mut().unwrap_or_else(PoisonError::into_inner);
            let Some((first, piece)) = lines.next_piece()? else {
                self.next = self.end;
                return Ok(Batch::default());
            };
            (self.next, self.piece, self.at) = (first, piece, 0);
        }
        let rest = &self.piece[self.at..];
        let size = max_bytes.clamp(1, rest.len());
        let end = memchr::memrchr(b'\n', &rest[..size])
            .or_else(|| memchr::memchr(b'\n', rest))
            .map_or(rest.len(), |at| at + 1);
        let batch = Batch { first: self.next, bytes: rest[..end].to_vec() };
        self.at += end;
        self.next += memchr::memchr_iter(b'\n', &batch.bytes).count() as u64;
        Ok(batch)
    }
}
