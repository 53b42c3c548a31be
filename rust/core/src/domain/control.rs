//! The control page: where the journal stands, what its leader is about to do, and what it has done.

use std::sync::atomic::{fence, AtomicU32, AtomicU64, Ordering};

use crate::clock::now_ns;

pub const CONTROL_BYTES: usize = 4096;
pub const MAGIC: u64 = u64::from_le_bytes(*b"treectl1");

/// How far the journal reaches: everything below is whole and will stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// Index of the first record of the active segment, which is also its name.
    pub segment: u64,
    /// Bytes of the active segment.
    pub bytes: u64,
    /// Index that the next record gets.
    pub end: u64,
}

/// What a leader is about to append. While one stands, the segment holds either none or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    pub batch: u64,
    /// Where the journal stood before.
    pub before: Committed,
    pub after: Committed,
}

#[repr(C, align(64))]
#[derive(Debug, Default)]
struct CommittedWords {
    /// Odd while the three words are being changed (a sequence lock).
    version: AtomicU64,
    segment: AtomicU64,
    bytes: AtomicU64,
    end: AtomicU64,
}

#[repr(C, align(64))]
#[derive(Debug, Default)]
struct IntentWords {
    batch: AtomicU64,
    before: [AtomicU64; 3],
    after: [AtomicU64; 3],
}

#[repr(C, align(64))]
#[derive(Debug, Default)]
struct Requests {
    /// Futex: whoever wants the drain to look now changes it.
    wake: AtomicU32,
    asleep: AtomicU32,
    /// Bumped when a ring appears, so that the leader reads the directory only then.
    rings: AtomicU32,
    /// Token of the drain that asks to lead instead; 0 for none.
    handover: AtomicU32,
    /// Tickets for `fdatasync`: asked for, and done.
    sync_wanted: AtomicU64,
    sync_done: AtomicU64,
    sync_wake: AtomicU32,
    settings: AtomicU32,
}

/// Counted up by leaders; survives them.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct Totals {
    pub batches: AtomicU64,
    pub records: AtomicU64,
    pub bytes: AtomicU64,
    pub rotations: AtomicU64,
    pub takeovers: AtomicU64,
    pub recoveries: AtomicU64,
    pub write_errors: AtomicU64,
    pub syncs: AtomicU64,
    /// Syncs or checkpoints that failed and are tried again.
    pub sync_errors: AtomicU64,
    /// Of rings that are gone.
    pub dropped: AtomicU64,
    pub truncated: AtomicU64,
    pub failed: AtomicU64,
    pub logged: AtomicU64,
    pub orphans: AtomicU64,
    /// Records from which the drain took secrets, and how many; by key, those of rings that are gone.
    pub redacted: AtomicU64,
    pub redactions: AtomicU64,
    /// Files that were put into the archive, their records, and attempts that failed.
    pub archived_files: AtomicU64,
    pub archived_records: AtomicU64,
    pub archive_errors: AtomicU64,
    /// Records and bytes that retention took, emergencies, and attempts that failed.
    pub pruned_records: AtomicU64,
    pub pruned_bytes: AtomicU64,
    pub emergencies: AtomicU64,
    pub retention_errors: AtomicU64,
    /// Files that a limit would take and something keeps, at the last look.
    pub retention_spared: AtomicU64,
}

/// The first page of a domain. All words are atomic; only the leader writes `committed` and `intent`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Control {
    magic: AtomicU64,
    /// Tells this domain from every other one, before and after it.
    id: AtomicU64,
    retired: AtomicU32,
    leader: AtomicU32,
    committed: CommittedWords,
    intent: IntentWords,
    requests: Requests,
    pub totals: Totals,
}

impl Control {
    pub(super) fn initialise(&self) {
        self.id.store(now_ns() ^ (u64::from(std::process::id()) << 44), Ordering::Relaxed);
        self.magic.store(MAGIC, Ordering::Release);
    }

    pub(super) fn magic(&self) -> u64 {
        self.magic.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    pub(super) fn retire(&self) {
        self.retired.store(1, Ordering::Release);
    }

    /// The shared files are gone; what this page says is history.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire) != 0
    }

    /// Process id of the leader, 0 when none has led yet. A dead leader's id stays until the next.
    #[must_use]
    pub fn leader(&self) -> u32 {
        self.leader.load(Ordering::Acquire)
    }

    pub fn set_leader(&self, process: u32) {
        self.leader.store(process, Ordering::Release);
    }

