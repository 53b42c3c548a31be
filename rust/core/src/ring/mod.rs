//! The ring: a bounded buffer in shared memory into which one process writes its records.
//!
//! One producer (the process; the border keeps its threads apart), one drain (the leader, perhaps in
//! another process), and one optional follower (the process's own console), which never holds the
//! ring up. Positions are byte counts that only grow; a frame never wraps because the data pages are
//! mapped twice in a row.

pub mod consumer;
mod follower;
mod frame;
mod mapping;
mod producer;

use crate::sync::{AtomicU32, AtomicU64, Ordering};

pub use follower::{Follower, Lapped};
pub(crate) use frame::push_frame;
pub use frame::{frame_bytes, Frame, Frames, FRAME_HEADER_BYTES};
pub use mapping::Mapping;
pub use producer::Producer;

pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"treering");
pub(crate) const VERSION: u32 = 1;
/// Header bytes before the data pages: one page, so that the data can be mapped a second time.
pub(crate) const HEADER_BYTES: usize = 4096;
/// Of every ring this share (1/8) is kept for `SECURITY` and `AUDIT` records.
const PROTECTED_SHARE: u64 = 8;

/// The consumer side at rest.
pub const CONSUMER_FREE: u32 = 0;
/// The drain holds `[tail, pending_tail)`: copied, perhaps not yet in the journal.
pub const CONSUMER_DRAINING: u32 = 1;
/// The producer is moving the tail over its oldest records (`drop_oldest`).
pub const CONSUMER_EVICTING: u32 = 2;

/// One cache line that only its writer touches, so that producer and drain do not slow each other.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct Line<T>(pub T);

impl<T> std::ops::Deref for Line<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

#[repr(C)]
#[derive(Debug, Default)]
pub struct Identity {
    pub magic: AtomicU64,
    pub version: AtomicU32,
    pub process: AtomicU32,
    pub capacity: AtomicU64,
}

#[repr(C)]
#[derive(Debug, Default)]
pub struct ProducerSide {
    /// First byte position that the producer may be writing to is below this; stored before the bytes.
    pub reserved: AtomicU64,
    /// Everything below is committed.
    pub head: AtomicU64,
    /// Records committed since the ring was made; the next frame's sequence number.
    pub sequence: AtomicU64,
}

#[repr(C)]
#[derive(Debug, Default)]
pub struct ConsumerSide {
    /// Everything below is in the journal (or evicted) and may be overwritten.
    pub tail: AtomicU64,
    /// Where `tail` goes when batch `pending_batch` turns out to be in the journal.
    pub pending_tail: AtomicU64,
    pub pending_batch: AtomicU64,
    pub state: AtomicU32,
    /// Of `Counters::dropped()`, how many the journal has been told about.
    pub reported: AtomicU64,
    pub pending_reported: AtomicU64,
}

/// What went wrong on the producer's side; only ever counted up, by the producer.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Counters {
    pub dropped_newest: AtomicU64,
    pub dropped_oldest: AtomicU64,
    pub dropped_protected: AtomicU64,
    pub truncated: AtomicU64,
    /// Calls that went wrong; most of them still left a record, with a marker.
    pub failed: AtomicU64,
    pub blocked: AtomicU64,
    /// Records from which this process took secrets before anybody else saw them, and how many.
    pub redacted: AtomicU64,
    pub redactions: AtomicU64,
}

impl Counters {
    /// Records that were logged and will never reach the journal.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped_newest.load(Ordering::Relaxed)
            + self.dropped_oldest.load(Ordering::Relaxed)
            + self.dropped_protected.load(Ordering::Relaxed)
    }
}

/// The first page of a ring.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Header {
    pub identity: Line<Identity>,
    pub producer: Line<ProducerSide>,
    pub consumer: Line<ConsumerSide>,
    pub counters: Line<Counters>,
}

impl Header {
    /// Bytes that no consumer has taken yet.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        let tail = self.consumer.tail.load(Ordering::Acquire);
        self.producer.head.load(Ordering::Acquire).saturating_sub(tail)
    }
}

/// Rounds a wanted ring size to what can be mapped: a power of two, 16 KiB to 1 GiB.
#[must_use]
pub fn capacity_for(bytes: usize) -> usize {
    bytes.clamp(16 << 10, 1 << 30).next_power_of_two()
}

/// Bytes a producer may fill with records of this kind.
pub(crate) fn limit(capacity: u64, protected: bool) -> u64 {
    if protected {
        capacity
    } else {
        capacity - capacity / PROTECTED_SHARE
    }
}

/// The longest line a ring of this capacity takes, so that one record never fills it alone.
#[must_use]
pub fn max_line_bytes(capacity: usize) -> usize {
    capacity / 4 - FRAME_HEADER_BYTES
}

#[cfg(all(test, loom))]
mod interleavings;
#[cfg(all(test, not(loom)))]
mod tests;
