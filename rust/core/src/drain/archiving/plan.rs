//! What is to be archived next.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::archive::{self, tokens, Archived, Input, Unreadable};
use crate::error::{At, Result};
use crate::format::record::Record;
use crate::journal::{segments, Journal, Pieces, Segment, Settings};
use crate::seal::{self, event, SaltKind, SegmentSeal};

/// JSON Lines are about this many times as large as the file of the archive that they become.
const SHRINKS: u64 = 8;
/// A small file of the archive is written anew with what follows it, if that is at least a fourth of it:
/// a record is then written a few times, not once for each segment.
const WORTH: u64 = 4;
/// What is smaller is looked into before it is archived.
const SMALL_BYTES: u64 = 64 << 10;

/// What the leader knows when it asks for work.
#[derive(Debug, Clone)]
pub(super) struct Situation {
    pub journal: Journal,
    pub settings: Settings,
    /// The segment that is being written.
    pub active: u64,
    /// Records under the newest checkpoint; `None` when the journal is not sealed.
    pub sealed: Option<u64>,
    /// However young a segment is.
    pub eager: bool,
    /// Segments that are left alone for now, after a failure.
    pub left_out: HashSet<u64>,
    /// Segments that are archived without others, after a failure with them.
    pub apart: HashSet<u64>,
}

/// A file as it was: whoever changes or replaces it changes one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Form {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::of)
    }
}

/// Files that must not change between being read and being removed.
#[derive(Debug, Default)]
pub(in crate::drain) struct Forms(Vec<(PathBuf, Option<Form>)>);

impl Forms {
    pub fn note(&mut self, path: PathBuf) {
        let form = Form::at(&path);
        self.0.push((path, form));
    }

    pub fn are_the_same(&self) -> bool {
        self.0.iter().all(|(path, form)| Form::at(path) == *form)
    }
}

/// What becomes one file of the archive.
#[derive(Debug)]
pub(super) struct Plan {
    pub first: u64,
    pub inputs: Vec<Input>,
    /// The segments among the inputs, and the files of the archive.
    pub segments: Vec<Segment>,
    pub merged: Vec<Archived>,
    pub forms: Forms,
    /// UTC day of the first record, `2026-11-21`.
    pub day: String,
    /// Of the segments.
    pub bytes: u64,
}

impl Plan {
    pub fn firsts(&self) -> Vec<u64> {
        self.segments.iter().map(|segment| segment.first).collect()
    }
}

/// What a leader that died left to be removed: the archive holds it.
#[derive(Debug)]
pub(super) struct Leftover {
    pub path: PathBuf,
    pub first: u64,
    /// What holds it.
    pub kept: Archived,
    pub is_segment: bool,
    pub forms: Forms,
}

#[derive(Debug)]
pub(super) enum Work {
    Archive(Plan),
    Remove(Leftover),
    /// The file with this first index has no index of words.
    Index(u64, PathBuf),
}

/// A closed segment.
struct Closed {
    segment: Segment,
    records: Option<u64>,
    end: u64,
    bytes: u64,
}

/// The oldest work there is, if there is any, and the files of the archive that cannot be read.
pub(super) fn choose(situation: &Situation) -> Result<(Option<Work>, Vec<Unreadable>)> {
    let all = segments(&situation.journal)?;
    let (archived, unreadable) = archive::readable(situation.journal.directory())?;
    if let Some(leftover) = covered_file(situation, &archived, &unreadable)? {
        return Ok((Some(Work::Remove(leftover)), unreadable));
    }
    let work = match of_segments(situation, &all, &archived)? {
        None => without_index(situation, &archived),
        found => found,
    };
    Ok((work, unreadable))
}

fn of_segments(
    situation: &Situation,
    all: &[Segment],
    archived: &[Archived],
) -> Result<Option<Work>> {
    let mut group: Vec<Closed> = Vec::new();
    for pair in all.windows(2) {
        let segment = &pair[0];
        if situation.left_out.contains(&segment.first) {
            if group.is_empty() {
                continue;
            }
            break;
        }
        if let Some(kept) = archived.iter().find(|kept| covers(kept, segment.first)) {
            if !group.is_empty() {
                break;
            }
            if let Some(work) = leftover_segment(all, segment, kept) {
                return Ok(Some(work));
            }
        }
        let Some(closed) = closed(situation, segment, pair[1].first)? else {
            // Those after it are younger still.
            break;
        };
        if !fits(situation, &group, &closed)? {
            // In any case: whoever asks looks in active/ only for what follows the archive.
            return plan(situation, group, archived).map(|plan| Some(Work::Archive(plan)));
        }
        group.push(closed);
    }
    if group.is_empty() || !is_worth_it(situation, &group)? {
        return Ok(None);
    }
    plan(situation, group, archived).map(|plan| Some(Work::Archive(plan)))
}

