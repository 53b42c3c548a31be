//! What lies in the archive beside the Parquet files.

use treering_core::archive::tokens::Tokens;
use treering_core::archive::{outside, Identities, Recipients};

/// Places of the checksum in an index of words.
const CHECKSUM: std::ops::Range<usize> = 20..24;

/// Any bytes are an index of words that answers in order, or none.
pub fn tokens(input: &[u8]) {
    look_up(input);
    // Damage is found by the checksum; a forger knows how to make one.
    let mut forged = input.to_vec();
    if forged.len() > CHECKSUM.end {
        let sum = crc32(forged[..CHECKSUM.start].iter().chain(&forged[CHECKSUM.end..]));
        forged[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        look_up(&forged);
    }
}

fn look_up(input: &[u8]) {
    let Some(tokens) = Tokens::parse(input) else { return };
    let everything = tokens.ranges(&[]);
    assert!(everything.len() <= 1, "blocks meet: {everything:?}");
    for hash in (0..64).map(|bit| 1u64 << bit) {
        let ranges = tokens.ranges(&[hash, !hash]);
        assert!(ranges.iter().all(|(first, end)| first < end), "ranges are ranges: {ranges:?}");
        let is_in_order = ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        assert!(is_in_order, "ranges are in order: {ranges:?}");
    }
}

/// IEEE 802.3, bit by bit.
fn crc32<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    !bytes.fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// Any text is a list of secret keys, whose public halves are recipients, or is refused without being
/// repeated.
pub fn identities(input: &[u8]) {
    match Identities::parse(input) {
        Ok(identities) => {
            let names = identities.names();
            assert!(!names.is_empty(), "an identity file has a key");
            let recipients = Recipients::parse(&names).expect("public halves are recipients");
            assert!(recipients.names().iter().all(|name| names.contains(name)), "the same ones");
        }
        Err(said) => {
            let said = said.replace("AGE-SECRET-KEY-1…", "");
            assert!(!said.contains("AGE-SECRET-KEY-1"), "no key is repeated: {said}");
        }
    }
}

/// Facts beside an encrypted file that are accepted are written again as the same.
pub fn facts(input: &[u8]) {
    let Ok(outside) = outside::parse(input) else { return };
    let again = outside::parse(outside::text(&outside).as_bytes()).expect("facts read back");
    assert_eq!(again, outside, "facts read back");
    assert!(outside.facts.rows <= outside.facts.end - outside.facts.first, "rows have indexes");
}
