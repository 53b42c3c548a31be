//! Text that a terminal only shows: whatever it would obey is spelled out instead.
//!
//! A record may carry what a stranger typed. Escape sequences could repaint the screen, line feeds
//! could forge records, and bidirectional controls could make a line read as another.

use std::io::Write;

pub fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends text with everything obeyed spelled out: `\n`, `\x1b`, `\u202e`.
pub fn push_text(text: &str, out: &mut Vec<u8>) {
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        if is_obeyed(character) {
            out.extend_from_slice(&text.as_bytes()[plain..at]);
            push_spelled(character, out);
            plain = at + character.len_utf8();
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
}

/// Appends a key or value, in quotes only when it could not be told from its surroundings without.
pub fn push_word(text: &str, out: &mut Vec<u8>) {
    let ambiguous =
        |character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '=');
    if !text.is_empty() && !text.contains(ambiguous) {
        return push_text(text, out);
    }
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\\']) {
        push_text(&rest[..at], out);
        out.extend_from_slice(&[b'\\', rest.as_bytes()[at]]);
        rest = &rest[at + 1..];
    }
    push_text(rest, out);
    out.push(b'"');
}

fn push_spelled(character: char, out: &mut Vec<u8>) {
    match (character, u32::from(character)) {
        ('\n', _) => out.extend_from_slice(b"\\n"),
        ('\r', _) => out.extend_from_slice(b"\\r"),
        ('\t', _) => out.extend_from_slice(b"\\t"),
        (_, code @ 0..=0xff) => push_number(format_args!("\\x{code:02x}"), out),
        (_, code) => push_number(format_args!("\\u{code:04x}"), out),
    }
}

fn push_number(number: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    // A vector takes everything.
    let _ = out.write_fmt(number);
}

#[cfg(test)]
mod tests {
    use super::push_word;

    fn word(text: &str) -> String {
        let mut out = Vec::new();
        push_word(text, &mut out);
        String::from_utf8(out).expect("utf-8")
    }

    #[test]
    fn words_are_quoted_only_when_needed() {
        assert_eq!(word("password"), "password");
        assert_eq!(word(r"C:\logs"), r"C:\logs");
        assert_eq!(word(""), r#""""#);
        assert_eq!(word("a b"), r#""a b""#);
        assert_eq!(word("a=b"), r#""a=b""#);
        assert_eq!(word(r#"say "hi" \o/"#), r#""say \"hi\" \\o/""#);
        assert_eq!(word("a\nb"), r#""a\nb""#);
    }

    #[test]
    fn what_terminals_obey_is_spelled_out() {
        assert_eq!(word("\u{1b}[2J"), r"\x1b[2J");
        assert_eq!(word("\u{7f}\u{9b}31m"), r"\x7f\x9b31m");
        assert_eq!(word("\u{202e}txt\u{2066}"), r"\u202etxt\u2066");
        assert_eq!(word("日本é"), "日本é");
    }
}
