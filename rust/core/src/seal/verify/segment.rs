//! One segment of the walk: its lines, the file of the archive that stands for it, or what is left of it.

use std::path::Path;
use std::sync::Arc;

use super::super::commitments::{SaltKind, SegmentSeal};
use super::archived::Ahead;
use super::feed::Feed;
use super::gone::Part;
use super::hashing::{Content, Piece};
use super::judge::{Judged, Walk};
use super::source::Source;
use super::{Failure, Options};
use crate::archive::Archived;
use crate::error::Error;
use crate::journal::Pieces;

/// What every segment of a walk needs.
pub(super) struct Going<'walk, 'scope, 'env, 'progress> {
    pub journal: &'env Path,
    pub archive: &'env [Archived],
    pub can_decrypt: bool,
    pub ahead: Ahead<'scope, 'env>,
    pub feed: Feed,
    pub cuts: Arc<Vec<u64>>,
    pub until: u64,
    pub options: &'walk mut Options<'progress>,
}

/// A segment on its way through the hashing threads.
struct Under {
    seal: Arc<SegmentSeal>,
    keeps_apart: bool,
    /// For the progress, where lines are not read from a file of their own.
    bytes_each: Option<u64>,
}

impl Going<'_, '_, '_, '_> {
    fn push(
        &mut self,
        walk: &mut Walk<'_>,
        under: &Under,
        first: u64,
        content: Content,
    ) -> Judged<u64> {
        let (records, length) = match &content {
            Content::Lines(lines) => {
                (memchr::memchr_iter(b'\n', lines).count() as u64, lines.len() as u64)
            }
            Content::Gap(records) => (*records, 0),
            Content::Apart => (under.seal.commitments.len() as u64, 0),
        };
        walk.report.bytes += length;
        let bytes = under.bytes_each.map_or(length, |each| each * records);
        let piece = Piece {
            seal: under.seal.clone(),
            first,
            content,
            keeps_apart: under.keeps_apart,
            cuts: self.cuts.clone(),
            bytes,
            until: self.until,
        };
        self.feed.push(piece, walk, self.options)?;
        Ok(first + records)
    }
}

impl Walk<'_> {
    /// Hands over a segment's records; returns the index after them.
    pub(super) fn feed_source(
        &mut self,
        source: &Source,
        going: &mut Going<'_, '_, '_, '_>,
    ) -> Judged<u64> {
        let first = source.header.first;
        // One that is closed meanwhile is judged as it was seen: its header was all there was of it.
        let seal = match source.header.records {
            None => source.header.clone(),
            Some(_) => SegmentSeal::load(going.journal, first).map_err(unreadable)?,
        };
        if seal.records != source.header.records {
            return Err(Failure::at(first, "the seal file was changed meanwhile"));
        }
        let archived = source.archived.map(|number| &going.archive[number]);
        let mut under = Under { seal: Arc::new(seal), keeps_apart: false, bytes_each: None };
        let is_none = under.seal.salts == SaltKind::None;
        if under.seal.records.is_some() {
            self.parts.push(Part { first, end: source.end(), is_none });
        }
        if is_none {
            // With its lines it is a prune that died: they can no longer be told from others.
            self.report.pruning |= source.lines.is_some() || archived.is_some();
            return going.push(self, &under, first, Content::Apart);
        }
        if source.lines.is_some() {
            return self.feed_lines(source, &under, going);
        }
        let Some(archived) = archived else {
            return match under.seal.records {
                // Its seal file is made before its first line: a death between the two.
                None => Ok(first),
                Some(_) => Err(Failure::at(first, "the segment is missing")),
            };
        };
        under.bytes_each = Some(source.bytes / (source.end() - first).max(1));
        if archived.is_encrypted && !going.can_decrypt {
            let end = going.push(self, &under, first, Content::Apart)?;
            let gone = under.seal.table.iter().filter(|salt| **salt == [0; 16]).count() as u64;
            self.report.unread += end - first - gone;
            return Ok(end);
        }
        under.keeps_apart = archived.is_encrypted;
        self.feed_archived(source, &under, going)
    }

    fn feed_lines(
        &mut self,
        source: &Source,
        under: &Under,
        going: &mut Going<'_, '_, '_, '_>,
    ) -> Judged<u64> {
        let Some(path) = &source.lines else { return Ok(source.header.first) };
        let mut pieces = Pieces::open(path).map_err(unreadable)?;
        let mut next = source.header.first;
        loop {
            let lines = pieces.next_piece().map_err(unreadable)?;
            if lines.is_empty() || next >= going.until {
                break;
            }
            next = going.push(self, under, next, Content::Lines(lines))?;
        }
        if next >= going.until {
            return Ok(next);
        }
        match under.seal.records {
            Some(_) if source.end() != next => {
                return Err(Failure::at(next, "the segment has fewer records than its seal"));
            }
            Some(_) if pieces.torn() > 0 => {
                return Err(Failure::at(next, "the segment does not end with a whole record"));
            }
            _ => self.report.torn_bytes = pieces.torn(),
        }
        Ok(next)
    }

    /// The lines that a file of the archive gives back, cut where the segment ends.
    fn feed_archived(
        &mut self,
        source: &Source,
        under: &Under,
        going: &mut Going<'_, '_, '_, '_>,
    ) -> Judged<u64> {
        let Some(number) = source.archived else { return Ok(source.header.first) };
        let (mut next, end) = (source.header.first, source.end());
        while next < end && next < going.until {
            let Some((mut first, mut lines)) = going.ahead.next(number)? else {
                return going.push(self, under, next, Content::Gap(end - next));
            };
            if first < next {
                // Of a segment before, of which nothing is read.
                let skipped = nth_line(&lines, next - first);
                lines.drain(..skipped);
                first = next;
                if lines.is_empty() {
                    continue;
                }
            }
            if first > next {
                next = going.push(self, under, next, Content::Gap(first.min(end) - next))?;
            }
            if first >= end {
                going.ahead.put_back(first, lines);
                break;
            }
            let later = lines.split_off(nth_line(&lines, end - first));
            next = going.push(self, under, first, Content::Lines(lines))?;
            if !later.is_empty() {
                going.ahead.put_back(end, later);
            }
        }
        Ok(next)
    }
}

/// Where line number `count` begins, or the end.
fn nth_line(lines: &[u8], count: u64) -> usize {
    match count {
        0 => 0,
        count => memchr::memchr_iter(b'\n', lines)
            .nth(usize::try_from(count - 1).unwrap_or(usize::MAX))
            .map_or(lines.len(), |at| at + 1),
    }
}

pub(super) fn unreadable(error: Error) -> Failure {
    Failure::new(error.to_string())
}

/// Complete records in a segment that has no seal file yet: it begins where the records end.
pub(super) fn unsealed_records(path: &Path, end: u64) -> Judged<u64> {
    let name = format!("{end:020}.jsonl");
    if path.file_name().is_none_or(|found| found != name.as_str()) {
        return Err(Failure::at(end, format!("'{}' is not part of the journal", path.display())));
    }
    let mut pieces = Pieces::open(path).map_err(unreadable)?;
    let mut records = 0;
    loop {
        let lines = pieces.next_piece().map_err(unreadable)?;
        if lines.is_empty() {
            return Ok(records);
        }
        records += memchr::memchr_iter(b'\n', &lines).count() as u64;
    }
}
