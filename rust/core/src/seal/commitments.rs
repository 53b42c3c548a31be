//! A segment's seal file: how its records are committed to. `docs/concepts/seal-files.md` has the format.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::hash::{Hash, Salt, SALT_BYTES};
use super::text::{from_hex, hex};
use super::tree::Range;
use super::Malformed;
use crate::error::{At, Error, Result};

const FORMAT: u32 = 1;

/// Where the salts of a segment's records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaltKind {
    /// The `ChaCha20` key stream under the seed.
    Seed,
    /// A table: the segment has erased records.
    Table,
    /// They are gone with the segment's records.
    None,
}

/// A record about the journal that is kept apart: its segment was pruned, or archived encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub index: u64,
    pub salt: Salt,
    pub line: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    first: u64,
    records: Option<u64>,
    salts: SaltKind,
    seed: Option<String>,
    frontier: Vec<String>,
    kept: Vec<(u64, String, String)>,
}

/// The content of a seal file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSeal {
    pub first: u64,
    /// `None` while the segment is being written.
    pub records: Option<u64>,
    pub salts: SaltKind,
    pub seed: Option<[u8; 32]>,
    pub frontier: Range,
    pub kept: Vec<Kept>,
    pub commitments: Vec<Hash>,
    /// One for each record when `salts` is `Table`; zeros for erased ones.
    pub table: Vec<Salt>,
}

fn directory(journal: &Path) -> PathBuf {
    journal.join("seal").join("commitments")
}

/// Where the seal file of the segment beginning at `first` lies.
#[must_use]
pub fn place(journal: &Path, first: u64) -> PathBuf {
    directory(journal).join(format!("{first:020}.seal"))
}

/// The cache of subtree roots beside it.
#[must_use]
pub fn nodes_place(journal: &Path, first: u64) -> PathBuf {
    directory(journal).join(format!("{first:020}.nodes"))
}

