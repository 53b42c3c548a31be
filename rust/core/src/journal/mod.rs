//! The journal: a directory of segments, the source of truth.
//!
//! ```text
//! journal.json                        what concerns all writers (see `Settings`)
//! active/00000000000000131072.jsonl   records from index 131072 on, one canonical line each
//! archive/…                           older records as Parquet files (see `crate::archive`)
//! aside/…                             torn tails that recovery has set aside
//! lock                                held by the leader; names it and its domain
//! levels.json                         levels that were asked to outlive the processes
//! configured.json                     levels as the last configuration had them
//! seal/…                              what proves all of it (see `crate::seal`)
//! ended/…                             generations of the journal whose seal could not go on
//! ```

mod notice;
mod pieces;
mod place_lock;
mod places;
mod reader;
mod recover;
mod segment;
mod settings;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub use notice::{component_name, notice, COMPONENT, EXPORTED, LEVEL_CHANGED};
pub use pieces::Pieces;
pub use place_lock::PlaceLock;
pub use places::begin;
pub(crate) use reader::without_blanks;
pub use reader::{Batch, Reader};
pub use recover::{adopt, Adopted};
pub use segment::{end_of_files, last_line, segments, Segment};
pub(crate) use settings::host;
pub use settings::{Durability, Settings, SettingsChange};

use crate::domain::{flock, Domain};
use crate::error::{At, Error, Result};
use crate::level::{self, Level};

/// A journal's directory, checked and ready.
#[derive(Debug, Clone)]
pub struct Journal {
    directory: PathBuf,
}

impl Journal {
    /// Opens the journal at `directory`, making it when there is none.
    ///
    /// # Errors
    /// When the directory cannot be made, is writable by others, or holds a journal of another format.
    pub fn open_or_create(directory: &Path, change: &SettingsChange) -> Result<(Self, Settings)> {
        let directory = std::path::absolute(directory).at("finding the journal", directory)?;
        make_directory(&directory)?;
        let journal = Self { directory };
        make_directory(&journal.active())?;
        let settings = settings::establish(&journal, change)?;
        Ok((journal, settings))
    }

