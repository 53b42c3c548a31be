//! The seal: every record committed to in one Merkle tree, checkpoints of it signed.
//!
//! `hash`, `tree`, `proof`, `note`, `checkpoint`, `cosignature`, `policy` and `tlog_proof` are the public
//! formats (C2SP, RFC 6962); `commitments` and `event` are what a journal adds; `sealer` runs on the
//! drain, over what it appends; `verify` needs nothing but files and a pinned key.

mod checkpoint;
mod commitments;
mod cosignature;
mod erase;
mod event;
mod generation;
mod hash;
mod keys;
mod lookup;
mod note;
pub mod personal;
mod policy;
mod proof;
mod prover;
mod publisher;
mod resume;
mod salts;
mod sealer;
mod secret;
mod seen;
#[cfg(all(test, not(loom)))]
mod tests;
mod text;
mod tiles;
mod tlog_proof;
mod tree;
mod verify;

pub use checkpoint::{series, Checkpoint, Series};
pub use commitments::{place as commitments_place, Kept, SaltKind, SegmentSeal};
pub use cosignature::{cosign, time as cosignature_time};
pub use ed25519_dalek::SigningKey;
pub use erase::{drop_salts, erase_lines, forget, is_needed, keep_apart, kept_of, Rewritten};
pub use event::{
    event, ArchivedFile, Event, ANCHORED, ARCHIVED, CLOSED, ERASED, FORGOTTEN, PRUNED,
};
pub use generation::{open, Opened};
pub(crate) use hash::commitments as each_commitment;
pub use hash::{
    commitment, empty_root, entry, leaf, node, record_leaf, sha256, sha256_file, Hash, Salt,
};
pub use keys::{generate as generate_key, note_key};
pub use lookup::archived_line;
pub use note::{is_name, KeyKind, Note, SignatureLine, Vkey};
pub use policy::Policy;
pub use proof::{consistency, inclusion, verify_consistency, verify_inclusion, Subtrees};
pub use prover::Prover;
pub use salts::Salts;
pub use sealer::{hash_batches, Seal, Sealer};
pub use seen::{load as load_seen, Seen};
pub use text::{base64, base64_hash, from_base64, hex, shown};
pub use tiles::{entry_leaves, export as export_tiles, verify as verify_tiles};
pub use tlog_proof::{Proven, TlogProof};
pub use tree::{root, Range};
pub use verify::{verify, Failure, Options as VerifyOptions, Report, Trust, Verdict};

/// What is wrong with foreign input, naming the thing and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    pub what: String,
}

impl Malformed {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.what)
    }
}

impl std::error::Error for Malformed {}
