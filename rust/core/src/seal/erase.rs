//! Taking content out of closed segments: single records, or all of them. Commitments stay.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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

/// A closed segment without some of its lines, written and not yet in its place.
#[derive(Debug)]
pub struct Rewritten {
    segment: PathBuf,
    draft: PathBuf,
    /// Where the lines lay, and how long they were.
    blanked: Vec<(u64, usize)>,
}

impl Drop for Rewritten {
    fn drop(&mut self) {
        // It is not there any more when it has found its place.
        let _ = fs::remove_file(&self.draft);
    }
}

impl Rewritten {
    /// Writes the lines of a segment for which `is_gone` says no into `draft`, synced.
    ///
    /// # Errors
    /// When the segment cannot be read, or the draft cannot be written.
    pub fn write(
        journal: &Path,
        segment: &Segment,
        draft: PathBuf,
        is_gone: &dyn Fn(u64) -> bool,
    ) -> Result<Self> {
        let bytes = fs::read(&segment.path).at("reading the segment", &segment.path)?;
        let mut rest = Vec::with_capacity(bytes.len());
        let mut blanked = Vec::new();
        let mut at = 0;
        for (index, line) in (segment.first..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            if is_gone(index) {
                blanked.push((at, line.len() - 1));
                rest.push(b'\n');
            } else {
                rest.extend_from_slice(line);
            }
            at += line.len() as u64;
        }
        let written = Self { segment: segment.path.clone(), draft, blanked };
        let write = || {
            let mut options = OpenOptions::new();
            let file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&written.draft)?;
            crate::owner::give(&file, journal);
            file.write_all_at(&rest, 0)?;
            file.sync_all()
        };
        write().at("rewriting the segment", &segment.path)?;
        Ok(written)
    }

    /// Puts it in the segment's place. A reader that has the old one open reads blanks when `is_wiped`.
    ///
    /// # Errors
    /// When it cannot be moved there; the segment is as it was then.
    pub fn place(&self, is_wiped: bool) -> Result<()> {
        let old = OpenOptions::new().write(true).open(&self.segment);
        let old = old.at("opening the segment", &self.segment)?;
        fs::rename(&self.draft, &self.segment).at("rewriting the segment", &self.segment)?;
        sync_directory(self.segment.parent().unwrap_or(&self.segment))?;
        if !is_wiped {
            return Ok(());
        }
        for (at, length) in &self.blanked {
            old.write_all_at(&vec![b' '; *length], *at)
                .at("overwriting the old form of", &self.segment)?;
        }
        old.sync_all().at("overwriting the old form of", &self.segment)
    }
}

/// Takes the lines of records out of a closed segment, whose salts are gone.
///
/// Doing it again, after a death in between, finishes it.
///
/// # Errors
/// When the file cannot be rewritten.
pub fn erase_lines(journal: &Path, segment: &Segment, indices: &[u64]) -> Result<()> {
    let indices: std::collections::HashSet<u64> = indices.iter().copied().collect();
    // Drafts of segments do not stand among segments.
    let draft = journal.join("seal").join("segment.draft");
    Rewritten::write(journal, segment, draft, &|index| indices.contains(&index))?.place(true)
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
