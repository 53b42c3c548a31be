//! Making a file of the archive beside it: written, compared line by line, summed up, and not yet there.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::pace::{Pace, Paced};
use super::plan::{Leftover, Plan, Situation};
use crate::archive::{
    self, tokens, Against, Facts, Identities, Lines, MemoryFile, Recipients, WriteOptions,
};
use crate::error::{At, Error, Result};
use crate::journal::{make_directory, Journal, Pieces};
use crate::seal::{hex, SegmentSeal};

/// A file that has passed its test and waits for its place.
#[derive(Debug)]
pub(super) struct Draft {
    pub plan: Plan,
    pub facts: Facts,
    pub path: PathBuf,
    pub sha256: String,
    pub bytes: u64,
    /// Whose identities open it; nobody's when it is not encrypted.
    pub recipients: Recipients,
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Neither is there any more when it has found its place.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(tokens::path(&self.path));
    }
}

/// Where drafts lie: in the archive's file system, and not in its listing.
fn drafts(journal: &Journal) -> PathBuf {
    journal.directory().join(archive::DIRECTORY).join(".draft")
}

/// Removes what leaders that died were writing.
pub(super) fn sweep(journal: &Journal) {
    for entry in fs::read_dir(drafts(journal)).into_iter().flatten().flatten() {
        let _ = fs::remove_file(entry.path());
    }
}

/// A name that no other draft has, of this process or another.
pub(in crate::drain) fn new_path(journal: &Journal, first: u64) -> Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    make_directory(&journal.directory().join(archive::DIRECTORY))?;
    let directory = drafts(journal);
    make_directory(&directory)?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Ok(directory.join(format!("{first:020}-{}-{number}.parquet", std::process::id())))
}

/// Writes and tests the file of a plan.
///
/// # Errors
/// When it cannot be written, or does not give back what was put into it.
pub(super) fn make(situation: &Situation, plan: Plan, pace: &Pace) -> Result<Draft> {
    let path = new_path(&situation.journal, plan.first)?;
    let recipients = Recipients::parse(&situation.settings.archive_recipients)?;
    let (damaged, drafts) = (plan.segments.first().cloned(), drafts(&situation.journal));
    let made = if recipients.is_empty() {
        plain(situation, plan, path, pace)
    } else {
        encrypted(situation, plan, &path, recipients, pace)
    };
    // A draft's name differs with every try, and what is told once must not.
    made.map_err(|error| match (error, damaged) {
        (Error::Damaged { path, what }, Some(segment)) if is_draft(&path, &drafts) => {
            Error::Damaged { path: segment.path, what }
        }
        (Error::Io { what, path, source }, _) if is_draft(&path, &drafts) => {
            Error::Io { what, path: drafts, source }
        }
        (other, _) => other,
    })
}

fn is_draft(path: &Path, drafts: &Path) -> bool {
    path.starts_with(drafts) || path.starts_with("/proc/self/fd")
}

fn plain(situation: &Situation, plan: Plan, path: PathBuf, pace: &Pace) -> Result<Draft> {
    let facts = write(situation, &plan, &path, pace)?;
    let recipients = Recipients::default();
    let mut draft = Draft { facts, sha256: String::new(), bytes: 0, path, plan, recipients };
    check(situation, &draft, &draft.path, pace)?;
    (draft.sha256, draft.bytes) = digest(&draft.path, pace)?;
    // A cache: what cannot be made now is made later.
    let _ = tokens::build_while(&draft.path, &|| pace.rest());
    pace.rest_or_end(&draft.path)?;
    Ok(draft)
}

/// What is to be encrypted is made and tested in memory, so that it never lies on the disk in plain.
fn encrypted(
    situation: &Situation,
    plan: Plan,
    path: &Path,
    recipients: Recipients,
    pace: &Pace,
) -> Result<Draft> {
    let mut memory = MemoryFile::new()?;
    let facts = write(situation, &plan, &memory.path(), pace)?;
    let path = path.with_extension("parquet.age");
    let mut draft = Draft { facts, sha256: String::new(), bytes: 0, path, plan, recipients };
    check(situation, &draft, &memory.path(), pace)?;
    let content = Paced { inner: memory.rewound()?, pace };
    let written = archive::encrypt_file(content, &draft.path, &draft.recipients)?;
    (draft.sha256, draft.bytes) = (hex(&written.sha256), written.bytes);
    Ok(draft)
}

fn write(situation: &Situation, plan: &Plan, path: &Path, pace: &Pace) -> Result<Facts> {
    let identities = Identities::default();
    // Once nobody waits for the file, the rest of it need not be written.
    let keep = |_: &archive::About<'_>| pace.step();
    let options = WriteOptions {
        journal_id: &situation.settings.id,
        keep: Some(&keep),
        identities: &identities,
    };
    let facts = archive::write(&plan.inputs, path, &options)?;
    if !pace.rest() {
        let _ = fs::remove_file(path);
        return Err(archive::stopped(path));
    }
    Ok(facts)
}

