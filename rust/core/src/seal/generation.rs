//! Going on with a journal's seal, or beginning it: what a leader does before it appends.
//!
//! Signed records that are missing or changed, a key that is gone, a directory that was rolled back: none
//! of it is ever signed over. Such a generation of the journal ends, is kept in `ended/`, and a new one
//! begins whose first record names it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Value};

use super::checkpoint::series;
use super::commitments::SegmentSeal;
use super::hash::{sha256, Hash};
use super::keys::{generate, Keys};
use super::publisher::Publisher;
use super::resume::resume;
use super::salts::Salts;
use super::sealer::{Growth, Seal};
use super::text::hex;
use super::tree::{Growing, Range};
use crate::domain::Committed;
use crate::error::{At, Error, Result};
use crate::journal::{make_directory, segments, Journal, Settings};

/// How a leader found the seal.
#[derive(Debug)]
pub enum Opened {
    /// A new tree: its first record must be the genesis record with these fields.
    Begun {
        genesis: Vec<(&'static str, Value)>,
        pin: String,
    },
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
