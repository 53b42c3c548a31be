//! One piece of a segment: its lines against their commitments, and the compact ranges over its leaves.

use std::sync::Arc;

use super::super::commitments::{SaltKind, SegmentSeal};
use super::super::event::{event, Event};
use super::super::hash::{commitment, commitments, record_leaves, Hash, Salt};
use super::super::salts::Salts;
use super::super::tree::Range;
use super::Failure;

/// What is hashed: lines of a segment from record `first` on, or a pruned segment's commitments.
pub struct Piece {
    pub seal: Arc<SegmentSeal>,
    pub first: u64,
    /// `None` for a pruned segment, which is one piece.
    pub lines: Option<Vec<u8>>,
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
    pub missing: Vec<u64>,
    /// Records that have content and no salt any more.
    pub saltless: Vec<u64>,
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
    let mut hashed = match &piece.lines {
        Some(lines) => hash_lines(piece, lines),
        None => hash_pruned(piece),
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
            hashed.missing.push(index);
            match expected {
                Some(Some(stored)) if erasable => *computed = *stored,
                _ => {
                    hashed.failure = Some(Failure::at(index, "the record is missing"));
                    break;
                }
            }
        } else if erasable {
            hashed.saltless.push(index);
            *computed = expected.flatten().copied().unwrap_or_default();
        }
        if expected.flatten().is_some_and(|stored| *stored != *computed) {
            hashed.failure = Some(Failure::at(index, "the record is not the one that was sealed"));
            break;
        }
        good = at + 1;
        if let Some(found) = event(line).filter(|_| !erasable) {
            hashed.events.push((index, found));
        }
        if !line.is_empty() {
            last = line;
            hashed.last_time = Some((index, String::new()));
        }
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

fn hash_pruned(piece: &Piece) -> Hashed {
    let seal = &piece.seal;
    let mut hashed = Hashed::default();
    let mut cutter = Cutter::new(piece.first, &piece.cuts);
    let mut kept = seal.kept.iter().peekable();
    let mut good = 0;
    for (index, stored) in (seal.first..).zip(&seal.commitments) {
        if index >= piece.until {
            break;
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
    cutter.extend(&record_leaves(&seal.commitments[..good]));
    hashed.ranges = cutter.ranges;
    hashed
}
