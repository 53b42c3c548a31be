//! The console, as a process output.

use std::sync::Arc;

use treering_core::process::{OutputFactory, ProcessOutput};
use treering_core::ring::Frames;

struct Raw;

impl ProcessOutput for Raw {
    fn write(&mut self, frames: Frames<'_>, _: u64) {
        use std::io::Write;
        for frame in frames {
            let _ = std::io::stderr().write_all(&[frame.line, b"\n"].concat());
        }
    }
}

pub fn factory(_colour: bool, _json: bool) -> OutputFactory {
    Arc::new(move || Box::new(Raw))
}
