//! Who besides the drain reads this process's ring, and how far each of them is.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::ring::Mapping;

/// The readers of one ring. Without a journal those that hold make room by reading on; with one they
/// are overtaken.
#[derive(Debug)]
pub struct Consumers {
    ring: Arc<Mapping>,
    /// Only without a journal: the slowest of these keeps its records in the ring.
    holders: Mutex<Vec<Arc<AtomicU64>>>,
    is_drained: bool,
    wake: AtomicU32,
}

/// A reader that keeps what it has not read in the ring.
#[derive(Debug)]
pub struct Hold {
    consumers: Arc<Consumers>,
    position: Arc<AtomicU64>,
}

impl Consumers {
    pub fn new(ring: Arc<Mapping>, is_drained: bool) -> Arc<Self> {
        let holders = Mutex::default();
        Arc::new(Self { ring, holders, is_drained, wake: AtomicU32::new(0) })
    }

    /// A hold at `position`; `None` when a drain takes the records anyway.
    pub fn hold(self: &Arc<Self>, position: u64) -> Option<Hold> {
        if self.is_drained {
            return None;
        }
        let position = Arc::new(AtomicU64::new(position));
        self.holders.lock().unwrap_or_else(PoisonError::into_inner).push(position.clone());
        Some(Hold { consumers: self.clone(), position })
    }

    /// Makes room when nobody is there to read. True when it did.
    pub fn discard(&self) -> bool {
        let holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_drained || !holders.is_empty() {
            return false;
        }
        let head = self.ring.header().producer.head.load(Ordering::Acquire);
        self.ring.header().consumer.tail.fetch_max(head, Ordering::AcqRel) < head
    }

    fn settle(&self) {
        let holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        let slowest = holders.iter().map(|position| position.load(Ordering::Acquire)).min();
        if let Some(slowest) = slowest {
            // An evicting producer may have moved it further already.
            self.ring.header().consumer.tail.fetch_max(slowest, Ordering::AcqRel);
        }
    }

    pub fn wake(&self) {
        crate::futex::wake(&self.wake);
    }

    /// The word to pass to `wait`, read before looking for records.
    pub fn word(&self) -> u32 {
        self.wake.load(Ordering::Acquire)
    }

    pub fn wait(&self, word: u32, timeout: Duration) {
        crate::futex::wait(&self.wake, word, timeout);
    }
}

impl Hold {
    /// Gives up everything below `position`.
    pub fn advance(&self, position: u64) {
        self.position.store(position, Ordering::Release);
        self.consumers.settle();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holders = self.consumers.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.retain(|position| !Arc::ptr_eq(position, &self.position));
        drop(holders);
        self.consumers.settle();
    }
}
