//! Frames: how records lie in the ring.
//!
//! ```text
//! 0        4       6       8                16                24          24+len   padded to 8
//! | length | level | flags | timestamp, ns  | sequence        | line ...  | (zero) |
//! ```

use crate::level::Level;

pub const FRAME_HEADER_BYTES: usize = 24;

/// One committed record, borrowed from a ring or from a copy of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    pub level: Level,
    /// Nanoseconds since the Unix epoch, UTC.
    pub timestamp_ns: u64,
    /// Place among the records of its process, from 0.
    pub sequence: u64,
    /// The canonical line, without line feed.
    pub line: &'a [u8],
}

/// Bytes a line of this length takes in the ring.
#[inline]
#[must_use]
pub fn frame_bytes(line_bytes: usize) -> usize {
    FRAME_HEADER_BYTES + ((line_bytes + 7) & !7)
}

pub(crate) fn header(
    length: usize,
    level: Level,
    timestamp_ns: u64,
    sequence: u64,
) -> [u8; FRAME_HEADER_BYTES] {
    let mut bytes = [0; FRAME_HEADER_BYTES];
    bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
    bytes[4..6].copy_from_slice(&level.to_le_bytes());
    bytes[8..16].copy_from_slice(&timestamp_ns.to_le_bytes());
    bytes[16..].copy_from_slice(&sequence.to_le_bytes());
    bytes
}

/// Appends a frame as a ring has it, with another line.
pub(crate) fn push_frame(out: &mut Vec<u8>, frame: &Frame<'_>, line: &[u8]) {
    let end = out.len() + frame_bytes(line.len());
    out.extend_from_slice(&header(line.len(), frame.level, frame.timestamp_ns, frame.sequence));
    out.extend_from_slice(line);
    out.resize(end, 0);
}

/// Walks committed frames, oldest first. Stops at the first frame that cannot be one.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    bytes: &'a [u8],
}

impl<'a> Frames<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Bytes not yet walked; not empty after the last frame only when the ring is damaged.
    #[must_use]
    pub fn rest(&self) -> usize {
        self.bytes.len()
    }
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        if self.bytes.len() < FRAME_HEADER_BYTES {
            return None;
        }
        let length = u32::from_le_bytes(take(self.bytes, 0)) as usize;
        let total = frame_bytes(length);
        if length == 0 || total > self.bytes.len() {
            return None;
        }
        let frame = Frame {
            level: u16::from_le_bytes(take(self.bytes, 4)),
            timestamp_ns: u64::from_le_bytes(take(self.bytes, 8)),
            sequence: u64::from_le_bytes(take(self.bytes, 16)),
            line: &self.bytes[FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + length],
        };
        self.bytes = &self.bytes[total..];
        Some(frame)
    }
}
