//! The console as a process output: standard error, or another descriptor.
#![allow(unsafe_code)]

use std::io::Write;
use std::os::fd::RawFd;

use super::{grouped, render, Style};
use crate::process::ProcessOutput;
use crate::ring::Frames;

/// Milliseconds to wait for a terminal that takes nothing at the moment.
const PATIENCE_MS: i32 = 1000;

/// Writes rendered records to a descriptor, a batch at a time.
#[derive(Debug)]
pub struct ConsoleOutput {
    style: Style,
    descriptor: RawFd,
    buffer: Vec<u8>,
    /// Nobody reads any more: a closed descriptor or pipe.
    is_gone: bool,
}

impl ConsoleOutput {
    #[must_use]
    pub fn new(style: Style, descriptor: RawFd) -> Self {
        Self { style, descriptor, buffer: Vec::new(), is_gone: false }
    }

    fn write_out(&mut self) {
        let mut rest = &self.buffer[..];
        while !rest.is_empty() && !self.is_gone {
            // SAFETY: the range is our own buffer.
            let written = unsafe { libc::write(self.descriptor, rest.as_ptr().cast(), rest.len()) };
            if let Ok(written) = usize::try_from(written) {
                rest = &rest[written..];
                continue;
            }
            match std::io::Error::last_os_error().kind() {
                std::io::ErrorKind::Interrupted => {}
                std::io::ErrorKind::WouldBlock => {
                    let mut poll = libc::pollfd { fd: self.descriptor, events: libc::POLLOUT, revents: 0 };
                    // SAFETY: one descriptor, one struct.
                    if unsafe { libc::poll(&raw mut poll, 1, PATIENCE_MS) } <= 0 {
                        return;
                    }
                }
                _ => self.is_gone = true,
            }
        }
    }
}

impl ProcessOutput for ConsoleOutput {
    fn write(&mut self, frames: Frames<'_>, lost: u64) {
        if self.is_gone {
            return;
        }
        self.buffer.clear();
        if lost > 0 {
            // Writing to memory cannot fail.
            let _ = writeln!(self.buffer, "treering: {} records not shown", grouped(lost));
        }
        for frame in frames {
            render(frame.line, &self.style, &mut self.buffer);
            if self.buffer.len() > 64 << 10 {
                self.write_out();
                self.buffer.clear();
            }
        }
        self.write_out();
        self.buffer.clear();
    }
}
