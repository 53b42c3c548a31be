//! SHA-256 as RFC 6962 section 2.1 uses it, and the commitment to a line.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
pub type Salt = [u8; SALT_BYTES];

/// Type and version of an entry, before its commitment.
const ENTRY_HEAD: [u8; 2] = [0x01, 0x00];
/// Bytes of an entry: head and commitment.
pub const ENTRY_BYTES: usize = ENTRY_HEAD.len() + 32;

#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// H(0x00 || entry).
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new_with_prefix([0x00]).chain_update(entry).finalize().into()
}

/// H(0x01 || left || right).
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0_u8; 65];
    bytes[0] = 0x01;
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    sha256(&bytes)
}

/// The root of the tree without leaves: H of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(b"")
}

/// H(0x00 || salt || line): what the tree says about a record's content.
#[must_use]
pub fn commitment(salt: &Salt, line: &[u8]) -> Hash {
    Sha256::new_with_prefix([0x00]).chain_update(salt).chain_update(line).finalize().into()
}

#[must_use]
pub fn entry(commitment: &Hash) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    entry[..2].copy_from_slice(&ENTRY_HEAD);
    entry[2..].copy_from_slice(commitment);
    entry
}

/// The leaf of a record whose commitment this is.
#[must_use]
pub fn record_leaf(commitment: &Hash) -> Hash {
    leaf(&entry(commitment))
}
