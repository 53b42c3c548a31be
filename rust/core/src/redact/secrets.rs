//! Secrets that are known by their form: tokens and keys with a prefix, key blocks, URL passwords.
//!
//! A matcher gets a text and where in it a literal of its rule stands. It answers with the place of the
//! secret, or with where to look on: never before what it has already read, so that all of it is linear.

use std::ops::Range;

use base64::Engine;
use memchr::memmem;

/// What a matcher found at a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit {
    Secret(Range<usize>),
    /// Nothing before this place.
    Nothing(usize),
}

/// How far a URL's user and password may reach.
const MAX_AUTHORITY_BYTES: usize = 512;

pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_token(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// The first place from `at` on where `accepts` does not hold.
pub fn end_of(text: &[u8], at: usize, accepts: impl Fn(u8) -> bool) -> usize {
    text[at..].iter().position(|byte| !accepts(*byte)).map_or(text.len(), |count| at + count)
}

fn is_free(text: &[u8], at: usize) -> bool {
    at == 0 || !is_word(text[at - 1])
}

/// Is this more than a word of prose?
pub fn looks_secret(token: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| token.iter().any(kind);
    let mixed = has(u8::is_ascii_lowercase) && token.iter().skip(1).any(u8::is_ascii_uppercase);
    token.len() >= 24 || token.len() >= 8 && (has(u8::is_ascii_digit) || mixed)
}

/// `eyJ….eyJ….…` (RFC 7519), signed, unsigned or encrypted.
pub fn jwt(text: &[u8], at: usize) -> Hit {
    let header = end_of(text, at, is_token);
    let payload = header + 1;
    if header - at >= 8
        && text.get(header) == Some(&b'.')
        && text.get(payload).is_some_and(|byte| is_token(*byte))
    {
        let whole = end_of(text, payload, |byte| is_token(byte) || byte == b'.');
        let trimmed =
            text[at..whole].iter().rposition(|byte| *byte != b'.').map_or(whole, |n| at + n + 1);
        return Hit::Secret(at..trimmed);
    }
    Hit::Nothing(header.max(at + 1))
}

/// Access key ids: a prefix and 16 capitals and digits.
pub fn aws(text: &[u8], at: usize) -> Hit {
    let end = end_of(text, at, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let ends = end == text.len() || !is_word(text[end]);
    if end - at == 20 && ends && is_free(text, at) {
        Hit::Secret(at..end)
    } else {
        Hit::Nothing(end.max(at + 1))
    }
}

/// A prefix and at least `least` letters, digits, dashes and underscores.
fn prefixed(text: &[u8], at: usize, prefix: usize, least: usize) -> Hit {
    // Asked first: a run of such prefixes that are not free would be read once for each.
    if !is_free(text, at) {
        return Hit::Nothing(at + 1);
    }
    let end = end_of(text, at + prefix, is_token);
    if end - at >= prefix + least {
        Hit::Secret(at..end)
    } else {
        Hit::Nothing(at + 1)
    }
}

pub fn google(text: &[u8], at: usize) -> Hit {
    match text[at] {
        b'A' => prefixed(text, at, 4, 35),
        b'y' => prefixed(text, at, 5, 20),
        _ => prefixed(text, at, 7, 20),
    }
}

pub fn github(text: &[u8], at: usize) -> Hit {
    let prefix = if text[at + 2] == b't' { 11 } else { 4 };
    prefixed(text, at, prefix, 20)
}

pub fn slack(text: &[u8], at: usize) -> Hit {
    match text.get(at + 4) {
        Some(b'-') => prefixed(text, at, 5, 10),
        _ => Hit::Nothing(at + 1),
    }
}

/// Keys of Stripe, `OpenAI` and its likes, GitLab, npm, Hugging Face, `SendGrid` and `PyPI`.
pub fn api_key(text: &[u8], at: usize) -> Hit {
    match &text[at..] {
        [b'k', ..] if at > 0 && matches!(text[at - 1], b's' | b'r') => {
            prefixed(text, at - 1, 8, 10)
        }
        [b's', b'k', ..] => match prefixed(text, at, 3, 20) {
            Hit::Secret(place) if looks_secret(&text[at + 3..place.end]) => Hit::Secret(place),
            _ => Hit::Nothing(at + 1),
        },
        [b'g', ..] => prefixed(text, at, 6, 20),
        [b'n', ..] => prefixed(text, at, 4, 30),
        [b'h', ..] => prefixed(text, at, 3, 30),
        [b'p', ..] => prefixed(text, at, 5, 50),
        [b'S', ..] => match prefixed(text, at, 3, 16) {
            Hit::Secret(place) if text.get(place.end) == Some(&b'.') => {
                Hit::Secret(at..end_of(text, place.end + 1, is_token))
            }
            _ => Hit::Nothing(at + 1),
        },
        _ => Hit::Nothing(at + 1),
    }
}

/// The token after `bearer ` (RFC 6750), user and password after `basic ` (RFC 7617).
pub fn bearer(text: &[u8], at: usize) -> Hit {
    let is_whole_word = at > 0 && matches!(text[at - 1], b'b' | b'B') && is_free(text, at - 1);
    let Some(space) = memchr::memchr(b' ', &text[at..]).filter(|_| is_whole_word) else {
        return Hit::Nothing(at + 1);
    };
    let begin = end_of(text, at + space, |byte| byte == b' ');
    let end = end_of(text, begin, |byte| is_token(byte) || b".~+/=:".contains(&byte));
    let token = &text[begin..end];
    let secret = if text[at].eq_ignore_ascii_case(&b'e') {
        looks_secret(token) || token.len() >= 20
    } else {
        is_basic(token)
    };
    if secret {
        Hit::Secret(begin..end)
    } else {
        Hit::Nothing(end.max(at + 1))
    }
}

fn is_basic(token: &[u8]) -> bool {
    let decoded = base64::engine::general_purpose::STANDARD.decode(token);
    token.len() >= 4 && decoded.is_ok_and(|pair| pair.contains(&b':'))
}

/// A PEM block (RFC 7468) with a private key, to its end or that of the text; a key of age.
pub fn private_key(text: &[u8], at: usize) -> Hit {
    const END: &[u8] = b"-----END ";
    if text[at] == b'A' {
        return prefixed(text, at, 16, 20);
    }
    let label = at + 11;
    let label_end = end_of(text, label, |byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
    });
    if memmem::find(&text[label..label_end], b"PRIVATE KEY").is_none() {
        return Hit::Nothing(label_end.max(at + 1));
    }
    let Some(end) = memmem::find(&text[label_end..], END).map(|found| label_end + found) else {
        return Hit::Secret(at..text.len());
    };
    let close = end_of(text, end + END.len(), |byte| byte.is_ascii_alphanumeric() || byte == b' ');
    Hit::Secret(at..end_of(text, close, |byte| byte == b'-'))
}

/// The password of `scheme://user:password@host`. A slash in it, which a URL may not have, is seen too.
pub fn url_password(text: &[u8], at: usize) -> Hit {
    let begin = at + 3;
    let limit = text.len().min(begin + MAX_AUTHORITY_BYTES);
    let end = end_of(&text[..limit], begin, |byte| {
        !byte.is_ascii_whitespace() && !b"\"'`<>\\".contains(&byte)
    });
    let authority = end_of(&text[..end], begin, |byte| !b"/?#".contains(&byte));
    let colon = memchr::memchr2(b':', b'@', &text[begin..authority]).map(|found| begin + found);
    let Some(password) = colon.filter(|place| text[*place] == b':').map(|place| place + 1) else {
        return Hit::Nothing(begin);
    };
    let is_port = text[password..authority].iter().all(u8::is_ascii_digit);
    let at_sign = match memchr::memrchr(b'@', &text[password..authority]) {
        None if !is_port && text[begin] != b'[' => memchr::memchr(b'@', &text[password..end]),
        found => found,
    };
    match at_sign {
        Some(length) if length > 0 => Hit::Secret(password..password + length),
        _ => Hit::Nothing(begin),
    }
}
