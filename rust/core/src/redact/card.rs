//! Payment card numbers: issuer, length, grouping and the Luhn digit (ISO/IEC 7812-1) must all fit, so
//! that ids, times and measured values stay what they are.

use std::ops::Range;

const LEAST_DIGITS: usize = 13;
const MOST_DIGITS: usize = 19;
/// How far before a run an escape can reach that changes what stands before it: `\u0080`.
const ESCAPE_BYTES: usize = 6;
const BLOCK_BYTES: usize = 64;

#[inline]
fn is_part(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b' ' || byte == b'-'
}

/// Could a canonical line hold a card number? Looks at every other word of four bytes: a run of 13 has
/// one that lies wholly in it.
#[inline]
pub fn is_suspect(line: &[u8]) -> bool {
    let mut blocks = line.chunks_exact(BLOCK_BYTES);
    let (mut begin, mut read) = (0, 0);
    for block in blocks.by_ref() {
        // Byte by byte, so that the compiler takes many together.
        let mut parts = [0_u8; BLOCK_BYTES];
        for (part, byte) in parts.iter_mut().zip(block) {
            *part = if is_part(*byte) { 0xff } else { 0 };
        }
        let full = |word: &[u8]| word[..4] == [0xff; 4];
        if parts.chunks_exact(8).fold(false, |any, word| any | full(word)) {
            let mut places = (begin..begin + BLOCK_BYTES).step_by(8);
            if places.any(|at| word_suspect(line, at, &mut read)) {
                return true;
            }
        }
        begin += BLOCK_BYTES;
    }
    (begin..line.len().saturating_sub(3)).step_by(8).any(|at| word_suspect(line, at, &mut read))
}

/// Everything before `read` was judged with an earlier word of its run.
fn word_suspect(line: &[u8], at: usize, read: &mut usize) -> bool {
    if at < *read || !line[at..at + 4].iter().all(|byte| is_part(*byte)) {
        return false;
    }
    let run = run_around(line, at);
    *read = run.end;
    run.len() >= LEAST_DIGITS && run_suspect(line, &run)
}

fn run_suspect(line: &[u8], run: &Range<usize>) -> bool {
    let before = &line[run.start.saturating_sub(ESCAPE_BYTES)..run.start];
    let digits = line[run.clone()].iter().filter(|byte| byte.is_ascii_digit()).count();
    digits >= LEAST_DIGITS
        && (before.contains(&b'\\') || first_in_run(line, run.clone(), run.start).is_some())
}

fn run_around(text: &[u8], at: usize) -> Range<usize> {
    let start = text[..at].iter().rposition(|byte| !is_part(*byte)).map_or(0, |found| found + 1);
    let end = text[at..].iter().position(|byte| !is_part(*byte)).map_or(text.len(), |n| at + n);
    start..end
}

/// Calls `found` with the place of every card number in a text.
pub fn find(text: &[u8], mut found: impl FnMut(Range<usize>)) {
    let mut at = LEAST_DIGITS - 1;
    while at < text.len() {
        if !is_part(text[at]) {
            at += LEAST_DIGITS - 1;
            continue;
        }
        let run = run_around(text, at);
        let mut from = run.start;
        while let Some(card) = first_in_run(text, run.clone(), from) {
            from = card.end;
            found(card);
        }
        at = run.end + LEAST_DIGITS - 1;
    }
}

/// Is this the text of a JSON number that is a card number?
pub fn is_number(token: &[u8]) -> bool {
    token.iter().all(u8::is_ascii_digit) && is_card(token)
}

/// The first card number of a run of digits, spaces and dashes that begins at `from` or later.
fn first_in_run(text: &[u8], run: Range<usize>, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while at < run.end {
        let begins = text[at].is_ascii_digit() && (at == 0 || !text[at - 1].is_ascii_digit());
        if begins && is_free_before(text, at) {
            if let Some(end) = card_end(text, at, run.end) {
                return Some(at..end);
            }
        }
        at += 1;
    }
    None
}

/// Not a part of an identifier, a hash or a fraction.
fn is_free_before(text: &[u8], at: usize) -> bool {
    match text[..at] {
        [.., before, b'.'] => !before.is_ascii_digit(),
        [.., before] => !is_word(before),
        [] => true,
    }
}

