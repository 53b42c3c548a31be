//! The process's own reader of its ring, which is overtaken rather than waited for.
#![allow(unsafe_code)]

use std::sync::Arc;

use super::frame::Frames;
use super::Mapping;
use crate::sync::{fence, Ordering};

/// Reads along without a say in what is overwritten.
#[derive(Debug)]
pub struct Follower {
    ring: Arc<Mapping>,
    position: u64,
    /// The next frame's number, unless following began in the middle of things.
    sequence: Option<u64>,
}

/// How many records were overwritten before the follower came to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapped(pub u64);

impl Follower {
    /// Follows from the oldest record that is still there.
    #[must_use]
    pub fn new(ring: Arc<Mapping>) -> Self {
        let position = ring.header().consumer.tail.load(Ordering::Acquire);
        Self { sequence: (position == 0).then_some(0), ring, position }
    }

    /// Follows from the next record on.
    #[must_use]
    pub fn at_head(ring: Arc<Mapping>) -> Self {
        // Read in this order, so that a record that comes in between is one more, never a lost one.
        let sequence = ring.header().producer.sequence.load(Ordering::Acquire);
        let position = ring.header().producer.head.load(Ordering::Acquire);
        Self { ring, position, sequence: Some(sequence) }
    }

    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of the ring it has still to read.
    #[must_use]
    pub fn behind_bytes(&self) -> u64 {
        self.ring.header().producer.head.load(Ordering::Acquire).saturating_sub(self.position)
    }

    /// Copies up to `max_bytes` of new frames into `out` (walk them with `Frames`) and says how many
    /// records were lost on the way.
    pub fn read(&mut self, out: &mut Vec<u8>, max_bytes: usize) -> Lapped {
        out.clear();
        let header = self.ring.header();
        let head = header.producer.head.load(Ordering::Acquire);
        if head == self.position {
            return Lapped(0);
        }
        let capacity = self.ring.capacity() as u64;
        if head - self.position > capacity {
            self.position = header.consumer.tail.load(Ordering::Acquire);
        }
        let to = head.min(self.position + (max_bytes as u64).min(capacity));
        // SAFETY: the bytes may be overwritten while they are copied; whatever was is thrown away
        // below, before anything is read from the copy.
        out.extend_from_slice(unsafe { self.ring.bytes(self.position, to) });
        fence(Ordering::Acquire);
        if header.producer.reserved.load(Ordering::Relaxed) > self.position + capacity {
            out.clear();
            self.position = header.consumer.tail.load(Ordering::Acquire);
            return Lapped(0);
        }
        let mut frames = Frames::new(out);
        let (mut first, mut last) = (None, None);
        for frame in frames.by_ref() {
            first.get_or_insert(frame.sequence);
            last = Some(frame.sequence);
        }
        let whole = out.len() - frames.rest();
        out.truncate(whole);
        self.position += whole as u64;
        let missed = first.zip(self.sequence).map_or(0, |(first, next)| first.saturating_sub(next));
        self.sequence = last.map(|last| last + 1).or(self.sequence);
        Lapped(missed)
    }
}
