//! Inclusion and consistency proofs: RFC 6962 section 2.1, verified as RFC 9162 section 2.1.3 and 2.1.4.

use super::hash::{node, Hash};

/// What proofs are made from: the root over any leaves `[from, to)` of a tree.
pub trait Subtrees {
    type Error;

    /// The root over leaves `[from, to)`; they are a left part of an aligned perfect subtree.
    ///
    /// # Errors
    /// When the leaves cannot be read.
    fn root(&mut self, from: u64, to: u64) -> Result<Hash, Self::Error>;
}

/// Leaf hashes in memory.
impl Subtrees for &[Hash] {
    type Error = std::convert::Infallible;

    fn root(&mut self, from: u64, to: u64) -> Result<Hash, Self::Error> {
        Ok(super::tree::root(&self[from as usize..to as usize]))
    }
}

/// The largest power of two below `size`, for `size` > 1.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The hashes that lead from leaf `index` to the root of the first `size` leaves, sibling first.
///
/// # Errors
/// What `tree` says.
///
/// # Panics
/// When `index` is not below `size`.
pub fn inclusion<T: Subtrees>(tree: &mut T, index: u64, size: u64) -> Result<Vec<Hash>, T::Error> {
    assert!(index < size, "a leaf of the tree");
    let (mut from, mut to) = (0, size);
    let mut down = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            down.push(tree.root(middle, to)?);
            to = middle;
        } else {
            down.push(tree.root(from, middle)?);
            from = middle;
        }
    }
    down.reverse();
    Ok(down)
}

/// The hashes that show that the first `old` leaves are a prefix of the first `size`.
///
/// # Errors
/// What `tree` says.
///
/// # Panics
/// When `old` is larger than `size`.
pub fn consistency<T: Subtrees>(tree: &mut T, old: u64, size: u64) -> Result<Vec<Hash>, T::Error> {
    assert!(old <= size, "a prefix of the tree");
    let mut proof = Vec::new();
    if old == 0 || old == size {
        return Ok(proof);
    }
    let (mut from, mut to) = (0, size);
    // While `whole`, the prefix so far is a subtree that the verifier has as the old root.
    let mut whole = true;
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(tree.root(middle, to)?);
            to = middle;
        } else {
            proof.push(tree.root(from, middle)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(tree.root(from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// True when `proof` leads from `leaf` at `index` to `root` of `size` leaves.
#[must_use]
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut position, mut last) = (index, size - 1);
    let mut computed = *leaf;
    for hash in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            computed = node(hash, &computed);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            computed = node(&computed, hash);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && computed == *root
}

/// True when `proof` shows that the tree of `old` leaves is a prefix of the tree of `size`.
#[must_use]
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> bool {
    if old > size {
        return false;
    }
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == super::hash::empty_root();
    }
    let (mut position, mut last) = (old - 1, size - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (start, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        match proof.split_first() {
            Some((first, rest)) => (*first, rest),
            None => return false,
        }
    };
    if rest.is_empty() {
        return false;
    }
    let (mut before, mut after) = (start, start);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            before = node(hash, &before);
            after = node(hash, &after);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            after = node(&after, hash);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && before == *old_root && after == *root
}
