//! One process's place in the system: its ring, its bid for the lead, its own outputs.

mod admission;
mod consumers;
pub mod fork;
mod levels;
mod outputs;
mod statistics;
mod tap;
#[cfg(all(test, not(loom)))]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use admission::{Admission, Overflow};
pub use levels::LevelChange;
pub use outputs::{OutputFactory, ProcessOutput};
pub use statistics::Statistics;
pub use tap::{Tap, Tapped};

use crate::domain::{Domain, LevelTable, OwnRing};
use crate::drain::DrainThread;
use crate::error::{At, Result};
use crate::journal::{Journal, Settings, SettingsChange};
use crate::level::Level;
use crate::redact::{Redaction, Rules, RulesChange};
use crate::ring::{capacity_for, Mapping, Producer};
use consumers::Consumers;
use outputs::OutputThread;

/// Everything a process decides about its logging.
#[derive(Clone)]
pub struct Options {
    /// Directory of the journal and the settings this process asks for; `None` for no journal.
    pub journal: Option<(PathBuf, SettingsChange)>,
    pub ring_bytes: usize,
    pub overflow: Overflow,
    /// How long a call may wait for room before its record is dropped.
    pub block_timeout: Duration,
    /// Levels by component that the configuration asks for; the empty name is the root.
    pub levels: Vec<(String, Level)>,
    /// What shows this process's own records: the console.
    pub output: Option<OutputFactory>,
    /// What is redacted without a journal; a journal has rules of its own.
    pub redaction: RulesChange,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Options").field("journal", &self.journal).finish_non_exhaustive()
    }
}

/// A process that logs.
#[derive(Debug)]
pub struct Process {
    options: Options,
    domain: Arc<Domain>,
    /// Why the domain is private although there is a journal.
    private_because: Option<String>,
    journal: Option<(Journal, Settings)>,
    ring: OwnRing,
    drain: Option<Arc<DrainThread>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    output: Option<Arc<OutputThread>>,
    consumers: Arc<Consumers>,
    redaction: Arc<Redaction>,
    stalled_at: std::sync::atomic::AtomicU64,
    generation: u32,
    level_changes: Vec<LevelChange>,
}

impl Process {
    /// Opens the journal if there is one, makes this process's ring, and starts its threads.
    ///
    /// # Errors
    /// When the journal cannot be opened or the kernel gives no memory. A missing or foreign runtime
    /// directory is no error: the ring is private then, and the statistics say why.
    pub fn start(options: Options) -> Result<(Arc<Self>, Producer)> {
        fork::close_in_children(None);
        let journal = match &options.journal {
            Some((directory, change)) => Some(Journal::open_or_create(directory, change)?),
            None => None,
        };
        let redaction = Arc::new(if let Some((journal, settings)) = &journal {
            Redaction::open(&settings.redaction, Some(journal.directory().to_owned()))?
        } else {
            let rules = options.redaction.applied(&Rules::default());
            rules.check()?;
            Redaction::open(&rules, None)?
        });
        let (domain, private_because, is_fresh) = Self::join_domain(journal.as_ref())?;
        let capacity = capacity_for(options.ring_bytes);
        let place = PathBuf::from("ring");
        let mut because = private_because;
        let (domain, ring) = match OwnRing::create(&domain, capacity) {
            Ok(ring) => (domain, ring),
            Err(error) => {
                because = Some(error.to_string());
                let private = Domain::private().at("making memory for", &place)?;
                let ring = OwnRing::create(&private, capacity).at("making memory for", &place)?;
                (private, ring)
            }
        };
        let fresh = is_fresh || domain.is_private();
        let level_changes = if let Some((journal, _)) = &journal {
            levels::apply(&domain, journal, &options.levels, &[], fresh)
        } else {
            domain.levels().set("", Some(crate::level::INFO));
            levels::set_all(&domain, &options.levels);
            Vec::new()
        };
        if options.journal.as_ref().is_some_and(|(_, change)| *change != SettingsChange::default())
        {
            domain.control().announce_settings();
        }
        let domain = Arc::new(domain);
        let producer = Producer::new(ring.mapping.clone());
        let drain = journal.as_ref().map(|(journal, settings)| {
            let own = Some(ring.mapping.clone());
            let (journal, settings) = (journal.clone(), settings.clone());
            let rules = Some(redaction.clone());
            DrainThread::new(journal, settings, domain.clone(), own, rules, false)
        });
        let consumers = Consumers::new(ring.mapping.clone(), journal.is_some());
        let output = options.output.as_ref().map(|factory| {
            let (ring, factory) = (ring.mapping.clone(), factory.clone());
            Arc::new(OutputThread::new(ring, factory, redaction.clone(), &consumers))
        });
        let place = PathBuf::from("thread");
        let mut threads = Vec::new();
        if let Some(drain) = &drain {
            threads.push(blocking_signals(|| drain.spawn()).at("starting", &place)?);
        }
        if let Some(output) = &output {
            threads.push(blocking_signals(|| output.spawn()).at("starting", &place)?);
        }
        let process = Self {
            options,
            domain,
            private_because: because,
            journal,
            ring,
            drain,
            threads: Mutex::new(threads),
            output,
            consumers,
            redaction,
            stalled_at: std::sync::atomic::AtomicU64::new(u64::MAX),
            generation: fork::generation(),
            level_changes,
        };
        Ok((Arc::new(process), producer))
    }

