//! The state of this process's logging that the log call works on.
//!
//! There is one, guarded by the GIL: whoever touches it holds the GIL and runs no Python code meanwhile.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicPtr, AtomicU16, Ordering};
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use treering_core::journal::component_name;
use treering_core::level::{self, Level};
use treering_core::line::TimestampWriter;
use treering_core::process::{fork, Admission, Process, Statistics};
use treering_core::redact::{self, Redactor};
use treering_core::ring::{max_line_bytes, Frames, Producer};

use crate::callsite::CallSites;
use crate::errors::raise;

/// A component as the log call knows it. Made once for each name, never freed: call sites point to it.
#[derive(Debug)]
pub struct Component {
    pub name: String,
    /// The threshold, in the level table of the domain this process is in.
    threshold: AtomicPtr<AtomicU16>,
}

impl Component {
    #[inline]
    pub fn threshold(&self) -> Level {
        // SAFETY: points into a level table that `State::process` keeps mapped, or at DETACHED.
        unsafe { (*self.threshold.load(Ordering::Relaxed)).load(Ordering::Relaxed) }
    }
}

/// The threshold while no process is started: everything passes, to start one and ask again.
static DETACHED: AtomicU16 = AtomicU16::new(0);

/// Everything the log call needs, in one place.
pub struct State {
    pub process: Option<Arc<Process>>,
    pub producer: Option<Producer>,
    pub generation: u32,
    pub sites: CallSites,
    pub timestamps: TimestampWriter,
    pub max_message_bytes: usize,
    pub max_line_bytes: usize,
    pub security_enabled: bool,
    pub audit_enabled: bool,
    redactor: Option<Arc<Redactor>>,
    /// Grows with every change of the rules: what was encoded under earlier ones is encoded again.
    pub rules_version: u32,
    /// The core's version of the rules when they were last taken up.
    rules_seen: u32,
    components: HashMap<String, &'static Component>,
}

struct Guarded(UnsafeCell<Option<State>>);

// SAFETY: only touched with the GIL held.
unsafe impl Sync for Guarded {}

static STATE: Guarded = Guarded(UnsafeCell::new(None));

/// The state.
///
/// # Safety
/// The GIL is held, and no Python code runs (nor is the GIL let go) while the reference lives.
#[inline]
pub unsafe fn state() -> &'static mut State {
    // SAFETY: exclusive by the GIL, as the caller promises.
    unsafe { (*STATE.0.get()).get_or_insert_with(State::new) }
}

impl State {
    fn new() -> Self {
        Self {
            process: None,
            producer: None,
            generation: fork::generation(),
            sites: CallSites::default(),
            timestamps: TimestampWriter::default(),
            max_message_bytes: 64 << 10,
            max_line_bytes: max_line_bytes(1 << 20),
            security_enabled: true,
            audit_enabled: true,
            redactor: None,
            rules_version: 0,
            rules_seen: redact::version(),
            components: HashMap::new(),
        }
    }

