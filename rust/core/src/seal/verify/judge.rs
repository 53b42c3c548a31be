//! The walk: pieces joined in order, every checkpoint asked for its root and its two signatures.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use super::super::event::{Created, PrunedBelow};
use super::super::note::Vkey;
use super::super::tree::Range;
use super::anchors;
use super::archived::{check_indexes, Ahead, Announced, Digests};
use super::expected::{compare_newest, expectations, Expected};
use super::feed::{work, Feed, Task};
use super::gone::Part;
use super::hashing::Hashed;
use super::runs::Runs;
use super::segment::Going;
use super::source::{checkpoints, sources, Source, Sources};
use super::{Failure, Options, Report};
use crate::seal::Policy;

pub(super) type Judged<T> = Result<T, Failure>;

pub(super) struct Walk<'a> {
    pub report: &'a mut Report,
    pub expected: VecDeque<Expected>,
    /// Sizes of the journal's own checkpoints.
    pub sizes: Vec<u64>,
    tree: Range,
    pub pin: Vec<Vkey>,
    pub genesis: Option<Created>,
    /// The identity key and the key of the running epoch.
    pub keys: Vec<Vkey>,
    pub next_key: Option<(u64, Vkey)>,
    /// Erased records, each with the record that said so last.
    pub erased: BTreeMap<u64, u64>,
    pub missing: Runs,
    pub saltless: Runs,
    /// Closed segments.
    pub parts: Vec<Part>,
    /// Each with its own index.
    pub pruned: Vec<(u64, PrunedBelow)>,
    pub announced: Announced,
    pub last_time: Option<(u64, String)>,
}

pub fn judge(directory: &Path, mut options: Options<'_>, report: &mut Report) -> Judged<()> {
    if options.threads == 0 {
        options.threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    }
    // First, so that whatever is announced in time is sealed when the checkpoints are read.
    let digests = Digests::of(directory, options.threads)?;
    let (series, torn, newest) = checkpoints(directory)?;
    report.torn_checkpoint_bytes = torn;
    report.checkpoints = series.notes.len() as u64;
    let Some((_, last_note, last)) = series.notes.last() else {
        return Err(Failure::new("seal/checkpoints has no complete checkpoint"));
    };
    report.origin.clone_from(&last.origin);
    report.sealed = last.size;
    report.root = last.root;
    report.checkpoint = last_note.to_string();
    report.lags = compare_newest(&series.notes, &newest)?;
    report.anchored = anchors::anchored(directory, &options.trust, &series.notes)?;
    report.unanchored = report.anchored.is_none()
        && options.trust.policy.as_ref().is_some_and(Policy::wants_witnesses);
    let expected = expectations(&series.notes, &options.seen, last)?;
    let mut walk = Walk {
        sizes: series.notes.iter().map(|(_, _, checkpoint)| checkpoint.size).collect(),
        expected,
        tree: Range::empty(0),
        pin: std::mem::take(&mut options.trust.pin),
        genesis: None,
        keys: Vec::new(),
        next_key: None,
        erased: BTreeMap::new(),
        missing: Runs::default(),
        saltless: Runs::default(),
        parts: Vec::new(),
        pruned: Vec::new(),
        announced: Announced::default(),
        last_time: None,
        report,
    };
    let sources = sources(directory, options.until.is_some())?;
    let end = walk.go(directory, &sources, &mut options)?;
    walk.finish(end, &sources.unsealed, options.until)?;
    digests.check(&walk.announced)?;
    // Last: only a file that is right has words to look for.
    check_indexes(&sources.archive, options.threads)
}

