//! Lines that are not archived yet, in the columns of the archive.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};

use super::batch::Rows;
use super::columns::{Splitter, GROUPS};
use super::promote::{Plan, Shares};
use crate::error::{At, Error, Result};
use crate::filter::Filter;
use crate::journal::{segments, without_blanks, Journal, Reader};

const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 4 << 20;
const PIECE_BYTES: usize = 1 << 20;

/// Which records and columns are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub filter: Option<Filter>,
    /// All when there are none.
    pub columns: Option<Vec<String>>,
}

impl Wanted {
    fn projection(&self, schema: &SchemaRef) -> Result<Vec<usize>> {
        let Some(columns) = &self.columns else { return Ok((0..schema.fields().len()).collect()) };
        let place = |name: &String| {
            schema.index_of(name).map_err(|_| Error::Setting {
                name: "columns",
                found: name.clone(),
                wanted: "a column of docs/concepts/archive-files.md that is not promoted would be right",
            })
        };
        columns.iter().map(place).collect()
    }
}

/// Pieces of lines: index of the first and whole lines.
trait Pieces: Send {
    fn next_piece(&mut self) -> Result<Option<(u64, Vec<u8>)>>;
}

/// Record batches of lines.
pub struct Batches {
    pieces: Box<dyn Pieces>,
    piece: Vec<u8>,
    /// Index and place of the line that is next in the piece.
    next: (u64, usize),
    filter: Option<Filter>,
    projection: Vec<usize>,
    schema: SchemaRef,
    plan: Plan,
    rows: Rows,
    splitter: Splitter,
    spelled: String,
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Batches before index {}", self.next.0)
    }
}

impl Batches {
    fn new(pieces: Box<dyn Pieces>, wanted: &Wanted) -> Result<Self> {
        let plan = Plan::default();
        let mut rows = Rows::new(&plan);
        let projection = wanted.projection(rows.schema())?;
        let fields: Vec<_> =
            projection.iter().map(|at| rows.schema().fields()[*at].clone()).collect();
        rows.want(&fields);
        Ok(Self {
            pieces,
            piece: Vec::new(),
            next: (0, 0),
            filter: wanted.filter.clone(),
            projection,
            schema: Arc::new(arrow_schema::Schema::new(fields)),
            plan,
            rows,
            splitter: Splitter::default(),
            spelled: String::new(),
        })
    }

    /// The next batch of records; none at the end.
    ///
    /// # Errors
    /// When the lines cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.rows.len() < BATCH_ROWS && self.rows.bytes() < BATCH_BYTES {
            if self.next.1 >= self.piece.len() {
                let Some((first, piece)) = self.pieces.next_piece()? else { break };
                (self.next, self.piece) = ((first, 0), piece);
            }
            self.take_line();
        }
        if self.rows.is_empty() {
            return Ok(None);
        }
        let batch = self.rows.finish().and_then(|batch| batch.project(&self.projection));
        batch
            .map(Some)
            .map_err(|error| Error::Damaged { path: PathBuf::new(), what: error.to_string() })
    }

    fn take_line(&mut self) {
        let (index, begin) = self.next;
        let rest = &self.piece[begin..];
        let end = begin + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.next = (index + 1, end + 1);
        let line = &self.piece[begin..end];
        if line.is_empty() || self.filter.as_ref().is_some_and(|filter| !filter.matches(line)) {
            return;
        }
        let row = self.splitter.split(line, &mut self.spelled);
        let mut shares = Shares::default();
        self.plan.leave(GROUPS.map(|key| row.json(key)), &mut shares);
        self.rows.push(index, &row, &shares, line.len());
    }
}

