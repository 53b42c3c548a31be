//! The file that is being written: opened, locked, whole.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::flags::{self, APPEND_ONLY};
use super::{Failure, Settings};
use crate::domain::{flock, still_linked};
use crate::error::{At, Error, Result};
use crate::process::fork;

const OPENINGS: u32 = 10;

#[derive(Debug)]
pub(super) struct Active {
    file: File,
    path: PathBuf,
    append_only: bool,
    pub size: u64,
    /// When its first record came, by the clock of whoever wrote it; `None` before that.
    pub begin_ns: Option<u64>,
    /// A half line is at its end, which could not be taken back.
    torn: bool,
}

impl Active {
    /// Opens or makes the file at the settings' path, and takes its lock.
    pub fn open(settings: &Settings) -> std::result::Result<Self, Failure> {
        let path = &settings.path;
        make_parents(path)?;
        for _ in 0..OPENINGS {
            let file = options().create(true).open(path).map_err(|source| refused(path, source))?;
            lock(&file, path)?;
            // Whoever had the lock before may have moved the file away.
            if still_linked(&file, path) {
                return Self::take(file, path.clone(), settings);
            }
        }
        Err(Failure::Unavailable(in_use(path)))
    }

    /// Makes the next file under a name of its own, locked and with its header.
    pub fn draft(settings: &Settings, draft: &Path) -> Result<Self> {
        match fs::remove_file(draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).at("removing", draft)
            }
            _ => {}
        }
        let file = options().create_new(true).open(draft).at("making", draft)?;
        lock(&file, draft)?;
        let mut made = Self::new(file, draft.to_owned())?;
        let prepared = made.prepare(settings);
        if prepared.is_err() {
            let _ = fs::remove_file(draft);
        }
        prepared.map(|()| made)
    }

    fn new(file: File, path: PathBuf) -> Result<Self> {
        let metadata = file.metadata().at("looking at", &path)?;
        fork::close_in_children(Some(&file));
        let (size, torn) = (metadata.len(), false);
        let mut opened = Self { file, path, append_only: false, size, begin_ns: None, torn };
        let made = metadata.created().or_else(|_| metadata.modified());
        let since = made.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        opened.begin_ns = since.map(|since| since.as_nanos() as u64).filter(|_| size > 0);
        Ok(opened)
    }

    fn take(file: File, path: PathBuf, settings: &Settings) -> std::result::Result<Self, Failure> {
        let mut opened = Self::new(file, path)?;
        opened.prepare(settings)?;
        opened.protect(settings)?;
        Ok(opened)
    }

    fn prepare(&mut self, settings: &Settings) -> Result<()> {
        let metadata = self.file.metadata().at("looking at", &self.path)?;
        if metadata.permissions().mode() & 0o7777 != settings.permissions {
            if settings.append_only {
                flags::change(&self.file, APPEND_ONLY, false).at("making writable", &self.path)?;
            }
            self.file
                .set_permissions(Permissions::from_mode(settings.permissions))
                .at("setting the permissions", &self.path)?;
        }
        self.mend()?;
        self.head(settings)
    }

    /// Sets the flags that are wanted, or says that they cannot be had.
    pub fn protect(&mut self, settings: &Settings) -> std::result::Result<(), Failure> {
        if settings.append_only {
            flags::change(&self.file, APPEND_ONLY, true).map_err(|source| Failure::Flag {
                option: "append_only",
                path: self.path.clone(),
                source,
            })?;
            self.append_only = true;
        }
        Ok(())
    }

    /// Ends a half line, of a process that died in writing it, with a line feed.
    fn mend(&mut self) -> Result<()> {
        let mut last = [b'\n'];
        if self.size > 0 {
            self.file.read_exact_at(&mut last, self.size - 1).at("reading", &self.path)?;
        }
        if last != *b"\n" {
            (&self.file).write_all(b"\n").at("writing", &self.path)?;
            self.size += 1;
        }
        self.torn = false;
        Ok(())
    }

    fn head(&mut self, settings: &Settings) -> Result<()> {
        if self.size == 0 && !settings.header.is_empty() {
            let written = self.append(&settings.header);
            if let Err((_, source)) = written {
                self.cut(0);
                return Err(source).at("writing the header", &self.path);
            }
        }
        Ok(())
    }

    /// Whether its path still names it.
    pub fn is_in_place(&self) -> bool {
        still_linked(&self.file, &self.path)
    }

    /// Notes what others have done to it since: cut it, or written to it.
    pub fn look(&mut self, settings: &Settings) -> Result<()> {
        self.size = self.file.metadata().at("looking at", &self.path)?.len();
        if self.torn {
            self.mend()?;
        }
        if self.size == 0 {
            self.begin_ns = None;
            self.head(settings)?;
        }
        Ok(())
    }

    /// Appends; in trouble says how many bytes were written before it.
    pub fn append(&mut self, bytes: &[u8]) -> std::result::Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match (&self.file).write(&bytes[written..]) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        self.size += written as u64;
        Ok(())
    }

    /// Takes back what stands after `size`.
    pub fn cut(&mut self, size: u64) {
        let cut = self.unprotected(|file| file.set_len(size));
        self.torn = cut.is_err();
        self.size = size;
    }

    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Gives it another path; an append-only file is set free for that, and again after a failure.
    pub fn move_to(&mut self, target: &Path) -> Result<()> {
        let path = self.path.clone();
        if self.append_only {
            flags::change(&self.file, APPEND_ONLY, false).at("making movable", &path)?;
        }
        let moved = fs::rename(&path, target).at("renaming", &path);
        match moved {
            Ok(()) => target.clone_into(&mut self.path),
            Err(_) if self.append_only => {
                let _ = flags::change(&self.file, APPEND_ONLY, true);
            }
            Err(_) => {}
        }
        moved
    }

    fn unprotected(&self, change: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        if !self.append_only {
            return change(&self.file);
        }
        flags::change(&self.file, APPEND_ONLY, false)?;
        let done = change(&self.file);
        done.and(flags::change(&self.file, APPEND_ONLY, true))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        fork::forget_descriptor(self.file.as_raw_fd());
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options
}

fn make_parents(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .at("making the directory", parent),
        _ => Ok(()),
    }
}

fn refused(path: &Path, source: io::Error) -> Failure {
    if source.raw_os_error() == Some(libc::ELOOP) {
        let what = "it is a symbolic link: the path of the file itself would be right".into();
        return Failure::Unavailable(Error::Refused { path: path.to_owned(), what });
    }
    Failure::Unavailable(Error::Io { what: "opening the file", path: path.to_owned(), source })
}

fn in_use(path: &Path) -> Error {
    let what = "another process or output is writing to it: a path of its own would be right";
    Error::Refused { path: path.to_owned(), what: what.into() }
}

fn lock(file: &File, path: &Path) -> Result<()> {
    if !file.metadata().at("looking at", path)?.is_file() {
        let what = "it is not a regular file".into();
        return Err(Error::Refused { path: path.to_owned(), what });
    }
    flock(file, libc::LOCK_EX | libc::LOCK_NB).map_err(|source| {
        if source.kind() == io::ErrorKind::WouldBlock {
            return in_use(path);
        }
        Error::Io { what: "locking the file", path: path.to_owned(), source }
    })
}
