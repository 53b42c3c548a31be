//! SHA-256 as RFC 6962 section 2.1 uses it, and the commitment to a line.
//!
//! The plural functions do the same for many inputs in less time: what a hasher fed piece by piece copies
//! into its buffer is padded in place, and some messages ahead, so that no load waits for a store.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

const BLOCK_BYTES: usize = 64;
type Block = [u8; BLOCK_BYTES];
/// The bit after a message, and its length (FIPS 180-4 section 5.1.1).
const PADDING_BYTES: usize = 9;
/// The state before the first block (FIPS 180-4 section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// Messages padded before the first of them is compressed; more make it no faster.
const AHEAD: usize = 8;
/// Blocks of the longest line's message that is padded ahead.
const LINE_BLOCKS: usize = 16;

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

/// SHA-256 of a file's content.
///
/// # Errors
/// When it cannot be read.
pub fn sha256_file(path: &std::path::Path) -> std::io::Result<Hash> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&buffer[..read]);
    }
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

/// `record_leaf` of each.
#[must_use]
pub fn record_leaves(commitments: &[Hash]) -> Vec<Hash> {
    each(commitments, |commitment, blocks: &mut [Block; 1]| {
        blocks[0][1..3].copy_from_slice(&ENTRY_HEAD);
        blocks[0][3..35].copy_from_slice(commitment);
        pad(blocks, 35)
    })
}

/// `node` of each pair.
#[must_use]
pub fn nodes(pairs: &[[Hash; 2]]) -> Vec<Hash> {
    each(pairs, |pair, blocks: &mut [Block; 2]| {
        blocks[0][0] = 0x01;
        blocks.as_flattened_mut()[1..65].copy_from_slice(pair.as_flattened());
        pad(blocks, 65)
    })
}

/// `commitment` of each.
#[must_use]
pub fn commitments(lines: &[(Salt, &[u8])]) -> Vec<Hash> {
    const BEFORE: usize = 1 + SALT_BYTES;
    let is_long = |line: &[u8]| BEFORE + line.len() + PADDING_BYTES > LINE_BLOCKS * BLOCK_BYTES;
    let mut hashes = each(lines, |(salt, line), blocks: &mut [Block; LINE_BLOCKS]| {
        if is_long(line) {
            return 0;
        }
        let bytes = blocks.as_flattened_mut();
        bytes[1..BEFORE].copy_from_slice(salt);
        bytes[BEFORE..BEFORE + line.len()].copy_from_slice(line);
        pad(blocks, BEFORE + line.len())
    });
    for (hash, (salt, line)) in hashes.iter_mut().zip(lines) {
        if is_long(line) {
            *hash = commitment(salt, line);
        }
    }
    hashes
}

/// Hashes what `fill` makes of each input: a padded message and how many blocks it has.
fn each<T, const BLOCKS: usize>(
    inputs: &[T],
    fill: impl Fn(&T, &mut [Block; BLOCKS]) -> usize,
) -> Vec<Hash> {
    let mut hashes = Vec::with_capacity(inputs.len());
    let mut messages = [[[0; BLOCK_BYTES]; BLOCKS]; AHEAD];
    let mut lengths = [0; AHEAD];
    for inputs in inputs.chunks(AHEAD) {
        for ((input, blocks), length) in inputs.iter().zip(&mut messages).zip(&mut lengths) {
            *length = fill(input, blocks);
        }
        for (blocks, length) in messages.iter().zip(lengths).take(inputs.len()) {
            let mut state = INITIAL;
            compress256(&mut state, &blocks[..length]);
            let mut hash = [0; 32];
            for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
                *bytes = word.to_be_bytes();
            }
            hashes.push(hash);
        }
    }
    hashes
}

/// Pads a message of `length` bytes; returns how many blocks it has then.
#[inline]
fn pad(blocks: &mut [Block], length: usize) -> usize {
    let count = (length + PADDING_BYTES).div_ceil(BLOCK_BYTES);
    let bytes = blocks[..count].as_flattened_mut();
    let end = bytes.len() - 8;
    bytes[length] = 0x80;
    bytes[length + 1..end].fill(0);
    bytes[end..].copy_from_slice(&(8 * length as u64).to_be_bytes());
    count
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn many_at_once_are_hashed_as_one_by_one() {
        let bytes: Vec<u8> = (0..2000_u32).map(|at| at as u8).collect();
        let lines: Vec<(Salt, &[u8])> =
            (0..bytes.len()).map(|length| ([length as u8; SALT_BYTES], &bytes[..length])).collect();

        let committed = commitments(&lines);
        let leaves = record_leaves(&committed);
        let (pairs, _) = leaves.as_chunks();

        let single: Vec<Hash> = lines.iter().map(|(salt, line)| commitment(salt, line)).collect();
        assert_eq!(committed, single);
        assert_eq!(leaves, committed.iter().map(record_leaf).collect::<Vec<_>>());
        assert_eq!(
            nodes(pairs),
            pairs.iter().map(|[left, right]| node(left, right)).collect::<Vec<_>>()
        );
    }
}
