//! Ring, drain and journal: everything that happens once per record and needs no Python.
//!
//! `line` writes the canonical line, `ring` keeps it in shared memory until `drain` appends it to the
//! `journal`; `domain` is the memory that all processes of one journal share; `process` is one
//! process's place in it.

pub mod level;
pub mod ring;
mod sync;
