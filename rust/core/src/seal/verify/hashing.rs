//! One piece of a segment: its lines against their commitments, and the compact ranges over its leaves.

use std::sync::Arc;

use super::super::commitments::{Kept, SaltKind, SegmentSeal};
use super::super::event::{event, Event};
use super::super::hash::{commitment, commitments, record_leaves, Hash, Salt};
use super::super::salts::Salts;
use super::super::tree::Range;
use super::runs::Runs;
use super::Failure;

/// What there is of a segment's records.
pub enum Content {
    Lines(Vec<u8>),
    /// So many have none.
    Gap(u64),
    /// All of a segment whose content went or cannot be read: what is kept apart speaks for it.
    Apart,
}

/// What is hashed: a part of a segment from record `first` on.
pub struct Piece {
    pub seal: Arc<SegmentSeal>,
    pub first: u64,
    pub content: Content,
    /// What the records say about the journal must be kept apart, too.
    pub keeps_apart: bool,
    /// Sizes at which the tree's root will be asked for, in order.
    pub cuts: Arc<Vec<u64>>,
    pub bytes: u64,
    /// Where pieces stop counting, exclusive.
    pub until: u64,
}

/// What came out.
#[derive(Default)]
pub struct Hashed {
    /// One after the other, cut at each of the piece's cuts.
    pub ranges: Vec<Range>,
    pub events: Vec<(u64, Event)>,
    /// Records that have no content.
    pub missing: Runs,
    /// Records that have content and no salt any more.
    pub saltless: Runs,
    /// Time stamp of the last record, when it has one.
    pub last_time: Option<(u64, String)>,
    pub failure: Option<Failure>,
    pub bytes: u64,
}

/// The leaves of a piece, cut where somebody wants to know the root.
struct Cutter<'a> {
    ranges: Vec<Range>,
    cuts: &'a [u64],
}

impl<'a> Cutter<'a> {
    fn new(first: u64, cuts: &'a [u64]) -> Self {
        let past = cuts.partition_point(|cut| *cut <= first);
        Self { ranges: vec![Range::empty(first)], cuts: &cuts[past..] }
    }

    fn extend(&mut self, mut leaves: &[Hash]) {
        while !leaves.is_empty() {
            let last = self.ranges.len() - 1;
            let range = &mut self.ranges[last];
            let next = self.cuts.first().map_or(u64::MAX, |cut| cut - range.end());
            let (now, later) = leaves.split_at(leaves.len().min(next as usize));
            range.extend(now);
            if self.cuts.first() == Some(&range.end()) {
                let end = range.end();
                self.cuts = &self.cuts[1..];
                self.ranges.push(Range::empty(end));
            }
            leaves = later;
        }
    }
}

enum SaltSource<'a> {
    Stream(Box<Salts>),
    Table(&'a [Salt]),
}

pub fn hash(piece: &Piece) -> Hashed {
    let mut hashed = match &piece.content {
        Content::Lines(lines) => hash_lines(piece, lines),
        Content::Gap(records) => hash_gap(piece, *records),
        Content::Apart => hash_apart(piece),
    };
    hashed.bytes = piece.bytes;
    hashed
}

fn hash_lines(piece: &Piece, lines: &[u8]) -> Hashed {
    let seal = &piece.seal;
    let mut hashed = Hashed::default();
    let mut cutter = Cutter::new(piece.first, &piece.cuts);
    let offset = piece.first - seal.first;
    let mut salts = match seal.seed {
        Some(seed) => SaltSource::Stream(Box::new(Salts::new(&seed, offset))),
        None => SaltSource::Table(seal.table.get(offset as usize..).unwrap_or_default()),
    };
    let stored = seal.records.map(|_| seal.commitments.get(offset as usize..).unwrap_or_default());
    let mut begin = 0;
    let salted: Vec<(Salt, &[u8])> = memchr::memchr_iter(b'\n', lines)
        .take(piece.until.saturating_sub(piece.first) as usize)
        .enumerate()
        .map(|(at, end)| {
            let line = &lines[std::mem::replace(&mut begin, end + 1)..end];
            let salt = match &mut salts {
                SaltSource::Stream(stream) => stream.next_salt(),
                SaltSource::Table(table) => table.get(at).copied().unwrap_or_default(),
            };
            (salt, line)
        })
        .collect();
    let mut apart = Apart::of(piece);
    let mut committed = commitments(&salted);
    let mut good = 0;
    let mut last = &lines[..0];
    for (at, ((salt, line), computed)) in salted.into_iter().zip(&mut committed).enumerate() {
        let index = piece.first + at as u64;
        let expected = stored.map(|stored| stored.get(at));
        if let Some(None) = expected {
            hashed.failure = Some(Failure::at(index, "the segment has more records than its seal"));
            break;
        }
        let erasable = seal.salts == SaltKind::Table && salt == Salt::default();
        if line.is_empty() {
            hashed.missing.push(index, index + 1);
            match expected {
                Some(Some(stored)) if erasable => *computed = *stored,
                _ => {
                    hashed.failure = Some(Failure::at(index, "the record is missing"));
                    break;
                }
            }
        } else if erasable {
            hashed.saltless.push(index, index + 1);
            *computed = expected.flatten().copied().unwrap_or_default();
        }
        if expected.flatten().is_some_and(|stored| *stored != *computed) {
            hashed.failure = Some(Failure::at(index, "the record is not the one that was sealed"));
            break;
        }
        good = at + 1;
        if let Some(found) = event(line).filter(|_| !erasable) {
            if !apart.agrees(index, &salt, line, &found) {
                hashed.failure = Some(Failure::at(index, NOT_APART));
            }
            hashed.events.push((index, found));
        }
        if !line.is_empty() {
            last = line;
            hashed.last_time = Some((index, String::new()));
        }
    }
    if hashed.failure.is_none() && !apart.ends_at(piece.first + good as u64) {
        hashed.failure = Some(Failure::at(piece.first, NOT_APART));
    }
    cutter.extend(&record_leaves(&committed[..good]));
    if let Some((_, time)) = &mut hashed.last_time {
        *time = timestamp(last).unwrap_or_default();
    }
    hashed.ranges = cutter.ranges;
    hashed
}

