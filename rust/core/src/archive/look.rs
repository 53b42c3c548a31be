//! Looking at a part of the records before columns are chosen.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::columns::{Splitter, GROUPS};
use super::promote::{Plan, Sample};
use super::source::Input;
use super::{Archived, Identities, Lines};
use crate::error::{At, Result};

/// About how much is looked at.
const BYTES: usize = 4 << 20;
/// Places in an input: what a process logs first is not what it logs most.
const PLACES: u64 = 8;

/// The columns that pay.
pub(super) fn look(inputs: &[Input], identities: &Identities) -> Result<Plan> {
    let mut sample = Sample::default();
    let mut splitter = Splitter::default();
    let each = (BYTES / inputs.len().max(1)).max(1 << 14);
    for input in inputs {
        for place in 0..PLACES {
            let lines = match input {
                Input::Segment { path, .. } => segment(path, place, each / PLACES as usize)?,
                Input::Archived(archived) => file(archived, place, identities)?,
            };
            let mut left = each / PLACES as usize;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                see(line, &mut splitter, &mut sample);
                left = left.saturating_sub(line.len());
                if left == 0 {
                    break;
                }
            }
        }
    }
    Ok(sample.plan())
}

fn see(line: &[u8], splitter: &mut Splitter, sample: &mut Sample) {
    let mut spelled = String::new();
    let row = splitter.split(line, &mut spelled);
    if row.verbatim.is_none() {
        sample.see(GROUPS.map(|key| row.json(key)));
    }
}

/// Whole lines from one of the places in a segment.
fn segment(path: &Path, place: u64, bytes: usize) -> Result<Vec<u8>> {
    let file = File::open(path).at("opening the segment", path)?;
    let length = file.metadata().at("reading", path)?.len();
    let mut lines = vec![0; bytes];
    let read = file.read_at(&mut lines, length / PLACES * place).at("reading", path)?;
    let end = memchr::memrchr(b'\n', &lines[..read]).unwrap_or(0);
    lines.truncate(end);
    if place > 0 {
        let begin = memchr::memchr(b'\n', &lines).unwrap_or(lines.len());
        lines.drain(..begin);
    }
    Ok(lines)
}

/// The same of a file of the archive.
fn file(archived: &Archived, place: u64, identities: &Identities) -> Result<Vec<u8>> {
    let facts = &archived.facts;
    let from = facts.first + (facts.end - facts.first) / PLACES * place;
    let piece = Lines::open(archived, from, identities)?.next_piece()?;
    Ok(piece.map_or_else(Vec::new, |(_, lines)| lines))
}
