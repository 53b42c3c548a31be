//! The seal at work: commitments and tree over what the drain appends, checkpoints of what is durable.
//!
//! The drain hands every batch over after appending it; a thread of its own hashes it; the thread that
//! waits for the device signs. The order is A4 of the specification: records durable, checkpoint signed,
//! appended, replaced. A caller never waits for any of it, unless it asks to (`audit`).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::commitments::{nodes_place, SegmentSeal};
use super::event::EPOCH;
use super::hash::{commitments, record_leaves, Hash};
use super::keys::generate;
use super::publisher::Publisher;
use super::salts::Salts;
use super::tree::{Growing, Range};
use crate::error::{At, Error, Result};
use crate::journal::notice;

/// Batches that may wait to be hashed; the drain waits when there are more.
const QUEUE: usize = 32;
/// Buffers that are kept for the drain: it fills one while the others are hashed and written.
const SPENT: usize = 4;
/// A checkpoint is due after this many records, whatever the time.
const CHECKPOINT_RECORDS: u64 = 65_536;
/// An epoch is due after this many records or bytes, whatever the time.
const EPOCH_RECORDS: u64 = 4 << 20;
const EPOCH_BYTES: u64 = 1 << 30;
/// An epoch that could not be ended is tried again after this long.
const EPOCH_RETRY: Duration = Duration::from_secs(5);

/// A seal file that has still to be written, with the cache of nodes beside it.
type Unstored = (SegmentSeal, Option<Vec<Hash>>);

/// The end of an epoch: the tree with the record that opens the next one.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub size: u64,
    pub root: Hash,
    /// Number of the epoch that begins.
    pub epoch: u64,
}

/// The tree as far as it is hashed.
#[derive(Debug)]
pub(super) struct Growth {
    pub tree: Growing,
    pub segment: SegmentSeal,
    pub salts: Salts,
    /// Seal files that no checkpoint may be signed without.
    pub unstored: Vec<Unstored>,
    /// Ends of epochs that have no checkpoint yet.
    pub closings: VecDeque<Closing>,
    /// The size up to which records were adopted from a dead leader, or 0: no checkpoint ends there, since
    /// whoever can write the files could have put the last of them there (see the verifier).
    pub adopted: u64,
    /// Pieces of work that were done.
    pub done: u64,
}

impl Growth {
    /// The tree as it is where a segment begins.
    pub fn new(segment: SegmentSeal) -> Self {
        Self {
            tree: Growing::new(&segment.frontier),
            salts: salts_of(&segment),
            segment,
            unstored: Vec::new(),
            closings: VecDeque::new(),
            adopted: 0,
            done: 0,
        }
    }

    /// Hashes whole lines, each with its line feed.
    pub fn append(&mut self, lines: &[u8]) {
        let commitments = commit_lines(&mut self.salts, lines);
        self.tree.extend(&record_leaves(&commitments));
        self.segment.commitments.extend(commitments);
    }

    /// Closes the segment and begins the next.
    pub fn rotate(&mut self) -> std::io::Result<()> {
        let seed = generate()?;
        let next = SegmentSeal::open_segment(*seed, self.tree.frontier());
        let mut closed = std::mem::replace(&mut self.segment, next);
        closed.records = Some(closed.commitments.len() as u64);
        let nodes = self.tree.take_nodes();
        self.unstored.retain(|(seal, _)| seal.first != closed.first);
        self.unstored.push((closed, Some(nodes)));
        self.unstored.push((self.segment.clone(), None));
        self.salts = salts_of(&self.segment);
        Ok(())
    }

    /// Goes on with a segment's own seal file.
    pub fn take_up(&mut self, segment: SegmentSeal) {
        self.salts = salts_of(&segment);
        self.segment = segment;
    }
}

/// The salts of a segment that is being written.
pub(super) fn salts_of(segment: &SegmentSeal) -> Salts {
    Salts::new(&segment.seed.unwrap_or_default(), 0)
}

/// The commitments to whole lines, each with its line feed.
pub(super) fn commit_lines(salts: &mut Salts, lines: &[u8]) -> Vec<Hash> {
    let mut begin = 0;
    let salted: Vec<_> = memchr::memchr_iter(b'\n', lines)
        .map(|end| {
            let line = &lines[std::mem::replace(&mut begin, end + 1)..end];
            (salts.next_salt(), line)
        })
        .collect();
    commitments(&salted)
}

/// The root over batches of whole lines as a journal sealed under `seed` would have it, for measuring.
#[must_use]
pub fn hash_batches<'a>(seed: [u8; 32], batches: impl Iterator<Item = &'a [u8]>) -> Hash {
    let mut growth = Growth::new(SegmentSeal::open_segment(seed, Range::empty(0)));
    batches.for_each(|lines| growth.append(lines));
    growth.tree.root()
}

