//! What must hold for every input of the parsers of foreign bytes, shared by the fuzz targets and by
//! the test over their seeds.
//!
//! Most of it is one claim: what is accepted has one spelling, so that no bit of it can be changed
//! without being refused or meaning something else.

mod archive;
mod foreign;
mod redact;
mod seal;

pub use archive::{facts, identities, tokens};
pub use foreign::{line, recognise, time};
pub use redact::{redact, redaction_pattern};
pub use seal::{checkpoint, event, note, policy, seal_file, tile_bundle, tlog_proof, vkey};

/// Panics when the claim does not hold for the input.
pub type Check = fn(&[u8]);

/// Every check, by the name of its fuzz target and of its folder of seeds.
pub const ALL: [(&str, Check); 16] = [
    ("checkpoint", checkpoint),
    ("event", event),
    ("facts", facts),
    ("identities", identities),
    ("line", line),
    ("note", note),
    ("policy", policy),
    ("recognise", recognise),
    ("redact", redact),
    ("redaction_pattern", redaction_pattern),
    ("seal_file", seal_file),
    ("tile_bundle", tile_bundle),
    ("time", time),
    ("tlog_proof", tlog_proof),
    ("tokens", tokens),
    ("vkey", vkey),
];
