//! JSON strings.
#![allow(unsafe_code)]

/// The most bytes one byte of input can become.
pub const ESCAPED_BYTES: usize = 6;

const HEX: &[u8; 16] = b"0123456789abcdef";
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes of a word that are not copied as they are: below 0x20, `"`, `\`, 0x7F and above. May also mark
/// a byte after a real one; never misses one.
#[inline]
fn special(word: u64) -> u64 {
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    let delete = (word ^ (ONES * 0x7f)).wrapping_sub(ONES);
    (control | quote | backslash | delete | word) & HIGHS
}

/// Writes the inside of a JSON string (no quotes) and returns the place after it.
///
/// # Safety
/// `text` is UTF-8 and `out` is good for `text.len() * ESCAPED_BYTES` bytes.
#[inline]
pub unsafe fn write_escaped(mut out: *mut u8, text: &[u8]) -> *mut u8 {
    let mut at = 0;
    let length = text.len();
    // SAFETY: reads stay below `length`; every byte read writes at most ESCAPED_BYTES.
    unsafe {
        while at + 8 <= length {
            let word = text.as_ptr().add(at).cast::<u64>().read_unaligned().to_le();
            let found = special(word);
            if found == 0 {
                out.cast::<u64>().write_unaligned(word.to_le());
                out = out.add(8);
                at += 8;
                continue;
            }
            let plain = (found.trailing_zeros() / 8) as usize;
            std::ptr::copy_nonoverlapping(text.as_ptr().add(at), out, plain);
            out = out.add(plain);
            at += plain;
            (out, at) = write_one(out, text, at);
        }
        while at < length {
            let byte = *text.get_unchecked(at);
            if (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\' {
                *out = byte;
                out = out.add(1);
                at += 1;
            } else {
                (out, at) = write_one(out, text, at);
            }
        }
    }
    out
}

/// Writes the character at `at`, escaped where it must be.
///
/// # Safety
/// As `write_escaped`; `at < text.len()`.
unsafe fn write_one(out: *mut u8, text: &[u8], at: usize) -> (*mut u8, usize) {
    let rest = &text[at..];
    let (escape, taken): (&[u8], usize) = match rest {
        [b'"', ..] => (b"\\\"", 1),
        [b'\\', ..] => (b"\\\\", 1),
        [8, ..] => (b"\\b", 1),
        [9, ..] => (b"\\t", 1),
        [10, ..] => (b"\\n", 1),
        [12, ..] => (b"\\f", 1),
        [13, ..] => (b"\\r", 1),
        [byte @ (0..=0x1f | 0x7f), ..] => return (unsafe { write_hex(out, *byte) }, at + 1),
        // SAFETY of the line above and the next: six bytes, as the caller has made sure.
        // C1 controls, U+0080 to U+009F: a terminal may take U+009B for an escape sequence.
        [0xc2, byte @ 0x80..=0x9f, ..] => return (unsafe { write_hex(out, *byte) }, at + 2),
        // Line and paragraph separator: some tools end a line there.
        [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
        [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
        [byte, ..] => (std::slice::from_ref(byte), 1),
        [] => (b"", 0),
    };
    // SAFETY: at most six bytes for at least one byte of input.
    (unsafe { super::write_bytes(out, escape) }, at + taken)
}

/// # Safety
/// `out` is good for six bytes.
unsafe fn write_hex(out: *mut u8, byte: u8) -> *mut u8 {
    let escape =
        [b'\\', b'u', b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    // SAFETY: promised by the caller.
    unsafe { super::write_bytes(out, &escape) }
}

/// Appends a JSON string, quotes included.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() * ESCAPED_BYTES + 2);
    out.push(b'"');
    // SAFETY: room for the worst case was reserved; `set_len` covers exactly what was written.
    unsafe {
        let begin = out.as_mut_ptr().add(out.len());
        let end = write_escaped(begin, text.as_bytes());
        out.set_len(out.len() + usize::try_from(end.offset_from(begin)).unwrap_or(0));
    }
    out.push(b'"');
}

/// Bytes as text: what is not UTF-8 becomes visible, `\xNN` for each byte.
#[must_use]
pub fn visible(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes
            .utf8_chunks()
            .fold(String::with_capacity(bytes.len()), |mut text, chunk| {
                text.push_str(chunk.valid());
                for byte in chunk.invalid() {
                    text.push_str(&format!("\\x{byte:02x}"));
                }
                text
            })
            .into(),
    }
}

/// The text of a JSON string; `None` when it is not one.
#[must_use]
pub fn read_string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests {
    use super::push_string;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        push_string(&mut out, text);
        String::from_utf8(out).expect("utf-8")
    }

    #[test]
    fn controls_and_separators_are_escaped_and_the_rest_is_not() {
        assert_eq!(written("a\"b\\c\n\r\t\u{8}\u{c}"), r#""a\"b\\c\n\r\t\b\f""#);
        assert_eq!(
            written("\0\u{1b}[31m\u{7f}\u{9b}\u{2028}\u{2029}"),
            r#""\u0000\u001b[31m\u007f\u009b\u2028\u2029""#
        );
        assert_eq!(written("Grüße, 世界 🌲"), "\"Grüße, 世界 🌲\"");
    }

    proptest! {
        #[test]
        fn every_string_reads_back(text in any::<String>()) {
            let line = written(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&line).expect("json"), text);
            let ends_lines = ['\u{2028}', '\u{2029}'];
            prop_assert!(!line.chars().any(|char| char.is_control() || ends_lines.contains(&char)));
        }

        #[test]
        fn every_ascii_position_is_scanned(plain in "[ -~]{0,40}", byte in 0_u8..128, at in 0_usize..40) {
            let mut text = plain;
            text.insert(at.min(text.len()), char::from(byte));
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).expect("json"), text);
        }
    }
}
