//! Compact ranges: what has to be remembered of consecutive leaves to go on appending.
//!
//! A range over leaves `[begin, end)` is the list of roots of the largest perfect, aligned subtrees that
//! cover it, from left to right. Over `[0, end)` it is the frontier of the tree, at most 64 hashes.

use super::hash::{empty_root, node, nodes, Hash};

/// The roots that cover leaves `[begin, end)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Range {
    begin: u64,
    end: u64,
    hashes: Vec<Hash>,
}

/// Sizes of the perfect aligned subtrees that cover `[begin, end)`, as powers of two, left to right.
fn levels(begin: u64, end: u64) -> impl Iterator<Item = u32> {
    let mut at = begin;
    std::iter::from_fn(move || {
        let left = end - at;
        if left == 0 {
            return None;
        }
        let level = at.trailing_zeros().min(left.ilog2());
        at += 1 << level;
        Some(level)
    })
}

impl Range {
    /// The range without leaves before leaf `begin`.
    #[must_use]
    pub fn empty(begin: u64) -> Self {
        Self { begin, end: begin, hashes: Vec::new() }
    }

    /// The frontier of a tree of `size` leaves from its hashes; `None` when their number is wrong.
    #[must_use]
    pub fn frontier(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { begin: 0, end: size, hashes })
    }

    #[must_use]
    pub fn begin(&self) -> u64 {
        self.begin
    }

    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Appends one leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(leaf, 0);
    }

    /// Appends leaf hashes: faster than one by one, level by level where they make perfect subtrees.
    pub fn extend(&mut self, mut leaves: &[Hash]) {
        for level in levels(self.end, self.end + leaves.len() as u64) {
            let (subtree, rest) = leaves.split_at(1 << level);
            self.push_subtree(perfect_root(subtree), level);
            leaves = rest;
        }
    }

    /// Appends the root of a full block that begins at `end`.
    pub(super) fn push_block(&mut self, root: Hash) {
        self.push_subtree(root, BLOCK.ilog2());
    }

    /// Appends the root of a perfect subtree of `2^level` leaves that begins at `end`.
    fn push_subtree(&mut self, mut root: Hash, mut level: u32) {
        let mut first = self.end;
        self.end += 1 << level;
        // A right child whose left sibling is in the range completes their parent.
        while (first >> level) & 1 == 1 && first - (1 << level) >= self.begin {
            let Some(left) = self.hashes.pop() else { break };
            root = node(&left, &root);
            first -= 1 << level;
            level += 1;
        }
        self.hashes.push(root);
    }

    /// Appends a range that begins where this one ends.
    ///
    /// # Panics
    /// When it does not.
    pub fn append(&mut self, other: &Self) {
        assert_eq!(self.end, other.begin, "ranges follow each other");
        for (level, root) in levels(other.begin, other.end).zip(&other.hashes) {
            self.push_subtree(*root, level);
        }
    }

    /// The root over the range's leaves: for a frontier, the root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let Some((last, lower)) = self.hashes.split_last() else {
            return empty_root();
        };
        lower.iter().rev().fold(*last, |right, left| node(left, &right))
    }
}

/// The root over `2^n` leaf hashes.
fn perfect_root(leaves: &[Hash]) -> Hash {
    let mut level = nodes(leaves.as_chunks().0);
    while level.len() > 1 {
        level = nodes(level.as_chunks().0);
    }
    // A single leaf has no parents.
    level.first().copied().unwrap_or(leaves[0])
}

/// The root of a tree over these leaf hashes (RFC 6962 section 2.1).
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut range = Range::empty(0);
    range.extend(leaves);
    range.root()
}

/// Leaves of a block: a full tile of C2SP tlog-tiles.
pub const BLOCK: u64 = 256;

/// A tree that grows, and remembers the roots of its full blocks.
#[derive(Debug, Clone)]
pub struct Growing {
    /// Over all full blocks.
    upper: Range,
    /// Over the leaves of the block that is not full yet.
    block: Range,
    /// Roots of the blocks that became full since `take_nodes`.
    nodes: Vec<Hash>,
}

impl Growing {
    /// Goes on from a tree's frontier.
    #[must_use]
    pub fn new(frontier: &Range) -> Self {
        let full = frontier.end / BLOCK * BLOCK;
        let above = full.count_ones() as usize;
        let (high, low) = frontier.hashes.split_at(above);
        Self {
            upper: Range { begin: 0, end: full, hashes: high.to_vec() },
            block: Range { begin: full, end: frontier.end, hashes: low.to_vec() },
            nodes: Vec::new(),
        }
    }

    #[inline]
    pub fn push(&mut self, leaf: Hash) {
        self.block.push(leaf);
        self.close_full_block();
    }

    /// Appends leaf hashes.
    pub fn extend(&mut self, mut leaves: &[Hash]) {
        while !leaves.is_empty() {
            let room = (self.upper.end + BLOCK - self.block.end) as usize;
            let (now, later) = leaves.split_at(room.min(leaves.len()));
            self.block.extend(now);
            self.close_full_block();
            leaves = later;
        }
    }

    fn close_full_block(&mut self) {
        if self.block.end - self.block.begin == BLOCK {
            let root = self.block.hashes[0];
            self.nodes.push(root);
            self.upper.push_subtree(root, BLOCK.ilog2());
            self.block = Range::empty(self.upper.end);
        }
    }

    #[must_use]
    pub fn size(&self) -> u64 {
        self.block.end
    }

    #[must_use]
    pub fn frontier(&self) -> Range {
        let mut frontier = self.upper.clone();
        frontier.hashes.extend_from_slice(&self.block.hashes);
        frontier.end = self.block.end;
        frontier
    }

    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier().root()
    }

    pub fn take_nodes(&mut self) -> Vec<Hash> {
        std::mem::take(&mut self.nodes)
    }
}
