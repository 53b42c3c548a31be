//! The facts beside an encrypted file, which anybody can read who can read the journal's directory.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::read::facts_from_json;
use super::{Facts, Recipients};
use crate::error::{At, Error, Result};

/// What an encrypted file shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Without the names of promoted fields.
    pub facts: Facts,
    /// Whose identities open the file: `age1…`.
    pub recipients: Vec<String>,
}

/// Where the facts about an encrypted file lie: `N.json` beside `N.parquet.age`.
#[must_use]
pub fn path(encrypted: &Path) -> PathBuf {
    encrypted.with_extension("").with_extension("json")
}

/// What may be seen of the facts. Times, counts, levels and categories stay: retention decides by them,
/// and it has no identity. Names of fields go.
#[must_use]
pub fn visible(facts: &Facts) -> Facts {
    Facts { promoted: Vec::new(), ..facts.clone() }
}

/// Puts the facts beside the encrypted file, which need not be there yet.
///
/// # Errors
/// When they cannot be written.
pub fn write(encrypted: &Path, facts: &Facts, recipients: &Recipients) -> Result<()> {
    let outside = Outside { facts: visible(facts), recipients: recipients.names() };
    crate::journal::replace_file(&path(encrypted), text(&outside).as_bytes())
}

/// As it stands in the file.
#[must_use]
pub fn text(outside: &Outside) -> String {
    let mut value = serde_json::to_value(&outside.facts).unwrap_or_default();
    value["recipients"] = outside.recipients.as_slice().into();
    format!("{value}\n")
}

/// The facts beside the encrypted file.
///
/// # Errors
/// When they are missing or are none.
pub fn read(encrypted: &Path) -> Result<Outside> {
    let path = path(encrypted);
    let text = std::fs::read(&path).at("reading the facts about the encrypted file", &path)?;
    parse(&text).map_err(|what| Error::Damaged { path, what })
}

/// Facts as [`write`] writes them.
///
/// # Errors
/// What is wrong with them.
pub fn parse(text: &[u8]) -> std::result::Result<Outside, String> {
    let mut value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let recipients = value.as_object_mut().and_then(|facts| facts.remove("recipients"));
    let recipients = recipients.ok_or("it has no 'recipients'")?;
    let facts = facts_from_json(&value.to_string())?;
    let recipients = serde_json::from_value(recipients).map_err(|error| error.to_string())?;
    Ok(Outside { facts, recipients })
}