    #[must_use]
    pub fn committed(&self) -> Committed {
        let words = &self.committed;
        loop {
            let version = words.version.load(Ordering::Acquire);
            let committed = Committed {
                segment: words.segment.load(Ordering::Relaxed),
                bytes: words.bytes.load(Ordering::Relaxed),
                end: words.end.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if version & 1 == 0 && words.version.load(Ordering::Relaxed) == version {
                return committed;
            }
            // A writer that died half-way leaves the version odd; its successor repairs it.
            std::thread::yield_now();
        }
    }

    /// Publishes a new state of the journal. Leader only.
    pub fn commit(&self, committed: Committed) {
        let words = &self.committed;
        let odd = words.version.load(Ordering::Relaxed) | 1;
        words.version.store(odd, Ordering::Relaxed);
        fence(Ordering::Release);
        words.segment.store(committed.segment, Ordering::Relaxed);
        words.bytes.store(committed.bytes, Ordering::Relaxed);
        words.end.store(committed.end, Ordering::Relaxed);
        words.version.store(odd + 1, Ordering::Release);
    }

    /// The committed words as they lie; for a leader that has just taken over.
    #[must_use]
    pub fn committed_unchecked(&self) -> Committed {
        let words = &self.committed;
        Committed {
            segment: words.segment.load(Ordering::Acquire),
            bytes: words.bytes.load(Ordering::Acquire),
            end: words.end.load(Ordering::Acquire),
        }
    }

    #[must_use]
    pub fn intent(&self) -> Option<Intent> {
        let words = &self.intent;
        let read = |words: &[AtomicU64; 3]| Committed {
            segment: words[0].load(Ordering::Relaxed),
            bytes: words[1].load(Ordering::Relaxed),
            end: words[2].load(Ordering::Relaxed),
        };
        match words.batch.load(Ordering::Acquire) {
            0 => None,
            batch => Some(Intent { batch, before: read(&words.before), after: read(&words.after) }),
        }
    }

    pub fn set_intent(&self, intent: &Intent) {
        for (words, value) in
            [(&self.intent.before, intent.before), (&self.intent.after, intent.after)]
        {
            words[0].store(value.segment, Ordering::Relaxed);
            words[1].store(value.bytes, Ordering::Relaxed);
            words[2].store(value.end, Ordering::Relaxed);
        }
        self.intent.batch.store(intent.batch, Ordering::Release);
    }

    pub fn clear_intent(&self) {
        self.intent.batch.store(0, Ordering::Release);
    }

    /// Wakes the drain if it sleeps; costs a load when it does not.
    pub fn wake(&self) {
        if self.requests.asleep.load(Ordering::SeqCst) != 0 {
            crate::futex::wake(&self.requests.wake);
        }
    }

    /// Sleeps until somebody calls `wake` or `timeout` has passed; `ready` is asked once more before.
    pub fn sleep(&self, timeout: std::time::Duration, ready: impl Fn() -> bool) {
        let word = self.requests.wake.load(Ordering::SeqCst);
        self.requests.asleep.store(1, Ordering::SeqCst);
        if !ready() {
            crate::futex::wait(&self.requests.wake, word, timeout);
        }
        self.requests.asleep.store(0, Ordering::SeqCst);
    }

    /// Tells the leader that the rings of the domain have changed.
    pub fn announce_ring(&self) {
        self.requests.rings.fetch_add(1, Ordering::AcqRel);
    }

    #[must_use]
    pub fn rings_version(&self) -> u32 {
        self.requests.rings.load(Ordering::Acquire)
    }

    /// Tells the leader that `journal.json` has changed.
    pub fn announce_settings(&self) {
        self.requests.settings.fetch_add(1, Ordering::AcqRel);
    }

    #[must_use]
    pub fn settings_version(&self) -> u32 {
        self.requests.settings.load(Ordering::Acquire)
    }

    /// Token of the drain that asks to lead instead of the present leader; 0 for none.
    #[must_use]
    pub fn handover(&self) -> u32 {
        self.requests.handover.load(Ordering::Acquire)
    }

    pub fn ask_handover(&self, token: u32) {
        self.requests.handover.store(token, Ordering::Release);
    }

    /// Asks that everything drained by now reach the device; `wait_synced` waits for the ticket.
    pub fn want_sync(&self) -> u64 {
        self.requests.sync_wanted.fetch_add(1, Ordering::AcqRel) + 1
    }

    #[must_use]
    pub fn sync_wanted(&self) -> u64 {
        self.requests.sync_wanted.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn sync_done(&self) -> u64 {
        self.requests.sync_done.load(Ordering::Acquire)
    }

    pub fn synced(&self, ticket: u64) {
        self.totals.syncs.fetch_add(1, Ordering::Relaxed);
        self.requests.sync_done.fetch_max(ticket, Ordering::AcqRel);
        crate::futex::wake(&self.requests.sync_wake);
    }

    /// True when `ticket` was served before `deadline`.
    #[must_use]
    pub fn wait_synced(&self, ticket: u64, deadline: std::time::Instant) -> bool {
        loop {
            let word = self.requests.sync_wake.load(Ordering::Acquire);
            if self.sync_done() >= ticket {
                return true;
            }
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return false;
            }
            self.wake();
            crate::futex::wait(
                &self.requests.sync_wake,
                word,
                left.min(std::time::Duration::from_millis(50)),
            );
        }
    }
}

const _: () = assert!(size_of::<Control>() <= CONTROL_BYTES);
