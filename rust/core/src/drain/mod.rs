//! The drain: the one thread that empties all rings of a journal into it.
//!
//! `Leader` is the lead itself, taken over from whoever had it, one step at a time; `run` is the life
//! of the drain thread in every process that has the journal open: lead, or wait to lead.

mod archiving;
mod commit;
mod cutting;
#[cfg(all(test, not(loom)))]
mod cutting_tests;
mod held;
mod merge;
mod prune;
mod retaining;
mod rewrap;
mod run;
mod settings;
mod swap;
mod sync;
#[cfg(all(test, not(loom)))]
mod tests;
mod units;
mod upkeep;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use archiving::Progress;
pub use commit::Step;
pub use prune::{Cut, Keep, Pruned};
pub use retaining::{retain, Retained};
pub use rewrap::Rewrapped;
pub use run::{run, DrainThread};
pub use upkeep::{archive_now, as_leader};

use crate::domain::{Committed, Domain, SharedRing};
use crate::error::Result;
use crate::journal::{adopt, last_line, notice, Adopted, Journal, Segment, Settings};
use crate::process::fork;
use crate::redact::{Counts, Redactor};
use crate::ring::{Mapping, CONSUMER_DRAINING, CONSUMER_EVICTING, CONSUMER_FREE};
use crate::seal::{self, event, Event, Opened, Seal, Sealer, CLOSED};
use sync::Syncer;

/// Bytes moved at once: large enough to pay for the system call, small enough to stay in the cache.
const BATCH_BYTES: usize = 256 << 10;

/// What a lead is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Records must go somewhere: a seal that cannot go on ends, and a new generation begins.
    Logging,
    /// A person looks at the journal or works on it: what cannot go on is left as it is.
    Upkeep,
}

/// The lead of a journal. Exists only while the lock is held.
#[derive(Debug)]
pub struct Leader {
    journal: Journal,
    settings: Settings,
    settings_version: u32,
    redactor: Redactor,
    /// Secrets taken out of the batch at hand.
    redacted: Counts,
    domain: Arc<Domain>,
    /// The ring of this process when the domain is private; such rings have no file.
    own: Option<Arc<Mapping>>,
    rings: Vec<SharedRing>,
    rings_version: u32,
    file: File,
    segment: Segment,
    committed: Committed,
    /// When the active segment got its first record.
    segment_since: Option<Instant>,
    notices: Vec<Vec<u8>>,
    /// The journal's last record says that it was closed.
    closed: bool,
    buffer: Vec<u8>,
    /// Before the syncer: what it still hashes is signed then.
    sealer: Option<Sealer>,
    syncer: Syncer,
    /// Closing it frees the journal for the next leader; last, so that it is.
    lock: File,
}

impl Leader {
    /// Takes the lead if nobody holds it, and settles what the last leader left.
    ///
    /// # Errors
    /// When the journal cannot be read or written; the lock is free again then.
    pub fn take(
        journal: &Journal,
        settings: &Settings,
        domain: &Arc<Domain>,
        own: Option<Arc<Mapping>>,
        purpose: Purpose,
    ) -> Result<Option<Self>> {
        let Some(lock) = journal.try_lead()? else {
            return Ok(None);
        };
        fork::close_in_children(Some(&lock));
        let control = domain.control();
        let settings_version = control.settings_version();
        let settings = if settings_version == 0 {
            settings.clone()
        } else {
            Journal::open(journal.directory())?.1
        };
        let mut adopted = adopt(journal, control)?;
        let (sealer, opened) = if settings.seal {
            let (seal, opened) = seal::open(
                journal,
                &settings,
                &mut adopted.committed,
                purpose == Purpose::Logging,
            )?;
            let epoch_max_age = Duration::from_secs(settings.epoch_max_age_s);
            (Some(Sealer::start(seal, epoch_max_age)?), Some(opened))
        } else {
            (None, None)
        };
        let segment = Segment::at(journal, adopted.committed.segment);
        let file = segment.open_for_append()?;
        let signs = sealer.as_ref().map(|sealer| {
            (sealer.seal().clone(), Duration::from_secs(settings.checkpoint_interval_s))
        });
        let (redactor, error) = Redactor::open_or_mask(&settings.redaction, journal.directory());
        let mut leader = Self {
            redactor,
            redacted: Counts::default(),
            syncer: Syncer::start(journal.active(), domain.clone(), &file, signs)?,
            sealer,
            journal: journal.clone(),
            settings,
            settings_version,
            domain: domain.clone(),
            own: own.filter(|_| domain.is_private()),
            rings: Vec::new(),
            rings_version: 0,
            file,
            segment,
            committed: adopted.committed,
            segment_since: (adopted.committed.bytes > 0).then(Instant::now),
            notices: Vec::new(),
            closed: last_line(journal)?.is_some_and(|line| event(&line) == Some(Event::Closed)),
            buffer: Vec::with_capacity(BATCH_BYTES + (64 << 10)),
            lock,
        };
        leader.look_for_rings()?;
        leader.settle(&adopted);
        control.commit(adopted.committed);
        control.clear_intent();
        journal.name_leader(&leader.lock, domain)?;
        if control.leader() != 0 {
            control.totals.takeovers.fetch_add(1, Ordering::Relaxed);
        }
        control.set_leader(std::process::id());
        leader.announce(&adopted, opened);
        leader.announce_masking(error);
        Ok(Some(leader))
    }

