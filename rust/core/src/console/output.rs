//! The console as an output of a process.
#![allow(unsafe_code)]

use std::io::{Error, Write};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{render, Style};
use crate::format::Batch;
use crate::line::grouped;
use crate::process::ProcessOutput;
use crate::ring::Frames;

const PATIENCE: Duration = Duration::from_secs(1);

/// Shows records on a file descriptor, usually 2, as long as somebody is there to see them.
#[derive(Debug)]
pub struct ConsoleOutput {
    style: Arc<Style>,
    batch: Batch,
    descriptor: RawFd,
    closed: bool,
    text: Vec<u8>,
    /// Where in `text` each record ends.
    ends: Vec<usize>,
    /// Records given up on, not reported yet.
    unseen: u64,
    /// The last write ended inside a line.
    torn: bool,
}

impl ConsoleOutput {
    #[must_use]
    pub fn new(style: Arc<Style>, descriptor: RawFd) -> Self {
        let (text, ends) = (Vec::new(), Vec::new());
        let batch = Batch::default();
        Self { style, batch, descriptor, closed: false, text, ends, unseen: 0, torn: false }
    }

    /// Writes `text` and returns how much of it was taken within a second of waiting.
    fn write_text(&mut self) -> usize {
        let mut written = 0;
        let mut deadline = None;
        while written < self.text.len() {
            let rest = whole_lines(&self.text[written..]);
            // SAFETY: `rest` is readable for its length; a bad descriptor is an error, not a fault.
            let count = unsafe { libc::write(self.descriptor, rest.as_ptr().cast(), rest.len()) };
            if let Ok(count) = usize::try_from(count) {
                written += count;
                continue;
            }
            match Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN) => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                    if !wait_writable(self.descriptor, deadline) {
                        break;
                    }
                }
                Some(libc::EPIPE | libc::EBADF) => {
                    self.closed = true;
                    break;
                }
                _ => break,
            }
        }
        written
    }
}

impl ProcessOutput for ConsoleOutput {
    fn write(&mut self, frames: Frames<'_>, lost: u64) {
        if self.closed {
            return;
        }
        self.text.clear();
        self.ends.clear();
        if self.torn {
            self.text.extend_from_slice(if self.style.colour { b"\x1b[0m\n" } else { b"\n" });
        }
        let unseen = self.unseen + lost;
        if unseen > 0 {
            push_lost(unseen, &mut self.text);
        }
        let reported = self.text.len();
        for frame in frames.filter(|frame| self.style.shows(frame.level)) {
            let index = Some(frame.sequence);
            render(frame.line, index, &self.style, &mut self.batch, &mut self.text);
            self.ends.push(self.text.len());
        }
        let written = self.write_text();
        let shown = self.ends.partition_point(|end| *end <= written);
        let skipped = (self.ends.len() - shown) as u64;
        self.unseen = if written < reported { unseen + skipped } else { skipped };
        if written > 0 {
            self.torn = self.text[written - 1] != b'\n';
        }
    }
}

/// As many lines as a pipe takes in one piece, so that what the program itself writes to the same place
/// never stands inside one of them (POSIX: writes of up to `PIPE_BUF` bytes are atomic).
fn whole_lines(text: &[u8]) -> &[u8] {
    let piece = &text[..text.len().min(libc::PIPE_BUF)];
    match memchr::memrchr(b'\n', piece) {
        Some(end) => &text[..=end],
        // A line that is longer than a piece.
        None => memchr::memchr(b'\n', text).map_or(text, |end| &text[..=end]),
    }
}

/// `treering: 1,204 records not shown`
fn push_lost(count: u64, out: &mut Vec<u8>) {
    let records = if count == 1 { "record" } else { "records" };
    // A vector takes everything.
    let _ = writeln!(out, "treering: {} {records} not shown", grouped(count));
}

/// True when the descriptor may take more before the deadline, or has an error to report.
fn wait_writable(descriptor: RawFd, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let milliseconds = i32::try_from(left.as_millis()).unwrap_or(i32::MAX).max(1);
        let mut place = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
        // SAFETY: one live pollfd.
        let ready = unsafe { libc::poll(&raw mut place, 1, milliseconds) };
        if ready > 0 {
            return true;
        }
        if ready < 0 && Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return false;
        }
    }
}
