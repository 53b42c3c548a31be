//! Putting a tested file into the archive, in steps of which every prefix leaves each record there.
//!
//! ```text
//! 1 compare   the inputs are what they were when they were read
//! 2 declare   `segments archived`, sealed: the last record under a checkpoint
//! 3 rename    the file is in its place, and the directories are synced
//! 4 remove    the JSON Lines, and files of the archive that have become part of this one
//! ```
//! A leader that dies before 3 has changed nothing; its successor begins again. From then on both are
//! there, and the successor removes what the archive holds (`plan.rs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde_json::json;

use super::draft::Draft;
use super::plan::Leftover;
use crate::archive::{self, tokens};
use crate::drain::Leader;
use crate::error::{At, Result};
use crate::journal::{make_directory, sync_directory, Segment};
use crate::seal::{self, ARCHIVED};

/// The points at which the leader may die; tests stop at each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Compared,
    Declared,
    Renamed,
    Synced,
    /// This many of the files were removed.
    Removing(usize),
    Removed,
}

impl Leader {
    /// Gives a draft its place. False when its inputs have changed since: it is made again then.
    ///
    /// # Errors
    /// When something cannot be written; the JSON Lines are there then, or the file is.
    pub(super) fn place_draft(
        &mut self,
        draft: &Draft,
        go_on: &dyn Fn(Step) -> bool,
    ) -> Result<bool> {
        let journal = self.journal.directory().to_owned();
        let plan = &draft.plan;
        if !plan.forms.are_the_same() {
            return Ok(false);
        }
        let is_encrypted = !draft.recipients.is_empty();
        let place = archive::place(&journal, plan.first, &plan.day, is_encrypted);
        let directory = place.parent().unwrap_or(&journal).to_owned();
        make_directory(&directory)?;
        let archive = journal.join(archive::DIRECTORY);
        sync_directory(&journal)?;
        sync_directory(&archive)?;
        // Whoever leads next needs the first record at once; what the journal says of itself must be
        // readable without a key for the archive.
        let is_sealed = self.settings.seal;
        let apart = |segment: &&Segment| is_sealed && (is_encrypted || segment.first == 0);
        for segment in plan.segments.iter().filter(apart) {
            seal::keep_apart(&journal, segment)?;
        }
        if !go_on(Step::Compared) {
            return Ok(false);
        }
        let path = place.strip_prefix(&journal).unwrap_or(&place).to_string_lossy();
        let mut said = json!([{
            "first": draft.facts.first,
            "end": draft.facts.end,
            "rows": draft.facts.rows,
            "sha256": draft.sha256,
            "path": path,
        }]);
        if is_encrypted {
            let beside = archive::outside::text(&archive::outside::Outside {
                facts: archive::outside::visible(&draft.facts),
                recipients: draft.recipients.names(),
            });
            said[0]["facts_sha256"] = seal::hex(&seal::sha256(beside.as_bytes())).into();
        }
        self.declare(ARCHIVED, &[("files", said)])?;
        if !go_on(Step::Declared) {
            return Ok(false);
        }
        if is_encrypted {
            archive::outside::write(&place, &draft.facts, &draft.recipients)?;
        }
        fs::rename(&draft.path, &place).at("moving into the archive", &place)?;
        if !is_encrypted && fs::rename(tokens::path(&draft.path), tokens::path(&place)).is_err() {
            // That of a smaller file of this name; it would not be used.
            let _ = fs::remove_file(tokens::path(&place));
        }
        if !go_on(Step::Renamed) {
            return Ok(true);
        }
        sync_directory(&directory)?;
        if !go_on(Step::Synced) {
            return Ok(true);
        }
        let merged = plan.merged.iter().map(|file| file.path.clone()).filter(|path| *path != place);
        let lines = plan.segments.iter().map(|segment| segment.path.clone());
        Self::remove(merged.chain(lines), go_on)?;
        let totals = &self.domain.control().totals;
        totals.archived_files.fetch_add(1, Ordering::Relaxed);
        totals.archived_records.fetch_add(draft.facts.rows, Ordering::Relaxed);
        Ok(true)
    }

    /// Removes what the archive was found to hold, unless it has changed since.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove_leftover(&mut self, leftover: &Leftover) -> Result<bool> {
        if !leftover.forms.are_the_same() {
            return Ok(false);
        }
        // The file may have been renamed by a leader that died before it was synced.
        sync_directory(leftover.kept.path.parent().unwrap_or(self.journal.directory()))?;
        Self::remove(std::iter::once(leftover.path.clone()), &|_| true)?;
        Ok(true)
    }

    fn remove(paths: impl Iterator<Item = PathBuf>, go_on: &dyn Fn(Step) -> bool) -> Result<()> {
        let mut directories: Vec<PathBuf> = Vec::new();
        for (number, path) in paths.enumerate() {
            if !go_on(Step::Removing(number)) {
                return Ok(());
            }
            remove_one(&path)?;
            let directory = path.parent().unwrap_or(&path).to_owned();
            if !directories.contains(&directory) {
                directories.push(directory);
            }
        }
        for directory in &directories {
            sync_directory(directory)?;
        }
        go_on(Step::Removed);
        Ok(())
    }
}

/// Removes a segment, or a file of the archive with what lies beside it.
fn remove_one(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        other => other.at("removing", path)?,
    }
    if path.extension().is_some_and(|extension| extension == "parquet") {
        // A cache, made again when it is missing.
        let _ = fs::remove_file(path.with_extension("tokens"));
    }
    Ok(())
}
