//! The walk: pieces joined in order, every checkpoint asked for its root and its two signatures.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use super::super::event::{Created, Event, PrunedBelow};
use super::super::note::Vkey;
use super::super::tree::Range;
use super::anchors;
use super::expected::{compare_newest, expectations, Expected};
use super::feed::{work, Feed, Task};
use super::hashing::{Hashed, Piece};
use super::source::{checkpoints, segments, Source};
use super::{Failure, Options, Report};
use crate::clock::parse_rfc3339;
use crate::error::Error;
use crate::journal::Pieces;
use crate::seal::{empty_root, Policy};

pub(super) type Judged<T> = Result<T, Failure>;

pub(super) struct Walk<'a> {
    report: &'a mut Report,
    expected: VecDeque<Expected>,
    /// Sizes of the journal's own checkpoints.
    sizes: Vec<u64>,
    tree: Range,
    pin: Vec<Vkey>,
    genesis: Option<Created>,
    /// The identity key and the key of the running epoch.
    keys: Vec<Vkey>,
    next_key: Option<(u64, Vkey)>,
    erased: BTreeSet<u64>,
    missing: Vec<u64>,
    saltless: Vec<u64>,
    pruned: Vec<PrunedBelow>,
    last_time: Option<(u64, String)>,
}

pub fn judge(directory: &Path, mut options: Options<'_>, report: &mut Report) -> Judged<()> {
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
        erased: BTreeSet::new(),
        missing: Vec::new(),
        saltless: Vec::new(),
        pruned: Vec::new(),
        last_time: None,
        report,
    };
    let (sources, unsealed) = segments(directory, options.until.is_some())?;
    let end = walk.go(&sources, &mut options)?;
    walk.finish(end, &unsealed, options.until)
}