    pub fn component(&mut self, name: &str) -> &'static Component {
        let name = component_name(name);
        if let Some(known) = self.components.get(name) {
            return known;
        }
        let threshold = std::ptr::from_ref(match &self.process {
            Some(process) => process.levels().slot(name),
            None => &DETACHED,
        });
        let component: &'static Component = Box::leak(Box::new(Component {
            name: name.to_owned(),
            threshold: AtomicPtr::new(threshold.cast_mut()),
        }));
        self.components.insert(name.to_owned(), component);
        component
    }

    /// Makes `process` the one that records go to.
    pub fn install(&mut self, process: Arc<Process>, producer: Producer) -> Option<Arc<Process>> {
        for component in self.components.values() {
            let slot = std::ptr::from_ref(process.levels().slot(&component.name));
            component.threshold.store(slot.cast_mut(), Ordering::Relaxed);
        }
        self.max_line_bytes = max_line_bytes(producer.ring().capacity());
        self.generation = fork::generation();
        self.producer = Some(producer);
        let replaced = self.process.replace(process);
        self.take_up_rules();
        replaced
    }

    /// Redacts by the rules that the process has now.
    fn take_up_rules(&mut self) {
        self.rules_seen = redact::version();
        self.sites.clear();
        let Some(redactor) = self.process.as_ref().map(|process| process.redaction().current())
        else {
            return;
        };
        let before = self.redactor().rules();
        // The same rules in another journal have another key for pseudonyms.
        if before != redactor.rules() || before.hashes() {
            self.rules_version += 1;
        }
        self.redactor = Some(redactor);
    }

    /// What redacts; by the built-in rules until a process has started.
    pub fn redactor(&mut self) -> &Arc<Redactor> {
        self.redactor.get_or_insert_with(Arc::default)
    }

    /// Points every component at the default threshold; its table is about to go.
    fn detach_levels(&mut self) {
        let detached = std::ptr::from_ref(&DETACHED).cast_mut();
        for component in self.components.values() {
            component.threshold.store(detached, Ordering::Relaxed);
        }
    }

    /// True when records can be written as things stand: started, and not in a forked child's first call.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.producer.is_some()
            && self.generation == fork::generation()
            && self.rules_seen == redact::version()
    }
}

/// Starts logging if nobody has, and starts again in a forked child. False when that failed.
pub fn make_ready(py: Python<'_>) -> bool {
    // SAFETY: the GIL is held; the references end before Python code runs.
    let (ready, parent) = unsafe {
        let state = state();
        if state.producer.is_some() && state.generation == fork::generation() && !state.is_ready() {
            state.take_up_rules();
        }
        (state.is_ready(), state.process.clone())
    };
    if ready {
        return true;
    }
    let Some(parent) = parent else {
        return py
            .import("treering._lifecycle")
            .and_then(|module| module.call_method0("start"))
            .is_ok();
    };
    let Ok((process, producer)) = parent.reopen_after_fork() else {
        return false;
    };
    // SAFETY: as above.
    let inherited = unsafe {
        let inherited_producer = state().producer.take();
        // The parent's ring and threads are not ours to clean up.
        std::mem::forget(inherited_producer);
        state().install(process, producer)
    };
    std::mem::forget(inherited);
    std::mem::forget(parent);
    // Children that end without `atexit` still have their console flushed where Python can arrange it.
    let _ = py.import("treering._lifecycle").and_then(|module| module.call_method0("in_child"));
    true
}

/// Writes a whole line, waiting for room as the overflow policy says. True when it was committed.
pub fn write_line(py: Python<'_>, line: &[u8], level: Level, timestamp_ns: u64) -> bool {
    if !make_ready(py) {
        return false;
    }
    loop {
        // SAFETY: the GIL is held and no Python code runs in this block.
        let (written, process) = unsafe {
            let state = state();
            let written = state.producer.as_mut().and_then(|producer| {
                (line.len() <= state.max_line_bytes)
                    .then(|| producer.write(line, level, timestamp_ns))
            });
            (written, state.process.clone())
        };
        let (Some(written), Some(process)) = (written, process) else {
            return false;
        };
        match written {
            Some(behind) => {
                if behind {
                    process.wake();
                }
                return true;
            }
            None => {
                if py.detach(|| process.admit(line.len(), level)) == Admission::Drop {
                    return false;
                }
            }
        }
    }
}

/// Where this process's next record will stand in its ring; 0 before the first.
pub fn position() -> u64 {
    // SAFETY: the GIL is held; no Python code runs.
    unsafe {
        if state().is_ready() {
            state().producer.as_ref().map_or(0, Producer::head)
        } else {
            0
        }
    }
}

