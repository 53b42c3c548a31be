//! One template while it is being found.

use super::mask::{Masked, VARIABLE};
use super::tree::Seen;
use super::word::{common, compare, Compared};

/// So many examples are kept of each template.
const MAX_EXAMPLES: usize = 3;
/// Of an example this much is kept.
const MAX_EXAMPLE_BYTES: usize = 2_000;

/// A message as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub index: u64,
    pub message: String,
}

/// A template and what was seen of it.
#[derive(Debug, Clone)]
pub struct Template {
    pub id: u32,
    pub text: String,
    pub count: u64,
    pub first: Seen,
    pub last: Seen,
    pub examples: Vec<Example>,
}

#[derive(Debug)]
pub struct Cluster {
    pub group: u32,
    pub words: Vec<Box<str>>,
    /// Units behind a number that differ: they are part of that number.
    pub units: u128,
    /// Every message so far was this one, byte for byte.
    pub is_constant: bool,
    pub count: u64,
    pub first: Seen,
    pub last: Seen,
    pub used: u64,
    pub examples: Vec<Example>,
}

/// How near a message is to a template.
#[derive(Debug, Clone, Copy)]
pub struct Nearness {
    /// Share of words that are the same.
    pub same: f64,
    /// Plain words that differ.
    pub words: usize,
}

impl Cluster {
    pub fn new(group: u32, masked: &Masked, seen: Seen) -> Self {
        Self {
            group,
            words: masked.words().map(Into::into).collect(),
            units: 0,
            is_constant: true,
            count: 0,
            first: seen,
            last: seen,
            used: 0,
            examples: Vec::new(),
        }
    }

    /// Counts a message and keeps it as an example while there is room for one that differs.
    pub fn keep(&mut self, seen: Seen, message: &str) {
        self.count += 1;
        self.first = self.first.min(seen);
        self.last = self.last.max(seen);
        let message = shortened(message);
        self.is_constant &= self.examples.first().is_none_or(|first| first.message == message);
        if self.examples.len() < MAX_EXAMPLES
            && self.examples.iter().all(|known| known.message != message)
        {
            self.examples.push(Example { index: seen.index, message: message.to_owned() });
        }
    }

    pub fn nearness(&self, masked: &Masked) -> Nearness {
        let (mut same, mut words) = (0, 0);
        for (at, template) in self.words.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| &*self.words[at]);
            match compare(template, masked.word(at), before) {
                Compared::Same | Compared::Units => same += 1,
                Compared::Fits | Compared::Values => {}
                Compared::Words => words += 1,
            }
        }
        let count = u32::try_from(self.words.len()).unwrap_or(u32::MAX).max(1);
        Nearness { same: f64::from(same) / f64::from(count), words }
    }

    /// Makes a variable of every place where the message differs; says whether any did.
    pub fn widen<'a>(&mut self, words: impl Iterator<Item = &'a str>) -> bool {
        let mut changed = false;
        for (at, word) in words.enumerate() {
            let before = at.checked_sub(1).map(|at| &*self.words[at]);
            match compare(&self.words[at], word, before) {
                Compared::Same | Compared::Fits => continue,
                Compared::Units => self.units |= 1_u128.checked_shl(at as u32).unwrap_or(0),
                Compared::Values | Compared::Words => {}
            }
            self.words[at] = common(&self.words[at], word).into();
            changed = true;
        }
        changed
    }

    /// Takes over what another cluster has seen, whose template this one covers.
    pub fn absorb(&mut self, other: Cluster) {
        self.widen(other.words.iter().map(|word| &**word));
        self.units |= other.units;
        self.is_constant = false;
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.used = self.used.max(other.used);
        for example in other.examples {
            if self.examples.len() < MAX_EXAMPLES {
                self.examples.push(example);
            }
        }
    }

    /// The template's text. A call site that always said the same says it exactly.
    pub fn text(&self, is_site: bool) -> String {
        if is_site && self.is_constant {
            if let Some(first) = self.examples.first() {
                return first.message.clone();
            }
        }
        let mut out = String::new();
        for (at, word) in self.words.iter().enumerate() {
            if self.units & 1_u128.checked_shl(at as u32).unwrap_or(0) != 0 {
                out.push_str(word.strip_prefix(VARIABLE).unwrap_or(word));
                continue;
            }
            if at > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
        out
    }
}

fn shortened(message: &str) -> &str {
    let mut end = message.len().min(MAX_EXAMPLE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}
