//! A reader of this process's ring for an output that another thread runs.

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::consumers::{Consumers, Hold};
use super::Process;
use crate::redact::Redaction;
use crate::ring::{Follower, Frames, Lapped, Mapping};

const SHORTEST_SLEEP: Duration = Duration::from_millis(1);
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

/// Follows what this process says, from the tap's making on.
#[derive(Debug)]
pub struct Tap {
    follower: Follower,
    hold: Option<Hold>,
    consumers: Arc<Consumers>,
    redaction: Arc<Redaction>,
    /// Neither a drain nor a console counts what is redacted.
    counts: Option<Arc<Mapping>>,
    frames: Vec<u8>,
    next: u64,
    /// Grows from call to call while nothing is said: an idle output costs next to nothing.
    sleep: Duration,
}

/// Canonical lines, each with its line feed.
#[derive(Debug, Default)]
pub struct Tapped {
    /// Number of the first among the records of the process.
    pub first: u64,
    pub count: u64,
    pub lines: Vec<u8>,
    /// Records before these that were overwritten unread.
    pub lost: u64,
}

impl Process {
    /// A reader of what is logged from now on. One that `holds` keeps records in the ring until it has
    /// read them when there is no journal; others are overtaken.
    #[must_use]
    pub fn tap(&self, holds: bool) -> Tap {
        let mapping = self.ring.mapping.clone();
        let follower = Follower::at_head(mapping.clone());
        let hold = if holds { self.consumers.hold(follower.position()) } else { None };
        let next = mapping.header().producer.sequence.load(Ordering::Acquire);
        let is_alone = self.journal.is_none() && self.output.is_none();
        Tap {
            follower,
            hold,
            consumers: self.consumers.clone(),
            redaction: self.redaction.clone(),
            counts: is_alone.then_some(mapping),
            frames: Vec::new(),
            next,
            sleep: SHORTEST_SLEEP,
        }
    }
}

impl Tap {
    /// The next records, up to about `max_bytes`; waits up to `timeout` for the first.
    pub fn read(&mut self, max_bytes: usize, timeout: Duration) -> Tapped {
        let deadline = Instant::now() + timeout;
        loop {
            let word = self.consumers.word();
            let tapped = self.take(max_bytes);
            if !tapped.lines.is_empty() || tapped.lost > 0 {
                self.sleep = SHORTEST_SLEEP;
                return tapped;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return tapped;
            }
            self.consumers.wait(word, self.sleep.min(left));
            self.sleep = (self.sleep * 2).min(LONGEST_SLEEP);
        }
    }

    fn take(&mut self, max_bytes: usize) -> Tapped {
        let Lapped(lost) = self.follower.read(&mut self.frames, max_bytes);
        let mut tapped = Tapped { first: self.next + lost, lost, ..Tapped::default() };
        for frame in Frames::new(&self.frames) {
            if tapped.count == 0 {
                tapped.first = frame.sequence;
            }
            tapped.lines.extend_from_slice(frame.line);
            tapped.lines.push(b'\n');
            tapped.count += 1;
        }
        self.next = tapped.first + tapped.count;
        let counts = self.redaction.current().batch(&mut tapped.lines, 0);
        if let Some(ring) = self.counts.as_ref().filter(|_| counts.lines > 0) {
            let counters = &ring.header().counters;
            counters.redacted.fetch_add(counts.lines, Ordering::Relaxed);
            counters.redactions.fetch_add(counts.secrets, Ordering::Relaxed);
        }
        if let Some(hold) = &self.hold {
            hold.advance(self.follower.position());
        }
        tapped
    }

    /// Records that were logged and not read yet: 0 when it is up to date.
    #[must_use]
    pub fn behind_bytes(&self) -> u64 {
        self.follower.behind_bytes()
    }
}
