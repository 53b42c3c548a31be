//! Checkpoints (C2SP tlog-checkpoint 1.0.0): a tree's size and root, signed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::hash::Hash;
use super::note::Note;
use super::text::{base64, base64_hash, decimal};
use super::Malformed;

const DASH: &[u8] = "\u{2014} ".as_bytes();

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
    /// Lines after the root; ours have none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    #[must_use]
    pub fn new(origin: &str, size: u64, root: Hash) -> Self {
        Self { origin: origin.to_owned(), size, root, extensions: Vec::new() }
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// When it is not a checkpoint; the message names the line.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| Malformed::new("checkpoint does not end in a line feed"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty());
        let origin = origin.ok_or_else(|| Malformed::new("checkpoint has no origin (line 1)"))?;
        let size = lines.next().and_then(decimal).ok_or_else(|| {
            Malformed::new("checkpoint size (line 2) is not a decimal number without leading zeros")
        })?;
        let root = lines.next().and_then(base64_hash).ok_or_else(|| {
            Malformed::new("checkpoint root (line 3) is not 32 bytes in canonical base64")
        })?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(Malformed::new("checkpoint has an empty extension line"));
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, base64(&self.root));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// A note without signatures yet.
    #[must_use]
    pub fn to_note(&self) -> Note {
        Note { text: self.text(), signatures: Vec::new() }
    }
}

/// Checkpoints as they stand one after the other in `seal/checkpoints`.
#[derive(Debug, Default)]
pub struct Series {
    /// Each with the byte at which it begins.
    pub notes: Vec<(u64, Note, Checkpoint)>,
    /// Bytes of the complete notes; what follows is torn.
    pub whole: u64,
}

/// Reads concatenated checkpoints: three lines, a blank one, and lines of signatures each.
#[must_use]
pub fn series(bytes: &[u8]) -> Series {
    let mut found = Series::default();
    let mut at = 0;
    while let Some(length) = note_bytes(&bytes[at..]) {
        let parsed = Note::parse(&bytes[at..at + length]).ok().and_then(|note| {
            let checkpoint = Checkpoint::parse(&note.text).ok()?;
            Some((at as u64, note, checkpoint))
        });
        let Some(parsed) = parsed else { break };
        found.notes.push(parsed);
        at += length;
        found.whole = at as u64;
    }
    found
}

/// The last of the checkpoints in a file, without reading those of years.
///
/// # Errors
/// When the file cannot be read.
pub fn newest(path: &Path) -> io::Result<Series> {
    const TAIL: u64 = 256 << 10;
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL);
    let mut bytes = vec![0; (length - from) as usize];
    file.read_exact_at(&mut bytes, from)?;
    // The first whole note begins after the first line of a signature that none follows.
    let begin = if from == 0 { 0 } else { note_begin(&bytes).unwrap_or(bytes.len()) };
    let mut found = series(&bytes[begin..]);
    let skipped = from + begin as u64;
    found.whole += skipped;
    for (at, _, _) in &mut found.notes {
        *at += skipped;
    }
    Ok(found)
}

/// Where a note begins in the middle of a series.
fn note_begin(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut below_signature) = (0, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_signature = line.starts_with(DASH);
        if below_signature && !is_signature {
            return Some(at);
        }
        below_signature = is_signature;
        at += line.len();
    }
    None
}

/// Bytes of the first note: up to the end of the last line that begins with an em dash.
fn note_bytes(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    let mut signatures = 0;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let whole = line.ends_with(b"\n");
        if number >= 4 && line.starts_with(DASH) && whole {
            signatures += 1;
            end += line.len();
        } else if signatures > 0 && number >= 4 {
            // A cut signature line under whole ones, or one alone before what a crash left behind:
            // the note itself is cut.
            let cut = signatures == 1 || DASH.starts_with(line) || line.starts_with(DASH);
            return (!cut).then_some(end);
        } else if number < 4 && whole {
            end += line.len();
        } else {
            return None;
        }
    }
    // Ours carry two signatures: one alone at the end of the file is a note cut at a line's end.
    (signatures > 1).then_some(end)
}
