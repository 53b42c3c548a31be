//! The files of a journal as the verifier takes them in: segments in order, checkpoints, in bounded pieces.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::commitments::{self, SegmentSeal};
use super::Failure;
use crate::seal::{series, Series};

/// More than any seal file of a journal within its limits has.
const MAX_SEAL_BYTES: u64 = 4 << 30;

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("'{}' cannot be read: {error}", path.display()))
}

/// The checkpoints, and what stands in `seal/checkpoint`.
pub fn checkpoints(journal: &Path) -> Result<(Series, u64, Vec<u8>), Failure> {
    let read = |name: &str| {
        let path = journal.join("seal").join(name);
        fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::new(format!("the journal is not sealed: '{}' is missing", path.display()))
            }
            _ => unreadable(&path, &error),
        })
    };
    // In this order: what a leader publishes meanwhile is in the series, too.
    let newest = read("checkpoint")?;
    let all = read("checkpoints")?;
    let found = series(&all);
    let torn = all.len() as u64 - found.whole;
    Ok((found, torn, newest))
}

/// A segment as the directory has it.
#[derive(Debug)]
pub struct Source {
    pub seal: Arc<SegmentSeal>,
    /// `None` when the segment was pruned.
    pub lines: Option<PathBuf>,
    pub bytes: u64,
}

/// All segments, in order and without gaps; then those that have no seal file yet.
///
/// While a leader writes, its files change between two looks: what has begun after the checkpoints were
/// read is left out when `is_live`.
pub fn segments(journal: &Path, is_live: bool) -> Result<(Vec<Source>, Vec<PathBuf>), Failure> {
    let mut files = segment_files(&journal.join("active"))?;
    let firsts = commitments::list(journal).map_err(|error| Failure::new(error.to_string()))?;
    let mut sources: Vec<Source> = Vec::new();
    let mut next = 0;
    for (at, first) in firsts.iter().enumerate() {
        let place = commitments::place(journal, *first);
        let size = fs::metadata(&place).map_err(|error| unreadable(&place, &error))?.len();
        if size > MAX_SEAL_BYTES {
            return Err(Failure::new(format!("'{}' is too large", place.display())));
        }
        let seal = SegmentSeal::load(journal, *first)
            .map_err(|error| Failure { index: Some(*first), reason: error.to_string() })?;
        let is_last = at + 1 == firsts.len();
        let is_open = sources.last().is_some_and(|before| before.seal.records.is_none());
        if is_live && is_open {
            break;
        }
        if *first != next || (seal.records.is_none() && !is_last && !is_live) {
            let what = format!("segments do not follow each other at '{}'", place.display());
            return Err(Failure::at(next, what));
        }
        next = first + seal.records.unwrap_or(0);
        let lines = match files.first() {
            Some((begin, _, _)) if begin == first => Some(files.remove(0)),
            _ => None,
        };
        let (lines, bytes) = match lines {
            Some((_, path, bytes)) => (Some(path), bytes),
            None => (None, 0),
        };
        sources.push(Source { seal: Arc::new(seal), lines, bytes });
    }
    Ok((sources, files.into_iter().map(|(_, path, _)| path).collect()))
}

fn segment_files(directory: &Path) -> Result<Vec<(u64, PathBuf, u64)>, Failure> {
    let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(directory, &error))?.path();
        let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        let first = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_suffix(".jsonl"))
            .filter(|digits| digits.len() == 20 && !digits.starts_with('+'))
            .and_then(|digits| digits.parse().ok())
            .filter(|_| metadata.is_file());
        let Some(first) = first else {
            return Err(Failure::new(format!("'{}' is no segment", path.display())));
        };
        files.push((first, path, metadata.len()));
    }
    files.sort();
    Ok(files)
}
