//! The rotated files of one output, as they lie in its directory.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::compress::Compression;
use super::flags::{self, IMMUTABLE};
use super::name::Key;
use super::Settings;
use crate::error::{At, Result};

const DRAFT: &str = ".tmp";

/// One rotated file; while it is being compressed there may be two of it.
#[derive(Debug, Default)]
pub(super) struct Backup {
    pub plain: Option<Found>,
    pub compressed: Option<Found>,
}

#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    bytes: u64,
    modified_s: u64,
}

impl Backup {
    pub fn bytes(&self) -> u64 {
        self.files().map(|found| found.bytes).sum()
    }

    /// When it was last written to, seconds since the epoch.
    pub fn modified_s(&self) -> u64 {
        self.files().map(|found| found.modified_s).max().unwrap_or(0)
    }

    pub fn files(&self) -> impl Iterator<Item = &Found> {
        self.plain.iter().chain(&self.compressed)
    }
}

#[derive(Debug, Default)]
pub(super) struct Backups {
    /// Oldest first.
    pub found: BTreeMap<Key, Backup>,
    /// What a process that died while compressing left behind.
    pub drafts: Vec<PathBuf>,
    /// The newest key that something has, be it a directory or a link of somebody else's.
    pub newest: Option<Key>,
}

impl Backups {
    /// Everything in the directory that the naming pattern can have made, and nothing else.
    pub fn list(settings: &Settings) -> Result<Self> {
        let directory = settings.directory();
        let mut listed = Self::default();
        for entry in fs::read_dir(directory).at("listing", directory)? {
            let entry = entry.at("listing", directory)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| Some(*name) != settings.file_name())
            else {
                continue;
            };
            // A file may vanish while we look.
            if let Ok(metadata) = entry.metadata() {
                listed.add(settings, name, entry.path(), &metadata);
            }
        }
        Ok(listed)
    }

    fn add(&mut self, settings: &Settings, name: &str, path: PathBuf, metadata: &Metadata) {
        let compressed = |name: &str| {
            let stripped = |kind: &Compression| name.strip_suffix(kind.extension());
            Compression::ALL.iter().filter_map(stripped).find_map(|name| settings.naming.key(name))
        };
        let draft = name.strip_prefix('.').and_then(|name| name.strip_suffix(DRAFT));
        if draft.and_then(compressed).is_some() {
            self.drafts.push(path);
            return;
        }
        let plain = settings.naming.key(name);
        let Some(key) = plain.or_else(|| compressed(name)) else { return };
        self.newest = self.newest.max(Some(key));
        if !metadata.is_file() {
            return;
        }
        let modified_s = metadata.mtime().max(0) as u64;
        let found = Some(Found { path, bytes: metadata.len(), modified_s });
        let backup = self.found.entry(key).or_default();
        if plain.is_some() {
            backup.plain = found;
        } else {
            backup.compressed = found;
        }
    }

    pub fn bytes(&self) -> u64 {
        self.found.values().map(Backup::bytes).sum()
    }
}

/// Where the compressed form of a file is made before it gets its name.
pub(super) fn draft(compressed: &Path) -> PathBuf {
    let name = compressed.file_name().unwrap_or_default().to_string_lossy();
    compressed.with_file_name(format!(".{name}{DRAFT}"))
}

/// Removes a rotated file, be it immutable or not.
pub(super) fn remove(path: &Path, settings: &Settings) -> Result<()> {
    if settings.immutable {
        // Whether that was needed and worked shows in the removal.
        let _ = File::open(path).and_then(|file| flags::change(&file, IMMUTABLE, false));
    }
    fs::remove_file(path).at("removing", path)
}