/// The last AUDIT line that was logged since `position` gave `from`.
pub fn audited_since(from: u64) -> Option<Vec<u8>> {
    // SAFETY: the GIL is held; no Python code runs.
    let producer = unsafe { state().producer.as_ref()? };
    let to = producer.head();
    if to <= from || to - from > producer.ring().capacity() as u64 {
        return None;
    }
    // SAFETY: this process is the only producer, and it holds the GIL: the frames stay as they are.
    let bytes = unsafe { producer.ring().bytes(from, to) };
    Frames::new(bytes)
        .filter(|frame| frame.level == level::AUDIT)
        .last()
        .map(|frame| without_secrets(frame.line))
}

/// A line of the ring as it goes into the journal.
fn without_secrets(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if redactor().values(line, &mut out) > 0 {
        out
    } else {
        line.to_vec()
    }
}

/// What redacts at the moment.
pub fn redactor() -> Arc<Redactor> {
    // SAFETY: the GIL is held; no Python code runs.
    unsafe { state().redactor().clone() }
}

/// Counts a record from which secrets were taken while it was encoded.
pub fn count_redacted(secrets: u64) {
    // SAFETY: the GIL is held; no Python code runs.
    if let Some(process) = unsafe { &state().process } {
        let counters = &process.ring().header().counters;
        counters.redacted.fetch_add(1, Ordering::Relaxed);
        counters.redactions.fetch_add(secrets, Ordering::Relaxed);
    }
}

/// Counts a call that went wrong and left no record.
pub fn count_lost() {
    count_failed();
    // SAFETY: the GIL is held; no Python code runs.
    if let Some(process) = unsafe { &state().process } {
        process.ring().header().counters.dropped_newest.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts a call that went wrong; its record has a marker.
pub fn count_failed() {
    // SAFETY: the GIL is held; no Python code runs.
    if let Some(process) = unsafe { &state().process } {
        process.ring().header().counters.failed.fetch_add(1, Ordering::Relaxed);
    }
}

pub fn count_truncated() {
    // SAFETY: the GIL is held; no Python code runs.
    if let Some(process) = unsafe { &state().process } {
        process.ring().header().counters.truncated.fetch_add(1, Ordering::Relaxed);
    }
}

/// The process, when logging has started and this is not a child that has not logged yet.
pub fn process() -> Option<Arc<Process>> {
    // SAFETY: the GIL is held; no Python code runs.
    unsafe { state().is_ready().then(|| state().process.clone()).flatten() }
}

/// Replaces the process that records go to; the old one is flushed and closed.
pub fn start(
    py: Python<'_>,
    options: treering_core::process::Options,
    close_timeout: Duration,
) -> PyResult<()> {
    // SAFETY: the GIL is held; no Python code runs.
    let inherited = unsafe { !state().is_ready() && state().process.is_some() };
    let (process, producer) = py.detach(|| Process::start(options)).map_err(raise)?;
    // SAFETY: as above.
    let (old_producer, old) = unsafe {
        let old_producer = state().producer.take();
        (old_producer, state().install(process, producer))
    };
    if inherited {
        std::mem::forget((old_producer, old));
    } else if let Some(old) = old {
        py.detach(|| old.close(close_timeout));
    }
    Ok(())
}

/// Takes the process out of service; loggers keep their present thresholds.
pub fn take() -> Option<Arc<Process>> {
    // SAFETY: the GIL is held; no Python code runs.
    let state = unsafe { state() };
    state.detach_levels();
    state.producer = None;
    state.process.take()
}

pub fn is_started() -> bool {
    // SAFETY: the GIL is held; no Python code runs.
    unsafe { state().process.is_some() }
}

/// Closes at the end of the process, when no interpreter is left to hold a lock of.
pub fn close_quietly(timeout: Duration) {
    // SAFETY: runs in `exit`, after the interpreter: nobody else is in the state any more.
    let process = unsafe { state().is_ready().then(|| state().process.take()).flatten() };
    if let Some(process) = process {
        // A journal that could not be drained in time is drained by whoever opens it next.
        let _ = process.close(timeout);
    }
}

pub fn statistics() -> Option<Statistics> {
    process().map(|process| process.statistics())
}
