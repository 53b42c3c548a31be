//! The archive: closed segments as Parquet files. `docs/concepts/archive-files.md` has the format.

mod encrypt;
mod facts;
mod files;
mod identities;
mod memory;
mod names;
pub mod outside;

pub use encrypt::{encrypt_file, open_decrypted, rewrap, Decrypted, Written};
pub use facts::{Facts, FieldType, Promoted};
pub use files::{place, Archived, DIRECTORY};
pub use identities::{Identities, Recipients};
pub use memory::MemoryFile;
pub use names::{begin, end, names};