    /// Brings the rings to where the journal is: an append that is in the journal is taken out of them,
    /// one that was taken back stays in them.
    fn settle(&self, adopted: &Adopted) {
        let intent = self.domain.control().intent();
        for ring in self.mappings() {
            let consumer = &ring.header().consumer;
            let completed = adopted.intent_completed == Some(true)
                && intent.is_some_and(|intent| {
                    consumer.pending_batch.load(Ordering::Acquire) == intent.batch
                });
            if completed {
                commit::finish(ring);
            }
            // An eviction belongs to the producer, which may be alive and in the middle of it.
            let _ = consumer.state.compare_exchange(
                CONSUMER_DRAINING,
                CONSUMER_FREE,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
        if let Some(intent) = intent {
            commit::number_after(self.domain.control(), intent.batch);
        }
    }

    /// What the journal should say about how this lead began.
    fn announce(&mut self, adopted: &Adopted, opened: Option<Opened>) {
        match &opened {
            Some(Opened::Begun { genesis, .. }) => {
                self.notices.push(notice("journal created", genesis));
            }
            None if adopted.committed == Committed::default() => self.notices.push(notice(
                "journal created",
                &[
                    ("journal", self.settings.id.clone().into()),
                    ("format", self.settings.format.into()),
                ],
            )),
            _ => {}
        }
        let unsealed = match opened {
            Some(Opened::Resumed { adopted }) => adopted,
            _ => 0,
        };
        let unexpected =
            adopted.torn_bytes > 0 || adopted.intent_completed.is_some() || unsealed > 0;
        if unexpected {
            self.domain.control().totals.recoveries.fetch_add(1, Ordering::Relaxed);
            let append = match adopted.intent_completed {
                Some(true) => "completed",
                Some(false) => "taken back and repeated",
                None => "none in flight",
            };
            self.notices.push(notice(
                "journal recovered",
                &[
                    ("append", append.into()),
                    ("torn_bytes", adopted.torn_bytes.into()),
                    ("unsealed_records", unsealed.into()),
                    ("index", adopted.committed.end.into()),
                ],
            ));
        }
    }

    pub(crate) fn mappings(&self) -> impl Iterator<Item = &Arc<Mapping>> {
        self.own.iter().chain(self.rings.iter().map(|ring| &ring.mapping))
    }

    /// Opens rings that have appeared since the last look.
    ///
    /// # Errors
    /// When the runtime directory cannot be read.
    pub fn look_for_rings(&mut self) -> Result<()> {
        use crate::error::At;
        let version = self.domain.control().rings_version();
        if version == self.rings_version && version != 0 {
            return Ok(());
        }
        let place = self.domain.directory().unwrap_or(self.journal.directory()).to_owned();
        crate::domain::refresh_rings(&self.domain, &mut self.rings)
            .at("reading the rings", &place)?;
        self.rings_version = version;
        Ok(())
    }

    /// Retires the rings of dead processes once they are empty. True when one was retired.
    pub fn retire_orphans(&mut self) -> bool {
        let control = self.domain.control();
        let before = self.rings.len();
        self.rings.retain(|ring| {
            let header = ring.mapping.header();
            let head = header.producer.head.load(Ordering::Acquire);
            if header.consumer.tail.load(Ordering::Acquire) != head || !ring.is_orphan() {
                return true;
            }
            // Written between the look at the head and the owner's death: drained next time.
            let late = header.producer.head.load(Ordering::Acquire) != head;
            let unreported =
                header.counters.dropped() != header.consumer.reported.load(Ordering::Acquire);
            if late
                || unreported
                || header.consumer.state.load(Ordering::Acquire) == CONSUMER_EVICTING
            {
                header.consumer.state.store(CONSUMER_FREE, Ordering::Release);
                return true;
            }
            let counters = &header.counters;
            let totals = &control.totals;
            totals.dropped.fetch_add(counters.dropped(), Ordering::Relaxed);
            totals
                .truncated
                .fetch_add(counters.truncated.load(Ordering::Relaxed), Ordering::Relaxed);
            totals.failed.fetch_add(counters.failed.load(Ordering::Relaxed), Ordering::Relaxed);
            totals.redacted.fetch_add(counters.redacted.load(Ordering::Relaxed), Ordering::Relaxed);
            totals
                .redactions
                .fetch_add(counters.redactions.load(Ordering::Relaxed), Ordering::Relaxed);
            totals
                .logged
                .fetch_add(header.producer.sequence.load(Ordering::Relaxed), Ordering::Relaxed);
            totals.orphans.fetch_add(1, Ordering::Relaxed);
            ring.remove();
            false
        });
        self.rings.len() != before
    }

    /// True when no ring holds a record.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.notices.is_empty()
            && self.mappings().all(|ring| {
                let header = ring.header();
                header.consumer.tail.load(Ordering::Acquire)
                    == header.producer.head.load(Ordering::Acquire)
                    && header.consumer.reported.load(Ordering::Acquire) == header.counters.dropped()
            })
    }

    /// Where the journal lies.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.journal.directory()
    }

