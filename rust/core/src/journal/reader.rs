//! A reader: follows a journal from an index on, without locks and without being noticed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::segment::{end_of_files, segments, Segment};
use super::{Journal, Settings};
use crate::domain::{Committed, Domain};
use crate::error::{At, Error, Result};

const CHUNK_BYTES: usize = 1 << 20;

/// Consecutive records as they lie in the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Index of the first record.
    pub first: u64,
    /// Whole lines, each with its line feed.
    pub bytes: Vec<u8>,
}

impl Batch {
    /// The lines, without line feeds.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1])
    }
}

/// A cursor over a journal.
#[derive(Debug)]
pub struct Reader {
    journal: Journal,
    settings: Settings,
    domain: Option<Domain>,
    open: Option<(Segment, File)>,
    /// Byte in the open segment at which record `next` begins.
    offset: u64,
    next: u64,
}

impl Reader {
    /// A reader that stands before record `index`, or at the end when there are fewer.
    ///
    /// # Errors
    /// When the directory holds no journal, or cannot be read.
    pub fn open(directory: &Path, index: u64) -> Result<Self> {
        let (journal, settings) = Journal::open(directory)?;
        let mut reader = Self { journal, settings, domain: None, open: None, offset: 0, next: 0 };
        reader.seek(index)?;
        Ok(reader)
    }

    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Index of the next record that `read` gives.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Index of the oldest record.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn begin(&self) -> Result<u64> {
        Ok(segments(&self.journal)?.first().map_or(0, |segment| segment.first))
    }

    /// Index after the newest record that can be read.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn end(&mut self) -> Result<u64> {
        if let Some(committed) = self.committed()? {
            return Ok(committed.end);
        }
        end_of_files(&self.journal)
    }

    /// Moves to record `index`, or to the end, or to the oldest record.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn seek(&mut self, index: u64) -> Result<()> {
        self.open = None;
        self.offset = 0;
        self.next = 0;
        let all = segments(&self.journal)?;
        let Some(at) = all.iter().rposition(|segment| segment.first <= index).or(Some(0)) else {
            return Ok(());
        };
        let Some(segment) = all.get(at) else {
            return Ok(());
        };
        self.enter(segment.clone())?;
        while self.next < index {
            let batch = self.read_limited(CHUNK_BYTES, index - self.next)?;
            if batch.bytes.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// The next whole records, about `max_bytes` of them; empty when there is nothing new.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn read(&mut self, max_bytes: usize) -> Result<Batch> {
        self.read_limited(max_bytes, u64::MAX)
    }

    fn read_limited(&mut self, max_bytes: usize, max_records: u64) -> Result<Batch> {
        loop {
            if self.open.is_none() && !self.enter_first()? {
                return Ok(Batch::default());
            }
            // The end is read before the bytes, so that a segment that ends here has ended for good.
            let committed = self.committed()?;
            let batch = self.read_open(max_bytes, max_records, committed)?;
            if !batch.bytes.is_empty() || !self.enter_following(committed)? {
                return Ok(batch);
            }
        }
    }

    fn read_open(
        &mut self,
        max_bytes: usize,
        max_records: u64,
        committed: Option<Committed>,
    ) -> Result<Batch> {
        let Some((segment, file)) = &self.open else {
            return Ok(Batch::default());
        };
        let length = file.metadata().at("reading", &segment.path)?.len();
        let limit = match committed {
            Some(committed) if committed.segment == segment.first => committed.bytes.min(length),
            Some(committed) if committed.segment < segment.first => 0,
            _ => length,
        };
        let mut wanted = usize::try_from(limit.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let mut size = max_bytes.max(1);
        loop {
            wanted = wanted.min(size);
            let mut bytes = vec![0; wanted];
            let read =
                file.read_at(&mut bytes, self.offset).at("reading the segment", &segment.path)?;
            bytes.truncate(read);
            let mut end = memchr::memrchr(b'\n', &bytes).map_or(0, |last| last + 1);
            if end == 0 && read == size && (read as u64) < limit - self.offset {
                // One line longer than the wanted batch: take more until it is whole.
                size *= 2;
                wanted = usize::try_from(limit - self.offset).unwrap_or(usize::MAX);
                continue;
            }
            let mut records = memchr::memchr_iter(b'\n', &bytes[..end]).count() as u64;
            if records > max_records {
                let last = usize::try_from(max_records - 1).unwrap_or(usize::MAX);
                end = memchr::memchr_iter(b'\n', &bytes).nth(last).map_or(end, |at| at + 1);
                records = max_records;
            }
            bytes.truncate(end);
            let batch = Batch { first: self.next, bytes };
            self.offset += end as u64;
            self.next += records;
            return Ok(batch);
        }
    }

    fn enter(&mut self, segment: Segment) -> Result<()> {
        let file = File::open(&segment.path).at("opening the segment", &segment.path)?;
        self.next = segment.first;
        self.offset = 0;
        self.open = Some((segment, file));
        Ok(())
    }

    fn enter_first(&mut self) -> Result<bool> {
        match segments(&self.journal)?.into_iter().next() {
            Some(segment) => self.enter(segment).map(|()| true),
            None => Ok(false),
        }
    }

    /// Goes on to the following segment once the open one is read to its end.
    fn enter_following(&mut self, committed: Option<Committed>) -> Result<bool> {
        let Some((open, _)) = &self.open else {
            return Ok(false);
        };
        if committed.is_some_and(|committed| committed.segment <= open.first) {
            return Ok(false);
        }
        let following = segments(&self.journal)?.into_iter().find(|next| next.first > open.first);
        match following {
            Some(segment) if segment.first > self.next => Err(Error::Damaged {
                path: segment.path,
                what: format!("records {} to {} are missing before it", self.next, segment.first),
            }),
            Some(segment) => self.enter(segment).map(|()| true),
            None => Ok(false),
        }
    }

    /// How far the leader has committed; `None` when only the files can tell.
    fn committed(&mut self) -> Result<Option<Committed>> {
        if self.domain.as_ref().is_some_and(|domain| domain.control().is_retired()) {
            self.domain = None;
        }
        if self.domain.is_none() {
            self.domain = Domain::look(&self.journal.domain_place(&self.settings)?);
        }
        let Some(domain) = &self.domain else {
            return Ok(None);
        };
        // Another domain may have led since: then its appends are not on this control page.
        let leads = self.journal.last_leader().is_some_and(|(_, id)| id == domain.control().id());
        Ok(leads.then(|| domain.control().committed()))
    }
}
