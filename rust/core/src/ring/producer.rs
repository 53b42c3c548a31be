//! The writing end.
#![allow(unsafe_code)]

use std::sync::Arc;

use super::frame::{frame_bytes, header, FRAME_HEADER_BYTES};
use super::{limit, Mapping};
use crate::level::{is_protected, Level};
use crate::sync::Ordering;

/// Cache lines of a usual record, 64 bytes each.
#[cfg(target_arch = "x86_64")]
const PREFETCH_LINES: usize = 5;

/// The only writer of a ring. `&mut self` is the claim that no other thread of the process writes.
///
/// A record is written straight into the ring: `reserve` gives the place, the caller fills it, `commit`
/// makes it a record. Until `commit` nobody sees it; after `commit` it survives the process.
#[derive(Debug)]
pub struct Producer {
    ring: Arc<Mapping>,
    head: u64,
    /// The tail as last seen; the real one is never below.
    tail: u64,
    sequence: u64,
    /// The head at which `commit` next asks whether the drain should be woken.
    alarm: u64,
}

impl Producer {
    #[must_use]
    pub fn new(ring: Arc<Mapping>) -> Self {
        let producer = &ring.header().producer;
        let head = producer.head.load(Ordering::Relaxed);
        let sequence = producer.sequence.load(Ordering::Relaxed);
        let alarm = head + ring.capacity() as u64 / 4;
        Self { ring, head, tail: head, sequence, alarm }
    }

    #[must_use]
    pub fn ring(&self) -> &Arc<Mapping> {
        &self.ring
    }

    /// Where the next record will stand.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// A place for a line of up to `length` bytes, or `None` when the ring is too full for it.
    ///
    /// The pointer is good for `length` bytes until the next call of this producer.
    #[inline]
    pub fn reserve(&mut self, length: usize, level: Level) -> Option<*mut u8> {
        let end = self.head + frame_bytes(length) as u64;
        let room = limit(self.ring.capacity() as u64, is_protected(level));
        if end - self.tail > room {
            self.tail = self.ring.header().consumer.tail.load(Ordering::Acquire);
            if end - self.tail > room {
                return None;
            }
        }
        // A follower that was lapped must be able to see it: the claim goes out before the bytes.
        let producer = &self.ring.header().producer;
        producer.reserved.store(end, Ordering::Relaxed);
        crate::sync::fence(Ordering::Release);
        // SAFETY: frame_bytes(length) contiguous bytes follow, and the consumer has left them.
        Some(unsafe { self.ring.at(self.head).add(FRAME_HEADER_BYTES) })
    }

    /// Makes the first `length` reserved bytes a record. True asks the caller to wake the drain.
    ///
    /// # Safety
    /// `reserve` gave at least `length` bytes since the last commit, and they are filled.
    #[inline]
    pub unsafe fn commit(&mut self, length: usize, level: Level, timestamp_ns: u64) -> bool {
        debug_assert!(length > 0, "a record has a line");
        let bytes = header(length, level, timestamp_ns, self.sequence);
        // SAFETY: the frame header lies right before the reserved bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(
                bytes.as_ptr(),
                self.ring.at(self.head),
                FRAME_HEADER_BYTES,
            );
        }
        self.head += frame_bytes(length) as u64;
        self.sequence += 1;
        let producer = &self.ring.header().producer;
        producer.sequence.store(self.sequence, Ordering::Relaxed);
        producer.head.store(self.head, Ordering::Release);
        self.prefetch();
        self.head >= self.alarm && self.crossed()
    }

    /// Asks for the cache lines of the next record: the drain has had them since they were last written.
    #[inline]
    fn prefetch(&self) {
        #[cfg(target_arch = "x86_64")]
        for line in 0..PREFETCH_LINES {
            use std::arch::x86_64::{_mm_prefetch, _MM_HINT_ET0};
            // SAFETY: a hint; the address is inside the double mapping.
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(self.ring.at(self.head).add(64 * line).cast()) };
        }
    }

    /// Every quarter of the ring: is the drain falling behind?
    #[cold]
    fn crossed(&mut self) -> bool {
        let quarter = self.ring.capacity() as u64 / 4;
        self.alarm = self.head + quarter;
        self.tail = self.ring.header().consumer.tail.load(Ordering::Acquire);
        self.head - self.tail >= quarter
    }

    /// Writes one whole line; the road for everything that is not encoded in place.
    pub fn write(&mut self, line: &[u8], level: Level, timestamp_ns: u64) -> Option<bool> {
        let place = self.reserve(line.len(), level)?;
        // SAFETY: `reserve` gave `line.len()` bytes, filled here.
        unsafe {
            std::ptr::copy_nonoverlapping(line.as_ptr(), place, line.len());
            Some(self.commit(line.len(), level, timestamp_ns))
        }
    }
}
