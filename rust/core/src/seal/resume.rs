//! Going on with a seal: the tree rebuilt from the last checkpoint on, keys settled after whatever happened.

use std::fs;
use std::path::Path;

use super::checkpoint::{newest as newest_checkpoints, Checkpoint};
use super::commitments::{self, SaltKind, SegmentSeal};
use super::event::{event, Event};
use super::generation::keys_place;
use super::hash::{record_leaf, Hash};
use super::keys::{generate, Keys};
use super::lookup::archived_line;
use super::note::{Note, Vkey};
use super::publisher::Publisher;
use super::sealer::{ended, Closing, Growth, Seal};
use super::seen;
use super::tree::Range;
use crate::archive::Identities;
use crate::error::{At, Result};
use crate::journal::{segments, Journal, Pieces, Segment, Settings};

/// Loads keys and the newest checkpoint, and rebuilds the tree from the segment that this one is in.
///
/// Gives how many records at the end are not sealed yet, too.
pub(super) fn resume(
    journal: &Journal,
    settings: &Settings,
    origin: &str,
    end: u64,
) -> Result<(Seal, u64)> {
    let directory = journal.directory();
    let path = directory.join("seal").join("checkpoints");
    let all = match newest_checkpoints(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ended(&path, "it is missing"));
        }
        other => other.at("reading", &path)?,
    };
    let (_, note, checkpoint) =
        all.notes.last().ok_or_else(|| ended(&path, "no complete checkpoint is in it"))?;
    // An append that a crash cut short was never published: then the newest checkpoint is among these.
    let newest = read_or_ended(&directory.join("seal").join("checkpoint"))?;
    let parsed = Note::parse(&newest).and_then(|note| Checkpoint::parse(&note.text));
    if parsed.is_ok_and(|newest| newest.size > checkpoint.size) {
        return Err(ended(&path, "it is damaged: the newest checkpoint is not in it"));
    }
    let mut keys = Keys::load(&keys_place(directory, settings), origin)?;
    if checkpoint.origin != origin || note.verify(&[keys.identity()]) != Ok(vec![0]) {
        return Err(ended(&path, "the newest checkpoint is not signed by the identity key"));
    }
    if checkpoint.size > end {
        let missing = checkpoint.size - end;
        return Err(ended(&path, format!("{missing} signed records are missing")));
    }
    let pin = match seen::load(&keys.identity()) {
        Some(seen) if is_ahead(&seen.checkpoint, checkpoint) => {
            let what = format!(
                "the directory was rolled back or restored: {} records had been signed, not {}",
                seen.checkpoint.size, checkpoint.size
            );
            return Err(ended(&path, what));
        }
        _ => pin_of(journal, &keys)?,
    };
    let mut growth = rebuild_start(directory, checkpoint.size)?;
    let tail = rebuild(journal, &mut growth, checkpoint)?;
    settle_epoch(journal, &mut keys, note, checkpoint.size, tail, &mut growth)?;
    let last = Some((checkpoint.size, checkpoint.root));
    // Unless it is what a crash left behind, it is written again.
    let unpublished = (note.to_string().as_bytes() != newest).then(|| note.clone());
    let publisher = Publisher::open(directory, keys, pin, all.whole, last, unpublished)?;
    let adopted = end - checkpoint.size;
    if adopted > 0 {
        growth.adopted = end;
    }
    Ok((Seal::new(directory, growth, publisher), adopted))
}

fn is_ahead(seen: &Checkpoint, found: &Checkpoint) -> bool {
    seen.size > found.size || (seen.size == found.size && seen.root != found.root)
}

/// A file whose absence ends the generation.
fn read_or_ended(path: &Path) -> Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(ended(path, "it is missing"))
        }
        other => other.at("reading", path),
    }
}

/// The line to pin, from the genesis record.
fn pin_of(journal: &Journal, keys: &Keys) -> Result<String> {
    let first = match SegmentSeal::load(journal.directory(), 0) {
        Ok(seal) if !seal.kept.is_empty() => seal.kept[0].line.clone().into_bytes(),
        _ => first_line(journal)?,
    };
    match event(&first) {
        Some(Event::Created(created)) if created.identity == keys.identity() => {
            Ok(format!("{} {}", created.identity, created.key))
        }
        _ => Err(ended(journal.directory(), "record 0 is not this journal's first record")),
    }
}