/// What the drain, the hashing thread and the thread that signs share.
#[derive(Debug)]
pub struct Seal {
    journal: PathBuf,
    growth: Mutex<Growth>,
    grown: Condvar,
    /// Pieces of work that were handed to the hashing thread.
    sent: AtomicU64,
    publisher: Mutex<Publisher>,
}

impl Seal {
    pub(super) fn new(journal: &Path, growth: Growth, publisher: Publisher) -> Self {
        Self {
            journal: journal.to_owned(),
            growth: Mutex::new(growth),
            grown: Condvar::new(),
            sent: AtomicU64::new(0),
            publisher: Mutex::new(publisher),
        }
    }

    fn growth(&self) -> MutexGuard<'_, Growth> {
        self.growth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publisher(&self) -> MutexGuard<'_, Publisher> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Size of the tree under the newest checkpoint.
    #[must_use]
    pub fn sealed(&self) -> u64 {
        self.publisher().size()
    }

    /// The line to pin: identity key and key of epoch 0.
    #[must_use]
    pub fn pin(&self) -> String {
        self.publisher().pin().to_owned()
    }

    /// The identity key and the running epoch's, as vkeys; the epoch's number.
    #[must_use]
    pub fn keys(&self) -> (String, String, u64) {
        let publisher = self.publisher();
        let keys = &publisher.keys;
        (keys.identity().to_string(), keys.epoch_key().to_string(), keys.epoch())
    }

    /// True when a checkpoint should be signed now.
    #[must_use]
    pub fn is_due(&self, interval: Duration) -> bool {
        let growth = self.growth();
        let (size, closing) = (growth.tree.size(), !growth.closings.is_empty());
        let unstored = !growth.unstored.is_empty();
        drop(growth);
        let publisher = self.publisher();
        let waiting = size.saturating_sub(publisher.size());
        closing
            || unstored
            || waiting >= CHECKPOINT_RECORDS
            || (waiting > 0 && publisher.published_at.elapsed() >= interval)
    }

    /// True when records wait for a checkpoint.
    #[must_use]
    pub fn has_unsealed(&self) -> bool {
        let size = self.growth().tree.size();
        size > self.publisher().size()
    }

    /// Waits until everything handed over by now is hashed. False when that took longer than a minute.
    #[must_use]
    pub fn wait_hashed(&self) -> bool {
        let sent = self.sent.load(Ordering::Acquire);
        let growth = self.growth();
        let (growth, _) = self
            .grown
            .wait_timeout_while(growth, Duration::from_secs(60), |growth| growth.done < sent)
            .unwrap_or_else(PoisonError::into_inner);
        growth.done >= sent
    }

    /// Signs what is hashed by now, after `sync` has brought it to the device.
    ///
    /// # Errors
    /// When something cannot be written: nothing is signed that could be lost.
    pub fn checkpoint(&self, sync: impl FnOnce() -> std::io::Result<()>) -> Result<()> {
        let (closings, unstored, size, root, adopted) = {
            let growth = self.growth();
            let (size, root) = (growth.tree.size(), growth.tree.root());
            (growth.closings.clone(), growth.unstored.clone(), size, root, growth.adopted)
        };
        sync().at("syncing", &self.journal)?;
        self.store_seals(&unstored)?;
        let mut publisher = self.publisher();
        for closing in &closings {
            publisher.close_epoch(closing)?;
            self.growth().closings.pop_front();
        }
        if size == adopted && size > publisher.size() {
            return Ok(());
        }
        publisher.publish(size, root)
    }

    /// Writes the seal files of segments that began or ended, whose lines are on the device.
    fn store_seals(&self, unstored: &[Unstored]) -> Result<()> {
        for (seal, nodes) in unstored {
            seal.store(&self.journal)?;
            if let Some(nodes) = nodes {
                // A cache: proofs are made without it as well.
                let path = nodes_place(&self.journal, seal.first);
                let _ = crate::journal::replace_file(&path, nodes.as_flattened());
            }
        }
        self.growth().unstored.retain(|waiting| !unstored.contains(waiting));
        Ok(())
    }
}

#[derive(Debug)]
enum Work {
    Lines(Vec<u8>),
    Rotate,
    /// The last line opened this epoch.
    EndEpoch(u64),
}

/// The drain's end of the seal: a queue to the hashing thread, and the epoch's clock.
#[derive(Debug)]
pub struct Sealer {
    seal: Arc<Seal>,
    work: Option<SyncSender<Work>>,
    /// Buffers of lines that were hashed.
    spent: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
    epoch_max_age: Duration,
    /// The last epoch that a record opened; it runs once the checkpoint over that record is signed.
    announced: u64,
    epoch_since: Instant,
    /// After a failure the next epoch is not tried before.
    retry_at: Instant,
    epoch_records: u64,
    epoch_bytes: u64,
}

