//! Which words occur where in a file of the archive: `N.tokens` beside `N.parquet`.
//!
//! A cache: it leaves out parts of a file that cannot hold a word, and whatever is wrong with it, only
//! less is left out. `docs/concepts/archive-files.md` has the format.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use flate2::Crc;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::ProjectionMask;
use sha2::{Digest, Sha256};

use super::fuse::{self, Shape};
use super::known::{identity, Identity, Known};
use super::vocabulary::{self, Block, Vocabulary};
use super::words;
use crate::error::{At, Error, Result};

const MAGIC: &[u8; 16] = b"treering tokens\n";
const FORMAT: u32 = 1;
const HEADER: usize = 72;
const ENTRY: usize = 32;
const BATCH_ROWS: usize = 4096;
/// Of the index itself, and of the end of a Parquet file.
const MAX_BYTES: u64 = 1 << 30;

/// Bytes of indexes that are kept between questions.
const ROOM: usize = 64 << 20;

/// Indexes that were found right, by the file and what lies beside it.
static KNOWN: Known<(Identity, Identity), Vec<u8>> = Known::new(ROOM);

/// All indexes there can be.
pub const ANYWHERE: (u64, u64) = (0, i64::MAX as u64);

/// Where the index of a file lies.
#[must_use]
pub fn path(file: &Path) -> PathBuf {
    file.with_extension("tokens")
}

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// Every word of the file is found in its place.
    Complete,
    /// There is none: every part of the file is searched.
    Missing,
    /// It is damaged, or of another file: it is not used.
    Unusable,
    /// It would hide records, the first of them from this index on, and does not come from us.
    Hides(u64),
}

/// Makes an index of rows while they are written, or of what is read back.
#[derive(Debug, Default)]
pub struct Builder {
    vocabulary: Vocabulary,
    blocks: Vec<(u64, u64, Shape)>,
    filters: Vec<u8>,
    is_broken: bool,
}

impl Builder {
    /// Takes the next rows, with the columns of the archive.
    pub fn push(&mut self, rows: &RecordBatch) {
        let (blocks, filters, is_broken) =
            (&mut self.blocks, &mut self.filters, &mut self.is_broken);
        let pushed = self
            .vocabulary
            .push(rows, |block| *is_broken |= add(blocks, filters, &block).is_none());
        self.is_broken |= pushed.is_none();
    }

    /// The index of the Parquet file with these rows; `None` when the rows were none of the archive.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn finish(mut self, file: &Path) -> Result<Option<Vec<u8>>> {
        if let Some(block) = std::mem::take(&mut self.vocabulary).finish() {
            self.is_broken |= add(&mut self.blocks, &mut self.filters, &block).is_none();
        }
        if self.is_broken {
            return Ok(None);
        }
        let open = File::open(file).at("opening", file)?;
        let belongs = Belongs::of(&open).at("reading", file)?;
        Ok(belongs.map(|belongs| self.bytes(&belongs)))
    }

    fn bytes(&self, belongs: &Belongs) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER + self.blocks.len() * ENTRY + self.filters.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&belongs.length.to_le_bytes());
        out.extend_from_slice(&belongs.footer);
        out.extend_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        for (first, end, shape) in &self.blocks {
            out.extend_from_slice(&first.to_le_bytes());
            out.extend_from_slice(&end.to_le_bytes());
            out.extend_from_slice(&shape.seed.to_le_bytes());
            out.extend_from_slice(&shape.segment.to_le_bytes());
            out.extend_from_slice(&shape.starts.to_le_bytes());
        }
        out.extend_from_slice(&self.filters);
        let sum = checksum(&out);
        out[20..24].copy_from_slice(&sum.to_le_bytes());
        out
    }
}

fn add(blocks: &mut Vec<(u64, u64, Shape)>, filters: &mut Vec<u8>, block: &Block) -> Option<()> {
    let (shape, bytes) = fuse::build(&block.words)?;
    blocks.push((block.first, block.end, shape));
    filters.extend_from_slice(&bytes);
    Some(())
}

/// CRC-32 of all but its own place.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(&bytes[..20]);
    crc.update(&bytes[24..]);
    crc.sum()
}

/// By which a Parquet file is known: its length, and the digest of its footer, in which stand the place,
/// size and range of everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Belongs {
    length: u64,
    footer: [u8; 32],
}

