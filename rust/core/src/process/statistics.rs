//! What a process can tell about its logging.

use std::sync::atomic::Ordering;

use super::Process;

/// Counts since this process started (`journal_…`: since its domain was made, over all processes).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    pub logged: u64,
    pub dropped_newest: u64,
    pub dropped_oldest: u64,
    pub dropped_protected: u64,
    pub truncated: u64,
    pub failed: u64,
    pub blocked: u64,
    /// Records from which this process took secrets, and how many: by key, and by value without a journal.
    pub redacted: u64,
    pub redactions: u64,
    pub ring_bytes: u64,
    pub ring_used_bytes: u64,
    /// Why the ring is memory that dies with this process; `None` when it is shared.
    pub ring_private_because: Option<String>,
    pub console_shown: u64,
    pub console_lost: u64,
    pub leads: bool,
    pub leader: u32,
    pub journal_end: u64,
    pub journal_batches: u64,
    pub journal_records: u64,
    pub journal_bytes: u64,
    pub journal_rotations: u64,
    pub journal_takeovers: u64,
    pub journal_recoveries: u64,
    pub journal_write_errors: u64,
    pub journal_syncs: u64,
    /// Syncs and checkpoints that failed, and are tried again.
    pub journal_sync_errors: u64,
    pub journal_orphans: u64,
    /// Records from which the drain took secrets, by value, and how many.
    pub journal_redacted: u64,
    pub journal_redactions: u64,
    /// Files that were put into the archive, their records, and attempts that failed.
    pub journal_archived_files: u64,
    pub journal_archived_records: u64,
    pub journal_archive_errors: u64,
    /// Records and bytes that retention took, emergencies, attempts that failed, and files that a limit
    /// would take and something keeps.
    pub journal_pruned_records: u64,
    pub journal_pruned_bytes: u64,
    pub journal_emergencies: u64,
    pub journal_retention_errors: u64,
    pub journal_retention_spared: u64,
    /// What keeps this process's drain from appending at the moment.
    pub last_error: Option<String>,
}

impl Process {
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let header = self.ring.mapping.header();
        let counters = &header.counters;
        let control = self.domain.control();
        let totals = &control.totals;
        let head = header.producer.head.load(Ordering::Acquire);
        let tail = header.consumer.tail.load(Ordering::Acquire);
        Statistics {
            logged: header.producer.sequence.load(Ordering::Acquire),
            dropped_newest: counters.dropped_newest.load(Ordering::Relaxed),
            dropped_oldest: counters.dropped_oldest.load(Ordering::Relaxed),
            dropped_protected: counters.dropped_protected.load(Ordering::Relaxed),
            truncated: counters.truncated.load(Ordering::Relaxed),
            failed: counters.failed.load(Ordering::Relaxed),
            blocked: counters.blocked.load(Ordering::Relaxed),
            redacted: counters.redacted.load(Ordering::Relaxed),
            redactions: counters.redactions.load(Ordering::Relaxed),
            ring_bytes: self.ring.mapping.capacity() as u64,
            ring_used_bytes: head.saturating_sub(tail),
            ring_private_because: self.private_because.clone(),
            console_shown: self
                .output
                .as_ref()
                .map_or(0, |output| output.shown.load(Ordering::Relaxed)),
            console_lost: self
                .output
                .as_ref()
                .map_or(0, |output| output.lost.load(Ordering::Relaxed)),
            leads: self.drain.as_ref().is_some_and(|drain| drain.leads()),
            leader: control.leader(),
            journal_end: if self.journal.is_some() { control.committed().end } else { 0 },
            journal_batches: totals.batches.load(Ordering::Relaxed),
            journal_records: totals.records.load(Ordering::Relaxed),
            journal_bytes: totals.bytes.load(Ordering::Relaxed),
            journal_rotations: totals.rotations.load(Ordering::Relaxed),
            journal_takeovers: totals.takeovers.load(Ordering::Relaxed),
            journal_recoveries: totals.recoveries.load(Ordering::Relaxed),
            journal_write_errors: totals.write_errors.load(Ordering::Relaxed),
            journal_syncs: totals.syncs.load(Ordering::Relaxed),
            journal_sync_errors: totals.sync_errors.load(Ordering::Relaxed),
            journal_orphans: totals.orphans.load(Ordering::Relaxed),
            journal_redacted: totals.redacted.load(Ordering::Relaxed),
            journal_redactions: totals.redactions.load(Ordering::Relaxed),
            journal_archived_files: totals.archived_files.load(Ordering::Relaxed),
            journal_archived_records: totals.archived_records.load(Ordering::Relaxed),
            journal_archive_errors: totals.archive_errors.load(Ordering::Relaxed),
            journal_pruned_records: totals.pruned_records.load(Ordering::Relaxed),
            journal_pruned_bytes: totals.pruned_bytes.load(Ordering::Relaxed),
            journal_emergencies: totals.emergencies.load(Ordering::Relaxed),
            journal_retention_errors: totals.retention_errors.load(Ordering::Relaxed),
            journal_retention_spared: totals.retention_spared.load(Ordering::Relaxed),
            last_error: self.drain.as_ref().and_then(|drain| drain.last_error()),
        }
    }
}
