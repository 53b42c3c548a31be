//! What this host has seen of a journal, kept outside its directory: the pin, and the last checkpoint.
//!
//! A journal's directory that was rolled back or restored cannot take this file back with it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use super::checkpoint::Checkpoint;
use super::hash::sha256;
use super::note::{Note, Vkey};
use super::text::hex;

/// A journal as this host knows it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Identity key, and the key of epoch 0.
    pub pin: Vec<Vkey>,
    pub checkpoint: Checkpoint,
    pub note: Note,
}

/// `$TREERING_STATE_DIR`, `$XDG_STATE_HOME/treering` or `~/.local/state/treering`.
#[must_use]
pub fn directory() -> Option<PathBuf> {
    if cfg!(test) {
        return Some(std::env::temp_dir().join("treering-state-of-tests"));
    }
    let path = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    path("TREERING_STATE_DIR")
        .or_else(|| path("XDG_STATE_HOME").map(|base| base.join("treering")))
        .or_else(|| path("HOME").map(|home| home.join(".local/state/treering")))
}

fn place(identity: &Vkey) -> Option<PathBuf> {
    Some(directory()?.join(format!("{}.seen", hex(&sha256(identity.to_string().as_bytes())[..16]))))
}

/// What was stored for the journal with this identity key.
#[must_use]
pub fn load(identity: &Vkey) -> Option<Seen> {
    let mut text = String::new();
    let file = fs::File::open(place(identity)?).ok()?;
    file.take(1 << 16).read_to_string(&mut text).ok()?;
    let (pin, note) = text.split_once('\n')?;
    let pin: Vec<Vkey> = pin.split(' ').map(Vkey::parse).collect::<Result<_, _>>().ok()?;
    let note = Note::parse(note.as_bytes()).ok()?;
    let checkpoint = Checkpoint::parse(&note.text).ok()?;
    (pin.first() == Some(identity)).then_some(Seen { pin, checkpoint, note })
}

/// Stores it; a host without a place for state has none, which is no error.
pub fn store(pin: &str, identity: &Vkey, note: &Note) {
    let write = || -> Option<()> {
        let path = place(identity)?;
        let parent = path.parent()?;
        if !parent.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent).ok()?;
        }
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(&draft).ok()?.write_all(format!("{pin}\n{note}").as_bytes()).ok()?;
        fs::rename(&draft, &path).ok()
    };
    let _ = write();
}
