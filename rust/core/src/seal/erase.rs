//! Taking content out of closed segments: single records, or all of them. Commitments stay.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::commitments::{place, Kept, SaltKind, SegmentSeal};
use super::event::{event, Event};
use super::hash::Salt;
use super::salts::Salts;
use crate::error::{At, Error, Result};
use crate::journal::{sync_directory, Segment};

/// The salts of a closed segment's records.
fn salts(seal: &SegmentSeal) -> Vec<Salt> {
    match seal.seed {
        Some(seed) => {
            let mut stream = Salts::new(&seed, 0);
            seal.commitments.iter().map(|_| stream.next_salt()).collect()
        }
        None => seal.table.clone(),
    }
}

/// Stores a seal file and overwrites the one it replaces: its salts must not be found any more.
fn replace(journal: &Path, seal: &SegmentSeal) -> Result<()> {
    let path = place(journal, seal.first);
    let old = OpenOptions::new().write(true).open(&path).at("opening", &path)?;
    let length = old.metadata().at("reading", &path)?.len() as usize;
    seal.store(journal)?;
    old.write_all_at(&vec![0; length], 0)
        .and_then(|()| old.sync_all())
        .at("overwriting the old form of", &path)
}

fn load_closed(journal: &Path, first: u64) -> Result<SegmentSeal> {
    let seal = SegmentSeal::load(journal, first)?;
    if seal.records.is_none() {
        let what = "its segment is still being written".to_owned();
        return Err(Error::Damaged { path: place(journal, first), what });
    }
    Ok(seal)
}

/// Takes records out of a closed segment: their salts first, then their lines.
///
/// Doing it again, after a death in between, finishes it.
///
/// # Errors
/// When the files cannot be rewritten.
pub fn erase_from(journal: &Path, segment: &Segment, indices: &[u64]) -> Result<()> {
    let mut seal = load_closed(journal, segment.first)?;
    let mut table = salts(&seal);
    for index in indices {
        table[(index - seal.first) as usize] = Salt::default();
    }
    seal.salts = SaltKind::Table;
    seal.seed = None;
    seal.table = table;
    replace(journal, &seal)?;
    let bytes = fs::read(&segment.path).at("reading the segment", &segment.path)?;
    let indices: std::collections::HashSet<u64> = indices.iter().copied().collect();
    let mut rest = Vec::with_capacity(bytes.len());
    let mut blanked = Vec::new();
    let mut at = 0;
    for (index, line) in (segment.first..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        if indices.contains(&index) {
            blanked.push((at, line.len() - 1));
            rest.push(b'\n');
        } else {
            rest.extend_from_slice(line);
        }
        at += line.len();
    }
    let old = OpenOptions::new().write(true).open(&segment.path);
    let old = old.at("opening the segment", &segment.path)?;
    // Drafts of segments do not stand among segments.
    let draft = journal.join("seal").join("segment.draft");
    let write = || {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        crate::owner::give(&file, journal);
        file.write_all_at(&rest, 0)?;
        file.sync_all()?;
        fs::rename(&draft, &segment.path)
    };
    write().at("rewriting the segment", &segment.path)?;
    sync_directory(segment.path.parent().unwrap_or(journal))?;
    // A reader that has the old file open reads blanks where the records were.
    for (at, length) in blanked {
        old.write_all_at(&vec![b' '; length], at as u64)
            .at("overwriting the old form of", &segment.path)?;
    }
    old.sync_all().at("overwriting the old form of", &segment.path)
}

/// Takes a closed segment's content away, but for what the journal says about itself.
///
/// # Errors
/// When the files cannot be changed.
pub fn prune_segment(journal: &Path, segment: &Segment) -> Result<()> {
    let mut seal = load_closed(journal, segment.first)?;
    if seal.salts != SaltKind::None {
        let table = salts(&seal);
        let bytes = fs::read(&segment.path).at("reading the segment", &segment.path)?;
        let lines = bytes.split(|byte| *byte == b'\n');
        seal.kept = (segment.first..)
            .zip(lines)
            .zip(&table)
            .filter(|((_, line), _)| event(line).is_some_and(|found| found != Event::Other))
            .filter_map(|((index, line), salt)| {
                let line = String::from_utf8(line.to_vec()).ok()?;
                Some(Kept { index, salt: *salt, line })
            })
            .collect();
        seal.salts = SaltKind::None;
        seal.seed = None;
        seal.table = Vec::new();
        replace(journal, &seal)?;
    }
    fs::remove_file(&segment.path).at("removing the segment", &segment.path)?;
    sync_directory(segment.path.parent().unwrap_or(journal))
}

/// True for a record that its seal cannot do without.
#[must_use]
pub fn is_needed(line: &[u8]) -> bool {
    event(line).is_some()
}
