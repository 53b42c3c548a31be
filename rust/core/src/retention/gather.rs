//! The facts that retention decides by: segments, files of the archive, holds, cursors, copies, space.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{space_of, Copies, Count, Hold, Holds, Part, Situation, Space, Undelivered};
use crate::archive::{self, Archived};
use crate::clock::{now_ns, parse_rfc3339};
use crate::error::{At, Result};
use crate::journal::{segments, Journal, Segment, Settings};
use crate::level::{self, Level};

/// What was found.
#[derive(Debug, Clone)]
pub struct Survey {
    pub settings: Settings,
    pub parts: Vec<Part>,
    pub open_bytes: u64,
    pub space: Option<Space>,
    pub holds: Vec<Hold>,
    pub undelivered: Option<Undelivered>,
    pub now_ns: u64,
}

impl Survey {
    #[must_use]
    pub fn situation(&self) -> Situation<'_> {
        Situation {
            now_ns: self.now_ns,
            rules: &self.settings.retention,
            min_age_s: self.settings.retention_min_age_s,
            parts: &self.parts,
            open_bytes: self.open_bytes,
            space: self.space,
            holds: &self.holds,
            undelivered: self.undelivered.clone(),
        }
    }
}

/// Looks at a journal once.
///
/// # Errors
/// When it cannot be read.
pub fn survey(directory: &Path) -> Result<Survey> {
    Looker::default().look(directory)
}

/// A file as it was: another inode, length or time of change is another file.
type Stamp = (u64, u64, i64, i64);

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

/// Looks at a journal again and again, and reads only files that it has not read before.
#[derive(Debug, Default)]
pub struct Looker {
    known: HashMap<PathBuf, (Stamp, Part)>,
}

impl Looker {
    /// # Errors
    /// When the journal cannot be read; a file that vanishes meanwhile is left out.
    pub fn look(&mut self, directory: &Path) -> Result<Survey> {
        let (journal, settings) = Journal::open(directory)?;
        // In this order a file that is just being archived is seen at least once.
        let mut closed = segments(&journal)?;
        let archived = archive::list(journal.directory())?;
        let open = closed.pop();
        let copies = match &settings.retention.archive_to {
            Some(to) => Copies::load(journal.directory(), to)?,
            None => Copies::default(),
        };
        let mut parts = Vec::new();
        for file in &archived {
            parts.extend(self.archived(journal.directory(), file));
        }
        let is_archived = |first| {
            archived.iter().any(|file| (file.facts.first..file.facts.end).contains(&first))
        };
        let ends = closed.iter().skip(1).chain(&open).map(|next| next.first).collect::<Vec<_>>();
        for (segment, end) in closed.iter().zip(ends) {
            if !is_archived(segment.first) {
                parts.extend(self.segment(segment, end)?);
            }
        }
        parts.sort_by_key(|part| part.first);
        for part in &mut parts {
            part.is_copied = copies.cover(part.first, part.end);
        }
        let open_bytes = open.and_then(|open| fs::metadata(open.path).ok()).map_or(0, |m| m.len());
        let undelivered = undelivered(&journal, &settings);
        Ok(Survey {
            parts,
            open_bytes,
            space: space_of(journal.directory()).ok(),
            holds: Holds::load(journal.directory())?.holds,
            undelivered,
            settings,
            now_ns: now_ns(),
        })
    }

    fn archived(&self, journal: &Path, file: &Archived) -> Option<Part> {
        let bytes = fs::metadata(&file.path).ok()?.len() + beside(&file.path);
        let facts = &file.facts;
        let time = |text: &Option<String>| text.as_deref().and_then(parse_rfc3339);
        Some(Part {
            file: below(journal, &file.path),
            first: facts.first,
            end: facts.end,
            rows: facts.rows,
            bytes,
            oldest: time(&facts.min_timestamp),
            newest: time(&facts.max_timestamp),
            counts: archived_counts(file),
            is_archived: true,
            is_copied: false,
        })
    }

