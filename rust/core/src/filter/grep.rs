//! Finding text in a line, whatever its case and however JSON spells it.

use memchr::{memchr, memchr2_iter, memmem};

/// True when the line, as written or as meant, contains the needle in any case.
pub fn contains(line: &[u8], needle: &str) -> bool {
    if contains_spelled(line, needle) {
        return true;
    }
    memchr(b'\\', line).is_some() && contains_spelled(unescaped(line).as_bytes(), needle)
}

/// False only when no string of the line can be, and no literal can read as, `value`.
pub fn may_contain(line: &[u8], value: &str) -> bool {
    // Numbers may be written otherwise than they are compared, and so may anything escaped.
    let plain = value.starts_with(|first: char| first.is_ascii_alphabetic())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    !plain || memchr(b'\\', line).is_some() || memmem::find(line, value.as_bytes()).is_some()
}

fn contains_spelled(line: &[u8], needle: &str) -> bool {
    if !needle.is_ascii() {
        return String::from_utf8_lossy(line).to_lowercase().contains(&needle.to_lowercase());
    }
    let Some(first) = needle.bytes().next() else {
        return true;
    };
    memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), line).any(|at| {
        line[at..]
            .get(..needle.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(needle.as_bytes()))
    })
}

/// The line with its escapes resolved; what is no escape stays.
fn unescaped(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        // A pair of surrogates is one character, so the longer spelling is tried first.
        let spelled = [12, 6, 2].into_iter().find_map(|length| {
            let escape = rest.get(at..at + length)?;
            let mut chars = decoded(escape)?.chars().collect::<Vec<_>>().into_iter();
            chars.next().filter(|_| chars.next().is_none()).map(|character| (character, length))
        });
        let (character, length) = spelled.unwrap_or(('\\', 1));
        out.push(character);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

fn decoded(escape: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{escape}\"")).ok()
}