    #[must_use]
    pub fn committed(&self) -> Committed {
        self.committed
    }

    /// True when a ring is so full that sleeping would not pay.
    #[must_use]
    pub fn has_backlog(&self) -> bool {
        self.mappings().any(|ring| {
            let header = ring.header();
            let held = header.producer.head.load(Ordering::Acquire)
                - header.consumer.tail.load(Ordering::Acquire);
            held >= ring.capacity() as u64 / 8
        })
    }

    /// Has what was drained so far synced for whoever drew a ticket up to `ticket`.
    pub fn serve_tickets(&mut self, ticket: u64) {
        self.syncer.serve_tickets(ticket);
    }

    /// Waits until everything appended so far is on the device, and sealed.
    pub fn sync(&mut self) {
        if let Some(sealer) = &self.sealer {
            // What cannot be hashed in a minute is sealed by the next leader.
            let _ = sealer.seal().wait_hashed();
        }
        self.syncer.now(&self.file, true);
    }

    /// Appends one record about the journal, apart from all others.
    ///
    /// # Errors
    /// When it cannot be written; it is forgotten then.
    pub fn append_notice(&mut self, line: Vec<u8>) -> Result<()> {
        self.notices.push(line);
        let appended = self.drain_notices();
        if appended.is_err() {
            self.notices.pop();
        }
        appended
    }

    /// Ends the running epoch of the seal if it is due, or at once when `now`.
    ///
    /// # Errors
    /// When key or record cannot be written; it is tried again later.
    pub fn turn_epoch(&mut self, now: bool) -> Result<()> {
        let Some(sealer) = self.sealer.as_mut().filter(|sealer| now || sealer.is_epoch_due())
        else {
            return Ok(());
        };
        let line = match sealer.next_epoch() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) => {
                sealer.postpone_epoch();
                return Err(error);
            }
        };
        self.append_notice(line)?;
        if let Some(sealer) = &mut self.sealer {
            sealer.end_epoch();
        }
        self.syncer.dirty();
        Ok(())
    }

    /// The seal, when the journal has one.
    #[must_use]
    pub fn seal(&self) -> Option<&Arc<Seal>> {
        self.sealer.as_ref().map(Sealer::seal)
    }

    /// Says that the journal was closed, when no process is left that could log to it, and seals it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(&mut self) -> Result<()> {
        let alone = self.rings.iter().all(SharedRing::is_orphan);
        while self.drain()? > 0 {}
        // An epoch that cannot be ended goes on; the journal is closed all the same.
        let turned = self.turn_epoch(false);
        if alone && self.sealer.is_some() && self.committed.end > 0 && !self.closed {
            self.append_notice(notice(CLOSED, &[]))?;
            self.closed = true;
        }
        self.sync();
        turned
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        fork::forget_descriptor(self.lock.as_raw_fd());
    }
}
