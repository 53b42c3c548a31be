//! The atomics of the ring protocol, replaced by loom's when its interleavings are explored.

#[cfg(loom)]
pub use loom::sync::atomic::{fence, AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub use std::sync::atomic::{fence, AtomicU32, AtomicU64};

pub use std::sync::atomic::Ordering;