impl Walk<'_> {
    /// Hashes all segments and joins them; returns the index after the last complete record.
    fn go(&mut self, journal: &Path, sources: &Sources, options: &mut Options<'_>) -> Judged<u64> {
        let total: u64 = sources.segments.iter().map(|source| source.bytes).sum();
        let threads = options.threads;
        let mut cuts: Vec<u64> = self.expected.iter().map(|expected| expected.size).collect();
        cuts.dedup();
        let until = options.until.map_or(u64::MAX, |until| until.max(self.report.sealed));
        let identities = std::mem::take(&mut options.identities);
        let (queue, tasks) = sync_channel::<Task>(threads * 4);
        let tasks = Arc::new(Mutex::new(tasks));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let tasks = tasks.clone();
                scope.spawn(move || work(&tasks));
            }
            // Owned here, so that the threads end whichever way this closure is left.
            let mut going = Going {
                journal,
                archive: &sources.archive,
                can_decrypt: !identities.is_empty(),
                ahead: Ahead::new(
                    scope,
                    &sources.archive,
                    &identities,
                    sources.to_read(!identities.is_empty()),
                    threads,
                ),
                feed: Feed::new(queue, threads * 4, total),
                cuts: Arc::new(cuts),
                until,
                options,
            };
            self.pass(0)?;
            let mut next = 0;
            let wanted = |source: &&Source| source.header.first < until;
            for source in sources.segments.iter().filter(wanted) {
                going.feed.settle_all(self, going.options)?;
                if self.tree.hashes() != source.header.frontier.hashes() {
                    let what = "the seal file's frontier is not that of the records before it";
                    return Err(Failure::at(source.header.first, what));
                }
                next = self.feed_source(source, &mut going)?;
            }
            going.feed.settle_all(self, going.options)?;
            Ok(next)
        })
    }

    /// Joins what came out of one piece.
    pub(super) fn join(&mut self, hashed: Hashed) -> Judged<()> {
        let mut events = hashed.events.into_iter().peekable();
        for range in &hashed.ranges {
            while let Some((index, event)) = events.next_if(|(index, _)| *index < range.end()) {
                self.take(index, event)?;
            }
            self.tree.append(range);
            self.pass(range.end())?;
        }
        self.missing.append(&hashed.missing);
        self.saltless.append(&hashed.saltless);
        if let Some(last) = hashed.last_time.filter(|(index, _)| *index < self.report.sealed) {
            self.last_time = Some(last);
        }
        hashed.failure.map_or(Ok(()), Err)
    }

    /// Compares what is expected of the tree at its present size.
    fn pass(&mut self, size: u64) -> Judged<()> {
        while self.expected.front().is_some_and(|expected| expected.size == size) {
            if size == 0 && self.keys.is_empty() {
                // Checked when record 0 has named the keys.
                return Ok(());
            }
            let Some(expected) = self.expected.pop_front() else { break };
            if expected.root != self.tree.root() {
                let good = self.after_last_good(size);
                let which = if good + 1 == size {
                    format!("record {good}")
                } else {
                    format!("one of the records {good} to {}", size - 1)
                };
                let what = format!("{which} is not what {} of size {size} signs", expected.source);
                return Err(Failure::at(good, what));
            }
            if expected.note.is_some() {
                self.check_signatures(&expected)?;
                if let Some((number, key)) = self.next_key.take() {
                    self.report.epoch = number;
                    self.keys[1] = key;
                }
            }
        }
        Ok(())
    }

    /// The records before the last checkpoint that agreed are good.
    fn after_last_good(&self, size: u64) -> u64 {
        let at = self.sizes.partition_point(|known| *known < size);
        at.checked_sub(1).map_or(0, |before| self.sizes[before])
    }

    pub(super) fn check_signatures(&self, expected: &Expected) -> Judged<()> {
        let Some(note) = &expected.note else { return Ok(()) };
        let what = |reason: &str| {
            Failure::new(format!("the checkpoint of size {} {reason}", expected.size))
        };
        if self.keys.len() != 2 {
            return Err(what("comes before a record that names the keys"));
        }
        let ours = note.signatures.len() == 2
            && note.signatures[0].is_by(&self.keys[0])
            && note.signatures[1].is_by(&self.keys[1]);
        if !ours {
            return Err(what(&format!(
                "is not signed by the identity key and the key of epoch {}",
                self.report.epoch
            )));
        }
        note.verify(&self.keys).map_err(|malformed| what(&malformed.what))?;
        Ok(())
    }
}