/// First indexes of all seal files of a journal, in order.
///
/// # Errors
/// When the directory cannot be read, or holds a seal file with another kind of name.
pub fn list(journal: &Path) -> Result<Vec<u64>> {
    let directory = directory(journal);
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).at("reading", &directory)? {
        let path = entry.at("reading", &directory)?.path();
        if path.extension().is_none_or(|extension| extension != "seal") {
            continue;
        }
        let digits = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match digits.parse() {
            Ok(first) if digits.len() == 20 && !digits.starts_with('+') => found.push(first),
            _ => {
                let what = "is no seal file; 20 digits before .seal would be right".to_owned();
                return Err(Error::Damaged { path, what });
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

impl SegmentSeal {
    /// The seal file of a segment that begins now.
    #[must_use]
    pub fn open_segment(seed: [u8; 32], frontier: Range) -> Self {
        Self {
            first: frontier.end(),
            records: None,
            salts: SaltKind::Seed,
            seed: Some(seed),
            frontier,
            kept: Vec::new(),
            commitments: Vec::new(),
            table: Vec::new(),
        }
    }

    /// Reads one of a journal's seal files.
    ///
    /// # Errors
    /// When it is not there, or not what it should be.
    pub fn load(journal: &Path, first: u64) -> Result<Self> {
        let path = place(journal, first);
        let bytes = fs::read(&path).at("reading", &path)?;
        let damaged = |what: String| Error::Damaged { path: path.clone(), what };
        let seal = Self::parse(&bytes).map_err(|malformed| damaged(malformed.what))?;
        if seal.first != first {
            return Err(damaged(format!("it is that of the segment beginning at {}", seal.first)));
        }
        Ok(seal)
    }

    /// Writes the file, replacing an older one whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store(&self, journal: &Path) -> Result<()> {
        crate::journal::replace_file(&place(journal, self.first), &self.to_bytes())
    }

    /// # Errors
    /// When the bytes are not a seal file in its one right spelling.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, Malformed> {
        let (seal, body) = Self::parse_header(bytes)?;
        seal.with_body(body)
    }

    fn parse_header(bytes: &[u8]) -> std::result::Result<(Self, &[u8]), Malformed> {
        let end = memchr::memchr(b'\n', bytes)
            .ok_or_else(|| Malformed::new("seal file has no header line"))?;
        let (line, body) = (&bytes[..end], &bytes[end + 1..]);
        let header: Header = serde_json::from_slice(line)
            .map_err(|error| Malformed::new(format!("seal file's header: {error}")))?;
        if serde_json::to_vec(&header).ok().as_deref() != Some(line) {
            return Err(Malformed::new("seal file's header is not in canonical form"));
        }
        Ok((Self::from_header(header)?, body))
    }

    fn from_header(header: Header) -> std::result::Result<Self, Malformed> {
        let wrong = |what: &str| Malformed::new(format!("seal file's header: {what}"));
        if header.format != FORMAT {
            return Err(wrong("format is not 1"));
        }
        let seed = match (header.salts, &header.seed) {
            (SaltKind::Seed, Some(seed)) => {
                Some(from_hex(seed).ok_or_else(|| wrong("seed is not 64 lower-case hex digits"))?)
            }
            (SaltKind::Table | SaltKind::None, None) => None,
            _ => return Err(wrong("seed and salts do not go together")),
        };
        if header.records.is_none() && header.salts != SaltKind::Seed {
            return Err(wrong("an open segment has a seed"));
        }
        let hashes: Option<Vec<Hash>> = header.frontier.iter().map(|hash| from_hex(hash)).collect();
        let frontier = hashes
            .and_then(|hashes| Range::frontier(header.first, hashes))
            .ok_or_else(|| wrong("frontier is not that of its first index"))?;
        if header.first.checked_add(header.records.unwrap_or(0)).is_none() {
            return Err(wrong("records are more than indexes"));
        }
        let mut kept: Vec<Kept> = Vec::new();
        for (index, salt, line) in header.kept {
            let salt = from_hex(&salt).ok_or_else(|| wrong("kept salt is not 32 hex digits"))?;
            let inside = index >= header.first
                && header.records.is_some_and(|records| index - header.first < records);
            if !inside || kept.last().is_some_and(|last| last.index >= index) {
                return Err(wrong("kept records are not in the segment, or not in order"));
            }
            kept.push(Kept { index, salt, line });
        }
        Ok(Self {
            first: header.first,
            records: header.records,
            salts: header.salts,
            seed,
            frontier,
            kept,
            commitments: Vec::new(),
            table: Vec::new(),
        })
    }

    /// Reads one of a journal's seal files without its commitments and salts.
    ///
    /// # Errors
    /// When it is not there, or not what it should be.
    pub fn load_header(journal: &Path, first: u64) -> Result<Self> {
        let path = place(journal, first);
        let file = fs::File::open(&path).at("reading", &path)?;
        let length = file.metadata().at("reading", &path)?.len();
        let mut line = Vec::new();
        BufReader::new(file).read_until(b'\n', &mut line).at("reading", &path)?;
        let body = length.saturating_sub(line.len() as u64);
        Self::parse_header(&line)
            .and_then(|(seal, _)| seal.check_body(body).map(|()| seal))
            .and_then(|seal| {
                if seal.first == first {
                    return Ok(seal);
                }
                let what = format!("it is that of the segment beginning at {}", seal.first);
                Err(Malformed::new(what))
            })
            .map_err(|malformed| Error::Damaged { path, what: malformed.what })
    }

    fn check_body(&self, length: u64) -> std::result::Result<(), Malformed> {
        let records = self.records.unwrap_or(0);
        let each = if self.salts == SaltKind::Table { 32 + SALT_BYTES } else { 32 };
        if (each as u64).checked_mul(records) == Some(length) {
            return Ok(());
        }
        Err(Malformed::new(format!(
            "seal file has {length} bytes after its header; {each} for each of {records} records would be right"
        )))
    }

    fn with_body(mut self, body: &[u8]) -> std::result::Result<Self, Malformed> {
        self.check_body(body.len() as u64)?;
        let records = self.records.unwrap_or(0);
        let (commitments, table) = body.split_at(32 * records as usize);
        self.commitments = commitments.as_chunks().0.to_vec();
        self.table = table.as_chunks().0.to_vec();
        Ok(self)
    }

    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = Header {
            format: FORMAT,
            first: self.first,
            records: self.records,
            salts: self.salts,
            seed: self.seed.map(|seed| hex(&seed)),
            frontier: self.frontier.hashes().iter().map(|hash| hex(hash)).collect(),
            kept: self
                .kept
                .iter()
                .map(|kept| (kept.index, hex(&kept.salt), kept.line.clone()))
                .collect(),
        };
        let mut bytes = serde_json::to_vec(&header).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(self.commitments.as_flattened());
        bytes.extend_from_slice(self.table.as_flattened());
        bytes
    }
}
