//! What a file of the archive is made of.

use std::path::{Path, PathBuf};

use super::{Archived, Identities, Lines};
use crate::error::{Error, Result};
use crate::journal::Pieces;

/// What a file is made of.
#[derive(Debug, Clone)]
pub enum Input {
    /// JSON Lines: `records` lines if that is known, else all.
    Segment { first: u64, records: Option<u64>, path: PathBuf },
    /// A file that is written anew.
    Archived(Archived),
}

impl Input {
    pub(super) fn first(&self) -> u64 {
        match self {
            Self::Segment { first, .. } => *first,
            Self::Archived(archived) => archived.facts.first,
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Segment { path, .. } => path,
            Self::Archived(archived) => &archived.path,
        }
    }
}

/// The lines of a piece, without their line feeds.
pub(super) fn lines(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let rest = piece.get(begin..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        begin += end + 1;
        Some(&rest[..end])
    })
}

/// The lines of an input, piece by piece.
pub(super) struct Source<'a> {
    input: &'a Input,
    lines: SourceLines,
    /// Exclusive; grows with what is read of a segment.
    pub end: u64,
}

enum SourceLines {
    Segment(Pieces),
    Archived(Box<Lines>),
}

impl<'a> Source<'a> {
    pub fn open(input: &'a Input, identities: &Identities) -> Result<Self> {
        let (lines, end) = match input {
            Input::Segment { first, path, .. } => {
                (SourceLines::Segment(Pieces::open(path)?), *first)
            }
            Input::Archived(archived) => {
                let lines = Lines::open(archived, archived.facts.first, identities)?;
                (SourceLines::Archived(Box::new(lines)), archived.facts.end)
            }
        };
        Ok(Self { input, lines, end })
    }

    pub fn next_piece(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let pieces = match &mut self.lines {
            SourceLines::Archived(lines) => return lines.next_piece(),
            SourceLines::Segment(pieces) => pieces,
        };
        let piece = pieces.next_piece()?;
        let first = self.end;
        self.end += memchr::memchr_iter(b'\n', &piece).count() as u64;
        if !piece.is_empty() {
            return Ok(Some((first, piece)));
        }
        let torn = pieces.torn();
        let damaged = |what| Err(Error::Damaged { path: self.input.path().to_owned(), what });
        if torn > 0 {
            return damaged(format!("{torn} bytes stand after its last line"));
        }
        match self.input {
            Input::Segment { first, records: Some(records), .. } if first + records != self.end => {
                damaged(format!("it has {} lines; {records} would be right", self.end - first))
            }
            _ => Ok(None),
        }
    }
}
