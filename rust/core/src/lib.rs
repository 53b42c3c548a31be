//! Ring, drain, journal and seal: everything that happens once per record and needs no Python.
//!
//! `ring` keeps canonical lines in shared memory until `drain` appends them to the `journal`; `domain`
//! is the memory that all processes of one journal share; `process` is one process's place in it.

pub mod archive;
pub mod buffer;
pub mod clock;
pub mod console;
pub mod domain;
pub mod drain;
pub mod error;
pub mod filter;
pub mod format;
mod futex;
pub mod journal;
pub mod level;
pub mod line;
pub mod mine;
mod owner;
mod priority;
pub mod process;
pub mod recognise;
pub mod redact;
pub mod retention;
pub mod ring;
pub mod seal;
mod sync;
pub mod textfile;
