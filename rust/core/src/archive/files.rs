//! Where the files of the archive lie.

use std::path::{Path, PathBuf};

use super::Facts;

pub const DIRECTORY: &str = "archive";

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub path: PathBuf,
    pub is_encrypted: bool,
    pub facts: Facts,
}

/// Where the file lies whose first segment begins at `first` and whose first record is of `day`
/// (`2026-11-21`).
#[must_use]
pub fn place(journal: &Path, first: u64, day: &str, is_encrypted: bool) -> PathBuf {
    let ending = if is_encrypted { "parquet.age" } else { "parquet" };
    journal.join(DIRECTORY).join(format!("date={day}")).join(format!("{first:020}.{ending}"))
}

pub fn list(_journal: &Path) -> crate::error::Result<Vec<Archived>> { Ok(Vec::new()) }
