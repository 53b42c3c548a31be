//! The files of a journal as the verifier takes them in: segments in order, checkpoints, in bounded pieces.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::commitments::{self, SaltKind, SegmentSeal};
use super::Failure;
use crate::archive::{self, Archived};
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
    /// Its seal file without commitments and salts: those of a large journal would fill the memory.
    pub header: SegmentSeal,
    /// `None` when the segment was archived or pruned.
    pub lines: Option<PathBuf>,
    /// Which of the archive's files stands for it.
    pub archived: Option<usize>,
    pub bytes: u64,
}

impl Source {
    pub fn end(&self) -> u64 {
        self.header.first + self.header.records.unwrap_or(0)
    }
}

/// Everything that the records are in.
#[derive(Debug)]
pub struct Sources {
    pub segments: Vec<Source>,
    pub archive: Vec<Archived>,
    /// Segments that have no seal file yet.
    pub unsealed: Vec<PathBuf>,
}

impl Sources {
    /// The archive's files that have to be read, in order, each with the index to read from.
    pub fn to_read(&self, can_decrypt: bool) -> VecDeque<(usize, u64)> {
        let mut wanted: VecDeque<(usize, u64)> = VecDeque::new();
        let needed =
            |source: &&Source| source.lines.is_none() && source.header.salts != SaltKind::None;
        for source in self.segments.iter().filter(needed) {
            let readable = |number: &usize| can_decrypt || !self.archive[*number].is_encrypted;
            if let Some(number) = source.archived.filter(readable) {
                if wanted.back().is_none_or(|(last, _)| *last != number) {
                    wanted.push_back((number, source.header.first));
                }
            }
        }
        wanted
    }
}

/// All segments, in order and without gaps; then those that have no seal file yet.
///
/// While a leader writes, its files change between two looks: what has begun after the checkpoints were
/// read is left out when `is_live`.
pub fn sources(journal: &Path, is_live: bool) -> Result<Sources, Failure> {
    let mut files: VecDeque<_> = segment_files(&journal.join("active"))?.into();
    // In this order: what leaves `active` meanwhile is in the archive.
    let archive = archive::list(journal).map_err(|error| Failure::new(error.to_string()))?;
    let firsts = commitments::list(journal).map_err(|error| Failure::new(error.to_string()))?;
    let mut sources: Vec<Source> = Vec::new();
    let mut next = 0;
    for (at, first) in firsts.iter().enumerate() {
        let place = commitments::place(journal, *first);
        let size = fs::metadata(&place).map_err(|error| unreadable(&place, &error))?.len();
        if size > MAX_SEAL_BYTES {
            return Err(Failure::new(format!("'{}' is too large", place.display())));
        }
        let header = SegmentSeal::load_header(journal, *first)
            .map_err(|error| Failure { index: Some(*first), reason: error.to_string() })?;
        let is_last = at + 1 == firsts.len();
        let is_open = sources.last().is_some_and(|before| before.header.records.is_none());
        if is_live && is_open {
            break;
        }
        if *first != next || (header.records.is_none() && !is_last && !is_live) {
            let what = format!("segments do not follow each other at '{}'", place.display());
            return Err(Failure::at(next, what));
        }
        next = first + header.records.unwrap_or(0);
        let lines = match files.front() {
            Some((begin, _, _)) if begin == first => files.pop_front(),
            _ => None,
        };
        let archived = match header.records {
            Some(_) => stands_for(&archive, *first, next)?,
            None => None,
        };
        let (lines, bytes) = match (lines, archived) {
            (Some((_, path, bytes)), _) => (Some(path), bytes),
            (None, Some(number)) => (None, share(&archive[number], next - first)),
            (None, None) => (None, 0),
        };
        sources.push(Source { header, lines, archived, bytes });
    }
    let unsealed = files.into_iter().map(|(_, path, _)| path).collect();
    Ok(Sources { segments: sources, archive, unsealed })
}

/// The file that stands for the segment `[first, end)`.
fn stands_for(archive: &[Archived], first: u64, end: u64) -> Result<Option<usize>, Failure> {
    let Some(number) = archive.partition_point(|file| file.facts.first <= first).checked_sub(1)
    else {
        return Ok(None);
    };
    let file = &archive[number];
    if file.facts.end <= first {
        return Ok(None);
    }
    if file.facts.end < end {
        let what = format!("'{}' stands for a part of the segment", file.path.display());
        return Err(Failure::at(first, what));
    }
    Ok(Some(number))
}

/// So much of a file's bytes falls to some of its records.
fn share(file: &Archived, records: u64) -> u64 {
    let bytes = fs::metadata(&file.path).map_or(0, |metadata| metadata.len());
    let all = (file.facts.end - file.facts.first).max(1);
    (u128::from(bytes) * u128::from(records) / u128::from(all)) as u64
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
