//! Records that the journal writes about itself, as far as they matter to its seal.

use serde::Deserialize;

use super::hash::Hash;
use super::note::Vkey;
use super::text::from_hex;

pub const CREATED: &str = "journal created";
pub const EPOCH: &str = "epoch opened";
pub const ERASED: &str = "records erased";
pub const PRUNED: &str = "records pruned";
pub const ARCHIVED: &str = "segments archived";
pub const ANCHORED: &str = "journal anchored";
pub const FORGOTTEN: &str = "personal data forgotten";
pub const CLOSED: &str = "journal closed";

/// What every such line begins with, around its time stamp of 30 characters.
const BEFORE: &[u8] = b"{\"timestamp\":\"";
const TIME: usize = 30;
const AFTER: &[u8] =
    b"\",\"level\":\"AUDIT\",\"category\":\"journal\",\"component\":\"treering.journal\",\"message\":\"";

/// The retention that a journal promises: records are pruned only when they are older than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Retention {
    pub retention_min_age_s: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    pub origin: String,
    pub identity: Vkey,
    pub key: Vkey,
    pub retention: Retention,
    /// Why the generation before it ended, when there was one.
    pub previous: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedBelow {
    pub min_index: u64,
    /// RFC 3339; of the newest pruned record, and of this one.
    pub newest: String,
    pub at: String,
    pub retention: Retention,
    /// `None` when everything below `min_index` went.
    pub parts: Option<PrunedParts>,
}

/// What a prune that keeps records did to segments; those it does not name are as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedParts {
    /// First indexes of segments that went whole.
    pub gone: Vec<u64>,
    pub kept: Vec<KeptPart>,
}

/// The records that a prune has left in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptPart {
    /// First index of the segment.
    pub first: u64,
    pub count: u64,
    /// SHA-256 over the kept indexes, each as a decimal line.
    pub digest: Hash,
}

/// A file that stands for segments, as the journal announced it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ArchivedFile {
    pub first: u64,
    /// Exclusive.
    pub end: u64,
    pub rows: u64,
    /// 64 hex digits.
    pub sha256: String,
    /// Below the journal.
    pub path: String,
    /// Of the `.json` with the facts beside an encrypted file.
    #[serde(default)]
    pub facts_sha256: Option<String>,
}

/// An event of the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Created(Box<Created>),
    Epoch {
        number: u64,
        key: Vkey,
    },
    Erased {
        indices: Vec<u64>,
    },
    Pruned(PrunedBelow),
    Archived {
        files: Vec<ArchivedFile>,
    },
    Closed,
    /// Something else that the journal says.
    Other,
    /// It says to be one of the above, and its fields are not theirs.
    Malformed,
}

#[derive(Deserialize)]
struct Line {
    timestamp: String,
    message: String,
    #[serde(default)]
    metadata: serde_json::Value,
    /// Said at the beginning; named here so that they cannot be said twice.
    #[serde(rename = "level")]
    _level: String,
    #[serde(rename = "category")]
    _category: String,
    #[serde(rename = "component")]
    _component: String,
    /// Read so that no other reader stumbles over what is skipped here.
    #[serde(flatten)]
    _rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct CreatedFields {
    origin: String,
    identity: String,
    epoch: u64,
    key: String,
    policy: Retention,
    #[serde(default)]
    previous: Option<PreviousFields>,
}

#[derive(Deserialize)]
struct PreviousFields {
    why: String,
}

#[derive(Deserialize)]
struct EpochFields {
    epoch: u64,
    key: String,
}

#[derive(Deserialize)]
struct ErasedFields {
    indices: Vec<u64>,
}

#[derive(Deserialize)]
struct PrunedFields {
    min_index: u64,
    newest: String,
    policy: Retention,
    #[serde(default)]
    segments: Vec<String>,
    #[serde(default)]
    kept: Option<Vec<(u64, u64, String)>>,
}

impl PrunedFields {
    fn parts(&self, kept: &[(u64, u64, String)]) -> Option<PrunedParts> {
        let gone = self.segments.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?;
        let part = |(first, count, digest): &(u64, u64, String)| {
            Some(KeptPart { first: *first, count: *count, digest: from_hex(digest)? })
        };
        let kept = kept.iter().map(part).collect::<Option<_>>()?;
        Some(PrunedParts { gone, kept })
    }
}

#[derive(Deserialize)]
struct ArchivedFields {
    files: Vec<ArchivedFile>,
}

/// What a line says about the journal; `None` for every record of an application.
#[must_use]
pub fn event(line: &[u8]) -> Option<Event> {
    if line.len() < BEFORE.len() + TIME + AFTER.len()
        || !line.starts_with(BEFORE)
        || !line[BEFORE.len() + TIME..].starts_with(AFTER)
    {
        return None;
    }
    Some(read(line).unwrap_or(Event::Malformed))
}

fn read(line: &[u8]) -> Option<Event> {
    let Line { timestamp, message, metadata, .. } = serde_json::from_slice(line).ok()?;
    if timestamp.len() != TIME {
        return None;
    }
    Some(match message.as_str() {
        CREATED => {
            let fields: CreatedFields = serde_json::from_value(metadata).ok()?;
            let identity = Vkey::parse(&fields.identity).ok()?;
            let key = Vkey::parse(&fields.key).ok()?;
            if fields.epoch != 0 {
                return None;
            }
            let origin = fields.origin;
            let previous = fields.previous.map(|previous| previous.why);
            let retention = fields.policy;
            Event::Created(Box::new(Created { origin, identity, key, retention, previous }))
        }
        EPOCH => {
            let fields: EpochFields = serde_json::from_value(metadata).ok()?;
            Event::Epoch { number: fields.epoch, key: Vkey::parse(&fields.key).ok()? }
        }
        ERASED => {
            let fields: ErasedFields = serde_json::from_value(metadata).ok()?;
            Event::Erased { indices: fields.indices }
        }
        PRUNED => {
            let fields: PrunedFields = serde_json::from_value(metadata).ok()?;
            let parts = match &fields.kept {
                Some(kept) => Some(fields.parts(kept)?),
                None => None,
            };
            Event::Pruned(PrunedBelow {
                parts,
                min_index: fields.min_index,
                newest: fields.newest,
                at: timestamp,
                retention: fields.policy,
            })
        }
        ARCHIVED => {
            let fields: ArchivedFields = serde_json::from_value(metadata).ok()?;
            Event::Archived { files: fields.files }
        }
        CLOSED => Event::Closed,
        _ => Event::Other,
    })
}
