//! A text file that is rotated by size, by age and by the clock, and whose old files are compressed
//! and deleted.
//!
//! One process writes it: it holds a lock on the open file. Rotation happens between two records only.
//! The directory is the only state, so a death at any point leaves nothing that the next opening
//! does not put right.

mod active;
mod backups;
mod compress;
mod flags;
mod name;
mod schedule;
#[cfg(test)]
mod tests;
mod text;
mod upkeep;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use compress::Compression;
pub use name::{Key, Naming};
pub use schedule::RotateAt;
pub use text::Text;

use active::Active;
use backups::Backups;
use upkeep::Upkeep;

use crate::error::{Error, Result};
use crate::format::local_offset;
use crate::process::fork;

/// A rotation that failed is tried again after this long.
const RETRY_NS: u64 = 1_000_000_000;

/// How a text file is kept.
#[derive(Debug, Clone)]
pub struct Settings {
    pub path: PathBuf,
    /// The largest size of the file, unless one record is larger; 0 for no limit.
    pub max_bytes: u64,
    /// Rotated this long after its first record.
    pub max_age_ns: Option<u64>,
    pub rotate_at: Option<RotateAt>,
    /// Names and `rotate_at` go by UTC rather than by the wall clock.
    pub utc: bool,
    pub naming: Naming,
    pub backup_count: Option<usize>,
    /// Of the file and its rotated ones, the file counted as it is when full.
    pub max_total_bytes: Option<u64>,
    pub backup_max_age_s: Option<u64>,
    pub compression: Option<Compression>,
    /// Whatever the umask says.
    pub permissions: u32,
    /// At the top of every file; ends with a line feed, or is empty.
    pub header: Vec<u8>,
    /// Every batch reaches the device before it counts as written.
    pub sync: bool,
    /// Rotated files get the flag of `chattr +i`.
    pub immutable: bool,
    /// The file gets the flag of `chattr +a`.
    pub append_only: bool,
}

impl Settings {
    fn directory(&self) -> &Path {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    fn file_name(&self) -> Option<&str> {
        self.path.file_name()?.to_str()
    }

    fn draft(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".{name}.new"))
    }

    fn east_of_utc(&self, seconds: u64) -> i64 {
        if self.utc {
            0
        } else {
            local_offset(seconds)
        }
    }
}

/// Why a text file could not take records.
#[derive(Debug)]
pub enum Failure {
    /// There is no file to write to.
    Unavailable(Error),
    /// The kernel or the file system refuses a flag that an option asks for.
    Flag { option: &'static str, path: PathBuf, source: io::Error },
    /// Of the records, the first `accepted` are in the file and no part of another is.
    Write { accepted: usize, error: Error },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Unavailable(error)
    }
}

/// What a text file has done since it was made.
#[derive(Debug, Default)]
pub struct Counts {
    pub bytes: AtomicU64,
    pub records: AtomicU64,
    pub rotations: AtomicU64,
    pub reopened: AtomicU64,
    pub compressed: AtomicU64,
    pub deleted: AtomicU64,
    pub rotation_errors: AtomicU64,
    pub upkeep_errors: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Counts {
    fn failed(&self, counter: &AtomicU64, error: &Error) {
        counter.fetch_add(1, Ordering::Relaxed);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }

    /// The last of what `rotation_errors` and `upkeep_errors` count.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A text file to which batches are appended. Times are nanoseconds since the epoch.
#[derive(Debug)]
pub struct TextFile {
    settings: Arc<Settings>,
    counts: Arc<Counts>,
    open: Option<Open>,
    generation: u32,
}

#[derive(Debug)]
struct Open {
    active: Active,
    upkeep: Upkeep,
    due_ns: u64,
    retry_ns: u64,
}

impl TextFile {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let counts = Arc::default();
        Self { settings: Arc::new(settings), counts, open: None, generation: fork::generation() }
    }

    #[must_use]
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Opens the file anew and puts right what a process that died has left.
    ///
    /// # Errors
    /// When it cannot be opened or locked, or a flag cannot be set.
    pub fn open(&mut self) -> std::result::Result<(), Failure> {
        // Two open files would not get the lock.
        let upkeep = self.open.take().map(|open| open.upkeep);
        let active = Active::open(&self.settings)?;
        // Nobody else makes one while we hold the lock.
        let _ = std::fs::remove_file(self.settings.draft());
        self.try_immutable()?;
        let upkeep = match upkeep {
            Some(upkeep) => upkeep,
            None => Upkeep::start(&self.settings, &self.counts)?,
        };
        upkeep.wake();
        let mut open = Open { active, upkeep, due_ns: 0, retry_ns: 0 };
        open.schedule(&self.settings);
        self.open = Some(open);
        Ok(())
    }

    fn try_immutable(&self) -> std::result::Result<(), Failure> {
        if !self.settings.immutable {
            return Ok(());
        }
        let path = self.settings.draft();
        let tried = std::fs::File::create_new(&path).and_then(|file| {
            flags::change(&file, flags::IMMUTABLE, true)?;
            flags::change(&file, flags::IMMUTABLE, false)
        });
        let _ = std::fs::remove_file(&path);
        let path = self.settings.path.clone();
        tried.map_err(|source| Failure::Flag { option: "immutable", path, source })
    }

    /// Appends records, rotating between them where that is due.
    ///
    /// # Errors
    /// When it is not open and cannot be opened, or the file does not take them all.
    pub fn write(&mut self, text: Text<'_>, now_ns: u64) -> std::result::Result<(), Failure> {
        if self.open.as_ref().is_none_or(|open| !open.active.is_in_place()) {
            if self.open.is_some() {
                self.counts.reopened.fetch_add(1, Ordering::Relaxed);
            }
            self.open()?;
        }
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        open.active.look(&self.settings)?;
        let mut at = 0;
        while at < text.bytes().len() {
            let first = (text.end_of_first(at) - at) as u64;
            let may_rotate = open.retry_ns <= now_ns;
            if may_rotate && open.is_due(&self.settings, first, now_ns) {
                open.try_rotate(&self.settings, &self.counts, now_ns);
            }
            let rotates = open.retry_ns <= now_ns && self.settings.max_bytes > 0;
            let room = if rotates {
                self.settings.max_bytes.saturating_sub(open.active.size).max(first) as usize
            } else {
                usize::MAX
            };
            let end = text.end_before(at, at.saturating_add(room));
            open.append(text, at, end, &self.settings, &self.counts, now_ns)?;
            at = end;
        }
        if self.settings.sync {
            let path = &self.settings.path;
            open.active.sync().map_err(|source| Failure::Write {
                accepted: 0,
                error: Error::Io { what: "syncing", path: path.clone(), source },
            })?;
        }
        Ok(())
    }

    /// Rotates now, unless there is no record in the file; returns whether it did.
    ///
    /// # Errors
    /// When the file is not open, or cannot be rotated.
    pub fn rotate(&mut self, now_ns: u64) -> Result<bool> {
        let Some(open) = self.open.as_mut() else { return Ok(false) };
        if open.is_empty(&self.settings) {
            return Ok(false);
        }
        open.rotate(&self.settings, &self.counts, now_ns).map(|()| true)
    }

    /// Lets go of the file; waits at most `timeout` for compression that is going on.
    pub fn close(&mut self, timeout: Duration) {
        if let Some(mut open) = self.open.take() {
            open.upkeep.end(timeout);
        }
    }
}

impl Drop for TextFile {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            // A forked child has neither the file, which was closed, nor the thread.
            std::mem::forget(self.open.take());
        }
    }
}

