//! Going on with a journal's seal, or beginning it: what a leader does before it appends.
//!
//! Signed records that are missing or changed, a key that is gone, a directory that was rolled back: none
//! of it is ever signed over. Such a generation of the journal ends, is kept in `ended/`, and a new one
//! begins whose first record names it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Value};

use super::checkpoint::{newest as newest_checkpoints, Checkpoint};
use super::commitments::SegmentSeal;
use super::hash::{sha256, Hash};
use super::keys::{generate, wipe, Keys};
use super::publisher::Publisher;
use super::resume::resume;
use super::sealer::{Growth, Seal};
use super::text::{decimal, hex};
use super::tree::Range;
use crate::domain::Committed;
use crate::error::{At, Error, Result};
use crate::journal::{
    make_directory, replace_file, segments, sync_directory, Journal, Pieces, Settings,
};

/// How a leader found the seal.
#[derive(Debug)]
pub enum Opened {
    /// A new tree: its first record must be the genesis record with these fields.
    Begun { genesis: Vec<(&'static str, Value)>, pin: String },
    /// The present tree; this many records at its end were appended and not sealed yet.
    Resumed { adopted: u64 },
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
    let directory = journal.directory();
    sweep(directory, settings)?;
    if may_end && finish_end(journal)? {
        *committed = Committed::default();
    }
    let newest = newest_checkpoint(directory)?;
    let number = match &newest {
        Some(checkpoint) => generation_of(&checkpoint.origin, &settings.origin).unwrap_or(0),
        None => ended_generations(directory),
    };
    let origin = origin_of(settings, number);
    if committed.end == 0 && newest.is_none_or(|newest| newest.size == 0) {
        return begin(journal, settings, &origin, previous_of(directory, number));
    }
    match resume(journal, settings, &origin, committed.end) {
        Ok((seal, adopted)) => Ok((seal, Opened::Resumed { adopted })),
        Err(Error::Damaged { what, .. }) if may_end => {
            let number = number.max(ended_generations(directory)) + 1;
            let previous = end(journal, settings, number, &what, committed.end)?;
            *committed = Committed::default();
            let origin = origin_of(settings, number);
            let (seal, opened) = begin(journal, settings, &origin, Some(previous))?;
            tell(journal, number, &what, &seal.pin());
            Ok((seal, opened))
        }
        Err(error) => Err(error),
    }
}

fn origin_of(settings: &Settings, generation: u64) -> String {
    match generation {
        0 => settings.origin.clone(),
        number => format!("{}/{number}", settings.origin),
    }
}

/// The generation whose origin this is; `None` when it is no origin of the journal.
fn generation_of(origin: &str, base: &str) -> Option<u64> {
    match origin.strip_prefix(base)? {
        "" => Some(0),
        rest => decimal(rest.strip_prefix('/')?),
    }
}

fn newest_checkpoint(directory: &Path) -> Result<Option<Checkpoint>> {
    let path = directory.join("seal").join("checkpoints");
    match newest_checkpoints(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => Ok(other.at("reading", &path)?.notes.pop().map(|(_, _, checkpoint)| checkpoint)),
    }
}

/// Overwrites and removes what leaders that died were writing: it may hold keys, salts or records.
fn sweep(directory: &Path, settings: &Settings) -> Result<()> {
    let seal = directory.join("seal");
    let places = [seal.join("commitments"), keys_place(directory, settings), seal];
    for entry in places.iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().contains(".draft")) {
            wipe(&path).at("removing", &path)?;
        }
    }
    Ok(())
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

pub(super) fn keys_place(journal: &Path, settings: &Settings) -> PathBuf {
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
    let growth = Growth::new(segment);
    let mut publisher = Publisher::open(directory, keys, pin.clone(), 0, None, None)?;
    // So that from the first record on there is a checkpoint, and its absence means something.
    publisher.publish(0, super::hash::empty_root())?;
    sync_directory(&directory.join("seal"))?;
    sync_directory(directory)?;
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

/// Number of the last generation that ended and is still in `ended/`; 0 when none is.
fn ended_generations(journal: &Path) -> u64 {
    let entries = fs::read_dir(journal.join("ended")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).max().unwrap_or(0)
}

fn ended_place(journal: &Path, number: u64) -> PathBuf {
    journal.join("ended").join(format!("{number:04}"))
}

/// What the generation after `number` says about it, if it is still there.
fn previous_of(journal: &Path, number: u64) -> Option<Value> {
    let text = fs::read(ended_place(journal, number).join("previous.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Moves a generation aside; gives what the next one says about it.
///
/// First what is to be said, then the keys, then the files, then the settings: `finish_end` goes on from
/// wherever a death left it.
fn end(
    journal: &Journal,
    settings: &Settings,
    number: u64,
    why: &str,
    records: u64,
) -> Result<Value> {
    let directory = journal.directory();
    let last = newest_checkpoint(directory)?;
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
    let place = ended_place(directory, number);
    make_directory(&place)?;
    let text = serde_json::to_vec(&previous).unwrap_or_default();
    replace_file(&place.join("previous.json"), &text)?;
    // Its keys must never sign again.
    let keys = keys_place(directory, settings);
    for entry in fs::read_dir(&keys).into_iter().flatten().flatten() {
        wipe(&entry.path()).at("destroying the key", &entry.path())?;
    }
    finish_end(journal)?;
    Ok(previous)
}

/// Goes on with an end that was begun; true when there was one.
fn finish_end(journal: &Journal) -> Result<bool> {
    let directory = journal.directory();
    let place = ended_place(directory, ended_generations(directory));
    if !place.join("previous.json").exists() || place.join("journal.json").exists() {
        return Ok(false);
    }
    for name in ["seal", "active", "archive"] {
        let (from, to) = (directory.join(name), place.join(name));
        if from.exists() && !to.exists() {
            fs::rename(&from, &to).at("moving", &from)?;
        }
    }
    make_directory(&journal.active())?;
    // So that it can be looked at like any journal.
    let settings = journal.settings_path();
    fs::copy(&settings, place.join("journal.json")).at("copying", &settings)?;
    sync_directory(&place)?;
    sync_directory(directory)?;
    Ok(true)
}

/// SHA-256 over the lines from index `size` on, line feeds included.
fn unsealed_digest(journal: &Journal, size: u64) -> Result<Hash> {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for segment in segments(journal)? {
        let mut pieces = Pieces::open(&segment.path)?;
        let mut index = segment.first;
        loop {
            let lines = pieces.next_piece()?;
            if lines.is_empty() {
                break;
            }
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                if index >= size {
                    digest.update(line);
                }
                index += 1;
            }
        }
    }
    Ok(digest.finalize().into())
}
