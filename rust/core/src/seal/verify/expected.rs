//! The checkpoints that a walk over the records has to meet.

use std::collections::VecDeque;

use super::super::note::Note;
use super::judge::Judged;
use super::Failure;
use crate::seal::{Checkpoint, Hash};

/// A checkpoint to be met on the way.
pub struct Expected {
    pub size: u64,
    pub root: Hash,
    /// Ours is signed; what others saw only has to agree.
    pub note: Option<Note>,
    pub source: &'static str,
}

/// True when `seal/checkpoint` is an older one, as after a crash or on a full disk.
pub fn compare_newest(notes: &[(u64, Note, Checkpoint)], newest: &[u8]) -> Judged<bool> {
    let is = |note: &Note| note.to_string().as_bytes() == newest;
    let behind = notes.iter().rev().position(|(_, note, _)| is(note));
    behind
        .map(|behind| behind > 0)
        .ok_or_else(|| Failure::new("seal/checkpoint is none of seal/checkpoints"))
}

pub fn expectations(
    notes: &[(u64, Note, Checkpoint)],
    seen: &[Checkpoint],
    last: &Checkpoint,
) -> Judged<VecDeque<Expected>> {
    let mut expected = Vec::new();
    let mut before = None;
    for (_, note, checkpoint) in notes {
        let size = checkpoint.size;
        if checkpoint.origin != last.origin {
            return Err(Failure::new(format!("the checkpoint of size {size} has another origin")));
        }
        if before.is_some_and(|before| before >= size) {
            return Err(Failure::new(format!("checkpoint sizes do not rise at size {size}")));
        }
        if !checkpoint.extensions.is_empty() || note.signatures.len() != 2 {
            let what = format!("the checkpoint of size {size} has not exactly two signatures");
            return Err(Failure::new(what));
        }
        before = Some(size);
        let note = Some(note.clone());
        let source = "the checkpoint";
        expected.push(Expected { size, root: checkpoint.root, note, source });
    }
    for checkpoint in seen {
        let size = checkpoint.size;
        if checkpoint.origin != last.origin {
            return Err(Failure::new("the checkpoint that was seen before has another origin"));
        }
        if size > last.size {
            let what = format!(
                "rolled back: a checkpoint of {size} records was seen before, now there are {}",
                last.size
            );
            return Err(Failure::at(last.size, what));
        }
        let source = "the checkpoint that was seen before";
        expected.push(Expected { size, root: checkpoint.root, note: None, source });
    }
    expected.sort_by_key(|expected| (expected.size, expected.note.is_some()));
    Ok(expected.into())
}
