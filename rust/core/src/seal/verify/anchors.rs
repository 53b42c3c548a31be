//! What witnesses have said about a journal's checkpoints.

use std::fs;
use std::path::Path;

use super::super::note::Note;
use super::{Failure, Trust};
use crate::seal::Checkpoint;

/// Size and time of the newest cosigned checkpoint in `seal/anchors` that fulfils the policy's quorum.
///
/// Read only when there is a policy with witnesses: without them cosignatures mean nothing.
pub fn anchored(
    journal: &Path,
    trust: &Trust,
    notes: &[(u64, Note, Checkpoint)],
) -> Result<Option<(u64, u64)>, Failure> {
    let Some(policy) = trust.policy.as_ref().filter(|policy| !policy.witnesses.is_empty()) else {
        return Ok(None);
    };
    let Ok(entries) = fs::read_dir(journal.join("seal").join("anchors")) else {
        return Ok(None);
    };
    let mut newest = None;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "cosigned") {
            continue;
        }
        let wrong = |what: &str| Failure::new(format!("'{}' {what}", path.display()));
        let bytes = fs::read(&path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let note = Note::parse(&bytes).map_err(|malformed| wrong(&malformed.what))?;
        let own = |own: &&(u64, Note, Checkpoint)| bytes.starts_with(own.1.to_string().as_bytes());
        let Some((_, _, checkpoint)) = notes.iter().find(own) else {
            return Err(wrong("cosigns a checkpoint that this journal does not have"));
        };
        let time = policy.quorum_time(&note).map_err(|malformed| wrong(&malformed.what))?;
        newest = newest.max(time.map(|time| (checkpoint.size, time)));
    }
    Ok(newest)
}
