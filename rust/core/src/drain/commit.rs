//! One batch from the rings into the journal, in steps of which every prefix can be finished or undone.
//!
//! ```text
//! 1 claim    every ring: pending_tail, pending_batch, state = draining
//! 2 intend   control page: batch, where the journal stands, where it will stand
//! 3 append   one write to the segment                       <- all bytes there: it happened
//! 4 publish  control page: committed
//! 5 release  every ring: tail = pending_tail, state = free
//! 6 settle   control page: no intent
//! ```
//! A leader that dies at 1 or 2, or inside 3, is taken back: the segment is truncated and the rings
//! still hold the records. From the end of 3 on it is completed by its successor.

use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Instant;

use super::merge::merge;
use super::{Leader, BATCH_BYTES};
use crate::domain::{Committed, Control, Intent};
use crate::error::{At, Result};
use crate::journal::{notice, Durability, Segment};
use crate::line::grouped;
use crate::ring::{consumer, Mapping, CONSUMER_FREE};

/// The points of a batch at which its leader may die; tests stop at each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Claimed,
    Intended,
    /// This many bytes of the batch were written.
    Appending(usize),
    Appended,
    Published,
    /// The first ring was released, the others were not.
    Releasing,
    Released,
    Settled,
}

/// The batch number after `batch`; 0 stands for "no intent" and is never used.
pub(super) fn number_after(control: &Control, batch: u64) {
    control.totals.batches.fetch_max(batch, Ordering::Relaxed);
}

/// Step 5 for one ring.
pub(super) fn finish(ring: &Mapping) {
    let consumer = &ring.header().consumer;
    consumer.tail.store(consumer.pending_tail.load(Ordering::Acquire), Ordering::Release);
    consumer.reported.store(consumer.pending_reported.load(Ordering::Acquire), Ordering::Release);
    consumer.pending_batch.store(0, Ordering::Release);
    consumer.state.store(CONSUMER_FREE, Ordering::Release);
}

impl Leader {
    /// Moves one batch. Returns how many records it had; 0 when there was nothing to do.
    ///
    /// # Errors
    /// When the segment cannot be written (a full disk): the records stay in their rings.
    pub fn drain(&mut self) -> Result<u64> {
        self.drain_until(|_| true)
    }

    /// `drain`, giving up at the first step for which `go_on` is false, as if killed there.
    pub(super) fn drain_until(&mut self, go_on: impl Fn(Step) -> bool) -> Result<u64> {
        let batch = self.domain.control().totals.batches.load(Ordering::Relaxed) + 1;
        let (claimed, records) = self.claim(batch);
        self.append(batch, claimed, records, go_on)
    }

    /// Appends what the journal has to say, and nothing else.
    pub(super) fn drain_notices(&mut self) -> Result<()> {
        let batch = self.domain.control().totals.batches.load(Ordering::Relaxed) + 1;
        self.buffer.clear();
        let records = self.take_notices();
        self.append(batch, Vec::new(), records, |_| true).map(drop)
    }

    /// Puts the journal's own lines into the buffer; returns how many.
    fn take_notices(&mut self) -> u64 {
        for line in &self.notices {
            self.buffer.extend_from_slice(line);
            self.buffer.push(b'\n');
        }
        self.notices.len() as u64
    }

    /// Steps 2 to 6 for the lines in the buffer.
    fn append(
        &mut self,
        batch: u64,
        claimed: Vec<Arc<Mapping>>,
        records: u64,
        go_on: impl Fn(Step) -> bool,
    ) -> Result<u64> {
        let control_domain = self.domain.clone();
        let control = control_domain.control();
        if records == 0 {
            release_untouched(&claimed);
            return Ok(0);
        }
        if !go_on(Step::Claimed) {
            return Ok(0);
        }
        let bytes = self.buffer.len() as u64;
        let after = Committed {
            bytes: self.committed.bytes + bytes,
            end: self.committed.end + records,
            ..self.committed
        };
        control.set_intent(&Intent { batch, before: self.committed, after });
        if !go_on(Step::Intended) {
            return Ok(0);
        }
        if cfg!(test) {
            for part in [1, self.buffer.len() / 2, self.buffer.len() - 1] {
                if !go_on(Step::Appending(part)) {
                    let _ = self.file.write_all_at(&self.buffer[..part], self.committed.bytes);
                    return Ok(0);
                }
            }
        }
        if let Err(error) = self.file.write_all_at(&self.buffer, self.committed.bytes) {
            self.take_back(&claimed)?;
            control.totals.write_errors.fetch_add(1, Ordering::Relaxed);
            return Err(error).at("appending to the segment", &self.segment.path);
        }
        if !go_on(Step::Appended) {
            return Ok(0);
        }
        control.commit(after);
        self.committed = after;
        self.notices.clear();
        self.closed = false;
        if let Some(sealer) = &mut self.sealer {
            sealer.append(&mut self.buffer, records);
        }
        if !go_on(Step::Published) {
            return Ok(0);
        }
        for (at, ring) in claimed.iter().enumerate() {
            finish(ring);
            if at == 0 && !go_on(Step::Releasing) {
                return Ok(0);
            }
        }
        number_after(control, batch);
        if !go_on(Step::Released) {
            return Ok(0);
        }
        control.clear_intent();
        if !go_on(Step::Settled) {
            return Ok(0);
        }
        let totals = &control.totals;
        totals.records.fetch_add(records, Ordering::Relaxed);
        totals.bytes.fetch_add(bytes, Ordering::Relaxed);
        let redacted = std::mem::take(&mut self.redacted);
        totals.redacted.fetch_add(redacted.lines, Ordering::Relaxed);
        totals.redactions.fetch_add(redacted.secrets, Ordering::Relaxed);
        self.segment_since.get_or_insert_with(Instant::now);
        match self.settings.durability {
            Durability::Process => self.syncer.dirty(),
            Durability::Batch => self.syncer.now(&self.file, false),
        }
        if self.rotate_when_due().is_err() {
            // The records are where they belong; the segment grows on until a new one can be made.
            control.totals.write_errors.fetch_add(1, Ordering::Relaxed);
        }
        Ok(records)
    }

