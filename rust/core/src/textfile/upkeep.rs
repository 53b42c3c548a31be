//! The thread that compresses, protects and deletes rotated files, so that the writer goes on.
//!
//! It keeps no list of work: a pass looks at the directory and does what is due, so it also finishes
//! what a process that was killed had begun.
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::backups::{self, Backup, Backups};
use super::compress::compress;
use super::flags::{self, IMMUTABLE};
use super::{Counts, Settings};
use crate::clock;
use crate::error::{At, Result};
use crate::priority::be_modest;

/// How soon a file that has become too old is noticed, and how long after a failure a pass is tried
/// again.
const PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Turn {
    wanted: u64,
    done: u64,
    ending: bool,
}

#[derive(Debug)]
struct Shared {
    settings: Arc<Settings>,
    counts: Arc<Counts>,
    turn: Mutex<Turn>,
    changed: Condvar,
    abandoned: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Upkeep {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    pub fn start(settings: &Arc<Settings>, counts: &Arc<Counts>) -> Result<Self> {
        let shared = Arc::new(Shared {
            settings: settings.clone(),
            counts: counts.clone(),
            turn: Mutex::default(),
            changed: Condvar::new(),
            abandoned: AtomicBool::new(false),
        });
        let serving = shared.clone();
        let thread = std::thread::Builder::new()
            .name("treering-files".into())
            .spawn(move || serving.serve())
            .at("starting the thread for rotated files of", &settings.path)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Has the directory looked at soon.
    pub fn wake(&self) {
        self.shared.turn().wanted += 1;
        self.shared.changed.notify_all();
    }

    /// Waits until everything asked for is done, but not longer than `timeout`; then stops.
    pub fn end(&mut self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut turn = self.shared.turn();
        while turn.done < turn.wanted {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = self.shared.changed.wait_timeout(turn, left);
            turn = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        turn.ending = true;
        drop(turn);
        self.shared.abandoned.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A pass that panicked has done what it could.
            let _ = thread.join();
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

impl Shared {
    fn turn(&self) -> std::sync::MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        be_modest();
        let mut again = self.settings.backup_max_age_s.is_some();
        while let Some(wanted) = self.wait(again) {
            let fine = self.pass();
            again = !fine || self.settings.backup_max_age_s.is_some();
            self.turn().done = wanted;
            self.changed.notify_all();
        }
    }

    /// Waits for something to do; `None` at the end.
    fn wait(&self, again: bool) -> Option<u64> {
        let mut turn = self.turn();
        let mut timed_out = false;
        while !turn.ending && turn.done == turn.wanted && !(again && timed_out) {
            let woken = self.changed.wait_timeout(turn, if again { PAUSE } else { Duration::MAX });
            let woken = woken.unwrap_or_else(PoisonError::into_inner);
            (turn, timed_out) = (woken.0, woken.1.timed_out());
        }
        (!turn.ending).then_some(turn.wanted)
    }

    /// One look at the directory; false when something of it failed.
    fn pass(&self) -> bool {
        let settings = &self.settings;
        let mut fine = self.attempt(|| {
            let listed = Backups::list(settings)?;
            for draft in &listed.drafts {
                fs::remove_file(draft).at("removing", draft)?;
            }
            self.delete_surplus(listed, false)
        });
        if let (Ok(listed), Some(_)) = (Backups::list(settings), settings.compression) {
            for backup in listed.found.values() {
                fine &= self.attempt(|| self.compress(backup));
            }
        }
        fine &= self.attempt(|| self.delete_surplus(Backups::list(settings)?, true));
        if settings.immutable {
            fine &= self.attempt(|| protect(&Backups::list(settings)?));
        }
        fine
    }

    fn attempt(&self, work: impl FnOnce() -> Result<()>) -> bool {
        let done = work();
        if let Err(error) = &done {
            if !self.abandoned.load(Ordering::Relaxed) {
                self.counts.failed(&self.counts.upkeep_errors, error);
            }
        }
        done.is_ok()
    }

    fn compress(&self, backup: &Backup) -> Result<()> {
        let (Some(plain), Some(kind)) = (&backup.plain, self.settings.compression) else {
            return Ok(());
        };
        if backup.compressed.is_none() {
            compress(&plain.path, kind, &self.abandoned)?;
            self.counts.compressed.fetch_add(1, Ordering::Relaxed);
        }
        // The compressed form got its name when it was whole and on the device.
        backups::remove(&plain.path, &self.settings)
    }

    /// Deletes the oldest files over the limits; those over the total size only when all that can be
    /// compressed is.
    fn delete_surplus(&self, mut listed: Backups, by_size: bool) -> Result<()> {
        let settings = &self.settings;
        let now_s = clock::now_ns() / 1_000_000_000;
        let active = fs::metadata(&settings.path).map_or(0, |metadata| metadata.len());
        let active = active.max(settings.max_bytes);
        loop {
            let Some(oldest) = listed.found.first_entry() else { return Ok(()) };
            let old = settings
                .backup_max_age_s
                .is_some_and(|age_s| oldest.get().modified_s() + age_s < now_s);
            let key = *oldest.key();
            let many = settings.backup_count.is_some_and(|count| listed.found.len() > count);
            let large = settings
                .max_total_bytes
                .is_some_and(|most| by_size && listed.bytes() + active > most);
            if !(old || many || large) {
                return Ok(());
            }
            for found in listed.found.remove(&key).iter().flat_map(Backup::files) {
                backups::remove(&found.path, settings)?;
            }
            self.counts.deleted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn protect(listed: &Backups) -> Result<()> {
    let protect = |path: &Path| {
        File::open(path)
            .and_then(|file| flags::change(&file, IMMUTABLE, true))
            .at("making immutable", path)
    };
    listed.found.values().flat_map(Backup::files).try_for_each(|found| protect(&found.path))
}
