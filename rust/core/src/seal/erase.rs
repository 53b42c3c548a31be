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

/// Forgets the salts of records of a closed segment, which is the first step of taking them away.
///
/// # Errors
/// When the seal file cannot be rewritten.
pub fn drop_salts(journal: &Path, first: u64, indices: &[u64]) -> Result<()> {
    let mut seal = load_closed(journal, first)?;
    if seal.salts == SaltKind::None {
        return Ok(());
    }
    let mut table = salts(&seal);
    for index in indices {
        if let Some(salt) = table.get_mut((index - first) as usize) {
            *salt = Salt::default();
        }
    }
    seal.salts = SaltKind::Table;
    seal.seed = None;
    seal.table = table;
    replace(journal, &seal)
}

/// Takes the lines of records out of a closed segment, whose salts are gone.
///
/// Doing it again, after a death in between, finishes it.
///
/// # Errors
/// When the file cannot be rewritten.
pub fn erase_lines(journal: &Path, segment: &Segment, indices: &[u64]) -> Result<()> {
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

/// What a line has to be kept apart for: it says something about the journal that its seal needs.
fn is_told(line: &[u8]) -> bool {
    event(line).is_some_and(|found| found != Event::Other)
}

/// What the journal says about itself in some of a closed segment's lines, of which the first is record
/// `from`, as its seal file keeps it.
#[must_use]
pub fn kept_of(seal: &SegmentSeal, from: u64, lines: &[u8]) -> Vec<Kept> {
    let told: Vec<(u64, &[u8])> = (from..)
        .zip(lines.split(|byte| *byte == b'\n'))
        .filter(|(_, line)| is_told(line))
        .collect();
    let salt_of = |index: u64| match seal.seed {
        Some(seed) => Salts::new(&seed, index - seal.first).next_salt(),
        None => seal.table.get((index - seal.first) as usize).copied().unwrap_or_default(),
    };
    told.into_iter()
        .filter_map(|(index, line)| {
            let line = String::from_utf8(line.to_vec()).ok()?;
            Some(Kept { index, salt: salt_of(index), line })
        })
        .collect()
}

/// Keeps apart what a closed segment says about the journal: to be done before its lines go, when only an
/// encrypted file will stand for them.
///
/// # Errors
/// When the seal file cannot be rewritten.
pub fn keep_apart(journal: &Path, segment: &Segment) -> Result<()> {
    let mut seal = load_closed(journal, segment.first)?;
    if seal.salts == SaltKind::None {
        return Ok(());
    }
    let bytes = fs::read(&segment.path).at("reading the segment", &segment.path)?;
    let kept = kept_of(&seal, segment.first, &bytes);
    if kept == seal.kept {
        return Ok(());
    }
    seal.kept = kept;
    replace(journal, &seal)
}

/// Forgets a closed segment's salts, but for those of `kept`: what the journal says about itself. `None`
/// when that is kept apart already. The records go after this.
///
/// # Errors
/// When the seal file cannot be rewritten.
pub fn forget(journal: &Path, first: u64, kept: Option<Vec<Kept>>) -> Result<()> {
    let mut seal = load_closed(journal, first)?;
    if seal.salts == SaltKind::None {
        return Ok(());
    }
    seal.kept = kept.unwrap_or(seal.kept);
    seal.salts = SaltKind::None;
    seal.seed = None;
    seal.table = Vec::new();
    replace(journal, &seal)
}

/// True for a record that its seal cannot do without.
#[must_use]
pub fn is_needed(line: &[u8]) -> bool {
    event(line).is_some()
}
