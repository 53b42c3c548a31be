//! Names of fields where a shape wants each only once, or spelled its own way.

use std::io::Write;
use std::ops::Range;

/// The names written so far, as places in the output.
#[derive(Debug, Default)]
pub struct Names {
    written: Vec<Range<usize>>,
    /// A bit for each kind of name written: most new ones are of a new kind, and none of the others.
    kinds: u64,
}

impl Names {
    pub fn clear(&mut self) {
        self.written.clear();
        self.kinds = 0;
    }

    /// Appends what `write` writes, at most `most` bytes of it; a name that was there before gets a
    /// number: `user_id_2`.
    pub fn push(&mut self, most: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = out.len();
        write(out);
        out.truncate(begin.saturating_add(most));
        let end = out.len();
        let mut number = 1;
        while self.is_taken(out, begin) {
            number += 1;
            let suffix = format!("_{number}");
            out.truncate(end.min(begin.saturating_add(most.saturating_sub(suffix.len()))));
            // A vector takes everything.
            let _ = write!(out, "{suffix}");
        }
        self.kinds |= kind(&out[begin..]);
        self.written.push(begin..out.len());
    }

    fn is_taken(&self, out: &[u8], begin: usize) -> bool {
        self.kinds & kind(&out[begin..]) != 0
            && self.written.iter().any(|place| out[place.clone()] == out[begin..])
    }
}

fn kind(name: &[u8]) -> u64 {
    let (first, last) = (name.first().copied(), name.last().copied());
    let ends = u32::from(first.unwrap_or(0)) * 5 + u32::from(last.unwrap_or(0)) * 3;
    1 << ((ends + name.len() as u32) % 64)
}

/// Appends a name with every character that `allowed` refuses replaced by `_`; `_` for an empty one.
pub fn push_cleaned(name: &str, allowed: impl Fn(char) -> bool, out: &mut Vec<u8>) {
    if name.is_empty() {
        return out.push(b'_');
    }
    if name.bytes().all(|byte| byte.is_ascii() && allowed(byte.into())) {
        return out.extend_from_slice(name.as_bytes());
    }
    let mut buffer = [0; 4];
    for character in name.chars() {
        let character = if allowed(character) { character } else { '_' };
        out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
    }
}