impl Walk<'_> {
    /// Hashes all segments and joins them; returns the index after the last complete record.
    fn go(&mut self, sources: &[Source], options: &mut Options<'_>) -> Judged<u64> {
        let total: u64 = sources.iter().map(|source| source.bytes).sum();
        let threads = match options.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let mut cuts: Vec<u64> = self.expected.iter().map(|expected| expected.size).collect();
        cuts.dedup();
        let cuts = Arc::new(cuts);
        let until = options.until.map_or(u64::MAX, |until| until.max(self.report.sealed));
        let (queue, tasks) = sync_channel::<Task>(threads * 4);
        let tasks = Arc::new(Mutex::new(tasks));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let tasks = tasks.clone();
                scope.spawn(move || work(&tasks));
            }
            // Owned here, so that the threads end whichever way this closure is left.
            let mut feed = Feed::new(queue, threads * 4, total);
            self.pass(0)?;
            let mut next = 0;
            for source in sources.iter().filter(|source| source.seal.first < until) {
                feed.settle_all(self, options)?;
                if self.tree.hashes() != source.seal.frontier.hashes() {
                    let what = "the seal file's frontier is not that of the records before it";
                    return Err(Failure::at(source.seal.first, what));
                }
                next = self.feed_source(source, &cuts, until, &mut feed, options)?;
            }
            feed.settle_all(self, options)?;
            Ok(next)
        })
    }

    fn feed_source(
        &mut self,
        source: &Source,
        cuts: &Arc<Vec<u64>>,
        until: u64,
        feed: &mut Feed,
        options: &mut Options<'_>,
    ) -> Judged<u64> {
        let seal = &source.seal;
        let piece = |first, lines: Option<Vec<u8>>| Piece {
            seal: seal.clone(),
            first,
            bytes: lines.as_ref().map_or(0, Vec::len) as u64,
            lines,
            cuts: cuts.clone(),
            until,
        };
        let Some(path) = &source.lines else {
            if seal.records.is_none() {
                // Its seal file is made before its first line: a death between the two.
                return Ok(seal.first);
            }
            if seal.salts != super::super::SaltKind::None {
                return Err(Failure::at(seal.first, "the segment is missing"));
            }
            if self.report.pruned_below != seal.first {
                return Err(Failure::at(seal.first, "a segment between others is missing"));
            }
            let end = seal.first + seal.commitments.len() as u64;
            self.report.pruned_below = end;
            feed.push(piece(seal.first, None), self, options)?;
            return Ok(end);
        };
        if seal.salts == super::super::SaltKind::None {
            // A prune that died between its two steps: the lines can no longer be told from others.
            self.report.pruning = true;
            self.report.pruned_below = seal.first + seal.commitments.len() as u64;
            feed.push(piece(seal.first, None), self, options)?;
            return Ok(self.report.pruned_below);
        }
        let mut pieces = Pieces::open(path).map_err(unreadable)?;
        let mut next = seal.first;
        loop {
            let lines = pieces.next_piece().map_err(unreadable)?;
            if lines.is_empty() || next >= until {
                break;
            }
            self.report.bytes += lines.len() as u64;
            let first = next;
            next += memchr::memchr_iter(b'\n', &lines).count() as u64;
            feed.push(piece(first, Some(lines)), self, options)?;
        }
        if next >= until {
            return Ok(next);
        }
        match seal.records {
            Some(records) if seal.first + records != next => {
                return Err(Failure::at(next, "the segment has fewer records than its seal"));
            }
            Some(_) if pieces.torn() > 0 => {
                return Err(Failure::at(next, "the segment does not end with a whole record"));
            }
            _ => self.report.torn_bytes = pieces.torn(),
        }
        Ok(next)
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
        self.missing.extend(hashed.missing);
        self.saltless.extend(hashed.saltless);
        if let Some(last) = hashed.last_time.filter(|(index, _)| *index < self.report.sealed) {
            self.last_time = Some(last);
        }
        hashed.failure.map_or(Ok(()), Err)
    }

    /// What a record says about the journal.
    fn take(&mut self, index: u64, event: Event) -> Judged<()> {
        if index >= self.report.sealed {
            return Ok(());
        }
        self.report.closed = event == Event::Closed && index + 1 == self.report.sealed;
        // Only a leader decides where a checkpoint ends; a line that somebody appended behind its back is
        // adopted, and never the last under one. So what takes content away counts only there.
        let is_last = self.sizes.binary_search(&(index + 1)).is_ok();
        match event {
            Event::Created(created) => {
                if index != 0 {
                    return Err(Failure::at(index, "the journal is created a second time"));
                }
                self.begin(*created)?;
            }
            Event::Epoch { number, key } => {
                if number != self.report.epoch + 1 {
                    let what = format!(
                        "epoch {number} is opened; {} would be right",
                        self.report.epoch + 1
                    );
                    return Err(Failure::at(index, what));
                }
                if !is_last {
                    let what = "an epoch is opened and no checkpoint ends with it";
                    return Err(Failure::at(index, what));
                }
                self.next_key = Some((number, key));
            }
            Event::Erased { indices } if is_last => {
                if indices.iter().any(|erased| *erased >= index) {
                    return Err(Failure::at(index, "erases a record that comes after it"));
                }
                self.erased.extend(indices);
            }
            Event::Pruned(pruned) if is_last => {
                if pruned.min_index > index {
                    return Err(Failure::at(index, "prunes records that come after it"));
                }
                self.check_retention(index, &pruned)?;
                self.pruned.push(pruned);
            }
            Event::Malformed => {
                return Err(Failure::at(index, "a record about the journal is malformed"));
            }
            Event::Erased { .. } | Event::Pruned(_) | Event::Closed | Event::Other => {}
        }
        Ok(())
    }

    /// Record 0: whose journal this is.
    fn begin(&mut self, created: Created) -> Judged<()> {
        if created.origin != self.report.origin {
            return Err(Failure::at(0, "the first record names another origin"));
        }
        let keys = [created.identity.clone(), created.key.clone()];
        for (pinned, key) in self.pin.iter().zip(&keys) {
            if pinned != key {
                let what = format!("the key is not the pinned one: {key} instead of {pinned}");
                return Err(Failure::at(0, what));
            }
            self.report.pinned += 1;
        }
        self.report.pin = format!("{} {}", keys[0], keys[1]);
        self.report.previous.clone_from(&created.previous);
        self.keys = keys.to_vec();
        self.genesis = Some(created);
        // The checkpoint of the empty tree was met before its key was known.
        self.check_empty_tree()?;
        Ok(())
    }

    fn check_retention(&self, index: u64, pruned: &PrunedBelow) -> Judged<()> {
        let promised = self.genesis.as_ref().map(|created| created.retention);
        if promised != Some(pruned.retention) {
            return Err(Failure::at(index, "prunes under another policy than record 0 promises"));
        }
        let (newest, at) = (parse_rfc3339(&pruned.newest), parse_rfc3339(&pruned.at));
        let age = match (newest, at) {
            (Some(newest), Some(at)) => at.checked_sub(newest),
            _ => None,
        };
        let wanted = pruned.retention.retention_min_age_s.saturating_mul(1_000_000_000);
        if wanted > 0 && age.is_none_or(|age| age < wanted) {
            let what = "prunes records that are younger than the policy of record 0 allows";
            return Err(Failure::at(index, what));
        }
        Ok(())
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

    fn check_signatures(&self, expected: &Expected) -> Judged<()> {
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

    fn finish(&mut self, mut end: u64, unsealed: &[PathBuf], until: Option<u64>) -> Judged<()> {
        let sealed = self.report.sealed;
        if end < sealed {
            let what =
                format!("the records from {end} to {} were sealed and are missing", sealed - 1);
            return Err(Failure::at(end, what));
        }
        // What a living leader has begun since is not looked at.
        for path in unsealed.iter().filter(|_| until.is_none()) {
            end += unsealed_records(path, end)?;
        }
        if sealed > 0 && self.genesis.is_none() {
            return Err(Failure::at(0, "record 0 does not say whose journal this is"));
        }
        if sealed == 0 {
            self.check_empty()?;
        }
        if let Some(left) = self.expected.front() {
            let what = format!("the checkpoint of size {} was never met", left.size);
            return Err(Failure::at(left.size, what));
        }
        self.report.tail = until.map_or(end - sealed, |until| until.saturating_sub(sealed));
        if until.is_some() {
            self.report.torn_bytes = 0;
            self.report.torn_checkpoint_bytes = 0;
            self.report.lags = false;
        }
        if let Some(index) = self.missing.iter().find(|index| !self.erased.contains(index)) {
            return Err(Failure::at(
                *index,
                "the record is missing and no record says it was erased",
            ));
        }
        if let Some(index) = self.saltless.iter().find(|index| !self.erased.contains(index)) {
            return Err(Failure::at(*index, "the record cannot be verified: its salt is missing"));
        }
        let below = self.report.pruned_below;
        let allowed = self.pruned.iter().map(|pruned| pruned.min_index).max().unwrap_or(0);
        if below > allowed {
            let what = "records are missing and no record says they were pruned";
            return Err(Failure::at(allowed, what));
        }
        self.report.erased = self.erased.len() as u64;
        let gone = self.erased.range(..below).count() as u64;
        self.report.erasing = self.report.erased.saturating_sub(gone + self.missing.len() as u64);
        self.report.last_time = self.last_time.take().map(|(_, time)| time).unwrap_or_default();
        Ok(())
    }

    /// The checkpoints of the empty tree, ours and what others saw, now that the keys are known.
    fn check_empty_tree(&mut self) -> Judged<()> {
        while self.expected.front().is_some_and(|expected| expected.size == 0) {
            let Some(expected) = self.expected.pop_front() else { break };
            if expected.root != empty_root() {
                return Err(Failure::new("a checkpoint of the empty tree has another root"));
            }
            self.check_signatures(&expected)?;
        }
        Ok(())
    }

    /// A journal without records has only its pin to be known by.
    fn check_empty(&mut self) -> Judged<()> {
        if self.pin.len() == 2 {
            self.keys.clone_from(&self.pin);
            self.check_empty_tree()?;
            self.report.pinned = 2;
        }
        self.expected.clear();
        Ok(())
    }
}

fn unreadable(error: Error) -> Failure {
    Failure::new(error.to_string())
}

/// Complete records in a segment that has no seal file yet: it begins where the records end.
fn unsealed_records(path: &Path, end: u64) -> Judged<u64> {
    let name = format!("{end:020}.jsonl");
    if path.file_name().is_none_or(|found| found != name.as_str()) {
        return Err(Failure::at(end, format!("'{}' is not part of the journal", path.display())));
    }
    let mut pieces = Pieces::open(path).map_err(unreadable)?;
    let mut records = 0;
    loop {
        let lines = pieces.next_piece().map_err(unreadable)?;
        if lines.is_empty() {
            return Ok(records);
        }
        records += memchr::memchr_iter(b'\n', &lines).count() as u64;
    }
}
