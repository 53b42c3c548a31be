//! Checkpoints on their way out: signed, appended, replaced; and the keys that sign them.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::checkpoint::Checkpoint;
use super::hash::Hash;
use super::keys::Keys;
use super::note::Note;
use super::sealer::Closing;
use super::seen;
use crate::error::{At, Result};
use crate::journal::replace_file;

/// Writes `seal/checkpoints` and `seal/checkpoint`.
#[derive(Debug)]
pub struct Publisher {
    pub keys: Keys,
    /// The line to pin: identity key and key of epoch 0.
    pin: String,
    series: File,
    series_path: PathBuf,
    newest_path: PathBuf,
    /// Bytes of the complete checkpoints.
    whole: u64,
    last: Option<(u64, Hash)>,
    /// In `seal/checkpoints`, and not in `seal/checkpoint` yet.
    unpublished: Option<Note>,
    pub published_at: Instant,
}

impl Publisher {
    /// # Errors
    /// When the files cannot be opened.
    pub fn open(
        journal: &Path,
        keys: Keys,
        pin: String,
        whole: u64,
        last: Option<(u64, Hash)>,
        unpublished: Option<Note>,
    ) -> Result<Self> {
        let directory = journal.join("seal");
        let series_path = directory.join("checkpoints");
        let series = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&series_path)
            .at("opening the checkpoints", &series_path)?;
        crate::owner::give(&series, &directory);
        series.set_len(whole).at("truncating", &series_path)?;
        Ok(Self {
            keys,
            pin,
            series,
            series_path,
            newest_path: directory.join("checkpoint"),
            whole,
            last,
            unpublished,
            published_at: Instant::now(),
        })
    }

    #[must_use]
    pub fn pin(&self) -> &str {
        &self.pin
    }

    /// Size of the tree under the newest checkpoint.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.last.map_or(0, |(size, _)| size)
    }

    /// Signs and publishes a checkpoint, unless the newest one says the same.
    ///
    /// What it covers must be on the device already.
    ///
    /// # Errors
    /// When it cannot be written; it is as if it had not been signed then.
    pub fn publish(&mut self, size: u64, root: Hash) -> Result<()> {
        self.published_at = Instant::now();
        if self.last != Some((size, root)) {
            self.append(size, root)?;
        }
        if let Some(note) = &self.unpublished {
            replace_file(&self.newest_path, note.to_string().as_bytes())?;
            seen::store(&self.pin, &self.keys.identity(), note);
            self.unpublished = None;
        }
        Ok(())
    }

    fn append(&mut self, size: u64, root: Hash) -> Result<()> {
        let mut note = Checkpoint::new(self.keys.origin(), size, root).to_note();
        self.keys.sign(&mut note);
        let text = note.to_string();
        let written = self
            .series
            .write_all_at(text.as_bytes(), self.whole)
            .and_then(|()| self.series.sync_data());
        if written.is_err() {
            // A torn one would be cut off by the next leader as well.
            let _ = self.series.set_len(self.whole);
        }
        written.at("appending the checkpoint", &self.series_path)?;
        self.whole += text.len() as u64;
        self.last = Some((size, root));
        self.unpublished = Some(note);
        Ok(())
    }

    /// Publishes the checkpoint that ends the running epoch, then destroys its key.
    ///
    /// # Errors
    /// When it cannot be written; the epoch goes on then.
    pub fn close_epoch(&mut self, closing: &Closing) -> Result<()> {
        // Tried again after a failure, it may have begun already.
        if self.keys.epoch() < closing.epoch {
            self.publish(closing.size, closing.root)?;
            self.keys.begin_next()?;
        }
        Ok(())
    }
}
