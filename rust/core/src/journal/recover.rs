//! Finding out where a journal stands, after whatever happened to its last leader.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;

use super::segment::{count_lines, segments, Segment};
use super::Journal;
use crate::archive;
use crate::domain::{Committed, Control};
use crate::error::{At, Result};

/// Where the journal stands, and what was found on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Adopted {
    pub committed: Committed,
    /// Complete lines that no control page knew of (the machine was restarted, another domain led).
    pub records: u64,
    /// Bytes of an incomplete last line, now in `aside/`.
    pub torn_bytes: u64,
    /// An append that a leader left half-way: `Some(true)` completed, `Some(false)` taken back.
    pub intent_completed: Option<bool>,
}

/// Settles an append that was in flight, then reads on from the last known point to the end.
///
/// Leader only. Running it twice gives the same state.
///
/// # Errors
/// What the kernel says; the journal is left as it was found.
pub fn adopt(journal: &Journal, control: &Control) -> Result<Adopted> {
    let mut known = control.committed_unchecked();
    let mut intent_completed = None;
    if let Some(intent) = control.intent() {
        let segment = Segment::at(journal, intent.before.segment);
        let file = segment.open_for_append()?;
        let length = file.metadata().at("reading", &segment.path)?.len();
        // A leader of another domain that came in between has read on from the torn place and may
        // have appended: its bytes stay, and repeating ours is better than losing them.
        let foreign = journal.last_leader().is_some_and(|(_, domain)| domain != control.id());
        let whole = length >= intent.after.bytes && !foreign;
        known = if whole { intent.after } else { intent.before };
        if !whole && !foreign {
            file.set_len(intent.before.bytes).at("truncating", &segment.path)?;
        }
        intent_completed = Some(whole);
    }
    let mut adopted = read_on(journal, known)?;
    adopted.intent_completed = intent_completed;
    Ok(adopted)
}

fn read_on(journal: &Journal, known: Committed) -> Result<Adopted> {
    let mut adopted = Adopted::default();
    let all = segments(journal)?;
    let Some(last) = all.last() else {
        // Somebody took the newest segment away: what the archive has is not numbered anew.
        let end = archive::end(journal.directory())?;
        adopted.committed = Committed { segment: end, bytes: 0, end };
        return Ok(adopted);
    };
    let length = fs::metadata(&last.path).at("reading", &last.path)?.len();
    let from = if known.segment == last.first && known.bytes <= length {
        known
    } else {
        Committed { segment: last.first, bytes: 0, end: last.first }
    };
    let file = last.open_for_append()?;
    let (lines, end) = count_lines(&file, from.bytes, length, &last.path)?;
    if end < length {
        set_aside(journal, last, end, length)?;
        file.set_len(end).at("truncating", &last.path)?;
        adopted.torn_bytes = length - end;
    }
    adopted.committed = Committed { segment: last.first, bytes: end, end: from.end + lines };
    adopted.records = adopted.committed.end.saturating_sub(known.end);
    Ok(adopted)
}

/// Keeps the bytes of a torn line where a person can look at them.
fn set_aside(journal: &Journal, segment: &Segment, from: u64, to: u64) -> Result<()> {
    use std::io::{Read, Seek, SeekFrom, Write};
    let directory = journal.aside();
    super::make_directory(&directory)?;
    let path = directory.join(format!("{:020}-{from}.torn", segment.first));
    let copy = || {
        let mut source = fs::File::open(&segment.path)?;
        source.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        source.take(to - from).read_to_end(&mut bytes)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(&bytes)?;
        file.sync_all()
    };
    copy().at("setting a torn line aside", &path)
}
