//! The facts that retention decides by: segments, files of the archive, holds, cursors, copies, space.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    space_of, Copies, Count, Hold, Holds, KeepRule, Part, Situation, Space, Subject, Undelivered,
};
use crate::archive::{self, Archived, Identities, Lines};
use crate::clock::{now_ns, parse_rfc3339};
use crate::error::{At, Result};
use crate::journal::{segments, Journal, Segment, Settings};
use crate::level::{self, Level};
use crate::seal::is_needed;

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
    rules: Vec<KeepRule>,
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
        let rules = settings.retention.keep_rules();
        if self.rules != rules {
            // What was counted was counted for others.
            self.known.clear();
            self.rules.clone_from(&rules);
        }
        let mut parts = Vec::new();
        for file in &archived {
            parts.extend(self.archived(journal.directory(), file, &rules));
        }
        let is_archived =
            |first| archived.iter().any(|file| (file.facts.first..file.facts.end).contains(&first));
        let ends = closed.iter().skip(1).chain(&open).map(|next| next.first).collect::<Vec<_>>();
        for (segment, end) in closed.iter().zip(ends) {
            if !is_archived(segment.first) {
                parts.extend(self.segment(segment, end)?);
            }
        }
        parts.sort_by_key(|part| part.first);
        for part in &mut parts {
            part.is_copied = copies.cover(part.first, part.end);
            part.is_whole |= !settings.seal;
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

    fn archived(&mut self, journal: &Path, file: &Archived, rules: &[KeepRule]) -> Option<Part> {
        let metadata = fs::metadata(&file.path).ok()?;
        let stamp = stamp(&metadata);
        if let Some((known, part)) = self.known.get(&file.path) {
            if *known == stamp {
                return Some(part.clone());
            }
        }
        let part = archived_part(journal, file, rules, metadata.len());
        self.known.insert(file.path.clone(), (stamp, part.clone()));
        Some(part)
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

fn archived_part(journal: &Path, file: &Archived, rules: &[KeepRule], bytes: u64) -> Part {
    let facts = &file.facts;
    let (counts, told) = archived_counts(file, rules);
    let time = |text: &Option<String>| text.as_deref().and_then(parse_rfc3339);
    Part {
        file: below(journal, &file.path),
        first: facts.first,
        end: facts.end,
        rows: facts.rows,
        bytes: bytes + beside(&file.path),
        oldest: time(&facts.min_timestamp),
        newest: time(&facts.max_timestamp),
        counts,
        told,
        is_archived: true,
        is_whole: file.is_encrypted,
        is_copied: false,
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

/// What a segment's lines say.
fn read_part(path: &Path, bytes: &[u8]) -> Part {
    let mut tally = Tally::default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        tally.count(line);
    }
    Part {
        file: format!("active/{}", path.file_name().unwrap_or_default().to_string_lossy()),
        bytes: bytes.len() as u64,
        rows: tally.rows,
        told: tally.told,
        oldest: tally.times.map(|(oldest, _)| oldest),
        newest: tally.times.map(|(_, newest)| newest),
        counts: tally.counted(),
        ..Part::default()
    }
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

/// How many records of each level and category a file of the archive has, and how many the journal's own.
///
/// Its facts say that of levels and of categories, not of both; when rules name both, its lines do.
fn archived_counts(file: &Archived, rules: &[KeepRule]) -> (Vec<Count>, u64) {
    let facts = &file.facts;
    let named = |rule: &KeepRule| {
        matches!(&rule.subject,
        Subject::Category(name) if facts.categories.contains_key(name))
    };
    let audit = facts.levels.get("AUDIT").copied().unwrap_or(0);
    let told = facts.categories.get("journal").copied().unwrap_or(0);
    let names_categories = rules.iter().any(named);
    if (names_categories || told > audit) && !file.is_encrypted {
        if let Ok(counts) = read_archived(file) {
            return counts;
        }
    }
    let mut unknown = facts.rows;
    let mut counts: Vec<Count> = Vec::new();
    for (name, records) in &facts.levels {
        unknown = unknown.saturating_sub(*records);
        let own = if name == "AUDIT" { told.min(audit) } else { 0 };
        counts.push(Count { level: level::parse(name), category: None, records: records - own });
    }
    counts.push(Count { level: None, category: None, records: unknown });
    if names_categories {
        // Of what nobody can look into, more is taken for kept rather than less.
        for (name, records) in &facts.categories {
            let category = Some(name.clone());
            counts.push(Count { level: Some(0), category, records: *records });
        }
    }
    (counts, told.min(audit))
}

fn read_archived(file: &Archived) -> Result<(Vec<Count>, u64)> {
    let identities = Identities::default();
    let mut lines = Lines::open(file, file.facts.first, &identities)?;
    let mut tally = Tally::default();
    while let Some((_, piece)) = lines.next_piece()? {
        for line in piece.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            tally.count(line);
        }
    }
    Ok((tally.counted(), tally.told))
}

/// Counts lines.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<(Option<Level>, Option<String>), u64>,
    told: u64,
    rows: u64,
    times: Option<(u64, u64)>,
}

impl Tally {
    fn count(&mut self, line: &[u8]) {
        let found = serde_json::from_slice::<Line>(line).ok();
        let time = found.as_ref().and_then(|line| parse_rfc3339(line.timestamp.as_deref()?));
        if let Some(time) = time {
            let (oldest, newest) = self.times.unwrap_or((time, time));
            self.times = Some((oldest.min(time), newest.max(time)));
        }
        self.rows += 1;
        if is_needed(line) {
            self.told += 1;
            return;
        }
        let level = found.as_ref().and_then(|line| level::parse(line.level.as_deref()?));
        let category = found.and_then(|line| Some(line.category?.into_owned()));
        *self.counts.entry((level, category)).or_default() += 1;
    }

    fn counted(&self) -> Vec<Count> {
        let one = |((level, category), records): (&(Option<Level>, Option<String>), &u64)| Count {
            level: *level,
            category: category.clone(),
            records: *records,
        };
        self.counts.iter().map(one).collect()
    }
}
