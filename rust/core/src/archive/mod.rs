//! The archive: closed segments as Parquet files. `docs/concepts/archive-files.md` has the format.
//!
//! `columns` and `promote` take lines apart, `batch` and `write` make a file of them; `read` and
//! `rebuild` give the lines back, byte for byte, and `check` makes sure of it before anything is
//! removed. `active` shows lines that are not archived yet in the same columns.
//! `encrypt` is for files that only some may read; `tokens` says where words can be.

#[cfg(all(test, not(loom)))]
mod access_tests;
mod active;
mod at;
mod batch;
mod check;
mod columns;
mod counts;
mod encrypt;
mod facts;
mod files;
mod fuse;
mod identities;
mod known;
mod look;
mod memory;
mod names;
pub mod outside;
mod promote;
mod read;
mod rebuild;
mod source;
#[cfg(all(test, not(loom)))]
mod tests;
pub mod tokens;
mod vocabulary;
mod words;
mod write;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

pub use active::{ActiveBatches, Batches, LineBatches, Wanted};
pub use at::lines_at;
pub use check::{check, check_while, Against, Checked};
pub use encrypt::{encrypt_file, open_decrypted, rewrap, Decrypted, Written};
pub use facts::{Facts, FieldType, Promoted};
pub use files::{facts, list, place, readable, Archived, Unreadable, DIRECTORY};
pub use identities::{Identities, Recipients};
pub use memory::MemoryFile;
pub use names::{begin, end, names};
pub use read::Lines;
pub use source::Input;
pub use words::words;
pub use write::{write, About, WriteOptions};

use crate::error::{Error, Result};

/// The key of the Parquet metadata that holds the facts.
pub const FACTS_KEY: &str = "treering";
/// The format of the files.
pub const FORMAT: u32 = 1;

/// Runs what reads foreign files: a bug that they find in a reader is an error about them.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        let what = format!("it cannot be read as a file of the archive: {said}");
        Err(Error::Damaged { path: path.to_owned(), what })
    })
}

/// What becomes of work that nobody waits for any more.
pub(crate) fn stopped(path: &Path) -> Error {
    Error::Refused { path: path.to_owned(), what: "archiving was stopped".into() }
}
