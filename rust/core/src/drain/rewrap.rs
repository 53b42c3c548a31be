//! Encrypting the files of an archive anew, for other recipients.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Leader;
use crate::archive::{self, outside, Identities, Recipients};
use crate::error::{At, Result};
use crate::journal::sync_directory;
use crate::seal::hex;

/// What a leader has encrypted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rewrapped {
    pub files: u64,
    pub bytes: u64,
    /// Files that were for exactly these recipients before.
    pub others: u64,
}

impl Leader {
    /// Encrypts every encrypted file of the archive anew, for these recipients and nobody else.
    ///
    /// The journal names each file with its new digest before it takes the place of the old one.
    /// Interrupted, it is finished by calling it again.
    ///
    /// # Errors
    /// When a file cannot be opened with the identities, or a new one cannot be written; those before it
    /// are done.
    pub fn rewrap(
        &mut self,
        identities: &Identities,
        recipients: &Recipients,
    ) -> Result<Rewrapped> {
        let mut done = Rewrapped::default();
        for path in encrypted_files(self.journal.directory())? {
            let bytes = self.rewrap_file(&path, identities, recipients)?;
            done.files += u64::from(bytes.is_some());
            done.others += u64::from(bytes.is_none());
            done.bytes += bytes.unwrap_or_default();
        }
        Ok(done)
    }

    fn rewrap_file(
        &mut self,
        path: &Path,
        identities: &Identities,
        recipients: &Recipients,
    ) -> Result<Option<u64>> {
        let outside = outside::read(path)?;
        if outside.recipients == recipients.names() {
            return Ok(None);
        }
        let journal = self.journal.directory().to_owned();
        let draft = path.with_extension("age-draft");
        let written = archive::rewrap(path, &draft, identities, recipients)?;
        let place = path.strip_prefix(&journal).unwrap_or(path).to_string_lossy();
        let facts = &outside.facts;
        let said = json!([{
            "first": facts.first,
            "end": facts.end,
            "rows": facts.rows,
            "sha256": hex(&written.sha256),
            "path": place,
        }]);
        self.declare("segments archived", &[("files", said)])?;
        fs::rename(&draft, path).at("moving into the archive", path)?;
        sync_directory(path.parent().unwrap_or(&journal))?;
        // Last: from then on the file counts as done.
        outside::write(path, facts, recipients)?;
        Ok(Some(written.bytes))
    }
}

/// The encrypted files of an archive, in order.
fn encrypted_files(journal: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for day in entries(&journal.join(archive::DIRECTORY))? {
        if day.is_dir() {
            let names = entries(&day)?;
            found.extend(
                names.into_iter().filter(|path| path.to_string_lossy().ends_with(".parquet.age")),
            );
        }
    }
    found.sort();
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.at("reading", directory)?,
    };
    let paths = listed.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<std::io::Result<_>>().at("reading", directory)
}
