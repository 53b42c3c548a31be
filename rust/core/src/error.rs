//! What can go wrong below the log call, with the place where it did.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the core. Every variant has its own face at the border.
#[derive(Debug)]
pub enum Error {
    /// The operating system refused something.
    Io { what: &'static str, path: PathBuf, source: io::Error },
    /// A file of the journal does not hold what it should.
    Damaged { path: PathBuf, what: String },
    /// A setting that cannot be used; `wanted` says what could.
    Setting { name: &'static str, found: String, wanted: &'static str },
    /// A format that cannot be used, and why.
    Format { name: &'static str, found: String, what: String },
    /// A pattern for redaction that cannot be used, and why.
    Pattern { name: String, pattern: String, why: String },
    /// What was asked for cannot be done with this journal; nothing was changed.
    Refused { path: PathBuf, what: String },
    /// Others can write where only the owner of the journal may.
    Unsafe { path: PathBuf, what: &'static str },
}

pub type Result<T> = std::result::Result<T, Error>;

impl std::fmt::Display for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io { what, path, source } => {
                write!(out, "{what} failed for '{}': {source}", path.display())
            }
            Self::Damaged { path, what } => write!(out, "'{}' is damaged: {what}", path.display()),
            Self::Setting { name, found, wanted } => {
                write!(out, "setting {name} is '{found}': {wanted}")
            }
            Self::Format { name, found, what } => {
                write!(out, "setting {name} is '{found}': {what}")
            }
            Self::Pattern { name, pattern, why } => {
                write!(out, "pattern '{name}' of setting redaction_patterns, '{pattern}', {why}")
            }
            Self::Refused { path, what } => write!(out, "'{}': {what}", path.display()),
            Self::Unsafe { path, what } => {
                write!(out, "'{}' is not safe to use: {what}", path.display())
            }
        }
    }
}

impl std::error::Error for Error {}

/// Adds what was attempted, and where, to an I/O error.
pub(crate) trait At<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { what, path: path.to_owned(), source })
    }
}
