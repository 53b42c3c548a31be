//! What a forked child must not inherit: the locks of its parent.
//!
//! `flock` belongs to the open file, and a child shares its parent's open files. A child that kept them
//! would keep a dead parent's journal locked and its ring alive, so the child closes them first thing.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::Once;

const NONE: i32 = -1;
/// Descriptors a process holds at most: lock, control and rings of the journals it has open.
static DESCRIPTORS: [AtomicI32; 256] = [const { AtomicI32::new(NONE) }; 256];
static FORKS: AtomicU32 = AtomicU32::new(0);
static INSTALL: Once = Once::new();

/// Runs in the child, between `fork` and anything else: atomics and `close` only.
extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    for slot in &DESCRIPTORS {
        let descriptor = slot.swap(NONE, Ordering::Relaxed);
        if descriptor != NONE {
            // SAFETY: registered by us and not closed since; `close` is async-signal-safe.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// How many forks lie between this process and the one that loaded the module.
#[must_use]
pub fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Has the child of every later `fork` close `file` at once.
pub fn close_in_children(file: Option<&File>) {
    INSTALL.call_once(|| {
        // SAFETY: the handler only touches statics.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    let Some(file) = file else { return };
    for slot in &DESCRIPTORS {
        if slot
            .compare_exchange(NONE, file.as_raw_fd(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            return;
        }
    }
    debug_assert!(false, "more journals open than descriptors can be registered for");
}

/// Called before a registered file is closed.
pub fn forget_descriptor(descriptor: i32) {
    for slot in &DESCRIPTORS {
        let _ = slot.compare_exchange(descriptor, NONE, Ordering::AcqRel, Ordering::Relaxed);
    }
}
