//! The rings of a domain, one file for each process.
//!
//! The owner of a ring holds a lock on its file. The kernel frees it when the owner dies, however it
//! dies, and that is how the leader knows an orphan.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use super::{flock, still_linked, Domain};
use crate::process::fork;
use crate::ring::Mapping;

const PREFIX: &str = "ring-";
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The ring of this process.
#[derive(Debug)]
pub struct OwnRing {
    pub mapping: Arc<Mapping>,
    file: Option<File>,
    path: Option<PathBuf>,
}

impl OwnRing {
    /// Makes a ring in the domain and announces it to the leader.
    ///
    /// # Errors
    /// What the kernel says, `ENOSPC` included.
    pub fn create(domain: &Domain, capacity: usize) -> io::Result<Self> {
        let Some(directory) = domain.directory() else {
            return Ok(Self {
                mapping: Arc::new(Mapping::private(capacity)?),
                file: None,
                path: None,
            });
        };
        let name = format!(
            "{PREFIX}{}-{:x}-{}",
            std::process::id(),
            crate::clock::now_ns(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        // The leader must never see a live ring without its lock: locked first, then named.
        let draft = directory.join(format!("draft-{name}"));
        let path = directory.join(&name);
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&draft)?;
        // A mapping keeps its open file alive, and with it the lock, in forked children too: the one
        // that is mapped must not be the one that is locked.
        let made = flock(&file, libc::LOCK_EX | libc::LOCK_NB)
            .and_then(|()| OpenOptions::new().read(true).write(true).open(&draft))
            .and_then(|unlocked| Mapping::create(&unlocked, capacity))
            .and_then(|mapping| fs::rename(&draft, &path).map(|()| mapping));
        match made {
            Ok(mapping) => {
                fork::close_in_children(Some(&file));
                domain.control().announce_ring();
                Ok(Self { mapping: Arc::new(mapping), file: Some(file), path: Some(path) })
            }
            Err(error) => {
                let _ = fs::remove_file(&draft);
                Err(error)
            }
        }
    }

    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Gives the ring up: the leader drains what is in it and removes it.
    pub fn release(&self) {
        if let Some(file) = &self.file {
            // Cannot fail on a lock we hold; if it did, our death would release it.
            let _ = flock(file, libc::LOCK_UN);
        }
    }
}

impl Drop for OwnRing {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            fork::forget_descriptor(file.as_raw_fd());
        }
    }
}

/// A ring as its leader sees it.
#[derive(Debug)]
pub struct SharedRing {
    pub mapping: Arc<Mapping>,
    path: PathBuf,
    file: File,
}

impl SharedRing {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True when the process that wrote this ring is gone. The leader then owns the ring.
    #[must_use]
    pub fn is_orphan(&self) -> bool {
        flock(&self.file, libc::LOCK_EX | libc::LOCK_NB).is_ok()
    }

    /// Removes the file of an orphan that has been drained.
    pub fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for SharedRing {
    fn drop(&mut self) {
        fork::forget_descriptor(self.file.as_raw_fd());
    }
}

/// Opens the rings of the domain that `known` does not hold yet; drops from it those whose file is gone.
///
/// # Errors
/// When the directory cannot be read.
pub fn refresh(domain: &Domain, known: &mut Vec<SharedRing>) -> io::Result<()> {
    let Some(directory) = domain.directory() else {
        return Ok(());
    };
    known.retain(|ring| still_linked(&ring.file, &ring.path));
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_ring =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if !is_ring || known.iter().any(|ring| ring.path == path) {
            continue;
        }
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .and_then(|file| Mapping::open(&file).map(|mapping| (file, mapping)));
        if let Ok((file, mapping)) = opened {
            fork::close_in_children(Some(&file));
            known.push(SharedRing { mapping: Arc::new(mapping), path, file });
        }
    }
    Ok(())
}

pub(super) fn any(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        })
    })
}
