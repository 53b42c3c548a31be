//! Proofs from a journal's files: leaves from stored commitments or lines, blocks from the cache of nodes.

use std::fs;
use std::path::{Path, PathBuf};

use super::checkpoint::{series, Checkpoint};
use super::commitments::{self, nodes_place, SaltKind, SegmentSeal};
use super::hash::{commitment, record_leaf, record_leaves, Hash, Salt};
use super::lookup::archived_line;
use super::note::Note;
use super::proof::{inclusion, verify_inclusion, Subtrees};
use super::salts::Salts;
use super::sealer::{commit_lines, salts_of};
use super::tlog_proof::TlogProof;
use super::tree::{Range, BLOCK};
use crate::archive::Identities;
use crate::error::{At, Error, Result};
use crate::journal::Pieces;

/// Reads a sealed journal to prove things about it.
pub struct Prover {
    journal: PathBuf,
    identities: Identities,
    seals: Vec<SegmentSeal>,
    /// Roots of the full blocks below the newest checkpoint.
    nodes: Vec<Hash>,
    newest: (Note, Checkpoint),
    series: Vec<(Note, Checkpoint)>,
}

impl std::fmt::Debug for Prover {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Prover of '{}'", self.journal.display())
    }
}

impl Prover {
    /// # Errors
    /// When the directory holds no sealed journal, or its seal is damaged.
    pub fn open(journal: &Path) -> Result<Self> {
        let path = journal.join("seal").join("checkpoints");
        if journal.join("active").is_dir() && !path.exists() {
            let what = "the journal is not sealed".to_owned();
            return Err(Error::Refused { path: journal.to_owned(), what });
        }
        let bytes = fs::read(&path).at("reading", &path)?;
        let notes: Vec<(Note, Checkpoint)> = series(&bytes)
            .notes
            .into_iter()
            .map(|(_, note, checkpoint)| (note, checkpoint))
            .collect();
        let newest = notes.last().cloned().ok_or_else(|| Error::Damaged {
            path,
            what: "no complete checkpoint is in it".into(),
        })?;
        let seals = commitments::list(journal)?
            .into_iter()
            .map(|first| {
                let mut seal = SegmentSeal::load(journal, first)?;
                if seal.records.is_none() {
                    seal.commitments = open_commitments(journal, &seal)?;
                }
                Ok(seal)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut prover = Self {
            journal: journal.to_owned(),
            identities: Identities::default(),
            seals,
            nodes: Vec::new(),
            newest,
            series: notes,
        };
        prover.load_nodes(true)?;
        Ok(prover)
    }

    /// Lets it read what is encrypted to these identities, too.
    pub fn identify(&mut self, identities: Identities) {
        self.identities = identities;
    }

    /// Size of the tree under the newest checkpoint.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.newest.1.size
    }

    #[must_use]
    pub fn newest(&self) -> &(Note, Checkpoint) {
        &self.newest
    }

    fn refused(&self, what: impl Into<String>) -> Error {
        Error::Refused { path: self.journal.clone(), what: what.into() }
    }

    fn damaged(&self, what: impl Into<String>) -> Error {
        Error::Damaged { path: self.journal.clone(), what: what.into() }
    }

    fn segment_path(&self, first: u64) -> PathBuf {
        self.journal.join("active").join(format!("{first:020}.jsonl"))
    }

    /// The segment that record `index` is in, as far as seal files tell.
    fn seal_of(&self, index: u64) -> Result<&SegmentSeal> {
        let at = self.seals.partition_point(|seal| seal.first <= index);
        at.checked_sub(1)
            .map(|at| &self.seals[at])
            .ok_or_else(|| self.damaged(format!("record {index} has no seal file")))
    }

    fn load_nodes(&mut self, cached: bool) -> Result<()> {
        let full = self.size() / BLOCK;
        let mut nodes: Vec<Hash> = Vec::new();
        for at in 0..self.seals.len() {
            let seal = &self.seals[at];
            let Some(records) = seal.records.filter(|_| cached) else { break };
            let end = (seal.first + records) / BLOCK;
            let wanted = (end - seal.first / BLOCK) as usize * 32;
            match fs::read(nodes_place(&self.journal, seal.first)) {
                Ok(bytes) if bytes.len() == wanted => {
                    nodes.extend_from_slice(bytes.as_chunks::<32>().0);
                }
                _ => break,
            }
        }
        nodes.truncate(full as usize);
        while (nodes.len() as u64) < full {
            // A part at a time: the leaves of a large journal need not lie in memory at once.
            let from = nodes.len() as u64 * BLOCK;
            let to = (from + 256 * BLOCK).min(full * BLOCK);
            let leaves = self.leaves(from, to)?;
            nodes.extend(leaves.chunks(BLOCK as usize).map(super::tree::root));
        }
        self.nodes = nodes;
        Ok(())
    }

    /// Leaf hashes of records `[from, to)`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn leaves(&self, from: u64, to: u64) -> Result<Vec<Hash>> {
        let commitments = self.commitments(from, to)?;
        Ok(record_leaves(&commitments))
    }

