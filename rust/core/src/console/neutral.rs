//! Text that cannot act on a terminal or forge a line.

use std::io::Write;

/// Appends `text` with everything that could move a cursor, colour, reorder or break the line made
/// visible: C0 and C1 controls, DEL, line separators, bidirectional controls (U+202A to U+202E, U+2066
/// to U+2069, U+200E, U+200F, U+061C).
pub fn push_neutral(out: &mut Vec<u8>, text: &str) {
    let mut from = 0;
    for (at, char) in text.char_indices() {
        if !is_acting(char) {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[from..at]);
        from = at + char.len_utf8();
        // Writing to memory cannot fail.
        let _ = match char {
            '\n' => out.write_all(b"\\n"),
            '\r' => out.write_all(b"\\r"),
            '\t' => out.write_all(b"\\t"),
            low if u32::from(low) < 0x100 => write!(out, "\\x{:02x}", u32::from(low)),
            high => write!(out, "\\u{:04x}", u32::from(high)),
        };
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
}

fn is_acting(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}')
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
