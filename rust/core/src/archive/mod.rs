//! The archive: closed segments as Parquet files. `docs/concepts/archive-files.md` has the format.

mod encrypt;
mod facts;
mod files;
mod fuse;
mod identities;
mod memory;
pub mod outside;
pub mod tokens;
mod vocabulary;
mod words;

pub use encrypt::{encrypt_file, open_decrypted, rewrap, Decrypted, Written};
pub use facts::{Facts, FieldType, Promoted};
pub use files::{place, Archived, DIRECTORY};
pub use identities::{Identities, Recipients};
pub use memory::MemoryFile;
pub use words::words;
