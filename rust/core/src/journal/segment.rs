//! Segments: files of consecutive records, named after the index of their first.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Journal;
use crate::archive;
use crate::error::{At, Result};

/// An active segment's place: first index and file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    pub first: u64,
    pub path: PathBuf,
}

impl Segment {
    #[must_use]
    pub fn at(journal: &Journal, first: u64) -> Self {
        Self { first, path: journal.active().join(format!("{first:020}.jsonl")) }
    }

    /// Opens the segment for appending, making it when it is new.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open_for_append(&self) -> Result<File> {
        super::open_or_make(&self.path, self.path.parent().unwrap_or(&self.path))
            .at("opening the segment", &self.path)
    }
}

/// Index after the last complete line in a journal's files, of which the archive has the older ones.
///
/// # Errors
/// When they cannot be read.
pub fn end_of_files(journal: &Journal) -> Result<u64> {
    let Some(last) = segments(journal)?.pop() else {
        return archive::end(journal.directory());
    };
    let file = File::open(&last.path).at("opening the segment", &last.path)?;
    let length = file.metadata().at("reading", &last.path)?.len();
    Ok(last.first + count_lines(&file, 0, length, &last.path)?.0)
}

/// The last complete line of a journal's newest segment that has any, without line feed.
///
/// # Errors
/// When the segments cannot be read.
pub fn last_line(journal: &Journal) -> Result<Option<Vec<u8>>> {
    for segment in segments(journal)?.iter().rev() {
        let file = File::open(&segment.path).at("opening the segment", &segment.path)?;
        let length = file.metadata().at("reading", &segment.path)?.len();
        let mut span = length.min(4096);
        while span > 0 {
            let mut bytes = vec![0; span as usize];
            file.read_exact_at(&mut bytes, length - span).at("reading", &segment.path)?;
            let end = memchr::memrchr(b'\n', &bytes).unwrap_or(0);
            match memchr::memrchr(b'\n', &bytes[..end]) {
                Some(before) => return Ok(Some(bytes[before + 1..end].to_vec())),
                None if span == length && end > 0 => return Ok(Some(bytes[..end].to_vec())),
                None if span == length => break,
                None => span = length.min(span * 16),
            }
        }
    }
    Ok(None)
}

/// The segments of a journal, oldest first.
///
/// # Errors
/// When the directory cannot be read.
pub fn segments(journal: &Journal) -> Result<Vec<Segment>> {
    let directory = journal.active();
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).at("reading", &directory)? {
        let path = entry.at("reading", &directory)?.path();
        if let Some(first) = first_index(&path) {
            found.push(Segment { first, path });
        }
    }
    found.sort();
    Ok(found)
}

fn first_index(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_suffix(".jsonl")?;
    let is_number = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Complete lines in `[from, to)` of a file, and where the last of them ends.
pub(super) fn count_lines(file: &File, from: u64, to: u64, path: &Path) -> Result<(u64, u64)> {
    let mut buffer = vec![0; 1 << 20];
    let (mut lines, mut end, mut at) = (0, from, from);
    while at < to {
        let wanted = usize::try_from(to - at).unwrap_or(usize::MAX).min(buffer.len());
        let read = file.read_at(&mut buffer[..wanted], at).at("reading the segment", path)?;
        if read == 0 {
            break;
        }
        let chunk = &buffer[..read];
        lines += memchr::memchr_iter(b'\n', chunk).count() as u64;
        if let Some(last) = memchr::memrchr(b'\n', chunk) {
            end = at + last as u64 + 1;
        }
        at += read as u64;
    }
    Ok((lines, end))
}
