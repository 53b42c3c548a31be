//! What the second place has, as who copies it has noted in `copies.jsonl`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{At, Result};

pub const COPIES: &str = "copies.jsonl";

#[derive(Deserialize)]
struct Line {
    to: String,
    first: u64,
    end: u64,
}

/// The records of which a place has copies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies {
    /// First and end of each piece, rising, without overlaps.
    pieces: Vec<(u64, u64)>,
}

impl Copies {
    /// Reads what was noted; a line that was torn by a death says nothing.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn load(journal: &Path, to: &str) -> Result<Self> {
        let path: PathBuf = journal.join(COPIES);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default())
            }
            Err(error) => return Err(error).at("reading what was copied", &path),
        };
        let lines = bytes.split(|byte| *byte == b'\n');
        let noted = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        Ok(Self::of(noted.filter(|line| line.to == to).map(|line| (line.first, line.end))))
    }

    pub(super) fn of(pieces: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut all: Vec<_> = pieces.collect();
        all.sort_unstable();
        let mut pieces: Vec<(u64, u64)> = Vec::new();
        for (first, end) in all {
            match pieces.last_mut() {
                Some((_, known)) if first <= *known => *known = end.max(*known),
                _ => pieces.push((first, end)),
            }
        }
        Self { pieces }
    }

    /// True when there are copies of all records from `first` on, below `end`.
    #[must_use]
    pub fn cover(&self, first: u64, end: u64) -> bool {
        self.pieces.iter().any(|(begins, ends)| *begins <= first && end <= *ends)
    }
}