/// Compares every line of a draft with what was sealed, or in a journal without seal with what was read.
fn check(situation: &Situation, draft: &Draft, path: &Path, pace: &Pace) -> Result<()> {
    let facts = draft.facts.clone();
    let file = archive::Archived { path: path.to_owned(), is_encrypted: false, facts };
    let go_on = || pace.rest();
    let identities = Identities::default();
    let checked = if situation.sealed.is_some() {
        let directory = situation.journal.directory();
        let load = |first: &u64| SegmentSeal::load(directory, *first);
        let seals: Vec<SegmentSeal> =
            file.facts.segments.iter().map(load).collect::<Result<_>>()?;
        archive::check_while(&file, Against::Seals(&seals), &identities, &go_on)?
    } else {
        archive::check_while(&file, Against::Inputs(&draft.plan.inputs), &identities, &go_on)?
    };
    match checked.missing.first() {
        // What a file of the archive lacked before it was merged stays missing.
        Some((first, _)) if draft.plan.merged.iter().all(|file| file.facts.end <= *first) => {
            let what = format!("record {first} is missing in the file made of it");
            Err(Error::Damaged { path: path.to_owned(), what })
        }
        _ => Ok(()),
    }
}

pub(in crate::drain) fn digest(path: &Path, pace: &Pace) -> Result<(String, u64)> {
    let mut file = File::open(path).at("opening", path)?;
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut buffer).at("reading", path)?;
        if read == 0 {
            let sum: [u8; 32] = digest.finalize().into();
            return Ok((hex(&sum), bytes));
        }
        digest.update(&buffer[..read]);
        bytes += read as u64;
        pace.rest_or_end(path)?;
    }
}

/// True when the archive holds everything that lies in the leftover.
///
/// # Errors
/// When either cannot be read.
pub(super) fn is_held(leftover: &Leftover, pace: &Pace) -> Result<bool> {
    let kept = &leftover.kept;
    if kept.is_encrypted {
        // It was tested before it was encrypted, and its lines were being removed when the leader died.
        return Ok(true);
    }
    let identities = Identities::default();
    let mut held = Numbered::archived(kept, leftover.first, &identities)?;
    let mut left = if leftover.is_segment {
        Numbered::segment(&leftover.path, leftover.first)?
    } else {
        let known = archive::facts(&leftover.path)?;
        let file =
            archive::Archived { path: leftover.path.clone(), is_encrypted: false, facts: known };
        Numbered::archived(&file, leftover.first, &identities)?
    };
    let mut other = held.next()?;
    while let Some((index, line)) = left.next()? {
        while other.as_ref().is_some_and(|(found, _)| *found < index) {
            // A segment has every record; a record that is only in the archive was erased since.
            if leftover.is_segment {
                return Ok(false);
            }
            other = held.next()?;
        }
        let is_there = other.as_ref().is_some_and(|found| *found == (index, line));
        // What was taken out of the newer file is gone for good.
        let is_gone = !leftover.is_segment && other.as_ref().is_none_or(|found| found.0 > index);
        if !is_there && !is_gone {
            return Ok(false);
        }
        if is_there {
            other = held.next()?;
        }
        if !pace.step() {
            return Err(archive::stopped(&leftover.path));
        }
    }
    Ok(true)
}

type NextPiece<'a> = Box<dyn FnMut() -> Result<Option<(u64, Vec<u8>)>> + 'a>;

/// Lines with their indexes, without the empty ones.
struct Numbered<'a> {
    next_piece: NextPiece<'a>,
    piece: Vec<u8>,
    at: usize,
    index: u64,
}

impl<'a> Numbered<'a> {
    fn new(next_piece: NextPiece<'a>) -> Self {
        Self { next_piece, piece: Vec::new(), at: 0, index: 0 }
    }

    fn segment(path: &Path, first: u64) -> Result<Self> {
        let mut pieces = Pieces::open(path)?;
        let mut index = first;
        Ok(Self::new(Box::new(move || {
            let lines = pieces.next_piece()?;
            let begin = index;
            index += memchr::memchr_iter(b'\n', &lines).count() as u64;
            Ok((!lines.is_empty()).then_some((begin, lines)))
        })))
    }

    fn archived(file: &archive::Archived, first: u64, identities: &'a Identities) -> Result<Self> {
        let mut lines = Lines::open(file, first, identities)?;
        Ok(Self::new(Box::new(move || lines.next_piece())))
    }

    fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        loop {
            let rest = &self.piece[self.at..];
            let Some(end) = memchr::memchr(b'\n', rest) else {
                let Some((first, piece)) = (self.next_piece)()? else {
                    return Ok(None);
                };
                (self.index, self.piece, self.at) = (first, piece, 0);
                continue;
            };
            let (index, line) = (self.index, &rest[..end]);
            (self.index, self.at) = (index + 1, self.at + end + 1);
            if !line.is_empty() {
                return Ok(Some((index, line.to_vec())));
            }
        }
    }
}
