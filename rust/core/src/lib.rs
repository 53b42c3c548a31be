//! Ring, drain, journal and seal: everything that happens once per record and needs no Python.
//!
//! `ring` keeps canonical lines in shared memory until `drain` appends them to the `journal`; `domain`
//! is the memory that all processes of one journal share; `process` is one process's place in it.
//! Under `--cfg loom` there is only what loom models: the ring.

#[cfg(not(loom))]
pub mod archive;
#[cfg(not(loom))]
pub mod buffer;
#[cfg(not(loom))]
pub mod clock;
#[cfg(not(loom))]
pub mod console;
#[cfg(not(loom))]
pub mod domain;
#[cfg(not(loom))]
pub mod drain;
#[cfg(not(loom))]
pub mod error;
#[cfg(not(loom))]
pub mod filter;
#[cfg(not(loom))]
pub mod format;
#[cfg(not(loom))]
mod futex;
#[cfg(not(loom))]
pub mod journal;
pub mod level;
#[cfg(not(loom))]
pub mod line;
#[cfg(not(loom))]
pub mod mine;
#[cfg(not(loom))]
mod owner;
#[cfg(not(loom))]
mod priority;
#[cfg(not(loom))]
pub mod process;
#[cfg(not(loom))]
pub mod recognise;
#[cfg(not(loom))]
pub mod redact;
#[cfg(not(loom))]
pub mod retention;
pub mod ring;
#[cfg(not(loom))]
pub mod seal;
mod sync;
#[cfg(not(loom))]
pub mod textfile;
