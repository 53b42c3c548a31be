//! Keys of encrypted files.

/// What encrypted files of the archive are opened with.
#[derive(Debug, Clone, Default)]
pub struct Identities {}
