//! What happens to a record for which the ring has no room.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Process;
use crate::level::{is_protected, Level};
use crate::ring::{consumer, frame_bytes, limit};

/// The policy of a process for a full ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// Wait for room, for as long as `block_timeout`; then drop the record and count it.
    Block,
    /// Make room by giving up the oldest records that nobody has drained.
    DropOldest,
    /// Give up the record at hand.
    DropNewest,
    /// Give up records below this level at once, wait with the others as `Block` does.
    DropBelow(Level),
}

/// The answer to a record that found no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// There is room now, or was a moment ago: try again.
    Retry,
    /// The record is dropped and counted.
    Drop,
}

impl Process {
    /// Decides about a line of this length that `Producer::reserve` had no room for.
    ///
    /// May wait, so the caller holds nothing that others need.
    #[must_use]
    pub fn admit(&self, line_bytes: usize, level: Level) -> Admission {
        let wanted = frame_bytes(line_bytes) as u64;
        self.wake();
        if self.consumers.discard() {
            return Admission::Retry;
        }
        // No policy drops SECURITY and AUDIT while there is hope: they always wait.
        match self.options.overflow {
            Overflow::DropOldest if self.evict(wanted, level) => Admission::Retry,
            Overflow::DropNewest | Overflow::DropOldest if !is_protected(level) => {
                self.drop_one(level)
            }
            Overflow::DropBelow(lowest) if level < lowest => self.drop_one(level),
            _ => self.wait_for_room(wanted, level),
        }
    }

    fn drop_one(&self, level: Level) -> Admission {
        let counters = &self.ring.mapping.header().counters;
        let counter = if is_protected(level) {
            &counters.dropped_protected
        } else {
            &counters.dropped_newest
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Admission::Drop
    }

    fn has_room(&self, wanted: u64, level: Level) -> bool {
        let header = self.ring.mapping.header();
        let held = header.producer.head.load(Ordering::Acquire)
            - header.consumer.tail.load(Ordering::Acquire);
        held + wanted <= limit(self.ring.mapping.capacity() as u64, is_protected(level))
    }

    fn wait_for_room(&self, wanted: u64, level: Level) -> Admission {
        let header = self.ring.mapping.header();
        let tail = header.consumer.tail.load(Ordering::Acquire);
        // Once a wait was in vain nobody waits again until the drain has moved: a dead disk costs the
        // application one timeout, not one for each record.
        if self.stalled_at.load(Ordering::Relaxed) == tail && !self.has_room(wanted, level) {
            return self.drop_one(level);
        }
        header.counters.blocked.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + self.options.block_timeout;
        let mut pause = Duration::from_micros(20);
        loop {
            if self.has_room(wanted, level) {
                self.stalled_at.store(u64::MAX, Ordering::Relaxed);
                return Admission::Retry;
            }
            if Instant::now() >= deadline {
                self.stalled_at
                    .store(header.consumer.tail.load(Ordering::Acquire), Ordering::Relaxed);
                return self.drop_one(level);
            }
            self.wake();
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(1));
        }
    }

    /// Gives up the oldest records. False when that does not make enough room.
    fn evict(&self, wanted: u64, level: Level) -> bool {
        let ring = &self.ring.mapping;
        // Half a ring at once, so that the next calls find room without coming here.
        if !consumer::evict(ring, wanted.max(ring.capacity() as u64 / 2)) {
            // The drain is at it; the room it makes is worth a short wait.
            std::thread::sleep(Duration::from_micros(100));
        }
        self.has_room(wanted, level)
    }
}