    /// Commitments of records `[from, to)`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn commitments(&self, from: u64, to: u64) -> Result<Vec<Hash>> {
        let mut found = Vec::new();
        let mut at = from;
        while at < to {
            let seal = self.seal_of(at)?;
            let end = match seal.records {
                Some(records) => to.min(seal.first + records),
                None => to,
            };
            let (begin, stop) = ((at - seal.first) as usize, (end - seal.first) as usize);
            found.extend_from_slice(seal.commitments.get(begin..stop).unwrap_or_default());
            if (found.len() as u64) < end - from || end <= at {
                return Err(self.damaged(format!("records below {end} are missing")));
            }
            at = end;
        }
        Ok(found)
    }

    /// A record's salt and canonical line.
    ///
    /// # Errors
    /// When it is not there, was erased or pruned.
    pub fn record(&self, index: u64) -> Result<(Salt, Vec<u8>)> {
        let seal = self.seal_of(index)?;
        let offset = index - seal.first;
        let salt = self.salt(index)?;
        if let Some(kept) = seal.kept.iter().find(|kept| kept.index == index) {
            return Ok((salt, kept.line.clone().into_bytes()));
        }
        let gone = |what: &str| self.refused(format!("record {index} {what}"));
        let path = self.segment_path(seal.first);
        let line = if path.exists() {
            let bytes = fs::read(&path).at("reading the segment", &path)?;
            bytes.split(|byte| *byte == b'\n').nth(offset as usize).map(<[u8]>::to_vec)
        } else {
            archived_line(&self.journal, index, &self.identities)?
        };
        match line {
            Some(line) if line.is_empty() => Err(gone("was erased or pruned")),
            Some(line) => Ok((salt, line)),
            None => Err(gone("is missing")),
        }
    }

    fn salt(&self, index: u64) -> Result<Salt> {
        let seal = self.seal_of(index)?;
        let offset = index - seal.first;
        if seal.records.is_some_and(|records| offset >= records) {
            return Err(self.damaged(format!("record {index} has no seal file")));
        }
        if let Some(kept) = seal.kept.iter().find(|kept| kept.index == index) {
            return Ok(kept.salt);
        }
        match seal.salts {
            SaltKind::Seed => Ok(Salts::new(&seal.seed.unwrap_or_default(), offset).next_salt()),
            SaltKind::Table => Ok(seal.table[offset as usize]),
            SaltKind::None => Err(self.refused(format!("record {index} was pruned"))),
        }
    }

    /// The newest checkpoint above `index`: a cosigned one if there is any.
    fn checkpoint_over(&self, index: u64) -> Option<(Note, Checkpoint)> {
        let cosigned = |(note, checkpoint): &(Note, Checkpoint)| {
            let name = format!("{:020}.cosigned", checkpoint.size);
            let bytes = fs::read(self.journal.join("seal").join("anchors").join(name)).ok()?;
            let signed = Note::parse(&bytes).ok()?;
            (signed.text == note.text).then(|| (signed, checkpoint.clone()))
        };
        let mut over = self.series.iter().rev().take_while(|(_, point)| point.size > index);
        over.clone().find_map(cosigned).or_else(|| over.next().cloned())
    }

    fn covering(&self, index: u64) -> Result<(Note, Checkpoint)> {
        self.checkpoint_over(index).ok_or_else(|| {
            self.refused(format!(
                "record {index} is not sealed: the newest checkpoint covers {} records",
                self.size()
            ))
        })
    }

    /// The proof that record `index` is in the tree.
    ///
    /// # Errors
    /// When no checkpoint covers it, its content is gone, or the journal is damaged.
    pub fn prove(&mut self, index: u64) -> Result<TlogProof> {
        self.covering(index)?;
        let (_, line) = self.record(index)?;
        self.prove_line(index, &line)
    }

    /// The same for a record whose canonical line the caller has read.
    ///
    /// # Errors
    /// As `prove`; also when it is another line.
    pub fn prove_line(&mut self, index: u64, line: &[u8]) -> Result<TlogProof> {
        let (note, checkpoint) = self.covering(index)?;
        let salt = self.salt(index)?;
        let leaf = record_leaf(&commitment(&salt, line));
        for cached in [true, false] {
            if !cached {
                self.load_nodes(false)?;
            }
            let hashes = inclusion(self, index, checkpoint.size)?;
            if verify_inclusion(index, checkpoint.size, &leaf, &hashes, &checkpoint.root) {
                return Ok(TlogProof::new(index, &salt, hashes, note));
            }
        }
        Err(self.damaged(format!("record {index} is not the one that was sealed")))
    }

    /// The proof that the first `old` records are a prefix of the first `size`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn consistency(&mut self, old: u64, size: u64) -> Result<Vec<Hash>> {
        if old > size || size > self.size() {
            return Err(self.damaged(format!(
                "sizes {old} and {size} do not fit: at most {} records are sealed",
                self.size()
            )));
        }
        super::proof::consistency(self, old, size)
    }
}

/// The commitments of a segment that is still being written: nobody has stored them yet.
fn open_commitments(journal: &Path, seal: &SegmentSeal) -> Result<Vec<Hash>> {
    let path = journal.join("active").join(format!("{:020}.jsonl", seal.first));
    let mut found = Vec::new();
    if !path.exists() {
        return Ok(found);
    }
    let mut salts = salts_of(seal);
    let mut pieces = Pieces::open(&path)?;
    loop {
        let lines = pieces.next_piece()?;
        if lines.is_empty() {
            return Ok(found);
        }
        found.extend(commit_lines(&mut salts, &lines));
    }
}

impl Subtrees for Prover {
    type Error = Error;

    fn root(&mut self, from: u64, to: u64) -> Result<Hash> {
        let mut range = Range::empty(from);
        let mut at = from;
        if from.is_multiple_of(BLOCK) {
            let blocks = to / BLOCK;
            for block in from / BLOCK..blocks {
                range.push_block(self.nodes[block as usize]);
            }
            at = at.max(blocks * BLOCK);
        }
        range.extend(&self.leaves(at, to)?);
        Ok(range.root())
    }
}
