//! Proof files (C2SP tlog-proof): one record's way to a signed checkpoint, checked without the journal.

use std::fmt::Write;

use super::checkpoint::Checkpoint;
use super::hash::{commitment, record_leaf, Hash, Salt, SALT_BYTES};
use super::note::Note;
use super::proof::verify_inclusion;
use super::text::{base64, base64_hash, decimal, from_base64, shown};
use super::verify::Trust;
use super::Malformed;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// An inclusion proof in a tree of 2^64 leaves is not longer.
const MAX_HASHES: usize = 64;
/// What stands before the salt in `extra`: type and version of the entry.
const ENTRY_HEAD: [u8; 2] = [0x01, 0x00];

/// A parsed proof file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    pub extra: Option<Vec<u8>>,
    pub index: u64,
    /// Leaf's sibling first.
    pub hashes: Vec<Hash>,
    pub note: Note,
}

/// What a proof says once it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    pub index: u64,
    pub checkpoint: Checkpoint,
    /// When the policy's quorum cosigned, seconds since 1970.
    pub anchored: Option<u64>,
}

impl TlogProof {
    #[must_use]
    pub fn new(index: u64, salt: &Salt, hashes: Vec<Hash>, note: Note) -> Self {
        let mut extra = ENTRY_HEAD.to_vec();
        extra.extend_from_slice(salt);
        Self { extra: Some(extra), index, hashes, note }
    }

    /// # Errors
    /// When the text is not a proof file; the message names the line.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let wrong =
            |number: usize, what: &str| Malformed::new(format!("proof line {number}: {what}"));
        let mut rest = text
            .strip_prefix(HEADER)
            .and_then(|rest| rest.strip_prefix('\n'))
            .ok_or_else(|| wrong(1, "is not 'c2sp.org/tlog-proof@v1'"))?;
        let mut number = 1;
        let mut next = || {
            number += 1;
            let (line, after) = rest.split_once('\n').ok_or_else(|| wrong(number, "has no end"))?;
            rest = after;
            Ok((number, line))
        };
        let (mut at, mut line) = next()?;
        let mut extra = None;
        if let Some(value) = line.strip_prefix("extra ") {
            extra = Some(from_base64(value).ok_or_else(|| wrong(at, "is not canonical base64"))?);
            (at, line) = next()?;
        }
        let index = line
            .strip_prefix("index ")
            .and_then(decimal)
            .ok_or_else(|| wrong(at, "is not 'index' and a decimal number"))?;
        let mut hashes = Vec::new();
        loop {
            (at, line) = next()?;
            if line.is_empty() {
                break;
            }
            if hashes.len() == MAX_HASHES {
                return Err(wrong(at, "is one hash more than any tree has levels"));
            }
            hashes.push(
                base64_hash(line)
                    .ok_or_else(|| wrong(at, "is not 32 bytes in canonical base64"))?,
            );
        }
        let note = Note::parse(rest.as_bytes())?;
        Checkpoint::parse(&note.text)?;
        Ok(Self { extra, index, hashes, note })
    }

    fn salt(&self) -> Option<Salt> {
        let extra = self.extra.as_ref()?;
        let salt = extra.strip_prefix(&ENTRY_HEAD)?;
        salt.try_into().ok().filter(|_| salt.len() == SALT_BYTES)
    }

    /// Checks that `line` (without line feed) is the record this proof is about.
    ///
    /// # Errors
    /// When it is not, or nobody who is trusted signed.
    pub fn verify(&self, line: &[u8], trust: &Trust) -> Result<Proven, Malformed> {
        let salt = self.salt().ok_or_else(|| {
            Malformed::new("proof has no salt of a Treering record in its 'extra' line")
        })?;
        self.verify_leaf(&record_leaf(&commitment(&salt, line)), trust)
    }

    /// `verify` for any log's leaf.
    ///
    /// # Errors
    /// As `verify`.
    pub fn verify_leaf(&self, leaf: &Hash, trust: &Trust) -> Result<Proven, Malformed> {
        let checkpoint = Checkpoint::parse(&self.note.text)?;
        let Some(identity) = trust.pin.first() else {
            return Err(Malformed::new("no key is trusted; a pinned line or a policy is needed"));
        };
        let signers = self.note.verify(&trust.pin)?;
        if !signers.contains(&0) {
            return Err(Malformed::new(format!(
                "the checkpoint of '{}' is not signed by the trusted key {identity}",
                shown(&checkpoint.origin)
            )));
        }
        let anchored = match &trust.policy {
            Some(policy) => {
                let time = policy.quorum_time(&self.note)?;
                if policy.wants_witnesses() && time.is_none() {
                    return Err(Malformed::new(
                        "the checkpoint is not cosigned by the quorum of the policy",
                    ));
                }
                time
            }
            None => None,
        };
        let included =
            verify_inclusion(self.index, checkpoint.size, leaf, &self.hashes, &checkpoint.root);
        if !included {
            return Err(Malformed::new(format!(
                "the record is not record {} under the checkpoint of size {}",
                self.index, checkpoint.size
            )));
        }
        Ok(Proven { index: self.index, checkpoint, anchored })
    }
}

impl std::fmt::Display for TlogProof {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(out, "extra {}", base64(extra))?;
        }
        writeln!(out, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(out, "{}", base64(hash))?;
        }
        out.write_char('\n')?;
        write!(out, "{}", self.note)
    }
}