    fn segment(&mut self, segment: &Segment, end: u64) -> Result<Option<Part>> {
        let Ok(metadata) = fs::metadata(&segment.path) else { return Ok(None) };
        let stamp = stamp(&metadata);
        if let Some((known, part)) = self.known.get(&segment.path) {
            if *known == stamp {
                return Ok(Some(part.clone()));
            }
        }
        let bytes = match fs::read(&segment.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.at("reading the segment", &segment.path)?,
        };
        let part = Part { first: segment.first, end, ..read_part(&segment.path, &bytes) };
        self.known.insert(segment.path.clone(), (stamp, part.clone()));
        Ok(Some(part))
    }
}

fn below(journal: &Path, path: &Path) -> String {
    path.strip_prefix(journal).unwrap_or(path).to_string_lossy().into_owned()
}

/// Bytes of what lies beside a file of the archive: facts of an encrypted one, index of words.
fn beside(path: &Path) -> u64 {
    let Some(stem) = path.file_name().and_then(|name| name.to_str()?.split('.').next()) else {
        return 0;
    };
    let sizes = ["json", "tokens"].map(|ending| path.with_file_name(format!("{stem}.{ending}")));
    sizes.iter().filter_map(|path| fs::metadata(path).ok()).map(|found| found.len()).sum()
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    level: Option<Cow<'a, str>>,
    #[serde(borrow)]
    category: Option<Cow<'a, str>>,
}

/// What a segment's lines say. A line that is no record is of the least level, so that no rule keeps it.
fn read_part(path: &Path, bytes: &[u8]) -> Part {
    let mut part = Part {
        file: format!("active/{}", path.file_name().unwrap_or_default().to_string_lossy()),
        bytes: bytes.len() as u64,
        ..Part::default()
    };
    let mut counts: BTreeMap<(Level, Option<String>), u64> = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let found = serde_json::from_slice::<Line>(line).ok();
        let time = found.as_ref().and_then(|line| parse_rfc3339(line.timestamp.as_deref()?));
        if let Some(time) = time {
            part.oldest = Some(part.oldest.map_or(time, |oldest| oldest.min(time)));
            part.newest = Some(part.newest.map_or(time, |newest| newest.max(time)));
        }
        let level = found.as_ref().and_then(|line| level::parse(line.level.as_deref()?));
        let category = found.and_then(|line| Some(line.category?.into_owned()));
        *counts.entry((level.unwrap_or(0), category)).or_default() += 1;
        part.rows += 1;
    }
    part.counts = counts
        .into_iter()
        .map(|((level, category), records)| Count { level, category, records })
        .collect();
    part
}

#[derive(Deserialize)]
struct Cursor {
    index: u64,
    journal: String,
}

/// The output that is furthest behind.
fn undelivered(journal: &Journal, settings: &Settings) -> Option<Undelivered> {
    let identity = identity(journal, settings);
    let entries = fs::read_dir(journal.directory().join("cursors")).ok()?;
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            if path.extension()? != "json" {
                return None;
            }
            let output = path.file_stem()?.to_string_lossy().into_owned();
            let cursor: Option<Cursor> = serde_json::from_slice(&fs::read(&path).ok()?).ok();
            // One of another journal begins anew, as does one that cannot be read.
            let index = cursor.filter(|c| c.journal == identity).map_or(0, |c| c.index);
            Some(Undelivered { output, index })
        })
        .min_by_key(|found| found.index)
}

/// What cursors call this journal: its origin with the number of its generation, or its id.
fn identity(journal: &Journal, settings: &Settings) -> String {
    if settings.origin.is_empty() {
        return settings.id.clone();
    }
    let ended = fs::read_dir(journal.directory().join("ended")).into_iter().flatten();
    let last = ended
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let number: u64 = path.file_name()?.to_str()?.parse().ok()?;
            path.join("active").exists().then_some(number)
        })
        .max();
    last.map_or_else(|| settings.origin.clone(), |last| format!("{}/{last}", settings.origin))
}

/// How many records of each level and category a file of the archive has.
fn archived_counts(file: &Archived) -> Vec<Count> {
    let by_level = |(name, records): (&String, &u64)| Count {
        level: level::parse(name).unwrap_or(0),
        category: None,
        records: *records,
    };
    file.facts.levels.iter().map(by_level).collect()
}