impl Open {
    fn is_empty(&self, settings: &Settings) -> bool {
        self.active.size <= settings.header.len() as u64
    }

    fn is_due(&self, settings: &Settings, next_bytes: u64, now_ns: u64) -> bool {
        let full = settings.max_bytes > 0 && self.active.size + next_bytes > settings.max_bytes;
        !self.is_empty(settings) && (full || now_ns >= self.due_ns)
    }

    fn schedule(&mut self, settings: &Settings) {
        let Some(begin_ns) = self.active.begin_ns else {
            self.due_ns = u64::MAX;
            return;
        };
        let age = settings.max_age_ns.map(|age_ns| begin_ns.saturating_add(age_ns));
        let clock = settings.rotate_at.map(|at| at.next(begin_ns, |s| settings.east_of_utc(s)));
        self.due_ns = age.into_iter().chain(clock).min().unwrap_or(u64::MAX);
    }

    fn append(
        &mut self,
        text: Text<'_>,
        from: usize,
        to: usize,
        settings: &Settings,
        counts: &Counts,
        now_ns: u64,
    ) -> std::result::Result<(), Failure> {
        let before = self.active.size;
        if self.active.begin_ns.is_none() {
            self.active.begin_ns = Some(now_ns);
            self.schedule(settings);
        }
        let written = self.active.append(&text.bytes()[from..to]);
        let whole = match &written {
            Ok(()) => to,
            Err((count, _)) => text.end_before(from, from + count),
        };
        counts.bytes.fetch_add((whole - from) as u64, Ordering::Relaxed);
        let accepted = text.count(whole);
        counts.records.fetch_add((accepted - text.count(from)) as u64, Ordering::Relaxed);
        written.map_err(|(_, source)| {
            self.active.cut(before + (whole - from) as u64);
            let synced = !settings.sync || self.active.sync().is_ok();
            let error = Error::Io { what: "writing", path: settings.path.clone(), source };
            Failure::Write { accepted: if synced { accepted } else { 0 }, error }
        })
    }

    /// Rotates; when that fails the file is written on, and it is tried again later.
    fn try_rotate(&mut self, settings: &Settings, counts: &Counts, now_ns: u64) {
        if let Err(error) = self.rotate(settings, counts, now_ns) {
            counts.failed(&counts.rotation_errors, &error);
            self.retry_ns = now_ns.saturating_add(RETRY_NS);
        }
    }

    fn rotate(&mut self, settings: &Settings, counts: &Counts, now_ns: u64) -> Result<()> {
        let begin_s = self.active.begin_ns.unwrap_or(now_ns) / 1_000_000_000;
        let wall_s = begin_s as i64 + settings.east_of_utc(begin_s);
        let key = settings.naming.next(Backups::list(settings)?.newest, wall_s);
        let target = settings.directory().join(settings.naming.name(key));
        let mut next = Active::draft(settings, &settings.draft())?;
        if settings.sync {
            // What is not in the file any more cannot be synced with it later.
            let _ = self.active.sync();
        }
        let moved = self.active.move_to(&target).and_then(|()| {
            next.move_to(&settings.path).inspect_err(|_| {
                let _ = self.active.move_to(&settings.path);
            })
        });
        if let Err(error) = moved {
            let _ = std::fs::remove_file(settings.draft());
            return Err(error);
        }
        if let Err(Failure::Flag { path, source, .. }) = next.protect(settings) {
            let error = Error::Io { what: "making append-only", path, source };
            counts.failed(&counts.rotation_errors, &error);
        }
        self.active = next;
        self.schedule(settings);
        self.upkeep.wake();
        counts.rotations.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