/// The time stamp of a canonical line.
fn timestamp(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Timed {
        timestamp: String,
    }
    serde_json::from_slice::<Timed>(line).ok().map(|timed| timed.timestamp)
}

/// Records without content: their salts went, too.
fn hash_gap(piece: &Piece, records: u64) -> Hashed {
    let seal = &piece.seal;
    let mut hashed = Hashed::default();
    let offset = (piece.first - seal.first) as usize;
    let records = records.min(piece.until.saturating_sub(piece.first));
    let stored = seal.commitments.get(offset..).unwrap_or_default();
    let salts = seal.table.get(offset..).unwrap_or_default();
    let all = stored.iter().zip(salts).take(records as usize);
    let good = all.take_while(|(_, salt)| **salt == Salt::default()).count();
    let end = piece.first + good as u64;
    if (good as u64) < records {
        hashed.failure = Some(Failure::at(end, "the record is missing"));
    } else if !Apart::of(piece).ends_at(end) {
        hashed.failure = Some(Failure::at(piece.first, NOT_APART));
    }
    hashed.missing.push(piece.first, end);
    let mut cutter = Cutter::new(piece.first, &piece.cuts);
    cutter.extend(&record_leaves(&stored[..good]));
    hashed.ranges = cutter.ranges;
    hashed
}

fn hash_apart(piece: &Piece) -> Hashed {
    let seal = &piece.seal;
    let mut hashed = Hashed::default();
    let mut cutter = Cutter::new(piece.first, &piece.cuts);
    let mut kept = seal.kept.iter().peekable();
    let mut good = 0;
    for (index, stored) in (seal.first..).zip(&seal.commitments) {
        if index >= piece.until {
            break;
        }
        // What is erased in a segment that cannot be read has lost its salt.
        if seal.table.get(good).is_some_and(|salt| *salt == Salt::default()) {
            hashed.missing.push(index, index + 1);
        }
        if let Some(record) = kept.next_if(|record| record.index == index) {
            if commitment(&record.salt, record.line.as_bytes()) != *stored {
                hashed.failure =
                    Some(Failure::at(index, "the kept record is not the one that was sealed"));
                break;
            }
            let Some(found) = event(record.line.as_bytes()) else {
                hashed.failure =
                    Some(Failure::at(index, "the kept record is none about the journal"));
                break;
            };
            hashed.events.push((index, found));
        }
        good += 1;
    }
    if seal.salts == SaltKind::None {
        hashed.missing.push(seal.first, seal.first + good as u64);
    }
    cutter.extend(&record_leaves(&seal.commitments[..good]));
    hashed.ranges = cutter.ranges;
    hashed
}

const NOT_APART: &str =
    "what the seal file keeps apart is not what the segment says of the journal";

/// The records that a seal file keeps apart, compared with those in the segment.
struct Apart<'a> {
    kept: std::slice::Iter<'a, Kept>,
    is_wanted: bool,
}

impl<'a> Apart<'a> {
    fn of(piece: &'a Piece) -> Self {
        let kept = &piece.seal.kept;
        let from = kept.partition_point(|record| record.index < piece.first);
        Self { kept: kept[from..].iter(), is_wanted: piece.keeps_apart || !kept.is_empty() }
    }

    fn agrees(&mut self, index: u64, salt: &Salt, line: &[u8], found: &Event) -> bool {
        if !self.is_wanted || *found == Event::Other {
            return true;
        }
        self.kept.next().is_some_and(|kept| {
            kept.index == index && kept.salt == *salt && kept.line.as_bytes() == line
        })
    }

    fn ends_at(&self, end: u64) -> bool {
        self.kept.as_slice().first().is_none_or(|kept| kept.index >= end)
    }
}
