//! Canonical lines read from left to right, without building values.
//!
//! `serde_json` would do, but rounds whole numbers above 2^64, of which the digits are wanted here.

use std::borrow::Cow;

use crate::line::read_string;

/// As deep as `serde_json` reads.
const MAX_DEPTH: usize = 128;

/// A place in a JSON text. Every method takes what it reads, and gives `None` where that is not there.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The first byte of the next value or sign.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at)?, b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        Some(bytes[self.at])
    }

    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    fn take(&mut self, sign: u8) -> Option<()> {
        (self.peek()? == sign).then(|| self.at += 1)
    }

    /// Calls `member` with each key of an object; it takes the value.
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Option<()>,
    ) -> Option<()> {
        self.list(b'{', b'}', |reader| {
            let key = reader.string()?;
            reader.take(b':')?;
            member(reader, key)
        })
    }

    /// Calls `element` at each value of an array; it takes the value.
    pub fn array(&mut self, element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.list(b'[', b']', element)
    }

    fn list(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        if self.peek()? != close {
            item(self)?;
            while self.peek()? == b',' {
                self.at += 1;
                item(self)?;
            }
        }
        self.depth -= 1;
        self.take(close)
    }

    /// Text. An escape that means no character, half a surrogate pair, stays as it is written.
    pub fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let begin = self.at;
        let bytes = self.text.as_bytes();
        let mut is_escaped = false;
        loop {
            self.at += memchr::memchr2(b'"', b'\\', bytes.get(self.at..)?)?;
            if bytes[self.at] == b'"' {
                break;
            }
            is_escaped = true;
            self.at += 2;
        }
        let inside = &self.text[begin..self.at];
        self.at += 1;
        if inside.bytes().any(|byte| byte < b' ') {
            return None;
        }
        if is_escaped {
            let quoted = &self.text[begin - 1..self.at];
            return Some(read_string(quoted).map_or(Cow::Borrowed(inside), Cow::Owned));
        }
        Some(Cow::Borrowed(inside))
    }

    /// A number, as it is written.
    pub fn number(&mut self) -> Option<&'a str> {
        self.peek()?;
        let begin = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        let leading_zero = self.byte() == Some(b'0');
        let digits = self.digits()?;
        if leading_zero && digits > 1 {
            return None;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(&self.text[begin..self.at])
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn digits(&mut self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(count)
    }

    /// `true`, `false` or `null`, as it is written.
    pub fn word(&mut self) -> Option<&'static str> {
        self.peek()?;
        let rest = &self.text[self.at..];
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(word)
    }

    /// The next value as it is written.
    pub fn raw(&mut self) -> Option<&'a str> {
        self.peek()?;
        let begin = self.at;
        self.skip()?;
        Some(&self.text[begin..self.at])
    }

    fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(|reader, _| reader.skip()),
            b'[' => self.array(Self::skip),
            b'"' => self.string().map(drop),
            b't' | b'f' | b'n' => self.word().map(drop),
            _ => self.number().map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use proptest::prelude::*;

    fn reads(text: &str) -> bool {
        let mut reader = Reader::new(text);
        reader.raw().is_some() && reader.is_at_end()
    }

    #[test]
    fn json_is_read_and_what_is_none_is_not() {
        for text in ["0", "-0.5e+3", " [ ] ", "{\"a\" : [1,\"\\\"\",null]}", "\"\\ud800\"", "12e5"]
        {
            assert!(reads(text), "{text}");
        }
        for text in
            ["", "01", "1.", ".5", "+1", "[1,]", "{,}", "{\"a\"}", "\"a", "\"\\", "\"\n\"", "tru"]
        {
            assert!(!reads(text), "{text}");
        }
        assert!(!reads(&"[".repeat(10_000)));
    }

    proptest! {
        #[test]
        fn nothing_is_read_that_is_no_json(text in "[\\[\\]{}:, \"a0-9.eE+-]{0,12}") {
            prop_assert_eq!(reads(&text), serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }

        #[test]
        fn any_text_ends(text in any::<String>()) {
            reads(&text);
        }
    }
}
