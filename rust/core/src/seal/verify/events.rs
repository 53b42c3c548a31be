//! What the journal's records about itself mean for the walk.

use super::super::event::{Created, Event, PrunedBelow};
use super::judge::{Judged, Walk};
use super::Failure;
use crate::clock::parse_rfc3339;
use crate::seal::empty_root;

impl Walk<'_> {
    /// What a record says about the journal.
    pub(super) fn take(&mut self, index: u64, event: Event) -> Judged<()> {
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
                self.erased.extend(indices.into_iter().map(|erased| (erased, index)));
            }
            Event::Pruned(pruned) if is_last => {
                if pruned.min_index > index {
                    return Err(Failure::at(index, "prunes records that come after it"));
                }
                self.check_retention(index, &pruned)?;
                self.pruned.push((index, pruned));
            }
            Event::Archived { files } if is_last => self.announced.take(files),
            Event::Malformed => {
                return Err(Failure::at(index, "a record about the journal is malformed"));
            }
            Event::Erased { .. }
            | Event::Pruned(_)
            | Event::Archived { .. }
            | Event::Closed
            | Event::Other => {}
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
    pub(super) fn check_empty(&mut self) -> Judged<()> {
        if self.pin.len() == 2 {
            self.keys.clone_from(&self.pin);
            self.check_empty_tree()?;
            self.report.pinned = 2;
        }
        self.expected.clear();
        Ok(())
    }
}
