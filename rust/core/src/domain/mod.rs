//! The domain: the memory that the processes of one journal share.
//!
//! ```text
//! /dev/shm/treering-<owner's uid>/<journal id>/control        one page, then the level table
//!                                              ring-<pid>-<n> one for each process, locked while it lives
//! ```
//! When that place cannot be had the domain is private: one process, memory without a name. Domains
//! that share a journal but not a memory (two containers, one volume) take turns at its lock.

mod control;
mod levels;
mod pages;
mod rings;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use control::{Committed, Control, Intent};
pub use levels::LevelTable;
pub use rings::{refresh as refresh_rings, OwnRing, SharedRing};

use control::{CONTROL_BYTES, MAGIC};
use pages::Pages;

use crate::process::fork;

/// Where domains live unless the environment names another place.
pub const RUNTIME_DIRECTORY: &str = "/dev/shm";
pub const RUNTIME_DIRECTORY_VARIABLE: &str = "TREERING_RUNTIME_DIR";

/// One process's hold on its domain; as long as it lives nobody removes the shared files.
#[derive(Debug)]
pub struct Domain {
    pages: Pages,
    directory: Option<PathBuf>,
    /// Shared lock on the control file: "somebody is attached".
    attached: Mutex<Option<File>>,
}

impl Domain {
    /// A domain of this process alone.
    ///
    /// # Errors
    /// When the kernel gives no memory.
    pub fn private() -> io::Result<Self> {
        let pages = Pages::private(CONTROL_BYTES + levels::TABLE_BYTES)?;
        let domain = Self { pages, directory: None, attached: Mutex::new(None) };
        domain.control().initialise();
        domain.levels().initialise();
        Ok(domain)
    }

    /// Attaches to the domain of a journal, making it when this process is the first.
    ///
    /// `prepare` runs on a domain nobody else can see yet, to fill its level table.
    ///
    /// # Errors
    /// When the runtime directory is missing, full, not ours or writable by others.
    pub fn attach(place: &Path, prepare: impl Fn(&Self)) -> io::Result<Self> {
        make_private_directories(place)?;
        let path = place.join("control");
        loop {
            match OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(libc::O_NOFOLLOW)
                .open(&path)
            {
                Ok(file) => {
                    flock(&file, libc::LOCK_SH)?;
                    if still_linked(&file, &path) {
                        // Mapped through another open file: see `OwnRing::create`.
                        let unlocked = OpenOptions::new().read(true).write(true).open(&path)?;
                        let pages = Pages::map(&unlocked, CONTROL_BYTES + levels::TABLE_BYTES)?;
                        fork::close_in_children(Some(&file));
                        let domain = Self {
                            pages,
                            directory: Some(place.to_owned()),
                            attached: Mutex::new(Some(file)),
                        };
                        if domain.control().magic() != MAGIC {
                            return Err(io::Error::new(
                                io::ErrorKind::InvalidData,
                                "the control file is of another version",
                            ));
                        }
                        return Ok(domain);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Self::found(place, &path, &prepare)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Looks at the domain of a journal without making one. Holds no lock: good for readers.
    #[must_use]
    pub fn look(place: &Path) -> Option<Self> {
        let path = place.join("control");
        let file = OpenOptions::new().read(true).write(true).open(path).ok()?;
        let pages = Pages::map(&file, CONTROL_BYTES + levels::TABLE_BYTES).ok()?;
        let domain = Self { pages, directory: Some(place.to_owned()), attached: Mutex::new(None) };
        (domain.control().magic() == MAGIC && !domain.control().is_retired()).then_some(domain)
    }

    /// Makes the control file complete under another name, then gives it the real one: nobody ever
    /// sees half of it, and of two founders one wins.
    fn found(place: &Path, path: &Path, prepare: &impl Fn(&Self)) -> io::Result<()> {
        let draft =
            place.join(format!("control-{}-{}", std::process::id(), crate::clock::now_ns()));
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&draft)?;
        let made = Pages::create(&file, CONTROL_BYTES + levels::TABLE_BYTES).and_then(|pages| {
            let domain = Self { pages, directory: None, attached: Mutex::new(None) };
            domain.control().initialise();
            domain.levels().initialise();
            prepare(&domain);
            fs::hard_link(&draft, path)
        });
        fs::remove_file(&draft)?;
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    #[must_use]
    pub fn control(&self) -> &Control {
        self.pages.at(0)
    }

    #[must_use]
    pub fn levels(&self) -> &LevelTable {
        self.pages.at(CONTROL_BYTES)
    }

    #[must_use]
    pub fn is_private(&self) -> bool {
        self.directory.is_none()
    }

    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The rings that are in the domain now.
    #[must_use]
    pub fn rings(&self) -> Vec<SharedRing> {
        let mut found = Vec::new();
        // A domain that is being removed has no rings either.
        let _ = rings::refresh(self, &mut found);
        found
    }

    /// Lets go, and removes the shared files when no other process is attached and no ring is left.
    pub fn detach(&self) {
        let file = self.attached.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(directory), Some(file)) = (&self.directory, file) else {
            return;
        };
        fork::forget_descriptor(file.as_raw_fd());
        if flock(&file, libc::LOCK_EX | libc::LOCK_NB).is_err() || rings::any(directory) {
            return;
        }
        self.control().retire();
        // A failed removal leaves files that the next founder adopts; nothing depends on it.
        let _ = fs::remove_file(directory.join("control"));
        let _ = fs::remove_dir(directory);
    }
}

/// The directory of a journal's domain below the runtime directory.
#[must_use]
pub fn place(journal_id: &str, owner: u32) -> PathBuf {
    let base = std::env::var_os(RUNTIME_DIRECTORY_VARIABLE)
        .map_or_else(|| PathBuf::from(RUNTIME_DIRECTORY), PathBuf::from);
    base.join(format!("treering-{owner}")).join(journal_id)
}

/// Makes `place` and its parent 0700, and refuses ones that somebody else prepared.
fn make_private_directories(place: &Path) -> io::Result<()> {
    for directory in [place.parent().unwrap_or(place), place] {
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let metadata = fs::symlink_metadata(directory)?;
        if !metadata.is_dir() || metadata.mode() & 0o022 != 0 || !is_trusted(metadata.uid(), place)
        {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the runtime directory belongs to somebody else or is writable by others",
            ));
        }
    }
    Ok(())
}

/// Ours, root's, or, for a leader that runs as root, the owner's whose uid the place is named after.
fn is_trusted(uid: u32, place: &Path) -> bool {
    let own = effective_uid();
    let named = place
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|name| name.to_string_lossy() == format!("treering-{uid}"));
    uid == own || uid == 0 || (own == 0 && named)
}

#[allow(unsafe_code)]
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: cannot fail and touches no memory.
    unsafe { libc::geteuid() }
}

/// Takes or releases a lock that dies with the last descriptor of its open file.
#[allow(unsafe_code)]
pub(crate) fn flock(file: &File, operation: i32) -> io::Result<()> {
    loop {
        // SAFETY: a plain system call on an open descriptor.
        if unsafe { libc::flock(file.as_raw_fd(), operation) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Is this open file still the one that its path names?
pub(crate) fn still_linked(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        if let Some(file) = &*self.attached.lock().unwrap_or_else(PoisonError::into_inner) {
            fork::forget_descriptor(file.as_raw_fd());
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