fn covers(archived: &Archived, index: u64) -> bool {
    archived.facts.first <= index && index < archived.facts.end
}

/// Time since a segment was last written.
pub(super) fn age(segment: &Segment) -> Result<Duration> {
    let written = fs::metadata(&segment.path).and_then(|metadata| metadata.modified());
    let age = SystemTime::now().duration_since(written.at("reading", &segment.path)?);
    // A clock that was set back makes it young.
    Ok(age.unwrap_or(Duration::ZERO))
}

/// The segment, if it is closed, old enough, and sealed to its end.
fn closed(situation: &Situation, segment: &Segment, following: u64) -> Result<Option<Closed>> {
    if segment.first >= situation.active {
        return Ok(None);
    }
    if !situation.eager && age(segment)?.as_secs() < situation.settings.archive_after_s {
        return Ok(None);
    }
    let bytes = fs::metadata(&segment.path).at("reading", &segment.path)?.len();
    let Some(sealed) = situation.sealed else {
        let segment = segment.clone();
        return Ok(Some(Closed { segment, records: None, end: following, bytes }));
    };
    let directory = situation.journal.directory();
    // Its seal file is stored with the checkpoint that covers it.
    if following > sealed {
        return Ok(None);
    }
    let stored = SegmentSeal::load(directory, segment.first)?;
    let Some(records) = stored.records.filter(|_| stored.salts != SaltKind::None) else {
        return Ok(None);
    };
    let end = segment.first + records;
    // Whoever leads next begins with the seal file that follows.
    if end > sealed || !seal::commitments_place(directory, end).exists() {
        return Ok(None);
    }
    Ok(Some(Closed { segment: segment.clone(), records: Some(records), end, bytes }))
}

/// Whether the segment can be in one file with those before it.
fn fits(situation: &Situation, group: &[Closed], next: &Closed) -> Result<bool> {
    let Some(last) = group.last() else {
        return Ok(true);
    };
    let bytes: u64 = group.iter().map(|closed| closed.bytes).sum();
    let apart = [last, next].iter().any(|closed| situation.apart.contains(&closed.segment.first));
    Ok(!apart
        && last.end == next.segment.first
        && bytes + next.bytes <= situation.settings.segment_max_bytes
        && day_of(&group[0].segment)? == day_of(&next.segment)?)
}