impl Sealer {
    /// Starts the hashing thread.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start(seal: Seal, epoch_max_age: Duration) -> Result<Self> {
        let seal = Arc::new(seal);
        let (work, receiver) = sync_channel(QUEUE);
        let (spend, spent) = sync_channel(SPENT);
        let age = seal.publisher().keys.epoch_age();
        let epoch_since = Instant::now().checked_sub(age.min(epoch_max_age));
        let epoch_since = epoch_since.unwrap_or_else(Instant::now);
        let announced = seal.publisher().keys.epoch() + seal.growth().closings.len() as u64;
        let shared = seal.clone();
        let thread = std::thread::Builder::new()
            .name("treering-seal".into())
            .stack_size(256 << 10)
            .spawn(move || hash(&shared, &receiver, &spend))
            .at("starting the sealing thread of", &seal.journal)?;
        Ok(Self {
            seal,
            work: Some(work),
            spent,
            thread: Some(thread),
            epoch_max_age,
            announced,
            epoch_since,
            retry_at: Instant::now(),
            epoch_records: 0,
            epoch_bytes: 0,
        })
    }

    #[must_use]
    pub fn seal(&self) -> &Arc<Seal> {
        &self.seal
    }

    fn send(&self, work: Work) {
        self.seal.sent.fetch_add(1, Ordering::AcqRel);
        if let Some(queue) = &self.work {
            // Without its thread nothing is signed any more, which `checkpoint` reports.
            let _ = queue.send(work);
        }
    }

    /// Takes over lines that were just appended to the segment; leaves an empty buffer for the next ones.
    pub fn append(&mut self, lines: &mut Vec<u8>, records: u64) {
        self.epoch_records += records;
        self.epoch_bytes += lines.len() as u64;
        let empty = self.spent.try_recv().unwrap_or_default();
        self.send(Work::Lines(std::mem::replace(lines, empty)));
    }

    /// The segment has ended; the next one begins.
    pub fn rotate(&mut self) {
        self.send(Work::Rotate);
    }

    /// True when the running epoch has lasted long enough: by elapsed time, never by the wall clock.
    #[must_use]
    pub fn is_epoch_due(&self) -> bool {
        self.epoch_records > 0
            && Instant::now() >= self.retry_at
            && (self.epoch_since.elapsed() >= self.epoch_max_age
                || self.epoch_records >= EPOCH_RECORDS
                || self.epoch_bytes >= EPOCH_BYTES)
    }

    /// The epoch could not be ended: it goes on for a while.
    pub fn postpone_epoch(&mut self) {
        self.retry_at = Instant::now() + EPOCH_RETRY;
    }

    /// Makes the next epoch's key; gives the record that must be appended before `end_epoch`.
    ///
    /// `None` while the last epoch is still waiting for its checkpoint.
    ///
    /// # Errors
    /// When the key cannot be stored.
    pub fn next_epoch(&mut self) -> Result<Option<Vec<u8>>> {
        let mut publisher = self.seal.publisher();
        if publisher.keys.epoch() < self.announced {
            return Ok(None);
        }
        let (number, key) = publisher.keys.prepare_next()?;
        let fields = [("epoch", number.into()), ("key", key.to_string().into())];
        Ok(Some(notice(EPOCH, &fields)))
    }

    /// The record of the next epoch was appended, as the last one handed over.
    pub fn end_epoch(&mut self) {
        self.announced += 1;
        self.send(Work::EndEpoch(self.announced));
        self.epoch_since = Instant::now();
        self.epoch_records = 0;
        self.epoch_bytes = 0;
    }

    /// Waits until everything handed over is hashed, then ends the thread.
    pub fn stop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has hashed what it could; the next leader hashes the rest.
            let _ = thread.join();
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn hash(seal: &Seal, receiver: &Receiver<Work>, spent: &SyncSender<Vec<u8>>) {
    for work in receiver {
        let mut growth = seal.growth();
        match work {
            Work::Lines(mut lines) => {
                growth.append(&lines);
                lines.clear();
                // One too many is freed.
                let _ = spent.try_send(lines);
            }
            Work::Rotate => {
                while growth.rotate().is_err() {
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            Work::EndEpoch(epoch) => {
                let (size, root) = (growth.tree.size(), growth.tree.root());
                growth.closings.push_back(Closing { size, root, epoch });
            }
        }
        growth.done += 1;
        drop(growth);
        seal.grown.notify_all();
    }
}

pub(super) fn ended(path: &Path, what: impl Into<String>) -> Error {
    Error::Damaged { path: path.to_owned(), what: what.into() }
}
