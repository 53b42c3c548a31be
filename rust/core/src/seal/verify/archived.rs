//! The files of the archive: their digests, and their lines read ahead of the walk.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;

use super::super::event::ArchivedFile;
use super::super::hash::sha256_file;
use super::super::text::hex;
use super::judge::Judged;
use super::Failure;
use crate::archive::{self, tokens, Archived, Identities, Lines};

/// Pieces that one file may be ahead of the walk.
const AHEAD: usize = 4;

/// Files that nobody believes: caches made from others, and what is not finished.
fn is_ignored(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    ending.is_some_and(|ending| ending == "tokens" || ending.contains("draft"))
}

/// SHA-256 of every file in the archive that has to be what the journal announced, by its path.
#[derive(Debug, Default)]
pub struct Digests(BTreeMap<String, String>);

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("'{}' cannot be read: {error}", path.display()))
}

/// Drafts lie in a directory of their own.
const DRAFTS: &str = ".draft";

/// All files below the archive, but for caches and drafts.
fn files(journal: &Path) -> Judged<Vec<PathBuf>> {
    let (mut found, mut rest) = (Vec::new(), vec![journal.join(archive::DIRECTORY)]);
    if !rest[0].exists() {
        return Ok(found);
    }
    while let Some(directory) = rest.pop() {
        let entries = fs::read_dir(&directory).map_err(|error| unreadable(&directory, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&directory, &error))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            let is_drafts = directory.ends_with(archive::DIRECTORY) && path.ends_with(DRAFTS);
            if kind.is_dir() && is_drafts {
                continue;
            }
            if kind.is_dir() {
                rest.push(path);
            } else if !kind.is_file() {
                return Err(Failure::new(format!("'{}' is no file", path.display())));
            } else if !is_ignored(&path) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn digest(path: &Path) -> Judged<String> {
    sha256_file(path).map(|hash| hex(&hash)).map_err(|error| unreadable(path, &error))
}

impl Digests {
    /// Hashes all files, several at a time.
    pub fn of(journal: &Path, threads: usize) -> Judged<Self> {
        let files = files(journal)?;
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..threads.min(files.len()) {
                scope.spawn(|| {
                    while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let digested = digest(path);
                        found.lock().unwrap_or_else(PoisonError::into_inner).push((path, digested));
                    }
                });
            }
        });
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let named = found.into_iter().map(|(path, digested)| {
            let below = path.strip_prefix(journal).unwrap_or(path);
            Ok((below.to_string_lossy().into_owned(), digested?))
        });
        named.collect::<Judged<_>>().map(Self)
    }

    /// Fails a file that the journal has not announced as it is.
    pub fn check(&self, announced: &Announced) -> Judged<()> {
        for (path, digest) in &self.0 {
            match announced.0.get(path) {
                None => {
                    let what = format!("'{path}' is in the archive and no record announces it");
                    return Err(Failure::new(what));
                }
                Some(digests) if !digests.contains(digest) => {
                    let what = format!("'{path}' is not the file that the journal announced");
                    return Err(Failure::new(what));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Fails an index of words by which searches would leave out records that are there. One that is damaged,
/// or of another file, is never believed.
pub fn check_indexes(files: &[Archived], threads: usize) -> Judged<()> {
    let plain: Vec<&Archived> = files.iter().filter(|file| !file.is_encrypted).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(plain.len()) {
            scope.spawn(|| {
                while let Some(file) = plain.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = check_index(&file.path) {
                        found.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|failure| failure.index);
    found.into_iter().next().map_or(Ok(()), Err)
}

fn check_index(file: &Path) -> Judged<()> {
    // A file may be replaced while it is read, and its index is then another's.
    let looked = match tokens::check(file) {
        Ok(tokens::Checked::Hides(_)) | Err(_) => tokens::check(file),
        good => good,
    };
    match looked {
        Ok(tokens::Checked::Hides(index)) => {
            let path = tokens::path(file);
            let what = format!(
                "'{}' hides records from searches; removing it would be right",
                path.display()
            );
            Err(Failure::at(index, what))
        }
        Err(error) if file.exists() => Err(Failure::new(error.to_string())),
        _ => Ok(()),
    }
}

/// What the journal says lies, or lay, in its archive.
#[derive(Debug, Default)]
pub struct Announced(HashMap<String, HashSet<String>>);

impl Announced {
    pub fn take(&mut self, files: Vec<ArchivedFile>) {
        for file in files {
            if let (Some(digest), Some(plain)) =
                (file.facts_sha256, file.path.strip_suffix(".parquet.age"))
            {
                self.0.entry(format!("{plain}.json")).or_default().insert(digest);
            }
            self.0.entry(file.path).or_default().insert(file.sha256);
        }
    }
}

type Read = Judged<(u64, Vec<u8>)>;

/// Reads a file's lines until nobody wants more.
fn read(file: &Archived, from: u64, identities: &Identities, out: &SyncSender<Read>) {
    let pieces = || -> crate::error::Result<()> {
        let mut lines = Lines::open(file, from, identities)?;
        while let Some(piece) = lines.next_piece()? {
            if out.send(Ok(piece)).is_err() {
                break;
            }
        }
        Ok(())
    };
    if let Err(error) = pieces() {
        // The walk may have failed already.
        let _ = out.send(Err(Failure::new(error.to_string())));
    }
}

/// The files that stand for segments, a few of them being read ahead, each by a thread.
pub struct Ahead<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    files: &'env [Archived],
    identities: &'env Identities,
    /// Files to be begun, with the index to read from.
    waiting: VecDeque<(usize, u64)>,
    begun: VecDeque<(usize, Receiver<Read>)>,
    limit: usize,
    open: Option<usize>,
    /// Lines after the segment that was asked for.
    rest: Option<(u64, Vec<u8>)>,
}

impl<'scope, 'env> Ahead<'scope, 'env> {
    pub fn new(
        scope: &'scope Scope<'scope, 'env>,
        files: &'env [Archived],
        identities: &'env Identities,
        waiting: VecDeque<(usize, u64)>,
        limit: usize,
    ) -> Self {
        let begun = VecDeque::new();
        Self { scope, files, identities, waiting, begun, limit, open: None, rest: None }
    }

    /// The next lines of file `number`; `None` at its end.
    pub fn next(&mut self, number: usize) -> Judged<Option<(u64, Vec<u8>)>> {
        if self.open != Some(number) {
            self.begin(number);
        }
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        self.begun.front().and_then(|(_, lines)| lines.recv().ok()).transpose()
    }

    /// Gives back what belongs to a later segment.
    pub fn put_back(&mut self, first: u64, lines: Vec<u8>) {
        self.rest = Some((first, lines));
    }

    fn begin(&mut self, number: usize) {
        while self.begun.front().is_some_and(|(begun, _)| *begun != number) {
            self.begun.pop_front();
        }
        self.rest = None;
        self.open = Some(number);
        while self.begun.len() < self.limit {
            let Some((number, from)) = self.waiting.pop_front() else { break };
            let (file, identities) = (&self.files[number], self.identities);
            let (out, lines) = sync_channel(AHEAD);
            self.scope.spawn(move || read(file, from, identities, &out));
            self.begun.push_back((number, lines));
        }
    }
}
