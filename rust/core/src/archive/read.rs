//! Reading a file of the archive: its facts, and its records' lines.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use super::batch::schema;
use super::promote::Plan;
use super::rebuild::{Batch, Times};
use super::{outside, Archived, Facts, Identities, FACTS_KEY, FORMAT};
use crate::error::{At, Error, Result};

const PIECE_BYTES: usize = 1 << 20;
const BATCH_ROWS: usize = 4096;
/// A batch takes about as much memory, if the file is honest.
const BATCH_BYTES: u64 = 8 << 20;
/// Empty lines stand for this many missing records; more begin a new piece.
const MAX_GAP: u64 = 4096;
/// No file of ours has as much to say about itself.
const MAX_FACTS_BYTES: usize = 16 << 20;
const MAX_GROUPS: usize = 1 << 16;

/// The rebuilt lines of a file.
pub struct Lines {
    path: PathBuf,
    facts: Facts,
    plan: Plan,
    reader: ParquetRecordBatchReader,
    times: Times,
    /// Rows before it are not wanted.
    from: u64,
    /// No later row may have an index below it.
    next: u64,
    /// Lines that follow a gap.
    waiting: Option<(u64, Vec<u8>)>,
    /// Rows of the last batch, from the row on that is next.
    batch: Option<(arrow_array::RecordBatch, usize)>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Lines of '{}' from index {}", self.path.display(), self.next)
    }
}

impl Lines {
    /// The records from index `from` on.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what its facts say.
    pub fn open(file: &Archived, from: u64, identities: &Identities) -> Result<Self> {
        super::guarded(&file.path, || Self::open_file(file, from, identities))
    }

    fn open_file(archived: &Archived, from: u64, identities: &Identities) -> Result<Self> {
        let path = &archived.path;
        let file = if archived.is_encrypted {
            // All columns are read, so that the whole file is needed; a damaged one gives no line.
            super::open_decrypted(path, identities)?.into_memory(path)?.into_file()
        } else {
            File::open(path).at("opening", path)?
        };
        let metadata =
            ArrowReaderMetadata::load(&file, options()).map_err(|error| damaged(path, error))?;
        let facts = parse_facts(path, metadata.metadata())?;
        let wrong = |what: &str| Error::Damaged { path: path.clone(), what: what.to_owned() };
        if archived.is_encrypted && outside::visible(&facts) != outside::visible(&archived.facts) {
            return Err(wrong("the facts beside it are not those in it"));
        }
        let plan = Plan::from_facts(&facts.promoted)
            .ok_or_else(|| wrong("its facts name a column that cannot be"))?;
        // The same names and types; Parquet does not keep everything that Arrow knows.
        let wanted = schema(&plan);
        let (wanted, found) = (wanted.fields(), metadata.schema().fields());
        let same = wanted.len() == found.len()
            && wanted.iter().zip(found).all(|(wanted, found)| {
                wanted.name() == found.name() && wanted.data_type() == found.data_type()
            });
        if !same {
            return Err(wrong("its columns are not those of the format"));
        }
        let groups = wanted_groups(metadata.metadata(), from);
        let rows = batch_rows(metadata.metadata());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_row_groups(groups)
            .with_batch_size(rows)
            .build()
            .map_err(|error| damaged(path, error))?;
        let from = from.max(facts.first);
        Ok(Self {
            path: path.clone(),
            next: facts.first,
            facts,
            plan,
            reader,
            times: Times::default(),
            from,
            waiting: None,
            batch: None,
        })
    }

    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Index of the first record, and lines with their line feeds, about a mebibyte. A record that
    /// is not there is an empty line, or many of them a new piece.
    ///
    /// # Errors
    /// When the file is not what it should be.
    pub fn next_piece(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let path = self.path.clone();
        super::guarded(&path, || self.read_piece())
    }

    fn read_piece(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let mut piece = self.waiting.take();
        while let Some((batch, begin)) = self.next_batch()? {
            let wrong = |what: String| Error::Damaged { path: self.path.clone(), what };
            let rows = Batch::new(&batch, &self.plan)
                .ok_or_else(|| wrong("its columns are not those of the format".to_owned()))?;
            let capacity =
                if rows.len() < BATCH_ROWS / 4 { 0 } else { PIECE_BYTES + PIECE_BYTES / 8 };
            for row in begin..rows.len() {
                let before = self.next;
                let index = rows.index(row).filter(|at| (before..self.facts.end).contains(at));
                let index = index.ok_or_else(|| {
                    wrong(format!("the record after {before} has an index out of its place"))
                })?;
                self.next = index + 1;
                if index < self.from {
                    continue;
                }
                let is_far = piece.is_some() && index - before > MAX_GAP;
                let mut other = None;
                let target = if is_far { &mut other } else { &mut piece };
                let (_, lines) =
                    target.get_or_insert_with(|| (index, Vec::with_capacity(capacity)));
                if !lines.is_empty() {
                    lines.resize(lines.len() + (index - before) as usize, b'\n');
                }
                rows.push_line(row, &mut self.times, lines).ok_or_else(|| {
                    wrong(format!("the row of record {index} contradicts itself"))
                })?;
                lines.push(b'\n');
                if is_far || lines.len() >= PIECE_BYTES {
                    self.waiting = other;
                    self.batch = Some((batch.clone(), row + 1));
                    return Ok(piece);
                }
            }
        }
        Ok(piece)
    }

