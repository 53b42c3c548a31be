//! The end of the walk: whether everything that has no content was erased, pruned or kept as the journal says.

use std::collections::HashMap;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::super::event::{KeptPart, PrunedBelow};
use super::judge::{Judged, Walk};
use super::segment::unsealed_records;
use super::Failure;

/// A closed segment.
pub(super) struct Part {
    pub first: u64,
    pub end: u64,
    /// Its seal file says that it was pruned.
    pub is_none: bool,
}

/// What the journal's prunes say of a segment, the last word of them.
#[derive(Clone, Copy)]
enum Said {
    Nothing,
    Gone,
    /// These records stayed; said by the record at this index.
    Kept(KeptPart, u64),
}

/// One prune, ready to be asked.
struct Prune<'a> {
    index: u64,
    below: &'a PrunedBelow,
    /// `None` when everything below went.
    named: Option<HashMap<u64, Option<KeptPart>>>,
}

impl<'a> Prune<'a> {
    fn new(index: u64, below: &'a PrunedBelow) -> Self {
        let named = below.parts.as_ref().map(|parts| {
            let gone = parts.gone.iter().map(|first| (*first, None));
            gone.chain(parts.kept.iter().map(|kept| (kept.first, Some(*kept)))).collect()
        });
        Self { index, below, named }
    }

    fn says(&self, part: &Part) -> Option<Said> {
        if part.end > self.below.min_index {
            return None;
        }
        match &self.named {
            None => Some(Said::Gone),
            Some(named) => named
                .get(&part.first)
                .map(|kept| kept.map_or(Said::Gone, |kept| Said::Kept(kept, self.index))),
        }
    }
}

const UNSAID: &str = "the record is missing and no record says it was erased";
const SALTLESS: &str = "the record cannot be verified: its salt is missing";
const UNKEPT: &str = "a record that retention kept is missing from the segment";

impl Walk<'_> {
    pub(super) fn finish(
        &mut self,
        mut end: u64,
        unsealed: &[PathBuf],
        until: Option<u64>,
    ) -> Judged<()> {
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
        self.settle_gone()?;
        self.report.erased = self.erased.len() as u64;
        let there = self.erased.keys().filter(|index| !self.missing.contains(**index)).count();
        self.report.erasing = there as u64;
        self.report.last_time = self.last_time.take().map(|(_, time)| time).unwrap_or_default();
        Ok(())
    }

    fn settle_gone(&mut self) -> Judged<()> {
        let parts = std::mem::take(&mut self.parts);
        let pruned = std::mem::take(&mut self.pruned);
        let prunes: Vec<Prune<'_>> =
            pruned.iter().map(|(index, below)| Prune::new(*index, below)).collect();
        for part in &parts {
            let said = prunes.iter().rev().find_map(|prune| prune.says(part));
            self.settle_part(part, said.unwrap_or(Said::Nothing))?;
        }
        let below = self.report.pruned_below;
        let kept = |part: &&Part| part.end <= below && !part.is_none;
        self.report.kept = parts
            .iter()
            .filter(kept)
            .map(|part| part.end - part.first - self.missing.count(part.first, part.end))
            .sum();
        Ok(())
    }

    fn settle_part(&mut self, part: &Part, said: Said) -> Judged<()> {
        let unexplained = self.unexplained(part);
        let gone = self.missing.count(part.first, part.end);
        let records = part.end - part.first;
        match said {
            Said::Nothing if part.is_none => {
                let what = "records are missing and no record says they were pruned";
                return Err(Failure::at(part.first, what));
            }
            Said::Nothing => {
                if let Some(index) = unexplained {
                    let is_missing = self.missing.contains(index);
                    return Err(Failure::at(index, if is_missing { UNSAID } else { SALTLESS }));
                }
                return Ok(());
            }
            Said::Gone => self.report.pruning |= gone < records,
            Said::Kept(kept, at) => {
                let is_thin = self.kept_digest(part, at) == (kept.count, kept.digest);
                if !is_thin {
                    if let Some(index) = unexplained {
                        return Err(Failure::at(index, UNKEPT));
                    }
                }
                let is_saltless = self.saltless.count(part.first, part.end) > 0;
                self.report.pruning |= !is_thin || is_saltless;
            }
        }
        if unexplained.is_some() || part.is_none {
            self.report.pruned_below = self.report.pruned_below.max(part.end);
        }
        Ok(())
    }

    /// The first record of a segment without content or salt that was not erased.
    fn unexplained(&self, part: &Part) -> Option<u64> {
        let first = |runs: &super::runs::Runs| {
            let mut indexes = runs.within(part.first, part.end).flat_map(|(from, to)| from..to);
            indexes.find(|index| !self.erased.contains_key(index))
        };
        let found = [first(&self.missing), first(&self.saltless)];
        found.into_iter().flatten().min()
    }

    /// Count and digest of the records that a prune at `at` must have kept, going by what is there and
    /// what was erased since.
    fn kept_digest(&self, part: &Part, at: u64) -> (u64, [u8; 32]) {
        let mut erased = self.erased.range(part.first..part.end).filter(|(_, by)| **by > at);
        let mut erased_next = erased.next().map(|(index, _)| *index);
        let (mut count, mut digest) = (0, Sha256::new());
        for index in part.first..part.end {
            let was_erased = erased_next == Some(index);
            if was_erased {
                erased_next = erased.next().map(|(index, _)| *index);
            }
            if was_erased || !(self.missing.contains(index) || self.saltless.contains(index)) {
                count += 1;
                digest.update(format!("{index}\n"));
            }
        }
        (count, digest.finalize().into())
    }
}
