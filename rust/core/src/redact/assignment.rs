//! Secrets that are named where they stand in a text: `password=…`, `Authorization: …`, `'token': '…'`.

use super::keys::Keys;
use super::pseudonym;
use super::rules::MASK;
use super::secrets::{end_of, looks_secret, Hit};

const MAX_KEY_BYTES: usize = 64;
const MAX_SPACES: usize = 32;

/// Authentication schemes (RFC 9110, 11) whose credentials are one word, and those with many.
const SCHEMES: [&str; 6] = ["bearer", "basic", "token", "apikey", "negotiate", "ntlm"];
const LONG_SCHEMES: [&str; 5] = ["digest", "aws4-hmac-sha256", "signature", "hawk", "oauth"];

/// Not a secret, whatever it is assigned to.
const NOTHING: [&str; 7] = ["none", "null", "nil", "true", "false", "undefined", "nan"];

/// How sentences go on after `password:`.
const PROSE: [&str; 46] = [
    "accepted",
    "an",
    "and",
    "are",
    "cannot",
    "changed",
    "denied",
    "does",
    "empty",
    "expired",
    "failed",
    "flag",
    "for",
    "from",
    "granted",
    "has",
    "if",
    "in",
    "incorrect",
    "instead",
    "invalid",
    "is",
    "mismatch",
    "missing",
    "must",
    "no",
    "not",
    "ok",
    "on",
    "option",
    "or",
    "refused",
    "rejected",
    "required",
    "reset",
    "set",
    "should",
    "the",
    "to",
    "too",
    "unexpected",
    "unknown",
    "was",
    "when",
    "with",
    "wrong",
];

/// The value that a sensitive key is given in a text; `at` is where `literal` bytes of the key stand.
pub fn find(text: &[u8], at: usize, literal: usize, keys: &Keys, mask: &str) -> Hit {
    let begin = text[at.saturating_sub(MAX_KEY_BYTES)..at]
        .iter()
        .rposition(|byte| !is_key(*byte))
        .map_or(at.saturating_sub(MAX_KEY_BYTES), |found| {
            at.saturating_sub(MAX_KEY_BYTES) + found + 1
        });
    let limit = text.len().min(at + literal + MAX_KEY_BYTES);
    let end = end_of(&text[..limit], at + literal, is_key);
    let nothing = Hit::Nothing(end.max(at + 1));
    let Some(separator) =
        Separator::after(text, end).or_else(|| Separator::of_form(text, begin, end))
    else {
        return nothing;
    };
    let key = String::from_utf8_lossy(&text[begin..end]);
    if !keys.is_sensitive(&key) {
        return nothing;
    }
    let from = separator.end;
    let value = Value { text, from, key: &key, separator: &separator };
    match value.end() {
        Some((from, end)) if end > from && !is_redacted(&text[from..], mask) => {
            Hit::Secret(from..end)
        }
        _ => nothing,
    }
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_redacted(value: &[u8], mask: &str) -> bool {
    let begin = &value[..value.len().min(pseudonym::BYTES)];
    value.starts_with(MASK.as_bytes())
        || !mask.is_empty() && value.starts_with(mask.as_bytes())
        || value.starts_with(b"***")
        || pseudonym::is_one(begin)
}

fn quote_at(text: &[u8], at: usize) -> Option<usize> {
    let quote = end_of(text, at.min(text.len()), |byte| byte == b'\\');
    text.get(quote).filter(|byte| b"\"'`".contains(byte)).map(|_| quote)
}

/// What stands between key and value.
struct Separator {
    /// The key was in quotes: this is data, not prose.
    quoted: bool,
    colon: bool,
    /// The value ends where the element does.
    is_element: bool,
    end: usize,
}

impl Separator {
    fn after(text: &[u8], at: usize) -> Option<Self> {
        let quote = quote_at(text, at);
        let mut at = quote.map_or(at, |quote| quote + 1);
        if text.get(at) == Some(&b']') {
            at += 1;
        }
        at = spaces(text, at);
        let (length, colon) = match text.get(at..)? {
            [b'=', b'>' | b'=', ..] | [b':', b'=', ..] => (2, false),
            [b'=', ..] => (1, false),
            [b':', b':' | b'/', ..] => return None,
            [b':', ..] => (1, true),
            _ => return None,
        };
        let end = spaces(text, at + length);
        Some(Self { quoted: quote.is_some(), colon, is_element: false, end })
    }

    /// What tells a key by what stands before it: `--password x`, `<password>x`.
    fn of_form(text: &[u8], begin: usize, end: usize) -> Option<Self> {
        let is_element = begin > 0 && text[begin - 1] == b'<' && text.get(end) == Some(&b'>');
        let value = if is_element { end + 1 } else { spaces(text, end) };
        let is_option = text[begin..end].starts_with(b"--")
            && value > end
            && !matches!(text.get(value), Some(b'-' | b'<') | None);
        // An option may stand in a sentence as well.
        let colon = is_option;
        (is_element || is_option).then_some(Self { quoted: false, colon, is_element, end: value })
    }
}

fn spaces(text: &[u8], at: usize) -> usize {
    let limit = text.len().min(at + MAX_SPACES);
    end_of(&text[..limit], at.min(limit), |byte| byte == b' ')
}

struct Value<'a> {
    text: &'a [u8],
    from: usize,
    key: &'a str,
    separator: &'a Separator,
}

