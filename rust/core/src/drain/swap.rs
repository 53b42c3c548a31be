//! Files of the archive that are replaced by others with fewer rows.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use serde_json::{json, Value};

use super::units::remove_beside;
use super::Leader;
use crate::archive::{self, About, Archived, Facts, Identities, Input, WriteOptions};
use crate::error::{At, Error, Result};
use crate::journal::sync_directory;
use crate::seal::{self, ARCHIVED};

/// A file of the archive that waits to take another's place, which the journal has to announce first.
pub(super) struct Swap {
    old: Archived,
    draft: PathBuf,
    facts: Facts,
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

impl Swap {
    /// Writes the rows of `old` that `keep` names, beside the seal: no reader looks there, and what a
    /// death leaves is wiped by the next leader.
    pub fn write(
        leader: &Leader,
        old: &Archived,
        identities: &Identities,
        keep: &dyn Fn(u64) -> bool,
    ) -> Result<Self> {
        if old.is_encrypted {
            let what = "it is encrypted: single records cannot be taken out of it; it can be \
                        pruned as a whole"
                .to_owned();
            return Err(Error::Refused { path: old.path.clone(), what });
        }
        let name = format!("archive-{:020}.draft", old.facts.first);
        let draft = leader.journal.directory().join("seal").join(name);
        let keep = |about: &About<'_>| keep(about.index);
        let options =
            WriteOptions { journal_id: &leader.settings.id, keep: Some(&keep), identities };
        let facts = archive::write(&[Input::Archived(old.clone())], &draft, &options)?;
        Ok(Self { old: old.clone(), draft, facts })
    }

    fn announcement(&self, leader: &Leader) -> Result<Value> {
        let digest = seal::sha256_file(&self.draft).at("reading", &self.draft)?;
        let path = &self.old.path;
        let below = path.strip_prefix(leader.journal.directory()).unwrap_or(path);
        Ok(json!({
            "first": self.facts.first,
            "end": self.facts.end,
            "rows": self.facts.rows,
            "sha256": seal::hex(&digest),
            "path": below.to_string_lossy(),
        }))
    }

    /// Says in the journal what will lie in the archive, and seals that.
    pub fn announce(leader: &mut Leader, swaps: &[Self]) -> Result<()> {
        if swaps.is_empty() {
            return Ok(());
        }
        let files: Vec<Value> =
            swaps.iter().map(|swap| swap.announcement(leader)).collect::<Result<_>>()?;
        leader.declare(ARCHIVED, &[("files", files.into())])
    }

    /// Puts the file in its place. A reader that has the old one open reads zeros in it when `is_wiped`.
    pub fn finish(&self, is_wiped: bool) -> Result<()> {
        let path = &self.old.path;
        let old = OpenOptions::new().write(true).open(path).at("opening", path)?;
        // Before the file: what it says of words would outlive the records.
        remove_beside(&self.old)?;
        fs::rename(&self.draft, path).at("replacing", path)?;
        sync_directory(path.parent().unwrap_or(path))?;
        if is_wiped {
            overwrite(&old).at("overwriting the old form of", path)?;
        }
        Ok(())
    }

    /// Takes back drafts of which nothing comes.
    pub fn give_up(swaps: &[Self]) {
        for swap in swaps {
            // The next leader removes what cannot be removed now.
            let _ = fs::remove_file(&swap.draft);
        }
    }
}