/// Record 0, from its segment or from the file of the archive that stands for it.
fn first_line(journal: &Journal) -> Result<Vec<u8>> {
    use std::io::{BufRead, BufReader, Read};
    let path = &Segment::at(journal, 0).path;
    let mut line = Vec::new();
    let file = fs::File::open(path);
    if matches!(&file, Err(error) if error.kind() == std::io::ErrorKind::NotFound) {
        return archived_line(journal.directory(), 0, &Identities::default())?
            .ok_or_else(|| ended(path, "it is missing"));
    }
    BufReader::new(file.at("opening the segment", path)?.take(1 << 20))
        .read_until(b'\n', &mut line)
        .at("reading the segment", path)?;
    line.pop();
    Ok(line)
}

/// A seal file as it was when its segment began: what came after is made anew from the lines.
fn reopened(mut seal: SegmentSeal) -> SegmentSeal {
    if seal.salts == SaltKind::Seed {
        seal.records = None;
        seal.commitments.clear();
    }
    seal
}

/// The state at the beginning of the segment that record `size` is in, or would be.
fn rebuild_start(directory: &Path, size: u64) -> Result<Growth> {
    let first = commitments::list(directory)?
        .into_iter()
        .rfind(|first| *first <= size)
        .ok_or_else(|| ended(directory, "the seal files are missing"))?;
    Ok(Growth::new(reopened(SegmentSeal::load(directory, first)?)))
}

/// An epoch record after the newest checkpoint: the tree's size with it, root, number, key.
struct Announced {
    size: u64,
    root: Hash,
    number: u64,
    key: Vkey,
}

/// Hashes every record from the start of the growth's segment on, comparing at the checkpoint.
fn rebuild(
    journal: &Journal,
    growth: &mut Growth,
    checkpoint: &Checkpoint,
) -> Result<Vec<Announced>> {
    let directory = journal.directory();
    let mut announced = Vec::new();
    let mut seen_root = (growth.tree.size() == checkpoint.size).then(|| growth.tree.root());
    let from = growth.tree.size();
    let mut following = segments(journal)?.into_iter().filter(|segment| segment.first >= from);
    let mut next = following.next();
    if growth.segment.records.is_some() {
        skip_changed(directory, growth, checkpoint, &mut seen_root)?;
        if next.as_ref().is_some_and(|segment| segment.first == from) {
            next = following.next();
        }
    }
    let mut is_first = true;
    while let Some(segment) = next {
        if !std::mem::replace(&mut is_first, false) {
            rotate_into(directory, growth)?;
        }
        if segment.first != growth.tree.size() {
            return Err(ended(&segment.path, "records are missing before it"));
        }
        let mut pieces = Pieces::open(&segment.path)?;
        loop {
            let lines = pieces.next_piece()?;
            if lines.is_empty() {
                break;
            }
            hash_piece(&lines, growth, checkpoint, &mut seen_root, &mut announced);
        }
        // What a dead leader appended may not be on the device yet.
        fs::File::open(&segment.path)
            .and_then(|file| file.sync_data())
            .at("syncing the segment", &segment.path)?;
        next = following.next();
    }
    if seen_root != Some(checkpoint.root) {
        let path = directory.join("active");
        let what = format!("the records under the checkpoint of size {} changed", checkpoint.size);
        return Err(ended(&path, what));
    }
    Ok(announced)
}

/// Hashes whole lines, stopping to look at the root where the checkpoint or the end of an epoch is.
fn hash_piece(
    lines: &[u8],
    growth: &mut Growth,
    checkpoint: &Checkpoint,
    seen_root: &mut Option<Hash>,
    announced: &mut Vec<Announced>,
) {
    let (mut hashed, mut begin) = (0, 0);
    let first = growth.tree.size();
    for (size, end) in (first + 1..).zip(memchr::memchr_iter(b'\n', lines)) {
        let line = &lines[std::mem::replace(&mut begin, end + 1)..end];
        let opened = match event(line) {
            Some(Event::Epoch { number, key }) if size > checkpoint.size => Some((number, key)),
            _ => None,
        };
        if opened.is_none() && size != checkpoint.size {
            continue;
        }
        growth.append(&lines[std::mem::replace(&mut hashed, begin)..begin]);
        let root = growth.tree.root();
        match opened {
            Some((number, key)) => announced.push(Announced { size, root, number, key }),
            None => *seen_root = Some(root),
        }
    }
    growth.append(&lines[hashed..begin]);
}

