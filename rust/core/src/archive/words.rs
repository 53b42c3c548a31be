//! What a word is, for text search: `docs/concepts/archive-files.md` has the definition in full.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

use crate::line::read_string;

/// FNV-1a, 64 bits (RFC 9923): short words are hashed where they stand.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// ASCII bytes of words, lower-cased; 0 for the others.
const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        let ascii = byte as u8;
        if ascii.is_ascii_alphanumeric() || ascii == b'_' {
            table[byte] = ascii.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Calls `each` with the hash of every word of a text.
#[inline]
pub(super) fn hash_words(text: &str, mut each: impl FnMut(u64)) {
    let bytes = text.as_bytes();
    let (mut at, mut hash) = (0, OFFSET);
    let mut begin = 0;
    while let Some(byte) = bytes.get(at) {
        match ASCII.get(usize::from(*byte)) {
            Some(0) => {
                if begin < at {
                    each(hash);
                    hash = OFFSET;
                }
                at += 1;
                begin = at;
            }
            Some(lower) => {
                hash = (hash ^ u64::from(*lower)).wrapping_mul(PRIME);
                at += 1;
            }
            None => {
                let char = text[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
                if is_part(char) {
                    let mut utf8 = [0; 4];
                    for byte in lower(char).encode_utf8(&mut utf8).bytes() {
                        hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
                    }
                    at += char.len_utf8();
                } else {
                    if begin < at {
                        each(hash);
                        hash = OFFSET;
                    }
                    at += char.len_utf8();
                    begin = at;
                }
            }
        }
    }
    if begin < at {
        each(hash);
    }
}

/// Letters and digits, the general categories L and N, as ranges in order.
///
/// Rust's `char::is_alphanumeric` has some marks besides, which neither Python nor RE2 takes for letters.
static PARTS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let parsed = regex_syntax::parse(r"[\p{L}\p{N}]").ok();
    match parsed.as_ref().map(regex_syntax::hir::Hir::kind) {
        Some(HirKind::Class(Class::Unicode(class))) => {
            class.ranges().iter().map(|range| (range.start(), range.end())).collect()
        }
        _ => Vec::new(),
    }
});

/// Part of a word.
fn is_part(char: char) -> bool {
    if char.is_ascii() {
        return ASCII[char as usize] != 0;
    }
    let after = PARTS.partition_point(|(first, _)| *first <= char);
    after > 0 && char <= PARTS[after - 1].1
}

/// One character for one, so that a word keeps its length: the simple lower case of Unicode, which is the
/// first character of the full one.
fn lower(char: char) -> char {
    char.to_lowercase().next().unwrap_or(char)
}

/// The words of a text as they are compared, lower-cased, in order.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    text.split(|char: char| !is_part(char))
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().map(lower).collect())
        .collect()
}

/// The words of all strings, numbers and names in a JSON text; of the text itself where it is none.
pub(super) fn hash_json(json: &str, mut each: impl FnMut(u64)) {
    if memchr::memchr(b'\\', json.as_bytes()).is_none() {
        return hash_words(json, each);
    }
    let mut rest = json;
    while let Some(quote) = rest.find('"') {
        hash_words(&rest[..quote], &mut each);
        let end = quote + string_bytes(&rest[quote..]);
        match read_string(&rest[quote..end]) {
            Some(text) => hash_words(&text, &mut each),
            None => hash_words(&rest[quote..end], &mut each),
        }
        rest = &rest[end..];
    }
    hash_words(rest, each);
}

/// Bytes of the JSON string with which the text begins, quotes included.
fn string_bytes(json: &str) -> usize {
    let bytes = json.as_bytes();
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found + 1;
        if bytes[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hashes(text: &str) -> Vec<u64> {
        let mut found = Vec::new();
        hash_words(text, |hash| found.push(hash));
        found
    }

    fn hash(word: &str) -> u64 {
        word.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
    }

    #[test]
    fn letters_digits_and_underscores_of_any_language_make_words() {
        let found = words("User_7 öffnete ÄRGER-Straße, ٣ İstanbul; ε=Ω_ 日本語。x नि Ⓐ²");

        let expected = [
            "user_7",
            "öffnete",
            "ärger",
            "straße",
            "٣",
            "istanbul",
            "ε",
            "ω_",
            "日本語",
            "x",
            "न",
            "²",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn escapes_in_json_are_no_part_of_words() {
        let mut found = Vec::new();
        hash_json(r#"{"a":"one\ntwo","b":[1.5,"\u00e4X\\"],"c":"d"}"#, |hash| found.push(hash));

        let expected = ["a", "one", "two", "b", "1", "5", "äx", "c", "d"].map(hash);
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn hashes_are_those_of_the_words(text in any::<String>()) {
            let expected: Vec<u64> = words(&text).iter().map(|word| hash(word)).collect();
            prop_assert_eq!(hashes(&text), expected);
        }

        #[test]
        fn words_of_json_are_those_of_its_strings(texts in proptest::collection::vec(any::<String>(), 0..4)) {
            let json = serde_json::to_string(&texts).expect("JSON");
            let mut found = Vec::new();
            hash_json(&json, |hash| found.push(hash));
            let expected: Vec<u64> = texts.iter().flat_map(|text| hashes(text)).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn anything_can_stand_where_json_should(text in any::<String>()) {
            hash_json(&text, |_| ());
        }
    }
}