impl Belongs {
    /// `None` for what does not end as a Parquet file.
    fn of(file: &File) -> std::io::Result<Option<Self>> {
        let length = file.metadata()?.len();
        let mut end = [0; 8];
        let Some(place) = length.checked_sub(8) else { return Ok(None) };
        file.read_exact_at(&mut end, place)?;
        let footer = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
        let begin = place.checked_sub(footer).filter(|_| footer < MAX_BYTES);
        let Some(begin) = begin.filter(|_| &end[4..] == b"PAR1") else { return Ok(None) };
        let mut bytes = vec![0; footer as usize];
        file.read_exact_at(&mut bytes, begin)?;
        Ok(Some(Self { length, footer: Sha256::digest(&bytes).into() }))
    }
}

/// An index that was read.
#[derive(Debug)]
pub struct Tokens<'a> {
    belongs: Belongs,
    blocks: Vec<(u64, u64, Shape, &'a [u8])>,
}

impl<'a> Tokens<'a> {
    /// Reads an index; `None` for anything else.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let sum = u32::from_le_bytes(bytes.get(20..24)?.try_into().ok()?);
        Self::of(bytes).filter(|_| sum == checksum(bytes))
    }

    /// The same of bytes that were found undamaged before.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let long = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        if &header[..16] != MAGIC || number(16)? != FORMAT {
            return None;
        }
        let belongs = Belongs { length: long(24)?, footer: header[32..64].try_into().ok()? };
        let count = number(64)? as usize;
        let mut filters = bytes.get(HEADER + count.checked_mul(ENTRY)?..)?;
        let mut blocks = Vec::with_capacity(count);
        let mut before = 0;
        for at in (0..count).map(|block| HEADER + block * ENTRY) {
            let (first, end) = (long(at)?, long(at + 8)?);
            let shape =
                Shape { seed: long(at + 16)?, segment: number(at + 24)?, starts: number(at + 28)? };
            let (filter, rest) = filters.split_at_checked(shape.bytes()?)?;
            if first < before || end <= first {
                return None;
            }
            before = end;
            filters = rest;
            blocks.push((first, end, shape, filter));
        }
        (filters.is_empty() && number(68)? == 0).then_some(Self { belongs, blocks })
    }

    /// The index ranges that may hold records with all of the words; ranges that meet are one.
    pub fn ranges(&self, hashes: &[u64]) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let mut is_open = false;
        for (first, end, shape, filter) in &self.blocks {
            let was_open = is_open;
            is_open = hashes.iter().all(|hash| shape.may_hold(filter, *hash));
            match ranges.last_mut() {
                Some(last) if was_open && is_open => last.1 = *end,
                _ if is_open => ranges.push((*first, *end)),
                _ => {}
            }
        }
        ranges
    }
}

/// The index ranges of a file, `end` exclusive, outside of which no record has all of the words.
///
/// Each text may hold several words, all of which are meant. Without an index that can be used, and for
/// an encrypted file, that is [`ANYWHERE`].
///
/// # Errors
/// When the file itself cannot be read.
pub fn lookup(file: &Path, texts: &[&str]) -> Result<Vec<(u64, u64)>> {
    let Some(bytes) = known(file)? else { return Ok(vec![ANYWHERE]) };
    let mut hashes = Vec::new();
    for text in texts {
        words::hash_words(text, |hash| hashes.push(hash));
    }
    let tokens = Tokens::of(&bytes);
    Ok(tokens.map_or_else(|| vec![ANYWHERE], |tokens| tokens.ranges(&hashes)))
}

/// The index of a file, if it can be used. What was found right once is not read again.
fn known(file: &Path) -> Result<Option<Arc<Vec<u8>>>> {
    let open = File::open(file).at("opening", file)?;
    let Ok(beside) = path(file).metadata() else { return Ok(None) };
    let status = open.metadata().at("looking at", file)?;
    let key = (identity(&status), identity(&beside));
    if let Some(bytes) = KNOWN.get(&key) {
        return Ok(Some(bytes));
    }
    let belongs = Belongs::of(&open).at("reading", file)?;
    let (Some(belongs), Some(bytes)) = (belongs, read(file)) else { return Ok(None) };
    if Tokens::parse(&bytes).is_none_or(|tokens| tokens.belongs != belongs) {
        return Ok(None);
    }
    let length = bytes.len();
    Ok(Some(KNOWN.keep(key, bytes, length)))
}

