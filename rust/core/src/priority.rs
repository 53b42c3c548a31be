//! The least share of the machine, for threads whose work can wait.
#![allow(unsafe_code)]

use std::time::Duration;

/// The least share of processor and disk for this thread; where that is refused it works as others do.
pub(crate) fn be_modest() {
    const LEAST: libc::c_int = 19;
    const IDLE_CLASS: libc::c_long = 3 << 13;
    const THIS_THREAD: libc::c_long = 0;
    const OF_PROCESS: libc::c_long = 1;
    // SAFETY: both calls change the scheduling of the calling thread and touch no memory.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, LEAST);
        libc::syscall(libc::SYS_ioprio_set, OF_PROCESS, THIS_THREAD, IDLE_CLASS);
    }
}

/// Processor time that this thread has used.
pub(crate) fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes the time to the place it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
