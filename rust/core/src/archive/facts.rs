//! What a file of the archive says about itself, so that most questions never open its columns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Type of a promoted column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    Int64,
    Double,
    String,
    Boolean,
}

/// A key of `context`, `metadata` or `performance_data` that has a column of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promoted {
    /// `context.user_id`: the object, and after the first dot the key.
    pub column: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Records that have the key in the JSON text instead: their value is of another type.
    pub elsewhere: u64,
}

/// The key `treering` of the Parquet metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub format: u32,
    /// Id of the journal.
    pub journal: String,
    pub first: u64,
    /// Exclusive.
    pub end: u64,
    pub rows: u64,
    /// First index of each segment that the file stands for.
    pub segments: Vec<u64>,
    /// RFC 3339.
    pub min_timestamp: Option<String>,
    pub max_timestamp: Option<String>,
    pub levels: BTreeMap<String, u64>,
    pub categories: BTreeMap<String, u64>,
    pub promoted: Vec<Promoted>,
    pub verbatim: u64,
}
