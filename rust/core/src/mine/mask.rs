//! What is certainly a value: numbers, addresses, identifiers, paths and times become `<*>`.
//!
//! Written by hand and not as regular expressions: each word is looked at once, most of them only for
//! whether they have a digit or a slash.

/// What stands where messages differ.
pub const VARIABLE: &str = "<*>";

/// Words after this many are one variable.
pub const MAX_WORDS: usize = 100;
/// Of a word this much is looked at.
const MAX_WORD_BYTES: usize = 512;

/// A message as words, with its certain values taken out.
#[derive(Debug, Default)]
pub struct Masked {
    text: String,
    ends: Vec<usize>,
    /// The last word was a date without its year.
    wants_year: bool,
}

impl Masked {
    /// Takes a message; what was in here before is gone.
    pub fn set(&mut self, message: &str) {
        self.text.clear();
        self.ends.clear();
        self.wants_year = false;
        for word in message.split_ascii_whitespace() {
            if self.ends.len() == MAX_WORDS {
                self.text.push_str(VARIABLE);
                self.ends.push(self.text.len());
                return;
            }
            if std::mem::take(&mut self.wants_year) && is_year(word) {
                continue;
            }
            mask_word(cut(word), &mut self.text);
            self.ends.push(self.text.len());
            self.fold_date();
        }
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn word(&self, at: usize) -> &str {
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[from..self.ends[at]]
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.word(at))
    }

    /// `Fri Jun 17 07:07:00 2005` has been four or five words and is one value.
    fn fold_date(&mut self) {
        let count = self.len();
        if count < 3 || self.word(count - 1) != VARIABLE || self.word(count - 2) != VARIABLE {
            return;
        }
        let mut from = count - 3;
        if !MONTHS.contains(&self.word(from)) {
            return;
        }
        if from > 0 && DAYS.contains(&self.word(from - 1)) {
            from -= 1;
        }
        self.ends.truncate(from);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        self.text.push_str(VARIABLE);
        self.ends.push(self.text.len());
        self.wants_year = true;
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn cut(word: &str) -> &str {
    let mut end = word.len().min(MAX_WORD_BYTES);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    &word[..end]
}

fn mask_word(word: &str, out: &mut String) {
    if !word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'/') {
        out.push_str(word);
        return;
    }
    let begin = word.len() - word.trim_start_matches(['(', '[', '{', '<', '"', '\'', '`']).len();
    let end = begin + word[begin..].trim_end_matches(is_closing).len();
    let core = &word[begin..end];
    out.push_str(&word[..begin]);
    let from = out.len();
    if let Some(at) = core.find("://") {
        out.push_str(&core[..at + 3]);
        out.push_str(VARIABLE);
    } else if core.len() > 1 && core.starts_with('/') || is_address(core) {
        out.push_str(VARIABLE);
    } else if let Some(at) = core.find("=/").or_else(|| core.find(":/")) {
        mask_pieces(&core[..=at], out);
        out.push_str(VARIABLE);
    } else {
        mask_pieces(core, out);
    }
    collapse(out, from);
    out.push_str(&word[end..]);
}

/// An IPv6 address, a MAC, or a time.
fn is_address(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    word.bytes().all(is_part) && word.bytes().filter(|&byte| byte == b':').count() > 1
}

fn is_closing(letter: char) -> bool {
    matches!(letter, ')' | ']' | '}' | '>' | '"' | '\'' | '`' | ',' | ';' | ':' | '.' | '!' | '?')
}

/// A piece is what lies between signs that separate: `key=value`, `host:port`, `f(x)`.
pub fn is_piece(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%') || byte >= 0x80
}

fn mask_pieces(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let is_text = is_piece(bytes[at]);
        let from = at;
        while at < bytes.len() && is_piece(bytes[at]) == is_text {
            at += 1;
        }
        if is_text {
            mask_piece(&text[from..at], out);
        } else {
            out.push_str(&text[from..at]);
        }
    }
}

/// From the first part that is a number on, it is a value: `blk_<*>`, `part-<*>`, `<*>`.
fn mask_piece(piece: &str, out: &mut String) {
    let mut from = 0;
    for part in piece.split(['_', '-', '.']) {
        if is_number(part) {
            out.push_str(without_sign(&piece[..from]));
            out.push_str(VARIABLE);
            return;
        }
        from += part.len() + 1;
    }
    let stem = piece.trim_end_matches(|letter: char| letter.is_ascii_digit());
    if piece.len() - stem.len() >= 4 {
        out.push_str(stem);
        out.push_str(VARIABLE);
    } else {
        out.push_str(piece);
    }
}

/// A `-` that does not join two parts belongs to the number behind it.
fn without_sign(head: &str) -> &str {
    match head.strip_suffix('-') {
        Some(rest) if rest.is_empty() || rest.ends_with(['_', '-', '.']) => rest,
        _ => head,
    }
}

fn is_number(part: &str) -> bool {
    let bytes = part.as_bytes();
    let is_hex = || {
        bytes.len() >= 8
            && bytes.iter().all(u8::is_ascii_hexdigit)
            && bytes.iter().any(u8::is_ascii_digit)
    };
    bytes.first().is_some_and(u8::is_ascii_digit) || is_hex()
}

/// A time, an IPv6 address and a MAC are one value and not three or more with colons between.
fn collapse(out: &mut String, from: usize) {
    const THREE: &str = "<*>:<*>:<*>";
    while let Some(at) = out[from..].find(THREE) {
        out.replace_range(from + at..from + at + THREE.len(), VARIABLE);
    }
}
