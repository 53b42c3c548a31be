//! What a closed part of a journal lies in: a segment, or a file of the archive.

use std::fs;
use std::path::Path;

use crate::archive::{self, Archived, Identities, Lines};
use crate::error::{At, Error, Result};
use crate::journal::{segments, sync_directory, Journal, Pieces, Segment};
use crate::seal::SegmentSeal;

/// Records that go or stay together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    Segment { segment: Segment, end: u64 },
    Archived(Archived),
}

/// A unit's lines, a piece at a time.
pub(super) enum UnitLines {
    Segment(Pieces, u64),
    Archived(Box<Lines>),
}

impl Unit {
    pub fn first(&self) -> u64 {
        match self {
            Self::Segment { segment, .. } => segment.first,
            Self::Archived(file) => file.facts.first,
        }
    }

    pub fn end(&self) -> u64 {
        match self {
            Self::Segment { end, .. } => *end,
            Self::Archived(file) => file.facts.end,
        }
    }

    pub fn has(&self, index: u64) -> bool {
        (self.first()..self.end()).contains(&index)
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Segment { segment, .. } => &segment.path,
            Self::Archived(file) => &file.path,
        }
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Archived(file) if file.is_encrypted)
    }

    /// First indexes and ends of the segments in it.
    pub fn segments(&self) -> Vec<(u64, u64)> {
        match self {
            Self::Segment { segment, end } => vec![(segment.first, *end)],
            Self::Archived(file) => {
                let firsts = &file.facts.segments;
                let ends = firsts.iter().skip(1).copied().chain([file.facts.end]);
                firsts.iter().copied().zip(ends).collect()
            }
        }
    }

    /// Its lines from `from` on; an encrypted file must be one of `identities`.
    pub fn lines(&self, from: u64, identities: &Identities) -> Result<UnitLines> {
        match self {
            Self::Segment { segment, .. } => {
                Ok(UnitLines::Segment(Pieces::open(&segment.path)?, segment.first))
            }
            Self::Archived(file) => {
                Ok(UnitLines::Archived(Box::new(Lines::open(file, from, identities)?)))
            }
        }
    }

    /// Asks `look` about every line that is not empty, from about `from` on, until it has seen enough.
    pub fn each(
        &self,
        from: u64,
        identities: &Identities,
        mut look: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<()> {
        let mut pieces = self.lines(from, identities)?;
        while let Some((first, lines)) = pieces.next_piece()? {
            for (index, line) in (first..).zip(lines.split_inclusive(|byte| *byte == b'\n')) {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                if !line.is_empty() && !look(index, line) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes the unit away, with the caches and facts beside it.
    pub fn remove(&self) -> Result<()> {
        let path = self.path();
        fs::remove_file(path).at("removing", path)?;
        if let Self::Archived(file) = self {
            remove_beside(&file.path)?;
        }
        let parent = path.parent().unwrap_or(path);
        if matches!(self, Self::Archived(_)) && fs::remove_dir(parent).is_ok() {
            // It was the last file of its day.
            return sync_directory(parent.parent().unwrap_or(parent));
        }
        sync_directory(parent)
    }
}

impl UnitLines {
    pub fn next_piece(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        match self {
            Self::Segment(pieces, next) => {
                let (first, lines) = (*next, pieces.next_piece()?);
                *next += memchr::memchr_iter(b'\n', &lines).count() as u64;
                Ok((!lines.is_empty()).then_some((first, lines)))
            }
            Self::Archived(lines) => lines.next_piece(),
        }
    }
}

/// Removes what was made from a file of the archive: it would say more than the file does.
///
/// `N.parquet` has `N.tokens` beside it, `N.parquet.age` has `N.json`.
pub(super) fn remove_beside(path: &Path) -> Result<()> {
    let is_encrypted = path.extension().is_some_and(|ending| ending == "age");
    let plain = if is_encrypted { path.with_extension("") } else { path.to_owned() };
    let endings: &[&str] = if is_encrypted { &["tokens", "json"] } else { &["tokens"] };
    for ending in endings {
        let path = plain.with_extension(ending);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).at("removing", &path);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The closed units of a sealed journal, in order. Where both lie there, it is the archive's file; the
/// segments that it stands for come second. Of the rest only those below `sealed` count: their seal files
/// are stored.
pub(super) fn units(journal: &Journal, sealed: u64) -> Result<(Vec<Unit>, Vec<Segment>)> {
    // In this order: what leaves `active` meanwhile is in the archive.
    let mut segments = segments(journal)?;
    let closed = segments.iter().skip(1).filter(|next| next.first <= sealed).count();
    segments.truncate(closed);
    let files = archive::list(journal.directory())?;
    let (mut found, mut covered) = (Vec::new(), Vec::new());
    for segment in segments {
        if files.iter().any(|file| (file.facts.first..file.facts.end).contains(&segment.first)) {
            covered.push(segment);
            continue;
        }
        let header = SegmentSeal::load_header(journal.directory(), segment.first)?;
        // The one that is still written is no unit.
        if let Some(records) = header.records {
            found.push(Unit::Segment { end: segment.first + records, segment });
        }
    }
    found.extend(files.into_iter().map(Unit::Archived));
    found.sort_by_key(Unit::first);
    if let Some(pair) = found.windows(2).find(|pair| pair[0].end() > pair[1].first()) {
        let what = "it holds records that another file holds".to_owned();
        return Err(Error::Damaged { path: pair[1].path().to_owned(), what });
    }
    Ok((found, covered))
}
