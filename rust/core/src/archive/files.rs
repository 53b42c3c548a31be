//! Where the files of the archive lie.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::read::footer;
use super::Facts;
use crate::error::{At, Error, Result};

pub const DIRECTORY: &str = "archive";

/// Looks at a directory that others change, until two agree.
const MOST_LOOKS: usize = 100;

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub path: PathBuf,
    pub is_encrypted: bool,
    pub facts: Facts,
}

/// A file of the archive that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Index of its first record, going by its name.
    pub first: u64,
    pub path: PathBuf,
    pub error: Error,
}

/// Where the file lies whose first segment begins at `first` and whose first record is of `day`
/// (`2026-11-21`).
#[must_use]
pub fn place(journal: &Path, first: u64, day: &str, is_encrypted: bool) -> PathBuf {
    let ending = if is_encrypted { "parquet.age" } else { "parquet" };
    journal.join(DIRECTORY).join(format!("date={day}")).join(format!("{first:020}.{ending}"))
}

/// What a file of the archive says about itself.
///
/// # Errors
/// When it cannot be read, or is no file of the archive.
pub fn facts(path: &Path) -> Result<Facts> {
    if is_encrypted(path) {
        return super::outside::read(path).map(|outside| outside.facts);
    }
    footer(path)
}

fn is_encrypted(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "age")
}

/// The files of a journal's archive, in order.
///
/// Where two overlap, the later one is about to be removed and left out.
///
/// # Errors
/// When the archive cannot be read, or holds a file that is none of ours.
pub fn list(journal: &Path) -> Result<Vec<Archived>> {
    let (files, unreadable) = readable(journal)?;
    unreadable.into_iter().next().map_or(Ok(files), |first| Err(first.error))
}

/// `list` for those to whom the other files matter when one is damaged.
///
/// # Errors
/// When a directory cannot be read.
pub fn readable(journal: &Path) -> Result<(Vec<Archived>, Vec<Unreadable>)> {
    let mut before = look(journal)?;
    for _ in 0..MOST_LOOKS {
        let found = read_all(&before);
        let after = look(journal)?;
        if before == after {
            return Ok((without_overlaps(found.0), found.1));
        }
        before = after;
    }
    let what = "its files change faster than they can be listed".to_owned();
    Err(Error::Refused { path: journal.join(DIRECTORY), what })
}

/// A file as it lies there: first index, path, and what tells it from another of that name.
type Look = (u64, PathBuf, u64, u64);

fn look(journal: &Path) -> Result<Vec<Look>> {
    let archive = journal.join(DIRECTORY);
    let mut found = Vec::new();
    for day in entries(&archive)? {
        let is_day = day.file_name().and_then(|name| name.to_str());
        if !is_day.is_some_and(|name| name.starts_with("date=")) {
            continue;
        }
        for path in entries(&day)? {
            let Some(first) = first_index(&path) else { continue };
            match fs::metadata(&path) {
                Ok(metadata) => found.push((first, path, metadata.ino(), metadata.len())),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).at("reading", &path),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a directory holds; nothing when it is not there.
fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error).at("reading", directory),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<std::io::Result<_>>().at("reading", directory)
}

/// The index that a file of the archive is named after.
fn first_index(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_suffix(".age").unwrap_or(name).strip_suffix(".parquet")?;
    let is_number = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

fn read_all(looks: &[Look]) -> (Vec<Archived>, Vec<Unreadable>) {
    let read = |(first, path, ..): &Look| {
        let facts = facts(path)?;
        if facts.first != *first {
            let what = format!("its records begin at {}, which is not its name", facts.first);
            return Err(Error::Damaged { path: path.clone(), what });
        }
        Ok(Archived { path: path.clone(), is_encrypted: is_encrypted(path), facts })
    };
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for look in looks {
        match read(look) {
            Ok(file) => files.push(file),
            Err(error) => {
                unreadable.push(Unreadable { first: look.0, path: look.1.clone(), error });
            }
        }
    }
    (files, unreadable)
}

/// Files of which none begins before the one in front of it ends. Of two that begin alike, the one
/// that reaches further counts.
fn without_overlaps(mut files: Vec<Archived>) -> Vec<Archived> {
    files.sort_by_key(|file| (file.facts.first, u64::MAX - file.facts.end));
    let mut end = None;
    files.retain(|file| {
        let is_covered = end.is_some_and(|end| file.facts.first < end);
        end = end.max(Some(file.facts.end));
        !is_covered
    });
    files
}