    /// Step 1: fills the buffer and marks in every ring what of it is in there.
    fn claim(&mut self, batch: u64) -> (Vec<Arc<Mapping>>, u64) {
        let room = self.settings.segment_max_bytes.saturating_sub(self.committed.bytes);
        let max_bytes = usize::try_from(room).unwrap_or(BATCH_BYTES).clamp(4096, BATCH_BYTES);
        let mut rings: Vec<Arc<Mapping>> = Vec::new();
        let mut ranges = Vec::new();
        for ring in self.mappings() {
            let header = ring.header();
            let told =
                header.counters.dropped() == header.consumer.reported.load(Ordering::Acquire);
            if told && header.waiting_bytes() == 0 {
                continue;
            }
            let Some((tail, head)) = consumer::claim(ring) else {
                continue;
            };
            ranges.push((tail, head.min(tail + 2 * BATCH_BYTES as u64)));
            rings.push(ring.clone());
        }
        self.buffer.clear();
        let mut records = self.take_notices();
        let own_bytes = self.buffer.len();
        let sources: Vec<&[u8]> = rings
            .iter()
            .zip(&ranges)
            .map(|(ring, (from, to))| {
                #[allow(unsafe_code)]
                // SAFETY: this is the only drain, and `state` keeps an evicting producer out.
                unsafe {
                    ring.bytes(*from, *to)
                }
            })
            .collect();
        let (taken, lines) = merge(&sources, max_bytes, &mut self.buffer);
        records += lines;
        // Before the intent: whoever completes this batch finds no secret in it.
        self.redacted = self.redactor.batch(&mut self.buffer, own_bytes);
        for ((ring, (tail, _)), bytes) in rings.iter().zip(&ranges).zip(&taken) {
            let header = ring.header();
            let consumer = &header.consumer;
            let dropped = header.counters.dropped();
            let reported = consumer.reported.load(Ordering::Acquire);
            if dropped > reported {
                let lost = dropped - reported;
                let line = notice(
                    &format!("{} records dropped", grouped(lost)),
                    &[
                        ("dropped", lost.into()),
                        ("process", header.identity.process.load(Ordering::Relaxed).into()),
                    ],
                );
                self.buffer.extend_from_slice(&line);
                self.buffer.push(b'\n');
                records += 1;
            }
            consumer.pending_reported.store(dropped, Ordering::Relaxed);
            consumer.pending_tail.store(tail + *bytes as u64, Ordering::Relaxed);
            consumer.pending_batch.store(batch, Ordering::Release);
        }
        (rings, records)
    }

    /// Undoes steps 1 to 3 of a batch that could not be written.
    fn take_back(&mut self, claimed: &[Arc<Mapping>]) -> Result<()> {
        let truncated =
            self.file.set_len(self.committed.bytes).at("truncating", &self.segment.path);
        if truncated.is_ok() {
            self.domain.control().clear_intent();
            release_untouched(claimed);
        }
        truncated
    }

    fn rotate_when_due(&mut self) -> Result<()> {
        let full = self.committed.bytes >= self.settings.segment_max_bytes;
        let age = self.settings.segment_max_age_s;
        let old =
            age > 0 && self.segment_since.is_some_and(|since| since.elapsed().as_secs() >= age);
        if (full || old) && self.committed.bytes > 0 {
            self.rotate()?;
        }
        Ok(())
    }

    /// Closes the active segment and opens the next, named after the index it begins with.
    ///
    /// # Errors
    /// When the new file cannot be made; the old segment stays active.
    pub fn rotate(&mut self) -> Result<()> {
        let segment = Segment::at(&self.journal, self.committed.end);
        let file = segment.open_for_append()?;
        if let Err(error) = self.syncer.active(&file) {
            // An empty segment that nobody writes would be taken for the journal's end.
            let _ = std::fs::remove_file(&segment.path);
            return Err(error);
        }
        self.file = file;
        if let Some(sealer) = &mut self.sealer {
            sealer.rotate();
        }
        self.segment = segment;
        self.segment_since = None;
        self.committed =
            Committed { segment: self.committed.end, bytes: 0, end: self.committed.end };
        let control = self.domain.control();
        control.commit(self.committed);
        control.totals.rotations.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Rotates by age although no record arrives.
    ///
    /// # Errors
    /// As `rotate`.
    pub fn rotate_by_age(&mut self) -> Result<()> {
        self.rotate_when_due()
    }
}

fn release_untouched(claimed: &[Arc<Mapping>]) {
    for ring in claimed {
        ring.header().consumer.pending_batch.store(0, Ordering::Release);
        consumer::release(ring);
    }
}
