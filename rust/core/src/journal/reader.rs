//! A reader: follows a journal from an index on, without locks and without being noticed.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::places::{begin, find, ArchivedRecords, Place};
use super::segment::{end_of_files, Segment};
use super::{Journal, Settings};
use crate::archive::Identities;
use crate::domain::{Committed, Domain};
use crate::error::{At, Error, Result};
use crate::seal::{SaltKind, SegmentSeal};

const CHUNK_BYTES: usize = 1 << 20;
/// Files may be replaced while they are looked for, but not for ever.
const MOST_MISSES: u32 = 100;

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

/// Whole lines as they should be read from a segment that was open while records were taken out of it:
/// these were overwritten with blanks, perhaps only up to or from somewhere when reading met writing.
/// A line of a record never begins or ends with a blank; one that does becomes an empty one.
#[must_use]
pub(crate) fn without_blanks(lines: Vec<u8>) -> Vec<u8> {
    let has = |needle: &[u8]| memchr::memmem::find(&lines, needle).is_some();
    if lines.first() != Some(&b' ') && !has(b" \n") && !has(b"\n ") {
        return lines;
    }
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let is_blank = line.starts_with(b" ") || line.ends_with(b" \n");
        kept.extend_from_slice(if is_blank { b"\n" } else { line });
    }
    kept
}

/// A cursor over a journal.
#[derive(Debug)]
pub struct Reader {
    journal: Journal,
    settings: Settings,
    identities: Identities,
    domain: Option<Domain>,
    open: Option<Open>,
    /// Byte in the open segment at which record `next` begins.
    offset: u64,
    next: u64,
    /// Files in a row that were gone when they were to be opened.
    missed: u32,
}

/// What is being read. It stays open while it is replaced or removed, so that reading goes on.
#[derive(Debug)]
enum Open {
    Segment(Segment, File),
    Archived(Box<ArchivedRecords>),
}

impl Reader {
    /// A reader that stands before record `index`, or at the end when there are fewer.
    ///
    /// # Errors
    /// When the directory holds no journal, or cannot be read.
    pub fn open(directory: &Path, index: u64) -> Result<Self> {
        Self::open_with(directory, index, Identities::default())
    }

    /// `open`, with keys for files of the archive that are encrypted.
    ///
    /// # Errors
    /// As `open`; `Refused` when a file is encrypted and none of the identities opens it.
    pub fn open_with(directory: &Path, index: u64, identities: Identities) -> Result<Self> {
        let (journal, settings) = Journal::open(directory)?;
        let mut reader = Self {
            journal,
            settings,
            identities,
            domain: None,
            open: None,
            offset: 0,
            next: 0,
            missed: 0,
        };
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
        begin(&self.journal)
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
        // Files of the archive are opened when they are read: whoever only asks needs no key for them.
        let oldest = self.begin()?;
        if index <= oldest {
            self.next = oldest;
            return Ok(());
        }
        let mut ended = None;
        while let Some(place) = find(&self.journal, index, ended)? {
            if let Place::Archived(file) = &place {
                self.next = index.max(file.facts.first);
                return Ok(());
            }
            if !self.enter(&place, index)? {
                continue;
            }
            let Some(Open::Segment(segment, _)) = &self.open else {
                return Ok(());
            };
            let (first, is_newest) = (segment.first, place.is_newest());
            self.skip_to(index)?;
            if self.next >= index || is_newest {
                return Ok(());
            }
            ended = Some(first);
        }
        Ok(())
    }

    /// The next whole records, about `max_bytes` of them; empty when there is nothing new.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn read(&mut self, max_bytes: usize) -> Result<Batch> {
        loop {
            if self.open.is_none() && !self.enter_first()? {
                return Ok(Batch::default());
            }
            if let Some(Open::Archived(records)) = &mut self.open {
                let batch = records.read(max_bytes)?;
                self.next = records.next();
                if !batch.bytes.is_empty() || !self.enter_following(None)? {
                    return Ok(batch);
                }
                continue;
            }
            // The end is read before the bytes, so that a segment that ends here has ended for good.
            let committed = self.committed()?;
            let batch = self.read_open(max_bytes, u64::MAX, committed)?;
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
        let Some(Open::Segment(segment, file)) = &self.open else {
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
            let batch = Batch { first: self.next, bytes: without_blanks(bytes) };
            self.offset += end as u64;
            self.next += records;
            return Ok(batch);
        }
    }

    /// Passes over the records of the open segment that lie before `index`.
    fn skip_to(&mut self, index: u64) -> Result<()> {
        while self.next < index {
            let committed = self.committed()?;
            if self.read_open(CHUNK_BYTES, index - self.next, committed)?.bytes.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Stands before record `index` in a place, if it can; false when the place is gone by now.
    fn enter(&mut self, place: &Place, index: u64) -> Result<bool> {
        let opened = match place {
            Place::Segment { segment, .. } => File::open(&segment.path)
                .at("opening the segment", &segment.path)
                .map(|file| (segment.first, Open::Segment(segment.clone(), file))),
            Place::Archived(file) => ArchivedRecords::open(file, index, &self.identities)
                .map(|records| (records.next(), Open::Archived(Box::new(records)))),
        };
        match opened {
            Ok((next, open)) => {
                (self.next, self.offset, self.open) = (next, 0, Some(open));
                self.missed = 0;
                Ok(true)
            }
            // Archived, merged or pruned since it was found; what never is there is an error.
            Err(Error::Io { source, .. })
                if source.kind() == ErrorKind::NotFound && self.missed < MOST_MISSES =>
            {
                self.missed += 1;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn enter_first(&mut self) -> Result<bool> {
        while let Some(place) = find(&self.journal, self.next, None)? {
            let wanted = self.next;
            if self.enter(&place, wanted)? {
                self.skip_to(wanted)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes on to what follows once the open place is read to its end.
    fn enter_following(&mut self, committed: Option<Committed>) -> Result<bool> {
        let ended = match &self.open {
            None => return Ok(false),
            Some(Open::Archived(_)) => None,
            Some(Open::Segment(open, _)) => {
                if committed.is_some_and(|committed| committed.segment <= open.first) {
                    return Ok(false);
                }
                Some(open.clone())
            }
        };
        let first = ended.as_ref().map(|segment| segment.first);
        let wanted = self.next;
        while let Some(place) = find(&self.journal, wanted, first)? {
            if let (Some(ended), Place::Segment { segment, .. }) = (&ended, &place) {
                self.check_gap(ended, segment)?;
            }
            if self.enter(&place, wanted)? {
                // A segment that was just archived still lies there, with records that were read.
                self.skip_to(wanted)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What lies between two segments of which the older one is still there was not taken away in order.
    fn check_gap(&self, ended: &Segment, following: &Segment) -> Result<()> {
        if following.first <= self.next || !ended.path.exists() {
            return Ok(());
        }
        let pruned = SegmentSeal::load(self.journal.directory(), self.next)
            .is_ok_and(|seal| seal.salts == SaltKind::None);
        if pruned {
            return Ok(());
        }
        Err(Error::Damaged {
            path: following.path.clone(),
            what: format!("records {} to {} are missing before it", self.next, following.first),
        })
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
