//! Files of the archive that are replaced by others with fewer rows.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use serde_json::{json, Value};

use super::archiving::draft::{digest, new_path};
use super::archiving::pace::Pace;
use super::cutting::Ground;
use super::units::remove_beside;
use super::Leader;
use crate::archive::{self, About, Against, Archived, Facts, Identities, Input, WriteOptions};
use crate::error::{At, Error, Result};
use crate::journal::sync_directory;
use crate::seal::{SegmentSeal, ARCHIVED};

/// A file of the archive that waits to take another's place, which the journal has to announce first.
#[derive(Debug)]
pub(super) struct Swap {
    old: Archived,
    draft: PathBuf,
    facts: Facts,
    sha256: String,
}

static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Makes the bytes of a file that is about to go unreadable.
fn overwrite(file: &File) -> std::io::Result<()> {
    let (mut at, length) = (0, file.metadata()?.len());
    while at < length {
        let part = (length - at).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..part as usize], at)?;
        at += part;
    }
    file.sync_all()
}

impl Drop for Swap {
    fn drop(&mut self) {
        // It is not there any more when it has found its place.
        let _ = fs::remove_file(&self.draft);
    }
}

impl Swap {
    /// Writes the rows of `old` that `keep` names where no reader looks, compares every line of them with
    /// what was sealed, and sums them up: all that takes long. The next leader wipes what a death leaves.
    pub fn write(
        ground: &Ground,
        old: &Archived,
        identities: &Identities,
        keep: &dyn Fn(u64) -> bool,
        pace: &Pace,
    ) -> Result<Self> {
        if old.is_encrypted {
            let what = "it is encrypted: single records cannot be taken out of it; it can be \
                        pruned as a whole"
                .to_owned();
            return Err(Error::Refused { path: old.path.clone(), what });
        }
        let draft = new_path(&ground.journal, old.facts.first)?;
        // Once nobody waits for the file, the rest of it need not be written.
        let keep = |about: &About<'_>| keep(about.index) && pace.step();
        let options =
            WriteOptions { journal_id: &ground.settings.id, keep: Some(&keep), identities };
        let facts = archive::write(&[Input::Archived(old.clone())], &draft, &options)?;
        let mut swap = Self { old: old.clone(), draft, facts, sha256: String::new() };
        pace.rest_or_end(&swap.draft)?;
        swap.check(ground, identities)?;
        (swap.sha256, _) = digest(&swap.draft, pace)?;
        Ok(swap)
    }

    fn check(&self, ground: &Ground, identities: &Identities) -> Result<()> {
        let journal = ground.journal.directory();
        let load = |first: &u64| SegmentSeal::load(journal, *first);
        let seals: Vec<SegmentSeal> =
            self.facts.segments.iter().map(load).collect::<Result<_>>()?;
        let facts = self.facts.clone();
        let file = Archived { path: self.draft.clone(), is_encrypted: false, facts };
        // What is missing in it is meant to be.
        archive::check(&file, Against::Seals(&seals), identities).map(drop)
    }

    fn announcement(&self, leader: &Leader) -> Value {
        let path = &self.old.path;
        let below = path.strip_prefix(leader.journal.directory()).unwrap_or(path);
        json!({
            "first": self.facts.first,
            "end": self.facts.end,
            "rows": self.facts.rows,
            "sha256": self.sha256,
            "path": below.to_string_lossy(),
        })
    }

    /// Says in the journal what will lie in the archive, and seals that.
    pub fn announce<'a>(leader: &mut Leader, swaps: impl Iterator<Item = &'a Self>) -> Result<()> {
        let files: Vec<Value> = swaps.map(|swap| swap.announcement(leader)).collect();
        if files.is_empty() {
            return Ok(());
        }
        leader.declare(ARCHIVED, &[("files", files.into())])
    }

    /// Puts the file in its place. A reader that has the old one open reads zeros in it when `is_wiped`.
    pub fn finish(&self, is_wiped: bool) -> Result<()> {
        let path = &self.old.path;
        let old = OpenOptions::new().write(true).open(path).at("opening", path)?;
        // Before the file: what it says of words would outlive the records.
        remove_beside(path)?;
        fs::rename(&self.draft, path).at("replacing", path)?;
        sync_directory(path.parent().unwrap_or(path))?;
        if is_wiped {
            overwrite(&old).at("overwriting the old form of", path)?;
        }
        Ok(())
    }
}
