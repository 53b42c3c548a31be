//! Single records of archived segments.

use std::path::Path;

use crate::archive::{self, Identities, Lines};
use crate::error::Result;

/// The canonical line of a record that a file of the archive has; empty when it was erased or pruned,
/// `None` when no file stands for its segment.
///
/// # Errors
/// When the archive cannot be read; for an encrypted file without its identity.
pub fn archived_line(
    journal: &Path,
    index: u64,
    identities: &Identities,
) -> Result<Option<Vec<u8>>> {
    let files = archive::list(journal)?;
    let stands = |file: &&archive::Archived| (file.facts.first..file.facts.end).contains(&index);
    let Some(file) = files.iter().find(stands) else { return Ok(None) };
    let piece = Lines::open(file, index, identities)?.next_piece()?;
    let Some((_, lines)) = piece.filter(|(first, _)| *first == index) else {
        return Ok(Some(Vec::new()));
    };
    let end = memchr::memchr(b'\n', &lines).unwrap_or(lines.len());
    Ok(Some(lines[..end].to_vec()))
}
