//! The archive: closed segments as Parquet files. `docs/concepts/archive-files.md` has the format.

mod facts;
mod files;
mod names;
mod recipients;

pub use facts::{Facts, FieldType, Promoted};
pub use files::{place, Archived, DIRECTORY};
pub use names::{begin, names};
pub use recipients::is_recipient;
