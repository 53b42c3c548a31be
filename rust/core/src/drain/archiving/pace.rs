//! How fast the archive is made: a share of one core, and not a moment longer than the lead lasts.

use std::cell::Cell;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::archive;
use crate::error::Result;
use crate::priority::thread_time;

/// Work between two looks at the clock: a share is kept on the average, never to the microsecond.
const SLICE: Duration = Duration::from_millis(5);

/// Tells the thread to end, and whoever waits for it that it has.
#[derive(Debug, Default)]
pub(in crate::drain) struct Halt {
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Halt {
    /// Asks for the end, and waits for it a little.
    pub fn ask(&self, timeout: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        self.changed.notify_all();
        let _ = self.changed.wait_timeout_while(state, timeout, |(_, ended)| !*ended);
    }

    pub fn is_asked(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    pub fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }

    /// Sleeps unless the end is asked for.
    fn sleep(&self, time: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.changed.wait_timeout_while(state, time, |(asked, _)| !*asked);
    }
}

/// Keeps a thread to its share of one core.
#[derive(Debug)]
pub(in crate::drain) struct Pace {
    /// 1 and above for no limit.
    share: f64,
    halt: Arc<Halt>,
    /// Processor time and time when the thread last slept.
    last: Cell<(Duration, Instant)>,
    steps: Cell<u32>,
}

impl Pace {
    pub fn new(share: f64, halt: Arc<Halt>) -> Self {
        let last = Cell::new((thread_time(), Instant::now()));
        Self { share, halt, last, steps: Cell::new(0) }
    }

    /// No limit, and nobody who stops it.
    pub fn unlimited() -> Self {
        Self::new(1.0, Arc::default())
    }

    /// A small piece of work was done: sleeps when the share is used up. False when the end is asked for.
    pub fn step(&self) -> bool {
        // Asking for the time costs more than most records do.
        self.steps.set(self.steps.get().wrapping_add(1));
        if !self.steps.get().is_multiple_of(64) {
            return true;
        }
        self.rest()
    }

    /// `step` after a large piece of work.
    pub fn rest(&self) -> bool {
        let (cpu, since) = self.last.get();
        let used = thread_time().saturating_sub(cpu);
        if self.share < 1.0 && used > SLICE {
            let due = used.div_f64(self.share.max(0.01));
            self.halt.sleep(due.saturating_sub(since.elapsed()));
            self.last.set((thread_time(), Instant::now()));
        }
        !self.halt.is_asked()
    }

    /// # Errors
    /// When the end is asked for.
    pub fn rest_or_end(&self, path: &std::path::Path) -> Result<()> {
        if self.rest() {
            return Ok(());
        }
        Err(archive::stopped(path))
    }
}

/// Reads no faster than the pace, and not to the end once it is asked for.
pub(super) struct Paced<'a, R> {
    pub inner: R,
    pub pace: &'a Pace,
}

impl<R: Read> Read for Paced<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if !self.pace.rest() {
            return Err(std::io::Error::other("archiving was stopped"));
        }
        self.inner.read(into)
    }
}