    fn next_batch(&mut self) -> Result<Option<(arrow_array::RecordBatch, usize)>> {
        if let Some((batch, row)) = self.batch.take() {
            return Ok(Some((batch, row)));
        }
        let batch = self.reader.next().transpose().map_err(|error| {
            let what = error.to_string();
            Error::Damaged { path: self.path.clone(), what }
        })?;
        Ok(batch.map(|batch| (batch, 0)))
    }
}

fn options() -> ArrowReaderOptions {
    // What a file says about Arrow's types is nothing that we wrote.
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

/// Row groups that can have records from `from` on.
fn wanted_groups(metadata: &ParquetMetaData, from: u64) -> Vec<usize> {
    let is_wanted = |group: &usize| {
        let index = metadata.row_group(*group).columns().first();
        match index.and_then(|column| column.statistics()) {
            Some(Statistics::Int64(statistics)) => {
                statistics.max_opt().is_none_or(|max| *max >= from as i64)
            }
            _ => true,
        }
    };
    (0..metadata.num_row_groups()).filter(is_wanted).collect()
}

/// Rows that fit into a batch.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let bytes = |column: &ColumnChunkMetaData| {
        let unencoded = column.unencoded_byte_array_data_bytes().unwrap_or(0);
        unencoded.max(column.uncompressed_size()).max(0) as u64
    };
    let each = metadata.row_groups().iter().map(|group| {
        let bytes = group.columns().iter().map(bytes).fold(0, u64::saturating_add);
        bytes / group.num_rows().max(1) as u64
    });
    let most = each.max().unwrap_or(0).max(1);
    (BATCH_BYTES / most).clamp(16, BATCH_ROWS as u64) as usize
}

/// The facts in a file's footer.
pub(super) fn footer(path: &Path) -> Result<Facts> {
    super::guarded(path, || {
        let file = File::open(path).at("opening", path)?;
        let metadata =
            ArrowReaderMetadata::load(&file, options()).map_err(|error| damaged(path, error))?;
        parse_facts(path, metadata.metadata())
    })
}

pub(super) fn parse_facts(path: &Path, metadata: &ParquetMetaData) -> Result<Facts> {
    let wrong = |what: String| Error::Damaged { path: path.to_owned(), what };
    let entries = metadata.file_metadata().key_value_metadata().map(Vec::as_slice);
    let mut found = entries.unwrap_or_default().iter().filter(|entry| entry.key == FACTS_KEY);
    let text = found.next().and_then(|entry| entry.value.as_deref());
    let text = text.filter(|text| text.len() <= MAX_FACTS_BYTES);
    let text = text.ok_or_else(|| wrong("it has no facts of ours".to_owned()))?;
    let facts = facts_from_json(text).map_err(wrong)?;
    let rows = metadata.file_metadata().num_rows();
    if u64::try_from(rows) != Ok(facts.rows) || metadata.num_row_groups() > MAX_GROUPS {
        return Err(Error::Damaged {
            path: path.to_owned(),
            what: format!("it has {rows} rows; its facts say {}", facts.rows),
        });
    }
    Ok(facts)
}

/// Facts that make sense.
pub(super) fn facts_from_json(text: &str) -> std::result::Result<Facts, String> {
    let facts: Facts =
        serde_json::from_str(text).map_err(|error| format!("its facts do not read: {error}"))?;
    let firsts = &facts.segments;
    let segments_fit = firsts.first() == Some(&facts.first)
        && firsts.is_sorted_by(|before, after| before < after)
        && firsts.last().is_some_and(|last| *last <= facts.end);
    if facts.format != FORMAT {
        return Err(format!("its format is {}; {FORMAT} would be right", facts.format));
    }
    let records = facts.end.checked_sub(facts.first);
    if !segments_fit
        || records.is_none_or(|records| records < facts.rows)
        || facts.end > i64::MAX as u64
    {
        return Err("its facts contradict each other".to_owned());
    }
    Ok(facts)
}

pub(super) fn damaged(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => Error::Io { what: "reading", path: path.to_owned(), source: *source },
            Err(source) => Error::Damaged { path: path.to_owned(), what: source.to_string() },
        },
        other => Error::Damaged { path: path.to_owned(), what: other.to_string() },
    }
}
