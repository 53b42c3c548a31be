//! The static tree of C2SP tlog-tiles: exported from a journal, and verified as any mirror serves it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::hash::{entry, leaf, Hash, ENTRY_BYTES};
use super::note::Note;
use super::policy::Policy;
use super::prover::Prover;
use super::tree::{self, Range};
use super::verify::Trust;
use super::Malformed;
use crate::error::{At, Error, Result};

const WIDTH: usize = 256;
/// An entry's length has two bytes.
const MAX_ENTRY_BYTES: usize = 65_535;

/// `1234067` as `x001/x234/067`.
fn number_path(number: u64) -> String {
    let mut groups = vec![format!("{:03}", number % 1000)];
    let mut rest = number / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    groups.join("/")
}

/// `tile/<kind>/<number>[.p/<width>]`.
fn tile_path(kind: &str, number: u64, width: usize) -> String {
    let path = format!("tile/{kind}/{}", number_path(number));
    if width == WIDTH {
        path
    } else {
        format!("{path}.p/{width}")
    }
}

fn write(target: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = target.join(name);
    let parent = path.parent().unwrap_or(target);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(parent)
        .and_then(|()| fs::write(&path, bytes))
        .at("writing", &path)
}

/// Writes the tree under the newest checkpoint: hashes and commitments, no content.
///
/// Returns its size.
///
/// # Errors
/// When the journal cannot be read, is not what its checkpoint says, or `target` cannot be written.
pub fn export(journal: &Path, target: &Path) -> Result<u64> {
    let prover = Prover::open(journal)?;
    let (note, checkpoint) = prover.newest();
    let size = checkpoint.size;
    let mut level: Vec<Hash> = Vec::new();
    let mut range = Range::empty(0);
    for number in 0..size.div_ceil(WIDTH as u64) {
        let from = number * WIDTH as u64;
        let to = size.min(from + WIDTH as u64);
        let entries: Vec<_> = prover.commitments(from, to)?.iter().map(entry).collect();
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf(entry)).collect();
        let mut bundle = Vec::with_capacity(entries.len() * (2 + ENTRY_BYTES));
        for entry in &entries {
            bundle.extend_from_slice(&(ENTRY_BYTES as u16).to_be_bytes());
            bundle.extend_from_slice(entry);
        }
        range.extend(&leaves);
        write(target, &tile_path("entries", number, leaves.len()), &bundle)?;
        write(target, &tile_path("0", number, leaves.len()), leaves.as_flattened())?;
        if leaves.len() == WIDTH {
            level.push(tree::root(&leaves));
        }
    }
    if range.root() != checkpoint.root {
        return Err(Error::Damaged {
            path: journal.to_owned(),
            what: format!("the records are not those under the checkpoint of size {size}"),
        });
    }
    for number in 1.. {
        if level.is_empty() {
            break;
        }
        let mut above = Vec::new();
        for (at, tile) in level.chunks(WIDTH).enumerate() {
            let name = tile_path(&format!("{number}"), at as u64, tile.len());
            write(target, &name, tile.as_flattened())?;
            if tile.len() == WIDTH {
                above.push(tree::root(tile));
            }
        }
        level = above;
    }
    write(target, "checkpoint", note.to_string().as_bytes())?;
    Ok(size)
}

struct Tiles<'a> {
    directory: &'a Path,
}

impl Tiles<'_> {
    fn read(&self, name: &str, limit: usize) -> std::result::Result<Vec<u8>, Malformed> {
        let path: PathBuf = self.directory.join(name);
        let wrong = |what: String| Malformed::new(format!("'{}' {what}", path.display()));
        let metadata =
            fs::metadata(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if metadata.len() > limit as u64 {
            return Err(wrong(format!("is larger than {limit} bytes")));
        }
        fs::read(&path).map_err(|error| wrong(format!("cannot be read: {error}")))
    }

    fn hashes(
        &self,
        kind: &str,
        number: u64,
        width: usize,
    ) -> std::result::Result<Vec<Hash>, Malformed> {
        let name = tile_path(kind, number, width);
        let bytes = self.read(&name, WIDTH * 32)?;
        match bytes.as_chunks::<32>() {
            (hashes, []) if hashes.len() == width => Ok(hashes.to_vec()),
            _ => Err(Malformed::new(format!("'{name}' is not {width} hashes"))),
        }
    }

    fn entries(&self, number: u64, width: usize) -> std::result::Result<Vec<Hash>, Malformed> {
        let name = tile_path("entries", number, width);
        let bytes = self.read(&name, WIDTH * (2 + MAX_ENTRY_BYTES))?;
        entry_leaves(&bytes)
            .filter(|leaves| leaves.len() == width)
            .ok_or_else(|| Malformed::new(format!("'{name}' is not a bundle of {width} entries")))
    }
}

/// The leaf hashes of a bundle's entries; `None` when it is not a bundle.
#[must_use]
pub fn entry_leaves(mut bundle: &[u8]) -> Option<Vec<Hash>> {
    let mut leaves = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        leaves.push(leaf(entry));
        bundle = rest;
    }
    Some(leaves)
}

/// Verifies every tile and every entry of an exported or mirrored tree; returns the checkpoint.
///
/// # Errors
/// When anything is not what a trusted key signed; the message names the file.
pub fn verify(
    directory: &Path,
    trust: &Trust,
) -> std::result::Result<(Checkpoint, Option<u64>), Malformed> {
    let tiles = Tiles { directory };
    let note = Note::parse(&tiles.read("checkpoint", 1 << 20)?)?;
    let checkpoint = Checkpoint::parse(&note.text)?;
    // Without any trust it is consistency that is asked about; with one, somebody in it must have signed.
    let is_trusting = !trust.pin.is_empty() || trust.policy.is_some();
    if is_trusting && !note.verify(&trust.pin)?.contains(&0) {
        return Err(Malformed::new("'checkpoint' is not signed by a trusted key"));
    }
    let anchored = match &trust.policy {
        Some(policy) => policy.quorum_time(&note)?,
        None => None,
    };
    if anchored.is_none() && trust.policy.as_ref().is_some_and(Policy::wants_witnesses) {
        return Err(Malformed::new("'checkpoint' is not cosigned by the quorum of the policy"));
    }
    let mut expected: Vec<Hash> = Vec::new();
    let mut range = Range::empty(0);
    let mut left = checkpoint.size;
    for number in 0..checkpoint.size.div_ceil(WIDTH as u64) {
        let width = left.min(WIDTH as u64) as usize;
        left -= width as u64;
        let leaves = tiles.entries(number, width)?;
        if tiles.hashes("0", number, width)? != leaves {
            return Err(Malformed::new(format!(
                "'{}' is not the hashes of its entries",
                tile_path("0", number, width)
            )));
        }
        range.extend(&leaves);
        if width == WIDTH {
            expected.push(tree::root(&leaves));
        }
    }
    for level in 1.. {
        if expected.is_empty() {
            break;
        }
        let mut above = Vec::new();
        for (at, hashes) in expected.chunks(WIDTH).enumerate() {
            let kind = format!("{level}");
            if tiles.hashes(&kind, at as u64, hashes.len())? != hashes {
                let name = tile_path(&kind, at as u64, hashes.len());
                return Err(Malformed::new(format!(
                    "'{name}' is not the roots of the tiles below"
                )));
            }
            if hashes.len() == WIDTH {
                above.push(tree::root(hashes));
            }
        }
        expected = above;
    }
    if range.root() != checkpoint.root {
        return Err(Malformed::new("the tiles are not the tree under 'checkpoint'"));
    }
    Ok((checkpoint, anchored))
}