fn is_free_after(text: &[u8], at: usize) -> bool {
    match text[at..] {
        [b'.', after, ..] => !after.is_ascii_digit(),
        [after, ..] => !is_word(after),
        [] => true,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the card number ends that begins at `at`: one group, or groups as they are embossed.
fn card_end(text: &[u8], at: usize, limit: usize) -> Option<usize> {
    let (mut digits, mut length) = ([0_u8; MOST_DIGITS], 0);
    let (mut groups, mut count) = ([0_usize; 5], 0);
    let (mut place, mut separator, mut longest) = (at, None, None);
    loop {
        let begin = place;
        while place < limit && text[place].is_ascii_digit() {
            if length == MOST_DIGITS {
                return longest;
            }
            digits[length] = text[place];
            length += 1;
            place += 1;
        }
        if begin == place || count == groups.len() {
            return longest;
        }
        groups[count] = place - begin;
        count += 1;
        let is_whole = is_embossed(&groups[..count]) && is_free_after(text, place);
        if is_whole && is_card(&digits[..length]) {
            longest = Some(place);
        }
        let next = text.get(place).copied().filter(|_| place < limit);
        if next.is_none() || separator.is_some_and(|separator| Some(separator) != next) {
            return longest;
        }
        separator = next;
        place += 1;
    }
}

fn is_embossed(groups: &[usize]) -> bool {
    match groups {
        [_] | [4, 6, 4 | 5] => true,
        [first @ .., last] => first.iter().all(|group| *group == 4) && (1..=4).contains(last),
        [] => false,
    }
}

fn is_card(digits: &[u8]) -> bool {
    (LEAST_DIGITS..=MOST_DIGITS).contains(&digits.len()) && is_issued(digits) && luhn(digits)
}

/// The ranges that issuers have, with the lengths they use; ISO/IEC 7812 registry as published by them.
fn is_issued(digits: &[u8]) -> bool {
    let first = |count: usize| {
        digits[..count].iter().fold(0_u32, |number, digit| 10 * number + u32::from(digit - b'0'))
    };
    let length = digits.len();
    match first(4) {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        2200..=2204 | 2221..=2720 | 5100..=5599 | 8100..=8299 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        // Longer ones are allowed to these issuers and hardly made; numbers of other kinds are.
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16),
        3528..=3589 | 6440..=6599 | 6011 => matches!(length, 16 | 19),
        6200..=6299 => (16..=19).contains(&length),
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => (13..=19).contains(&length),
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0');
            match (at % 2, 2 * digit) {
                (0, _) => digit,
                (_, double) if double > 9 => double - 9,
                (_, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::{find, is_suspect};

    fn found(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        find(text.as_bytes(), |place| all.push(&text[place]));
        assert!(all.is_empty() || is_suspect(text.as_bytes()), "the prefilter sees '{text}'");
        all
    }

    #[test]
    fn cards_of_the_issuers_are_found_as_they_are_written() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "6011111111111117",
            "3530111333300000",
            "6200000000000005",
            "4222222222222",
        ] {
            assert_eq!(found(card), [card]);
            assert_eq!(found(&format!("paid with {card}, thanks")), [card]);
            assert_eq!(found(&format!("at 12 - {card} 7")), [card]);
        }
    }

    #[test]
    fn what_only_looks_like_a_card_stays() {
        for text in [
            "4111111111111112",
            "1795223880123456789",
            "9111111111111111",
            "0.4111111111111111",
            "4111111111111111.5",
            "a4111111111111111",
            "4111111111111111f",
            "41111111111111114111111111111111",
            "4111 11111111 1111",
            "4111-1111 1111-1111",
            "2026-11-21 01:18:00.123456789",
            "550e8400-e29b-41d4-a716-446655440000",
            "",
        ] {
            assert!(found(text).is_empty(), "'{text}'");
        }
    }

    #[test]
    fn a_card_is_seen_at_every_place_of_a_line() {
        for before in 0..200 {
            for after in [0, 1, 70] {
                let text = format!("{}!4222222222222{}", "x".repeat(before), ".".repeat(after));
                assert_eq!(found(&text), ["4222222222222"]);
            }
        }
    }
}
