//! Which files lie in the archive, by their names alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{readable, DIRECTORY};
use crate::error::{At, Result};

/// Every file of the archive with the index it begins with, in order; also those that have become part of
/// another and are about to be removed.
///
/// # Errors
/// When a directory cannot be read.
pub fn names(journal: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let archive = journal.join(DIRECTORY);
    let mut found = Vec::new();
    for (name, day) in entries(&archive)? {
        if !name.starts_with("date=") {
            continue;
        }
        for (name, path) in entries(&day)? {
            if let Some(first) = first_of(&name) {
                found.push((first, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Index of the oldest record in the archive, going by the names.
///
/// # Errors
/// When a directory cannot be read.
pub fn begin(journal: &Path) -> Result<Option<u64>> {
    Ok(names(journal)?.first().map(|(first, _)| *first))
}

/// Index after the newest record in the archive; 0 when there is none.
///
/// # Errors
/// When the archive cannot be read.
pub fn end(journal: &Path) -> Result<u64> {
    let (files, unreadable) = readable(journal)?;
    let last = files.last().map(|file| file.facts.first);
    match unreadable.into_iter().find(|file| Some(file.first) >= last) {
        Some(file) => Err(file.error),
        None => Ok(files.last().map_or(0, |file| file.facts.end)),
    }
}

/// Names and paths in a directory that may be gone by now.
fn entries(directory: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        other => other.at("reading", directory)?,
    };
    entries
        .map(|entry| {
            let entry = entry.at("reading", directory)?;
            Ok((entry.file_name().to_string_lossy().into_owned(), entry.path()))
        })
        .collect()
}

fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".age").unwrap_or(name).strip_suffix(".parquet")?;
    let is_number = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}
