//! Templates of messages: which messages are the same but for their values.
//!
//! A fixed-depth tree after Drain (He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing Approach with
//! Fixed Depth Tree", ICWS 2017): group, number of words, first word, then the most similar template.
//! Two things are different. Words that look like values (`word.rs`) merge at once, but plain words keep
//! templates apart (`VM Started`, `VM Stopped`) until so many differ in the same place only that it must
//! be a variable. And messages of one call site are known to come from one format, so there the similarity
//! alone decides.

mod cluster;
mod groups;
mod mask;

#[cfg(all(test, not(loom)))]
mod tests;
mod tree;
mod word;

pub use cluster::{Example, Template};
pub use groups::{Groups, Source, FOREIGN};
pub use mask::VARIABLE;
pub use tree::{Limits, Miner, Seen, REST};
