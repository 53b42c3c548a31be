//! A segment's lines in pieces of bounded size.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{At, Error, Result};

const PIECE_BYTES: usize = 1 << 20;
/// No line is longer: a ring bounds them.
const MAX_LINE_BYTES: usize = 1 << 30;

/// Whole lines of a segment, a piece at a time.
#[derive(Debug)]
pub struct Pieces {
    file: File,
    path: PathBuf,
    rest: Vec<u8>,
    ended: bool,
}

impl Pieces {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).at("opening the segment", path)?;
        Ok(Self { file, path: path.to_owned(), rest: Vec::new(), ended: false })
    }

    /// Whole lines with their line feeds; empty at the end.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is longer than any record.
    pub fn next_piece(&mut self) -> Result<Vec<u8>> {
        let mut piece = std::mem::take(&mut self.rest);
        let mut wanted = PIECE_BYTES;
        loop {
            if !self.ended {
                let before = piece.len();
                piece.reserve(wanted);
                (&mut self.file)
                    .take((wanted.saturating_sub(before)).max(1) as u64)
                    .read_to_end(&mut piece)
                    .at("reading the segment", &self.path)?;
                self.ended = piece.len() == before;
            }
            let end = memchr::memrchr(b'\n', &piece).map_or(0, |last| last + 1);
            if end > 0 || self.ended {
                self.rest = piece.split_off(end);
                return Ok(piece);
            }
            if piece.len() > MAX_LINE_BYTES {
                let what = "it has a line without an end".to_owned();
                return Err(Error::Damaged { path: self.path.clone(), what });
            }
            wanted = piece.len() * 2;
        }
    }

    /// Bytes after the last line feed, once there are no more pieces.
    #[must_use]
    pub fn torn(&self) -> u64 {
        self.rest.len() as u64
    }
}
