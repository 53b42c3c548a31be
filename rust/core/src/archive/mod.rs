//! The archive: closed segments as Parquet files. `docs/concepts/archive-files.md` has the format.

mod facts;
mod files;

pub use facts::{Facts, FieldType, Promoted};
pub use files::{list, place, Archived, DIRECTORY};
