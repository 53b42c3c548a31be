//! The process's own outputs: a thread that shows what this process says.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::consumers::{Consumers, Hold};
use crate::redact::{set_here, Counts, Redaction, Redactor};
use crate::ring::{frame_bytes, push_frame, Follower, Frames, Lapped, Mapping};

const READ_BYTES: usize = 256 << 10;
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

/// Something that shows records: the console.
pub trait ProcessOutput: Send {
    /// Shows records in order; `lost` of them before these were overwritten unseen.
    fn write(&mut self, frames: Frames<'_>, lost: u64);
}

/// Makes the output, anew in every forked child.
pub type OutputFactory = Arc<dyn Fn() -> Box<dyn ProcessOutput> + Send + Sync>;

/// The thread that feeds a process output from the ring.
pub struct OutputThread {
    ring: Arc<Mapping>,
    factory: OutputFactory,
    redaction: Arc<Redaction>,
    /// Made with the ring, so that the first record is seen however quick the drain is.
    follower: Mutex<Option<Follower>>,
    /// Without a journal what it has shown makes room.
    hold: Option<Hold>,
    stop: AtomicBool,
    wake: AtomicU32,
    pub shown: AtomicU64,
    pub lost: AtomicU64,
    position: AtomicU64,
}

impl std::fmt::Debug for OutputThread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OutputThread").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl OutputThread {
    pub fn new(
        ring: Arc<Mapping>,
        factory: OutputFactory,
        redaction: Arc<Redaction>,
        consumers: &Arc<Consumers>,
    ) -> Self {
        let follower = Follower::new(ring.clone());
        Self {
            hold: consumers.hold(follower.position()),
            follower: Mutex::new(Some(follower)),
            ring,
            factory,
            redaction,
            stop: AtomicBool::new(false),
            wake: AtomicU32::new(0),
            shown: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            position: AtomicU64::new(0),
        }
    }

    pub fn spawn(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let shared = self.clone();
        std::thread::Builder::new()
            .name("treering-out".into())
            .stack_size(256 << 10)
            .spawn(move || shared.run())
    }

    pub fn wake(&self) {
        crate::futex::wake(&self.wake);
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// True when everything below ring position `head` was shown before `deadline`.
    pub fn wait_until(&self, head: u64, deadline: Instant) -> bool {
        while self.position.load(Ordering::Acquire) < head {
            if Instant::now() >= deadline {
                return false;
            }
            self.wake();
            std::thread::sleep(Duration::from_micros(200));
        }
        true
    }

    /// With a journal, its drain counts the same secrets.
    fn count(&self, counts: Counts) {
        if self.hold.is_some() && counts.lines > 0 {
            let counters = &self.ring.header().counters;
            counters.redacted.fetch_add(counts.lines, Ordering::Relaxed);
            counters.redactions.fetch_add(counts.secrets, Ordering::Relaxed);
        }
    }

    fn run(&self) {
        let mut output = (self.factory)();
        let taken = self.follower.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut follower) = taken else { return };
        let (mut bytes, mut redacted) = (Vec::new(), Vec::new());
        let mut sleep = SHORTEST_SLEEP;
        let mut reported = 0;
        loop {
            let stopping = self.stop.load(Ordering::Acquire);
            let word = self.wake.load(Ordering::Acquire);
            let Lapped(mut lost) = follower.read(&mut bytes, READ_BYTES);
            self.lost.fetch_add(lost, Ordering::Relaxed);
            if self.hold.is_some() {
                let dropped = self.ring.header().counters.dropped();
                lost += dropped - reported;
                reported = dropped;
            }
            if !bytes.is_empty() || lost > 0 {
                let redactor = self.redaction.current();
                let counts = redact(&redactor, &bytes, &mut redacted);
                set_here(redactor);
                self.count(counts);
                let shown = if counts.lines > 0 { &redacted } else { &bytes };
                output.write(Frames::new(shown), lost);
                self.shown.fetch_add(Frames::new(&bytes).count() as u64, Ordering::Relaxed);
                sleep = SHORTEST_SLEEP;
            }
            if let Some(hold) = &self.hold {
                hold.advance(follower.position());
            }
            self.position.store(follower.position(), Ordering::Release);
            if bytes.is_empty() {
                if stopping {
                    return;
                }
                crate::futex::wait(&self.wake, word, sleep);
                sleep = (sleep * 2).min(LONGEST_SLEEP);
            }
        }
    }
}

/// Fills `out` with the frames without their secrets; leaves it empty when there are none.
fn redact(redactor: &Redactor, bytes: &[u8], out: &mut Vec<u8>) -> Counts {
    let (mut counts, mut line, mut walked) = (Counts::default(), Vec::new(), 0);
    out.clear();
    for frame in Frames::new(bytes) {
        line.clear();
        let secrets = redactor.values(frame.line, &mut line);
        if secrets > 0 {
            if counts.lines == 0 {
                out.extend_from_slice(&bytes[..walked]);
            }
            counts += Counts { lines: 1, secrets };
        }
        walked += frame_bytes(frame.line.len());
        if counts.lines > 0 {
            push_frame(out, &frame, if secrets > 0 { &line } else { frame.line });
        }
    }
    counts
}
