//! Going on with a journal's seal, or beginning it: what a leader does before it appends.
//!
//! Signed records that are missing or changed, a key that is gone, a directory that was rolled back: none
//! of it is ever signed over. Such a generation of the journal ends, is kept in `ended/`, and a new one
//! begins whose first record names it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Value};

use super::checkpoint::{series, Checkpoint};
use super::commitments::{self, SaltKind, SegmentSeal};
use super::event::{event, Event};
use super::hash::{record_leaf, sha256, Hash};
use super::keys::{generate, Keys};
use super::note::Note;
use super::publisher::Publisher;
use super::salts::Salts;
use super::sealer::{ended, Growth, Seal};
use super::seen;
use super::text::hex;
use super::tree::{Growing, Range};
use crate::domain::Committed;
use crate::error::{At, Error, Result};
use crate::journal::{make_directory, segments, Journal, Segment, Settings};

/// How a leader found the seal.
#[derive(Debug)]
pub enum Opened {
    /// A new tree: its first record must be the genesis record with these fields.
    Begun { genesis: Vec<(&'static str, Value)>, pin: String },
    Resumed,
}

/// Opens the seal of a journal whose records end at `committed`, which is set to the beginning when a new
/// generation begins. That happens only when the present one cannot go on and `may_end`.
///
/// # Errors
/// When the seal's files cannot be read or written; `Damaged` when the seal cannot go on.
pub fn open(
    journal: &Journal,
    settings: &Settings,
    committed: &mut Committed,
    may_end: bool,
) -> Result<(Seal, Opened)> {
    let generation = ended_generations(journal.directory());
    let origin = match generation {
        0 => settings.origin.clone(),
        number => format!("{}/{number}", settings.origin),
    };
    if committed.end == 0 {
        return begin(journal, settings, &origin, None);
    }
    match resume(journal, settings, &origin, committed.end) {
        Ok(seal) => Ok((seal, Opened::Resumed)),
        Err(Error::Damaged { what, .. }) if may_end => {
            let previous = end(journal, generation + 1, &what, committed.end)?;
            *committed = Committed::default();
            let origin = format!("{}/{}", settings.origin, generation + 1);
            let (seal, opened) = begin(journal, settings, &origin, Some(previous))?;
            tell(journal, generation + 1, &what, &seal.pin());
            Ok((seal, opened))
        }
        Err(error) => Err(error),
    }
}

/// Nobody may miss that a seal has ended, wherever the records go.
fn tell(journal: &Journal, generation: u64, why: &str, pin: &str) {
    use std::io::Write;
    let directory = journal.directory().display();
    let text = format!(
        "treering: the seal of '{directory}' cannot go on: {why}\n\
         treering: what it sealed is kept in '{directory}/ended/{generation:04}'; from now on its line is\n  {pin}\n"
    );
    // Without a standard error the journal's first record says it.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn keys_place(journal: &Path, settings: &Settings) -> PathBuf {
    match &settings.seal_keys {
        Some(directory) => Path::new(directory).join(&settings.id),
        None => journal.join("seal").join("keys"),
    }
}

fn begin(
    journal: &Journal,
    settings: &Settings,
    origin: &str,
    previous: Option<Value>,
) -> Result<(Seal, Opened)> {
    let directory = journal.directory();
    make_directory(&directory.join("seal"))?;
    make_directory(&directory.join("seal").join("commitments"))?;
    let keys = Keys::create(&keys_place(directory, settings), origin)?;
    let seed = generate().at("making salts for", directory)?;
    let segment = SegmentSeal::open_segment(*seed, Range::empty(0));
    segment.store(directory)?;
    let pin = format!("{} {}", keys.identity(), keys.epoch_key());
    let policy = json!({"retention_min_age_s": settings.retention_min_age_s});
    let policy_text = serde_json::to_vec(&policy).unwrap_or_default();
    let mut genesis = vec![
        ("journal", settings.id.clone().into()),
        ("origin", origin.into()),
        ("format", settings.format.into()),
        ("identity", keys.identity().to_string().into()),
        ("epoch", 0.into()),
        ("key", keys.epoch_key().to_string().into()),
        ("created", settings.created.clone().into()),
        ("host", host_facts()),
        ("policy", policy),
        ("policy_digest", hex(&sha256(&policy_text)).into()),
    ];
    genesis.extend(previous.map(|previous| ("previous", previous)));
    let tree = Growing::new(&Range::empty(0));
    let salts = Salts::new(&seed, 0);
    let growth = Growth {
        tree,
        segment,
        salts,
        unstored: Vec::new(),
        closings: std::collections::VecDeque::new(),
        done: 0,
    };
    let mut publisher = Publisher::open(directory, keys, pin.clone(), 0, None)?;
    // So that from the first record on there is a checkpoint, and its absence means something.
    publisher.publish(0, super::hash::empty_root())?;
    crate::journal::sync_directory(&directory.join("seal"))?;
    crate::journal::sync_directory(directory)?;
    Ok((Seal::new(directory, growth, publisher), Opened::Begun { genesis, pin }))
}

fn host_facts() -> Value {
    let read = |name: &str| {
        let text = fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).ok()?;
        Some(text.trim().to_owned())
    };
    json!({
        "name": read("hostname"),
        "system": read("ostype"),
        "release": read("osrelease"),
        "machine": std::env::consts::ARCH,
    })
}

/// Loads keys and the newest checkpoint, and rebuilds the tree from the segment that this one is in.
fn resume(journal: &Journal, settings: &Settings, origin: &str, end: u64) -> Result<Seal> {
    let directory = journal.directory();
    let path = directory.join("seal").join("checkpoints");
    let bytes = read_or_ended(&path)?;
    let all = series(&bytes);
    let (_, note, checkpoint) = all
        .notes
        .last()
        .ok_or_else(|| ended(&path, "no complete checkpoint is in it"))?;
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
    let publisher = Publisher::open(directory, keys, pin, all.whole, last)?;
    Ok(Seal::new(directory, growth, publisher))
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
        _ => first_line(&Segment::at(journal, 0).path)?,
    };
    match event(&first) {
        Some(Event::Created(created)) if created.identity == keys.identity() => {
            Ok(format!("{} {}", created.identity, created.key))
        }
        _ => Err(ended(journal.directory(), "record 0 is not this journal's first record")),
    }
}