    /// The domain, why it is private although there is a journal, and whether this process made it.
    fn join_domain(
        journal: Option<&(Journal, Settings)>,
    ) -> Result<(Domain, Option<String>, bool)> {
        let place = PathBuf::from("domain");
        let Some((journal, settings)) = journal else {
            return Ok((Domain::private().at("making memory for", &place)?, None, true));
        };
        let shared = journal.domain_place(settings)?;
        let stored = journal.stored_levels()?;
        let made = std::cell::Cell::new(false);
        let prepare = |domain: &Domain| {
            made.set(true);
            domain.levels().set("", Some(crate::level::INFO));
            for (component, level) in &stored {
                domain.levels().set(component, Some(*level));
            }
        };
        match Domain::attach(&shared, prepare) {
            Ok(domain) => Ok((domain, None, made.get())),
            Err(error) => {
                let domain = Domain::private().at("making memory for", &place)?;
                prepare(&domain);
                Ok((domain, Some(format!("'{}': {error}", shared.display())), true))
            }
        }
    }

    /// Starts again in a forked child, with the parent's options.
    ///
    /// The parent's `Process` must then be leaked, never dropped: its threads do not exist here and its
    /// descriptors are closed already.
    ///
    /// # Errors
    /// As `start`.
    pub fn reopen_after_fork(&self) -> Result<(Arc<Self>, Producer)> {
        // Levels were set when the parent started; what was changed since must not be undone.
        Self::start(Options { levels: Vec::new(), ..self.options.clone() })
    }

    /// True in a child that was forked after this process started.
    #[must_use]
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }

    /// What the configuration that this process started with has changed.
    #[must_use]
    pub fn level_changes(&self) -> &[LevelChange] {
        &self.level_changes
    }

    /// Takes up what a changed configuration says about levels; `removed` is what it said before and
    /// does not say any more.
    #[must_use]
    pub fn configure_levels(
        &self,
        configured: &[(String, Level)],
        removed: &[(String, Level)],
    ) -> Vec<LevelChange> {
        if let Some((journal, _)) = &self.journal {
            return levels::apply(&self.domain, journal, configured, removed, false);
        }
        for (component, _) in removed {
            let inherited = component.is_empty().then_some(crate::level::INFO);
            self.levels().set(component, inherited);
        }
        levels::set_all(&self.domain, configured);
        Vec::new()
    }

    #[must_use]
    pub fn levels(&self) -> &LevelTable {
        self.domain.levels()
    }

    /// Keeps the level table mapped for as long as loggers point into it.
    #[must_use]
    pub fn domain(&self) -> &Arc<Domain> {
        &self.domain
    }

    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref().map(|(journal, _)| journal)
    }

    /// The rules by which this process redacts.
    #[must_use]
    pub fn redaction(&self) -> &Arc<Redaction> {
        &self.redaction
    }

    #[must_use]
    pub fn ring(&self) -> &Arc<Mapping> {
        &self.ring.mapping
    }

    /// Wakes whoever empties the ring. Called by the log call once in a quarter of a ring.
    pub fn wake(&self) {
        if let Some(drain) = &self.drain {
            drain.poke();
        }
        if let Some(output) = &self.output {
            output.wake();
        }
        self.consumers.wake();
    }

    /// Waits until everything logged before the call is in the journal (on the device when `durable`)
    /// and on the console. False when that took longer than `timeout`.
    #[must_use]
    pub fn flush(&self, timeout: Duration, durable: bool) -> bool {
        let deadline = Instant::now() + timeout;
        let header = self.ring.mapping.header();
        let head = header.producer.head.load(Ordering::Acquire);
        let mut pause = Duration::from_micros(20);
        self.wake();
        // Without a journal, and with nobody to show them to, records have nowhere to go.
        self.consumers.discard();
        while header.consumer.tail.load(Ordering::Acquire) < head {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
            self.wake();
        }
        let shown = self.output.as_ref().is_none_or(|output| output.wait_until(head, deadline));
        if durable && self.journal.is_some() {
            let control = self.domain.control();
            return control.wait_synced(control.want_sync(), deadline) && shown;
        }
        shown
    }

    /// Flushes, gives the lead away, and retires the ring. False when records were still waiting.
    #[must_use]
    pub fn close(&self, timeout: Duration) -> bool {
        let flushed = self.flush(timeout, false);
        self.ring.release();
        if let Some(drain) = &self.drain {
            drain.stop();
        }
        if let Some(output) = &self.output {
            output.stop();
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has nothing left to do for us.
            let _ = thread.join();
        }
        self.domain.detach();
        flushed
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        debug_assert!(!self.is_inherited(), "a forked child leaks its parent's process");
    }
}

/// Threads started by `start` take no signals: those are the application's.
#[allow(unsafe_code)]
fn blocking_signals<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: both sets are initialised before use; the calling thread's mask is restored.
    unsafe {
        let mut all = std::mem::MaybeUninit::uninit();
        let mut before = std::mem::MaybeUninit::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        let started = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        started
    }
}
