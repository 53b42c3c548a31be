//! The verifier: a journal's files against a pinned key. `docs/concepts/seal-files.md` has the rules.
//!
//! It trusts nothing in the directory, not even that it is a journal. Work is done in pieces: lines are
//! hashed by several threads into compact ranges, cut where a checkpoint says what the root should be;
//! one thread joins them in order and judges.

mod anchors;
mod archived;
mod events;
mod expected;
mod feed;
mod gone;
mod hashing;
mod judge;
mod runs;
mod segment;
mod source;

use std::path::Path;

use super::checkpoint::Checkpoint;
use super::note::Vkey;
use super::policy::Policy;
use super::Malformed;
use crate::archive::Identities;

/// Whom the verifier believes.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Identity key, and the key of epoch 0 when it is pinned too.
    pub pin: Vec<Vkey>,
    /// Witnesses whose cosignatures count, from a policy.
    pub policy: Option<Policy>,
}

impl Trust {
    /// Reads a pinned line (one or two vkeys) or a policy.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let is_policy = text
            .lines()
            .any(|line| matches!(line.split_whitespace().next(), Some("log" | "quorum")));
        if is_policy {
            let policy = Policy::parse(text)?;
            return Ok(Self { pin: policy.logs.clone(), policy: Some(policy) });
        }
        let pin: Vec<Vkey> = text.split_whitespace().map(Vkey::parse).collect::<Result<_, _>>()?;
        let same_name = pin.windows(2).all(|pair| pair[0].name == pair[1].name);
        if pin.is_empty() || pin.len() > 2 || !same_name {
            return Err(Malformed::new(
                "trust has not one or two vkeys of one name; the line that was printed when the \
                 journal was made, or a policy, would be right",
            ));
        }
        Ok(Self { pin, policy: None })
    }
}

/// What to verify, apart from the directory.
#[derive(Default)]
pub struct Options<'a> {
    pub trust: Trust,
    /// Checkpoints that somebody saw before.
    pub seen: Vec<Checkpoint>,
    /// Only the records below this index, for a journal that is being written.
    pub until: Option<u64>,
    /// 0 for as many as there are cores.
    pub threads: usize,
    /// Who can read encrypted files of the archive.
    pub identities: Identities,
    /// Called with bytes done and bytes in all.
    pub progress: Option<&'a mut dyn FnMut(u64, u64)>,
}

/// Where a journal failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// First record that is not what was sealed, when it is about one.
    pub index: Option<u64>,
    pub reason: String,
}

impl Failure {
    fn at(index: u64, reason: impl Into<String>) -> Self {
        Self { index: Some(index), reason: reason.into() }
    }

    fn new(reason: impl Into<String>) -> Self {
        Self { index: None, reason: reason.into() }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub failure: Option<Failure>,
    pub origin: String,
    /// Records under the newest checkpoint, and its root.
    pub sealed: u64,
    pub root: [u8; 32],
    /// Complete records after it, and bytes of an incomplete one.
    pub tail: u64,
    pub torn_bytes: u64,
    /// Bytes of an incomplete checkpoint at the end of `seal/checkpoints`.
    pub torn_checkpoint_bytes: u64,
    /// `seal/checkpoint` is the one before the newest.
    pub lags: bool,
    pub checkpoints: u64,
    pub epoch: u64,
    pub erased: u64,
    /// Named as erased, and still there.
    pub erasing: u64,
    pub pruned_below: u64,
    /// Records below that whose content retention has kept.
    pub kept: u64,
    /// Content that was pruned is still there.
    pub pruning: bool,
    /// Records in encrypted files for which no identity was given.
    pub unread: u64,
    /// The last sealed record says that the journal was closed.
    pub closed: bool,
    /// Time stamp of the last sealed record.
    pub last_time: String,
    /// The line to pin, as record 0 has it.
    pub pin: String,
    /// Why the generation before this one ended, when record 0 says that there was one.
    pub previous: Option<String>,
    /// How many of the two keys of the pin were given and matched.
    pub pinned: u64,
    /// Size and time (seconds since 1970) of the newest checkpoint that the policy's quorum cosigned.
    pub anchored: Option<(u64, u64)>,
    /// The policy demands witnesses, and no checkpoint has enough of them.
    pub unanchored: bool,
    /// The newest checkpoint, as signed.
    pub checkpoint: String,
    pub bytes: u64,
}

/// How a report ends, for exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is sealed by the pinned keys.
    Sealed,
    Failed,
    /// Nothing contradicts the seal, and something that a pass needs is missing.
    NotProven,
}

impl Report {
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let loose = self.tail > 0
            || self.torn_bytes > 0
            || self.torn_checkpoint_bytes > 0
            || self.lags
            || self.erasing > 0
            || self.pruning
            || self.unread > 0
            || self.unanchored
            || self.pinned == 0;
        match (&self.failure, loose) {
            (Some(_), _) => Verdict::Failed,
            (None, true) => Verdict::NotProven,
            (None, false) => Verdict::Sealed,
        }
    }
}

/// Verifies the journal in `directory`. Whatever is wrong with its files is in the report.
#[must_use]
pub fn verify(directory: &Path, options: Options<'_>) -> Report {
    let mut report = Report::default();
    if let Err(failure) = judge::judge(directory, options, &mut report) {
        report.failure = Some(failure);
    }
    report
}