fn first_line(path: &Path) -> Result<Vec<u8>> {
    use std::io::{BufRead, BufReader, Read};
    let mut line = Vec::new();
    let file = fs::File::open(path);
    if matches!(&file, Err(error) if error.kind() == std::io::ErrorKind::NotFound) {
        return Err(ended(path, "it is missing"));
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
    let segment = reopened(SegmentSeal::load(directory, first)?);
    let tree = Growing::new(&segment.frontier);
    let salts = Salts::new(&segment.seed.unwrap_or_default(), 0);
    Ok(Growth {
        tree,
        segment,
        salts,
        unstored: Vec::new(),
        closings: std::collections::VecDeque::new(),
        done: 0,
    })
}

/// An epoch record after the newest checkpoint: the tree's size with it, root, number, key.
struct Announced {
    size: u64,
    root: Hash,
    number: u64,
    key: super::note::Vkey,
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
        let bytes = fs::read(&segment.path).at("reading the segment", &segment.path)?;
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', &bytes) {
            growth.append(&bytes[begin..=end]);
            let size = growth.tree.size();
            if size == checkpoint.size {
                seen_root = Some(growth.tree.root());
            }
            if size > checkpoint.size {
                if let Some(Event::Epoch { number, key }) = event(&bytes[begin..end]) {
                    announced.push(Announced { size, root: growth.tree.root(), number, key });
                }
            }
            begin = end + 1;
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
    growth.segment = segment_at(directory, &growth.tree.frontier())?;
    growth.unstored.push((growth.segment.clone(), None));
    growth.salts = Salts::new(&growth.segment.seed.unwrap_or_default(), 0);
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
    growth.salts = Salts::new(&segment.seed.unwrap_or_default(), 0);
    growth.segment = segment;
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
            growth.closings.push_back((epoch.size, epoch.root));
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
    let bytes = fs::read(&segment.path).at("reading the segment", &segment.path)?;
    let line = bytes.split(|byte| *byte == b'\n').nth((index - segment.first) as usize);
    Ok(line.and_then(event))
}

/// How many generations of a journal have ended.
#[must_use]
pub fn ended_generations(journal: &Path) -> u64 {
    fs::read_dir(journal.join("ended")).map_or(0, |entries| entries.flatten().count() as u64)
}

/// Moves a generation aside; gives what the next one says about it.
fn end(journal: &Journal, number: u64, why: &str, records: u64) -> Result<Value> {
    let directory = journal.directory();
    let checkpoints = fs::read(directory.join("seal").join("checkpoints")).unwrap_or_default();
    let last = series(&checkpoints).notes.pop().map(|(_, _, checkpoint)| checkpoint);
    let size = last.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let previous = json!({
        "why": why,
        "size": size,
        "root": last.map(|checkpoint| hex(&checkpoint.root)),
        "records": records,
        "tail_sha256": hex(&unsealed_digest(journal, size)?),
        "directory": format!("ended/{number:04}"),
    });
    make_directory(&directory.join("ended"))?;
    let place = directory.join("ended").join(format!("{number:04}"));
    make_directory(&place)?;
    for name in ["seal", "active"] {
        let from = directory.join(name);
        match fs::rename(&from, place.join(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other.at("moving", &from)?,
        }
    }
    // So that it can be looked at like any journal.
    let settings = journal.settings_path();
    fs::copy(&settings, place.join("journal.json")).at("copying", &settings)?;
    // Its keys must never sign again.
    let keys = place.join("seal").join("keys");
    if keys.is_dir() {
        fs::remove_dir_all(&keys).at("removing", &keys)?;
    }
    make_directory(&journal.active())?;
    Ok(previous)
}

/// SHA-256 over the lines from index `size` on, line feeds included.
fn unsealed_digest(journal: &Journal, size: u64) -> Result<Hash> {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for segment in segments(journal)? {
        let bytes = fs::read(&segment.path).at("reading the segment", &segment.path)?;
        for (index, line) in (segment.first..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            if index >= size {
                digest.update(line);
            }
        }
    }
    Ok(digest.finalize().into())
}
