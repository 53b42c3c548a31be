//! How two words of the same place in two messages compare.

use super::mask::{is_piece, VARIABLE};

/// After these words comes a name, in whatever message.
const BEFORE_NAMES: [&str; 8] =
    ["user", "username", "host", "hostname", "account", "client", "node", "server"];

const UNITS: [&str; 14] =
    ["B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "bytes", "ns", "us", "ms", "s", "min"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// The same text.
    Same,
    /// The variable of a template takes it.
    Fits,
    /// Both look like values.
    Values,
    /// Both are units behind a number: `5 KB`, `3 MB`.
    Units,
    /// Plain words: rather two templates than one.
    Words,
}

/// Compares a template's word with a message's; `before` is the word before it.
pub fn compare(template: &str, word: &str, before: Option<&str>) -> Compared {
    if template == word {
        Compared::Same
    } else if fits(template, word) {
        Compared::Fits
    } else if before.is_some_and(|word| word.ends_with(VARIABLE))
        && is_unit(template)
        && is_unit(word)
    {
        Compared::Units
    } else if before.is_some_and(is_before_name) || (is_value(template) && is_value(word)) {
        Compared::Values
    } else {
        Compared::Words
    }
}

fn fits(template: &str, word: &str) -> bool {
    let Some((head, _)) = template.split_once(VARIABLE) else { return false };
    let Some((_, tail)) = template.rsplit_once(VARIABLE) else { return false };
    word.len() >= head.len() + tail.len() && word.starts_with(head) && word.ends_with(tail)
}

fn is_unit(word: &str) -> bool {
    let stem = word.trim_end_matches([')', ']', ',', ';', '.', ':']);
    UNITS.contains(&stem) || stem == VARIABLE
}

fn is_before_name(word: &str) -> bool {
    BEFORE_NAMES.contains(&word)
}

/// Has it a form that words of a language do not have?
pub fn is_value(word: &str) -> bool {
    let stem = word.trim_end_matches(['.', ',', ':', ';', '!', '?', ')', ']', '\'', '"']);
    let stem = stem.trim_start_matches(['(', '[', '\'', '"']);
    stem.is_empty() || stem.bytes().any(|byte| byte.is_ascii_digit() || b"./_@\\*".contains(&byte))
}

/// What two words have in common, whole pieces only: `user=root`, `user=guest` have `user=<*>`.
pub fn common(one: &str, other: &str) -> String {
    let head = boundary(one, other, shared(one.bytes(), other.bytes()));
    let room = one.len().min(other.len()) - head;
    let tail = shared(one.bytes().rev(), other.bytes().rev()).min(room);
    let tail = boundary_back(one, other, tail);
    format!("{}{VARIABLE}{}", &one[..head], &one[one.len() - tail..]).replace("<*><*>", VARIABLE)
}

fn shared(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).count()
}

/// The last place at or before `at` where pieces end and no `<*>` is cut.
fn boundary(one: &str, other: &str, mut at: usize) -> usize {
    let inside = |text: &str, at: usize| {
        let bytes = text.as_bytes();
        !text.is_char_boundary(at)
            || at > 0 && at < bytes.len() && is_part(bytes[at - 1]) && is_part(bytes[at])
            || at > 0 && is_part(bytes[at - 1]) && at == bytes.len()
    };
    while at > 0 && (inside(one, at) || inside(other, at)) {
        at -= 1;
    }
    at
}

fn boundary_back(one: &str, other: &str, mut tail: usize) -> usize {
    let inside = |text: &str, tail: usize| {
        let (at, bytes) = (text.len() - tail, text.as_bytes());
        !text.is_char_boundary(at)
            || at > 0 && at < bytes.len() && is_part(bytes[at - 1]) && is_part(bytes[at])
            || at == 0 && tail > 0 && is_part(bytes[0])
    };
    while tail > 0 && (inside(one, tail) || inside(other, tail)) {
        tail -= 1;
    }
    tail
}

/// The signs of `<*>` count as a piece, so that it stays whole.
fn is_part(byte: u8) -> bool {
    is_piece(byte) && byte != b'.' || matches!(byte, b'<' | b'*' | b'>')
}
