//! The precise pass: a canonical line read token by token, its strings judged as the text they mean.

use super::rules::Action;
use super::Redactor;
use crate::line::push_string;

/// Objects and lists within each other before a line is taken as plain text.
const MAX_DEPTH: usize = 200;

/// Keys of the record itself whose values Treering makes; a value of them never is a secret.
const STRUCTURAL: [&[u8]; 6] =
    [b"timestamp", b"level", b"process", b"thread", b"trace_id", b"span_id"];

/// Not a line that we wrote.
struct NotCanonical;

pub struct Rewriter<'a> {
    redactor: &'a Redactor,
    line: &'a [u8],
    at: usize,
    out: &'a mut Vec<u8>,
    /// Keys decide, too: the line comes from elsewhere.
    by_key: bool,
    count: u64,
}

impl<'a> Rewriter<'a> {
    /// Appends the redacted line to `out`; returns how many secrets it had. With none, what was appended
    /// is not to be used.
    pub fn run(redactor: &'a Redactor, line: &'a [u8], by_key: bool, out: &'a mut Vec<u8>) -> u64 {
        let begin = out.len();
        let mut rewriter = Self { redactor, line, at: 0, out, by_key, count: 0 };
        if rewriter.value(0).is_ok() && rewriter.at == line.len() {
            return rewriter.count;
        }
        rewriter.out.truncate(begin);
        let Some((redacted, count)) = redactor.text(&crate::line::visible(line)) else {
            return 0;
        };
        rewriter.out.extend_from_slice(redacted.as_bytes());
        count
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Result<(), NotCanonical> {
        if self.peek() != Some(byte) {
            return Err(NotCanonical);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), NotCanonical> {
        match self.peek() {
            _ if depth > MAX_DEPTH => Err(NotCanonical),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => {
                let json = self.string()?;
                self.push_text(json, false);
                Ok(())
            }
            Some(_) => {
                let token = self.bare()?;
                self.push_bare(token);
                Ok(())
            }
            None => Err(NotCanonical),
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), NotCanonical> {
        self.take(b'[')?;
        self.out.push(b'[');
        let mut is_first = true;
        while self.peek() != Some(b']') {
            if !is_first {
                self.take(b',')?;
                self.out.push(b',');
            }
            is_first = false;
            self.value(depth + 1)?;
        }
        self.at += 1;
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), NotCanonical> {
        self.take(b'{')?;
        self.out.push(b'{');
        let (mut is_first, mut changed) = (true, 0_u32);
        while self.peek() != Some(b'}') {
            if !is_first {
                self.take(b',')?;
            }
            is_first = false;
            let key = self.string()?;
            self.take(b':')?;
            let begin = self.out.len();
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            if self.push_text(key, true) {
                changed += 1;
                if changed > 1 {
                    // Two secrets as keys of one object stay two fields.
                    self.out.pop();
                    self.out.extend_from_slice(format!(" {changed}\"").as_bytes());
                }
            }
            self.out.push(b':');
            if depth == 0 && STRUCTURAL.contains(&&key[1..key.len() - 1]) {
                let from = self.at;
                self.skip(depth + 1)?;
                self.out.extend_from_slice(&self.line[from..self.at]);
            } else if !self.sensitive(key, begin, depth)? {
                self.value(depth + 1)?;
            }
        }
        self.at += 1;
        self.out.push(b'}');
        Ok(())
    }

    /// Redacts the value at hand when its key asks for it; the field began at `begin` of the output.
    fn sensitive(&mut self, key: &[u8], begin: usize, depth: usize) -> Result<bool, NotCanonical> {
        if !self.by_key || !self.redactor.key(&meant(key)) {
            return Ok(false);
        }
        let from = self.at;
        self.skip(depth + 1)?;
        let value = &self.line[from..self.at];
        if matches!(value, b"true" | b"false" | b"null") || self.redactor.is_redacted(value) {
            self.out.extend_from_slice(value);
            return Ok(true);
        }
        self.count += 1;
        match self.redactor.key_action() {
            Action::Drop => self.out.truncate(begin),
            _ => self.redactor.push_for_json(value, self.out),
        }
        Ok(true)
    }

    /// Passes over a value.
    fn skip(&mut self, depth: usize) -> Result<(), NotCanonical> {
        match self.peek() {
            Some(open @ (b'{' | b'[')) if depth <= MAX_DEPTH => {
                let close = open + 2;
                self.at += 1;
                let mut is_first = true;
                while self.peek() != Some(close) {
                    if !is_first {
                        self.take(b',')?;
                    }
                    is_first = false;
                    if open == b'{' {
                        self.string()?;
                        self.take(b':')?;
                    }
                    self.skip(depth + 1)?;
                }
                self.at += 1;
                Ok(())
            }
            Some(b'"') => self.string().map(drop),
            Some(b'{' | b'[') | None => Err(NotCanonical),
            Some(_) => self.bare().map(drop),
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Result<&'a [u8], NotCanonical> {
        let line = self.line;
        let from = self.at;
        self.take(b'"')?;
        loop {
            let found = memchr::memchr2(b'"', b'\\', line.get(self.at..).unwrap_or_default());
            self.at += found.ok_or(NotCanonical)?;
            if line[self.at] == b'"' {
                self.at += 1;
                return Ok(&line[from..self.at]);
            }
            self.at += 2;
        }
    }

    /// A number or a constant, by its looks.
    fn bare(&mut self) -> Result<&'a [u8], NotCanonical> {
        let line = self.line;
        let from = self.at;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        self.at += line[from..].iter().take_while(|byte| is_part(byte)).count();
        match &line[from..self.at] {
            token @ ([b'-' | b'0'..=b'9', ..] | b"true" | b"false" | b"null") => Ok(token),
            _ => Err(NotCanonical),
        }
    }

    /// Appends a string, redacted where it must be. True when it was.
    fn push_text(&mut self, json: &[u8], is_key: bool) -> bool {
        let redacted = self.redactor.text(&meant(json));
        let Some((text, count)) = redacted else {
            self.out.extend_from_slice(json);
            return false;
        };
        self.count += count;
        let empty_key = is_key && text.is_empty();
        push_string(self.out, if empty_key { "<dropped>" } else { &text });
        true
    }

    fn push_bare(&mut self, token: &[u8]) {
        let Some(rule) = self.redactor.number(token) else {
            return self.out.extend_from_slice(token);
        };
        self.count += 1;
        match self.redactor.action_of(rule) {
            Action::Drop => self.out.extend_from_slice(b"null"),
            _ => push_string(self.out, &self.redactor.replacement(rule, token)),
        }
    }
}

/// What a JSON string means, without its quotes.
fn meant(json: &[u8]) -> std::borrow::Cow<'_, str> {
    let inside = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    if !inside.contains(&b'\\') {
        return String::from_utf8_lossy(inside);
    }
    let read = std::str::from_utf8(json).ok().and_then(crate::line::read_string);
    read.map_or_else(|| String::from_utf8_lossy(inside), Into::into)
}