fn read(file: &Path) -> Option<Vec<u8>> {
    let path = path(file);
    let length = path.metadata().ok()?.len();
    (length < MAX_BYTES).then(|| std::fs::read(path).ok()).flatten()
}

/// Makes the index of a Parquet file anew, in the place of what is there.
///
/// # Errors
/// When the file cannot be read or is none of the archive, or the index cannot be written.
pub fn build(file: &Path) -> Result<()> {
    build_while(file, &|| true)
}

/// `build`, asked again and again whether it should go on.
///
/// # Errors
/// As `build`, and when it should not.
pub fn build_while(file: &Path, go_on: &dyn Fn() -> bool) -> Result<()> {
    let mut builder = Builder::default();
    let mut is_wanted = true;
    each_batch(file, |rows| {
        is_wanted = is_wanted && go_on();
        if is_wanted {
            builder.push(&rows);
        }
    })?;
    if !is_wanted {
        return Err(super::stopped(file));
    }
    let bytes = builder.finish(file)?.ok_or_else(|| wrong_columns(file))?;
    crate::journal::replace_file(&path(file), &bytes)
}

/// Gives the rows of a Parquet file to a builder.
///
/// # Errors
/// When the file cannot be read.
pub fn push_file(builder: &mut Builder, file: &Path) -> Result<()> {
    each_batch(file, |rows| builder.push(&rows))
}

/// Whether there is an index that is of this file and can be read; not whether it is complete.
pub fn is_usable(file: &Path) -> bool {
    let belongs = File::open(file).ok().and_then(|open| Belongs::of(&open).ok().flatten());
    let bytes = read(file).unwrap_or_default();
    belongs.is_some() && Tokens::parse(&bytes).map(|tokens| tokens.belongs) == belongs
}

/// Looks for every word of the file in its index.
///
/// # Errors
/// When the file or the index cannot be read, or the file is none of the archive.
pub fn check(file: &Path) -> Result<Checked> {
    let bytes = match std::fs::read(path(file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Checked::Missing),
        Err(error) => return Err(error).at("reading", &path(file)),
    };
    if !is_usable(file) {
        return Ok(Checked::Unusable);
    }
    let Some(tokens) = Tokens::parse(&bytes) else { return Ok(Checked::Unusable) };
    let mut vocabulary = Vocabulary::default();
    let mut hidden = None;
    let mut look = |block: Block| {
        hidden = hidden.or_else(|| (!tokens.covers(&block)).then_some(block.first));
    };
    let mut is_ours = true;
    each_batch(file, |rows| is_ours &= vocabulary.push(&rows, &mut look).is_some())?;
    if !is_ours {
        return Err(wrong_columns(file));
    }
    vocabulary.finish().into_iter().for_each(&mut look);
    Ok(hidden.map_or(Checked::Complete, Checked::Hides))
}

impl Tokens<'_> {
    fn covers(&self, block: &Block) -> bool {
        let is_of =
            |known: &&(u64, u64, Shape, &[u8])| known.0 <= block.first && block.end <= known.1;
        self.blocks.iter().find(is_of).is_some_and(|(_, _, shape, filter)| {
            block.words.iter().all(|word| shape.may_hold(filter, *word))
        })
    }
}

fn wrong_columns(file: &Path) -> Error {
    let what = "its columns are not those of the format".to_owned();
    Error::Damaged { path: file.to_owned(), what }
}

fn each_batch(file: &Path, each: impl FnMut(RecordBatch)) -> Result<()> {
    super::guarded(file, || read_batches(file, each))
}

fn read_batches(file: &Path, mut each: impl FnMut(RecordBatch)) -> Result<()> {
    let damaged = |what: String| Error::Damaged { path: file.to_owned(), what };
    let open = File::open(file).at("opening", file)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(open, options)
        .map_err(|error| damaged(error.to_string()))?;
    let columns = vocabulary::columns(builder.schema());
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    for rows in reader.map_err(|error| damaged(error.to_string()))? {
        each(rows.map_err(|error| damaged(error.to_string()))?);
    }
    Ok(())
}
