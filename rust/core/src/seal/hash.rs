//! SHA-256 as RFC 6962 section 2.1 uses it, and the commitment to a line.
//!
//! Every record costs three hashes of inputs whose lengths are known when they begin. They are padded
//! here and compressed in place: a hasher that may be fed piece by piece copies everything into its
//! buffer first, which takes a quarter of the time.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
pub type Salt = [u8; SALT_BYTES];

const BLOCK_BYTES: usize = 64;
/// The bit after the message, and its length (FIPS 180-4 section 5.1.1).
const PADDING_BYTES: usize = 9;
/// The state before the first block (FIPS 180-4 section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
];

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
    let mut blocks = [[0; BLOCK_BYTES]; 2];
    let bytes = blocks.as_flattened_mut();
    bytes[0] = 0x01;
    bytes[1..33].copy_from_slice(left);
    bytes[33..65].copy_from_slice(right);
    pad(bytes, 65, 65);
    let mut state = INITIAL;
    compress256(&mut state, &blocks);
    digest(&state)
}

/// The root of the tree without leaves: H of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(b"")
}

/// H(0x00 || salt || line): what the tree says about a record's content.
#[must_use]
pub fn commitment(salt: &Salt, line: &[u8]) -> Hash {
    const BEFORE: usize = 1 + SALT_BYTES;
    let mut first = [[0; BLOCK_BYTES]; 1];
    first[0][1..BEFORE].copy_from_slice(salt);
    let Some((begin, rest)) = line.split_first_chunk::<{ BLOCK_BYTES - BEFORE }>() else {
        return Sha256::new_with_prefix([0x00]).chain_update(salt).chain_update(line).finalize().into();
    };
    first[0][BEFORE..].copy_from_slice(begin);
    let mut state = INITIAL;
    compress256(&mut state, &first);
    let (whole, end) = rest.as_chunks();
    compress256(&mut state, whole);
    let mut last = [[0; BLOCK_BYTES]; 2];
    let blocks = (end.len() + PADDING_BYTES).div_ceil(BLOCK_BYTES);
    let last = &mut last[..blocks];
    last.as_flattened_mut()[..end.len()].copy_from_slice(end);
    pad(last.as_flattened_mut(), end.len(), BEFORE + line.len());
    compress256(&mut state, last);
    digest(&state)
}

#[must_use]
pub fn entry(commitment: &Hash) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    entry[..2].copy_from_slice(&ENTRY_HEAD);
    entry[2..].copy_from_slice(commitment);
    entry
}

/// The leaf of a record whose commitment this is: H(0x00 || entry).
#[must_use]
pub fn record_leaf(commitment: &Hash) -> Hash {
    let mut block = [0; BLOCK_BYTES];
    block[1..3].copy_from_slice(&ENTRY_HEAD);
    block[3..35].copy_from_slice(commitment);
    pad(&mut block, 35, 35);
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    digest(&state)
}

/// Pads `blocks`, of which `used` bytes are taken, behind a message of `length` bytes.
#[inline]
fn pad(blocks: &mut [u8], used: usize, length: usize) {
    let at = blocks.len() - 8;
    blocks[used] = 0x80;
    blocks[at..].copy_from_slice(&(8 * length as u64).to_be_bytes());
}

#[inline]
fn digest(state: &[u32; 8]) -> Hash {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn hashes_padded_in_place_are_those_of_the_whole_message() {
        let (left, right) = (sha256(b"left"), sha256(b"right"));
        let salt = [0xa5; SALT_BYTES];
        let line: Vec<u8> = (0..400).map(|at| at as u8).collect();

        assert_eq!(record_leaf(&left), sha256(&[&[0, 1, 0], &left[..]].concat()));
        assert_eq!(node(&left, &right), sha256(&[&[1], &left[..], &right[..]].concat()));
        for length in 0..line.len() {
            let whole = [&[0], &salt[..], &line[..length]].concat();
            assert_eq!(commitment(&salt, &line[..length]), sha256(&whole), "{length} bytes");
        }
    }
}