/// False for a few records that the journal wrote about itself, as those about archiving are: each would
/// be followed by another for ever.
fn is_worth_it(situation: &Situation, group: &[Closed]) -> Result<bool> {
    let bytes: u64 = group.iter().map(|closed| closed.bytes).sum();
    if situation.eager || bytes > SMALL_BYTES {
        return Ok(true);
    }
    for closed in group {
        let mut pieces = Pieces::open(&closed.segment.path)?;
        loop {
            let lines = pieces.next_piece()?;
            if lines.is_empty() {
                break;
            }
            let mut lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            if lines.any(|line| event(line).is_none()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn plan(situation: &Situation, group: Vec<Closed>, archived: &[Archived]) -> Result<Plan> {
    let lines_bytes: u64 = group.iter().map(|closed| closed.bytes).sum();
    let mut bytes = lines_bytes;
    let group_first = group[0].segment.first;
    let mut first = group_first;
    let mut day = day_of(&group[0].segment)?;
    let mut merged: Vec<Archived> = Vec::new();
    let alone = group.iter().any(|closed| situation.apart.contains(&closed.segment.first));
    if !alone && situation.settings.archive_recipients.is_empty() {
        let older = archived.iter().rev().skip_while(|file| file.facts.first >= group_first);
        for before in older {
            let length = fs::metadata(&before.path).map_or(0, |metadata| metadata.len());
            let about = length * SHRINKS;
            // Most of a very small file is what every file has.
            let is_worth_it = about <= bytes.saturating_mul(WORTH) || length <= SMALL_BYTES;
            let is_small = is_worth_it && bytes + about <= situation.settings.segment_max_bytes;
            let follows = before.facts.end == first && directory_day(&before.path) == Some(&day);
            if before.is_encrypted || !follows || !is_small {
                break;
            }
            (first, bytes) = (before.facts.first, bytes + about);
            merged.insert(0, before.clone());
        }
    }
    if let Some(oldest) = merged.first().and_then(|oldest| directory_day(&oldest.path)) {
        oldest.clone_into(&mut day);
    }
    let mut forms = Forms::default();
    let mut inputs: Vec<Input> = Vec::new();
    for file in &merged {
        forms.note(file.path.clone());
        inputs.push(Input::Archived(file.clone()));
    }
    for Closed { segment, records, .. } in &group {
        forms.note(segment.path.clone());
        forms.note(seal::commitments_place(situation.journal.directory(), segment.first));
        inputs.push(Input::Segment {
            first: segment.first,
            records: *records,
            path: segment.path.clone(),
        });
    }
    let segments = group.into_iter().map(|closed| closed.segment).collect();
    Ok(Plan { first, inputs, segments, merged, forms, day, bytes: lines_bytes })
}

/// `2026-11-21` of `archive/date=2026-11-21/….parquet`.
fn directory_day(path: &Path) -> Option<&str> {
    path.parent()?.file_name()?.to_str()?.strip_prefix("date=")
}

/// The UTC day of a segment's first record that has a time stamp.
fn day_of(segment: &Segment) -> Result<String> {
    const LOOK_AT: usize = 1000;
    let lines = Pieces::open(&segment.path)?.next_piece()?;
    let mut lines = lines.split(|byte| *byte == b'\n').take(LOOK_AT);
    let time_of = |line: &[u8]| Record::read(line, &mut String::new()).timestamp_ns();
    let found = lines.find_map(time_of);
    let time = match found {
        Some(time) => time,
        None => fs::metadata(&segment.path)
            .and_then(|metadata| metadata.modified())
            .at("reading", &segment.path)?
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos() as u64),
    };
    Ok(crate::clock::rfc3339(time)[..10].to_owned())
}

/// A segment that is in `active/` and in the archive: its leader died between the two.
fn leftover_segment(all: &[Segment], segment: &Segment, kept: &Archived) -> Option<Work> {
    let mut members = kept.facts.segments.iter();
    // Segments are removed once the file is in its place for good. Before, it is made again.
    let is_in_place = members.any(|first| !all.iter().any(|segment| segment.first == *first));
    if kept.is_encrypted && !is_in_place {
        return None;
    }
    let mut forms = Forms::default();
    forms.note(segment.path.clone());
    forms.note(kept.path.clone());
    let path = segment.path.clone();
    let kept = kept.clone();
    let leftover = Leftover { path, first: segment.first, kept, is_segment: true, forms };
    Some(Work::Remove(leftover))
}

/// A file of the archive that has become part of another.
fn covered_file(
    situation: &Situation,
    archived: &[Archived],
    unreadable: &[Unreadable],
) -> Result<Option<Leftover>> {
    for (first, path) in archive::names(situation.journal.directory())? {
        // What cannot be read cannot be compared, and stays.
        if archived.iter().any(|listed| listed.path == path)
            || unreadable.iter().any(|listed| listed.path == path)
            || situation.left_out.contains(&first)
        {
            continue;
        }
        let Some(kept) = archived.iter().find(|kept| covers(kept, first)) else {
            continue;
        };
        let mut forms = Forms::default();
        forms.note(path.clone());
        forms.note(kept.path.clone());
        return Ok(Some(Leftover { path, first, kept: kept.clone(), is_segment: false, forms }));
    }
    Ok(None)
}

/// A file whose index of words is missing; whoever archives at once also has damaged ones made again.
fn without_index(situation: &Situation, archived: &[Archived]) -> Option<Work> {
    let is_wanting = |file: &&Archived| {
        let has_index = if situation.eager {
            tokens::is_usable(&file.path)
        } else {
            tokens::path(&file.path).exists()
        };
        !file.is_encrypted && !has_index && !situation.left_out.contains(&file.facts.first)
    };
    let file = archived.iter().find(is_wanting)?;
    Some(Work::Index(file.facts.first, file.path.clone()))
}