    /// Opens a journal that must exist.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(directory: &Path) -> Result<(Self, Settings)> {
        let directory = std::path::absolute(directory).at("finding the journal", directory)?;
        let journal = Self { directory };
        let settings = settings::load(&journal.settings_path())?;
        Ok((journal, settings))
    }

    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    #[must_use]
    pub fn active(&self) -> PathBuf {
        self.directory.join("active")
    }

    #[must_use]
    pub fn settings_path(&self) -> PathBuf {
        self.directory.join("journal.json")
    }

    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        self.directory.join("lock")
    }

    /// A leader of another domain puts this file here to be given a turn.
    #[must_use]
    pub fn turn_path(&self) -> PathBuf {
        self.directory.join("turn")
    }

    fn levels_path(&self) -> PathBuf {
        self.directory.join("levels.json")
    }

    fn configured_path(&self) -> PathBuf {
        self.directory.join("configured.json")
    }

    fn aside(&self) -> PathBuf {
        self.directory.join("aside")
    }

    /// Where the processes of this journal share memory.
    ///
    /// # Errors
    /// When the directory has vanished.
    pub fn domain_place(&self, settings: &Settings) -> Result<PathBuf> {
        let owner = fs::metadata(&self.directory).at("reading", &self.directory)?.uid();
        Ok(crate::domain::place(&settings.id, owner))
    }

    /// Tries to become the leader: the returned file is the lead, until it is closed.
    ///
    /// # Errors
    /// When the lock file cannot be used at all; somebody else holding it is `Ok(None)`.
    pub fn try_lead(&self) -> Result<Option<File>> {
        let path = self.lock_path();
        let file = open_or_make(&path, &self.directory).at("opening the lock", &path)?;
        match flock(&file, libc::LOCK_EX | libc::LOCK_NB) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error).at("locking", &path),
        }
        Ok(Some(file))
    }

    /// Names this process and its domain in the lock file, so that readers know whose word counts.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn name_leader(&self, lock: &File, domain: &Domain) -> Result<()> {
        // 40 bytes in any case, so that a shorter line never leaves the end of a longer one.
        let line = format!("{:>10} {:>28x}\n", std::process::id(), domain.control().id());
        lock.write_all_at(line.as_bytes(), 0).at("writing the lock", &self.lock_path())
    }

    /// Process and domain of the last leader, as the lock file names them.
    #[must_use]
    pub fn last_leader(&self) -> Option<(u32, u64)> {
        let text = fs::read_to_string(self.lock_path()).ok()?;
        let mut words = text.split_whitespace();
        let process = words.next()?.parse().ok()?;
        let domain = u64::from_str_radix(words.next()?, 16).ok()?;
        Some((process, domain))
    }

    /// Levels that were stored to outlive the processes.
    ///
    /// # Errors
    /// When the file is there and not what it should be.
    pub fn stored_levels(&self) -> Result<Vec<(String, Level)>> {
        let path = self.levels_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).at("reading", &path),
        };
        let damaged = |what: String| Error::Damaged { path: path.clone(), what };
        let named: BTreeMap<String, String> =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        named
            .into_iter()
            .map(|(component, name)| match level::parse(&name) {
                Some(level) => Ok((component, level)),
                None => {
                    Err(damaged(format!("level '{name}' of component '{component}' is unknown")))
                }
            })
            .collect()
    }

    /// Stores levels to outlive the processes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn store_levels(&self, levels: &[(String, Level)]) -> Result<()> {
        let named: BTreeMap<_, _> = levels
            .iter()
            .map(|(component, level)| (component.as_str(), level::name(*level).into_owned()))
            .collect();
        let mut text = serde_json::to_string_pretty(&named).unwrap_or_default();
        text.push('\n');
        replace_file(&self.levels_path(), text.as_bytes())
    }

    /// What configurations have said about levels, as far as it is known; `domain` is the present one.
    #[must_use]
    pub fn configured_levels(&self, domain: u64) -> ConfiguredLevels {
        let domain = format!("{domain:x}");
        let text = fs::read_to_string(self.configured_path()).unwrap_or_default();
        let known: ConfiguredLevels = serde_json::from_str(&text).unwrap_or_default();
        if known.domain == domain {
            known
        } else {
            ConfiguredLevels { domain, in_force: BTreeMap::new(), ..known }
        }
    }

    /// Notes what a configuration says about levels, for the next one to be compared with.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_configured_levels(&self, levels: &ConfiguredLevels) -> Result<()> {
        let mut text = serde_json::to_string_pretty(levels).unwrap_or_default();
        text.push('\n');
        replace_file(&self.configured_path(), text.as_bytes())
    }
}

/// Levels that configurations asked for, by component.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConfiguredLevels {
    domain: String,
    /// Said by a process of the present domain.
    pub in_force: BTreeMap<String, Level>,
    /// Said last, whenever that was.
    pub ever: BTreeMap<String, Level>,
}

/// Makes a directory 0700 and refuses one that others can write to.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    if !path.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .at("making the directory", path)?;
        crate::owner::give_like(path, path.parent().unwrap_or(path));
    }
    let mode = fs::metadata(path).at("reading", path)?.mode();
    if mode & 0o022 != 0 {
        return Err(Error::Unsafe {
            path: path.to_owned(),
            what: "others can write to the directory of a journal; chmod go-w would be right",
        });
    }
    Ok(())
}

/// Opens a file for reading and writing, made 0600 for the owner of `like` when it is new.
fn open_or_make(path: &Path, like: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    crate::owner::give(&file, like);
    Ok(file)
}

/// Replaces a file whole: readers see the old or the new one, and so does the next boot.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        crate::owner::give(&file, path.parent().unwrap_or(path));
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().at("writing", path)?;
    sync_directory(path.parent().unwrap_or(path))
}

pub(crate) fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).at("syncing", path)
}
