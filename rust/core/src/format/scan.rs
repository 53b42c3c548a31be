//! Walking over JSON without building anything: what a value spans, and that it is one.

use super::raw::Raw;

/// Values may be nested as deep as `serde_json` reads them.
pub const DEEPEST: usize = 127;

/// A place in a text that holds no control characters. Every method gives `None` where the text is
/// not JSON.
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    pub fn is_at_end(&mut self) -> bool {
        self.skip_spaces();
        self.at == self.text.len()
    }

    /// Takes a byte if it is next.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes one of some keys, each with its quotes and colon, if it is next; says which.
    #[inline]
    pub fn expected(&mut self, keys: &[&str]) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        // The letter after the quote tells most keys apart, and costs no call.
        let letter = *rest.get(1)?;
        let is_next =
            |key: &&str| key.as_bytes().get(1) == Some(&letter) && rest.starts_with(key.as_bytes());
        let found = keys.iter().position(is_next)?;
        self.at += keys[found].len();
        Some(found)
    }

    /// Takes a key and its colon; the key with its quotes.
    pub fn key(&mut self) -> Option<Raw<'a>> {
        self.skip_spaces();
        let begin = self.at;
        if self.peek() != Some(b'"') {
            return None;
        }
        self.string()?;
        let key = Raw::new(&self.text[begin..self.at]);
        self.take(b':').then_some(key)
    }

    pub fn value(&mut self, depth: usize) -> Option<Raw<'a>> {
        self.skip_spaces();
        let begin = self.at;
        match self.peek()? {
            b'"' => self.string()?,
            b'{' => self.members(depth, b'}')?,
            b'[' => self.members(depth, b']')?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => self.number()?,
        }
        Some(Raw::new(&self.text[begin..self.at]))
    }

    fn members(&mut self, depth: usize, close: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.at += 1;
        if self.take(close) {
            return Some(());
        }
        loop {
            if close == b'}' {
                self.key()?;
            }
            self.value(depth)?;
            if self.take(close) {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let found = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    fn string(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            at = mark(bytes, at)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Some(());
            }
            at += escape(&bytes[at + 1..])? + 1;
        }
    }

    fn number(&mut self) -> Option<()> {
        self.at += usize::from(self.peek() == Some(b'-'));
        let begin = self.at;
        if self.digits()? > 1 && self.text.as_bytes()[begin] == b'0' {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(count)
    }
}

/// Where the next quote or backslash is. Most strings are too short to call a search for.
#[inline]
fn mark(bytes: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    while let Some(word) = bytes.get(at..at + 8).and_then(|word| word.try_into().ok()) {
        let word = u64::from_le_bytes(word);
        // The lowest mark is exact, those above it may not be.
        let found = zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|found| at + found)
}

/// Bytes of an escape after its backslash. Half a surrogate pair is no character.
fn escape(rest: &[u8]) -> Option<usize> {
    match rest.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(1),
        b'u' => match unit(rest)? {
            0xd800..=0xdbff => {
                let low = rest.get(5..).filter(|rest| rest.first() == Some(&b'\\'))?;
                matches!(unit(&low[1..])?, 0xdc00..=0xdfff).then_some(11)
            }
            0xdc00..=0xdfff => None,
            _ => Some(5),
        },
        _ => None,
    }
}

/// The UTF-16 unit of `uXXXX`.
fn unit(rest: &[u8]) -> Option<u32> {
    let digits = rest.get(1..5).filter(|_| rest[0] == b'u')?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}