impl Value<'_> {
    fn end(&self) -> Option<(usize, usize)> {
        let (text, from) = (self.text, self.from);
        if self.separator.is_element {
            // Up to any tag, so that elements that are never closed are not searched again and again.
            let tag = memchr::memchr(b'<', &text[from..]).map(|length| from + length);
            return match tag {
                Some(end) => text[end..].starts_with(b"</").then_some((from, end)),
                None => Some((from, word_end(text, from))),
            };
        }
        let prefix = usize::from(matches!(text.get(from), Some(b'b' | b'B' | b'u' | b'r')));
        if let Some(quote) = quote_at(text, from).or_else(|| quote_at(text, from + prefix)) {
            let inside = quote + 1;
            let escape = text[..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
            let end = quoted_end(text, inside, text[quote], escape);
            return self.is_convincing(&text[inside..end]).then_some((inside, end));
        }
        match text.get(from)? {
            b'{' | b'[' => Some((from, bracket_end(text, from))),
            b'(' if self.separator.quoted => Some((from, bracket_end(text, from))),
            _ => self.bare(),
        }
    }

    /// A value without quotes.
    fn bare(&self) -> Option<(usize, usize)> {
        let (text, from) = (self.text, self.from);
        let end = word_end(text, from);
        let word = String::from_utf8_lossy(&text[from..end]).to_ascii_lowercase();
        if NOTHING.contains(&&*word) {
            return None;
        }
        let key = self.key.to_ascii_lowercase();
        if key.contains("authorization") {
            let next = spaces(text, end);
            if SCHEMES.contains(&&*word) && next > end {
                return Some((from, word_end(text, next)));
            }
            if LONG_SCHEMES.contains(&&*word) {
                return Some((from, end_of(text, end, |byte| byte != b'\n')));
            }
        }
        if key.contains("cookie") {
            return Some((from, cookies_end(text, end)));
        }
        self.is_convincing(&text[from..end]).then_some((from, end))
    }

    /// Is this a value, and not how a sentence goes on after `token:`?
    fn is_convincing(&self, value: &[u8]) -> bool {
        if !self.separator.colon || self.separator.quoted || looks_secret(value) {
            return true;
        }
        let key = self.key.to_ascii_lowercase();
        let parts = ["pass", "pwd", "secret", "credential", "authorization", "cookie"];
        let is_prose = PROSE.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
        !is_prose && parts.iter().any(|part| key.contains(part))
    }
}

/// The end of a bare value: a comma ends it only before a space or the next key.
fn word_end(text: &[u8], from: usize) -> usize {
    let mut end = from;
    while let Some(byte) = text.get(end) {
        let ends = match byte {
            b';' | b'&' | b'"' | b'\'' | b'`' | b'<' | b'>' => true,
            b'\\' => matches!(text.get(end + 1), Some(b'"' | b'\'' | b'n' | b'r' | b't')),
            b',' => ends_item(&text[end + 1..]),
            other => other.is_ascii_whitespace(),
        };
        if ends {
            break;
        }
        end += 1;
    }
    while end > from && b",.)]}".contains(&text[end - 1]) {
        end -= 1;
    }
    end
}

/// Does the next key of a list begin here?
fn ends_item(rest: &[u8]) -> bool {
    let limit = rest.len().min(MAX_KEY_BYTES);
    let key = end_of(&rest[..limit], 0, is_key);
    rest.first().is_none_or(u8::is_ascii_whitespace) || key > 0 && rest.get(key) == Some(&b'=')
}

/// `a=1; b=2`: the whole header.
fn cookies_end(text: &[u8], mut end: usize) -> usize {
    while text.get(end) == Some(&b';') {
        let next = spaces(text, end + 1);
        let following = word_end(text, next);
        if following == next {
            break;
        }
        end = following;
    }
    end
}

/// Where a quoted value ends; its closing quote has as many backslashes as the opening one.
fn quoted_end(text: &[u8], from: usize, quote: u8, escape: usize) -> usize {
    let mut slashes = 0;
    for (at, byte) in text.iter().enumerate().skip(from) {
        if *byte == b'\\' {
            slashes += 1;
            continue;
        }
        let closes = if escape == 0 { slashes % 2 == 0 } else { slashes == escape };
        if *byte == quote && closes {
            return at - slashes.min(escape);
        }
        slashes = 0;
    }
    text.len()
}

/// Where the bracket that opens at `from` is closed; the end of the text when it is not.
fn bracket_end(text: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate().skip(from) {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}