impl Iterator for Batches {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.next_batch().transpose()?;
        Some(batch.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// Lines in memory.
#[derive(Debug, Clone)]
pub struct LineBatches {
    pub first: u64,
    pub lines: Arc<[u8]>,
    pub wanted: Wanted,
}

struct Memory {
    next: u64,
    lines: Arc<[u8]>,
    at: usize,
}

impl Pieces for Memory {
    fn next_piece(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let rest = &self.lines[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let near = rest.len().min(PIECE_BYTES);
        let end = memchr::memchr(b'\n', &rest[near - 1..]).map_or(rest.len(), |at| near + at);
        let piece = rest[..end].to_vec();
        let first = self.next;
        self.next += memchr::memchr_iter(b'\n', &piece).count() as u64;
        self.at += end;
        Ok(Some((first, piece)))
    }
}

impl LineBatches {
    /// The batches from the beginning; every call begins anew.
    ///
    /// # Errors
    /// When a column is unknown.
    pub fn read(&self) -> Result<Batches> {
        let memory = Memory { next: self.first, lines: self.lines.clone(), at: 0 };
        Batches::new(Box::new(memory), &self.wanted)
    }
}

/// Records of a journal that lie in `active/`. The files are opened at once, so that archiving and
/// removing take nothing away.
#[derive(Debug, Clone)]
pub struct ActiveBatches {
    files: Arc<Vec<(u64, PathBuf, File)>>,
    start: u64,
    end: u64,
    wanted: Wanted,
}

impl ActiveBatches {
    /// Records from `start` to before `end`, or to the newest one that was committed.
    ///
    /// # Errors
    /// When the journal cannot be read; also when a segment has just been archived and removed:
    /// then listing the archive and the segments again is right.
    pub fn open(directory: &Path, start: u64, end: Option<u64>, wanted: Wanted) -> Result<Self> {
        let (journal, _) = Journal::open(directory)?;
        let end = match end {
            Some(end) => end,
            None => Reader::open(directory, u64::MAX)?.end()?,
        };
        let all = segments(&journal)?;
        let mut files = Vec::new();
        for (at, segment) in all.iter().enumerate() {
            let is_before = all.get(at + 1).is_some_and(|next| next.first <= start);
            if is_before || segment.first >= end {
                continue;
            }
            let file = File::open(&segment.path).at("opening the segment", &segment.path)?;
            files.push((segment.first, segment.path.clone(), file));
        }
        Ok(Self { files: Arc::new(files), start, end, wanted })
    }

    /// The batches from the beginning; every call begins anew.
    ///
    /// # Errors
    /// When a column is unknown.
    pub fn read(&self) -> Result<Batches> {
        let files = self.files.clone();
        let first = files.first().map_or(0, |(first, ..)| *first);
        let open = Open { files, at: 0, offset: 0, next: first, start: self.start, end: self.end };
        Batches::new(Box::new(open), &self.wanted)
    }
}

struct Open {
    files: Arc<Vec<(u64, PathBuf, File)>>,
    at: usize,
    offset: u64,
    next: u64,
    start: u64,
    end: u64,
}

impl Open {
    /// Whole lines of the file at hand; empty at its end.
    fn read(&mut self) -> Result<Vec<u8>> {
        let Some((_, path, file)) = self.files.get(self.at) else { return Ok(Vec::new()) };
        let mut size = PIECE_BYTES;
        loop {
            let mut bytes = vec![0; size];
            let read = file.read_at(&mut bytes, self.offset).at("reading the segment", path)?;
            bytes.truncate(read);
            let end = memchr::memrchr(b'\n', &bytes).map_or(0, |last| last + 1);
            if end > 0 || read < size {
                bytes.truncate(end);
                self.offset += end as u64;
                return Ok(without_blanks(bytes));
            }
            size *= 2;
        }
    }
}

impl Pieces for Open {
    fn next_piece(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        while self.at < self.files.len() && self.next < self.end {
            let mut piece = self.read()?;
            let count = memchr::memchr_iter(b'\n', &piece).count() as u64;
            if count == 0 {
                self.at += 1;
                self.offset = 0;
                if let Some((first, ..)) = self.files.get(self.at) {
                    self.next = *first;
                }
                continue;
            }
            let first = self.next;
            self.next += count;
            if self.next <= self.start {
                continue;
            }
            if self.next > self.end {
                piece.truncate(place(&piece, self.end - first));
            }
            if first < self.start {
                let before = place(&piece, self.start - first);
                return Ok(Some((self.start, piece.split_off(before))));
            }
            return Ok(Some((first, piece)));
        }
        Ok(None)
    }
}

/// Where line number `line` begins.
fn place(piece: &[u8], line: u64) -> usize {
    match line.checked_sub(1) {
        None => 0,
        Some(before) => {
            memchr::memchr_iter(b'\n', piece).nth(before as usize).map_or(piece.len(), |at| at + 1)
        }
    }
}