/// An erased or pruned segment has its commitments stored; its lines tell nothing more.
fn skip_changed(
    directory: &Path,
    growth: &mut Growth,
    checkpoint: &Checkpoint,
    seen_root: &mut Option<Hash>,
) -> Result<()> {
    for commitment in &growth.segment.commitments {
        growth.tree.push(record_leaf(commitment));
        if growth.tree.size() == checkpoint.size {
            *seen_root = Some(growth.tree.root());
        }
    }
    growth.tree.take_nodes();
    let segment = segment_at(directory, &growth.tree.frontier())?;
    growth.unstored.push((segment.clone(), None));
    growth.take_up(segment);
    Ok(())
}

/// The stored seal file of the segment that begins at the end of `frontier`, or a fresh one.
fn segment_at(directory: &Path, frontier: &Range) -> Result<SegmentSeal> {
    let place = commitments::place(directory, frontier.end());
    if !place.exists() {
        let seed = generate().at("making salts for", directory)?;
        return Ok(SegmentSeal::open_segment(*seed, frontier.clone()));
    }
    let stored = reopened(SegmentSeal::load(directory, frontier.end())?);
    if stored.frontier != *frontier || stored.records.is_some() {
        return Err(ended(&place, "it does not follow the segment before it"));
    }
    Ok(stored)
}

/// Closes the growth's segment and takes up the next one.
fn rotate_into(directory: &Path, growth: &mut Growth) -> Result<()> {
    growth.rotate().at("making salts for", directory)?;
    let segment = segment_at(directory, &growth.tree.frontier())?;
    if let Some((open, _)) = growth.unstored.last_mut() {
        *open = segment.clone();
    }
    growth.take_up(segment);
    Ok(())
}

/// Finds out which epoch runs, after a death at any point of its closing.
fn settle_epoch(
    journal: &Journal,
    keys: &mut Keys,
    note: &Note,
    size: u64,
    tail: Vec<Announced>,
    growth: &mut Growth,
) -> Result<()> {
    let path = journal.directory().join("seal").join("keys");
    if let Some(Event::Epoch { number, key }) = record_before(journal, size)? {
        if keys.next().is_some_and(|next| next == (number, key.clone())) {
            keys.begin_next()?;
        }
        if keys.epoch() != number || keys.epoch_key() != key {
            return Err(ended(&path, format!("the key of epoch {number} is gone")));
        }
    } else if size > 0 && note.verify(&[keys.epoch_key()]) != Ok(vec![0]) {
        return Err(ended(&path, "the epoch key is not the one that signed last"));
    }
    let mut announced = tail.into_iter();
    match (announced.next(), keys.next()) {
        (None, None) => {}
        (None, Some(_)) => keys.forget_next()?,
        (Some(epoch), Some(next)) if next == (epoch.number, epoch.key.clone()) => {
            growth.closings.push_back(Closing {
                size: epoch.size,
                root: epoch.root,
                epoch: epoch.number,
            });
        }
        (Some(epoch), _) => {
            return Err(ended(&path, format!("the key of epoch {} is gone", epoch.number)));
        }
    }
    if announced.next().is_some() {
        return Err(ended(&path, "two epochs were opened without a checkpoint between them"));
    }
    Ok(())
}

/// What record `size` - 1 says about the journal.
fn record_before(journal: &Journal, size: u64) -> Result<Option<Event>> {
    let Some(index) = size.checked_sub(1) else {
        return Ok(None);
    };
    let Some(segment) = segments(journal)?.into_iter().rfind(|segment| segment.first <= index)
    else {
        return Ok(None);
    };
    let mut pieces = Pieces::open(&segment.path)?;
    let mut first = segment.first;
    loop {
        let lines = pieces.next_piece()?;
        if lines.is_empty() {
            return Ok(None);
        }
        let count = memchr::memchr_iter(b'\n', &lines).count() as u64;
        if index < first + count {
            let line = lines.split(|byte| *byte == b'\n').nth((index - first) as usize);
            return Ok(line.and_then(event));
        }
        first += count;
    }
}
