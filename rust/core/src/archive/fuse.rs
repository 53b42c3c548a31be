//! Binary fuse filters (Graf and Lemire, <https://arxiv.org/abs/2201.01174>) with short fingerprints.
//!
//! A fingerprint is the exclusive or of three places, bit by bit, so the lower bits of a filter with
//! longer fingerprints are a filter, too: less sure, and shorter.

use xorf::BinaryFuse8;

/// Bits of a fingerprint: one word of 2^6 that are not there is taken to be.
pub(super) const BITS: usize = 6;

/// What has to be known to look into a filter's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub seed: u64,
    pub segment: u32,
    /// Places at which the first of the three can be.
    pub starts: u32,
}

impl Shape {
    /// Bytes of the filter; none for a shape that no filter has.
    pub fn bytes(self) -> Option<usize> {
        let is_possible = self.segment.is_power_of_two()
            && self.segment <= 1 << 18
            && self.starts <= 1 << 30
            && self.starts.is_multiple_of(self.segment)
            && self.starts >= self.segment;
        let places = self.starts as usize + 2 * self.segment as usize;
        // With one to spare, so that each fingerprint can be read as two bytes.
        is_possible.then(|| (places * BITS).div_ceil(8) + 1)
    }

    /// Whether the filter in `bytes`, as many as the shape says, may hold the key.
    pub fn may_hold(self, bytes: &[u8], key: u64) -> bool {
        let hash = mix(key.wrapping_add(self.seed));
        let first = ((u128::from(hash) * u128::from(self.starts)) >> 64) as u32;
        let mask = self.segment - 1;
        let second = (first + self.segment) ^ ((hash >> 18) as u32 & mask);
        let third = (first + 2 * self.segment) ^ (hash as u32 & mask);
        let found = [first, second, third].map(|place| fingerprint(bytes, place as usize));
        let wanted = (hash ^ (hash >> 32)) as u8 & ((1 << BITS) - 1);
        found[0] ^ found[1] ^ found[2] == wanted
    }
}

/// A filter over keys that are sorted and without doubles: the same keys give the same bytes.
///
/// `None` when it cannot be made, which needs more than a hundred coincidences in a row.
pub(super) fn build(keys: &[u64]) -> Option<(Shape, Vec<u8>)> {
    let filter = BinaryFuse8::try_from(keys).ok()?;
    let shape = Shape {
        seed: filter.descriptor.seed,
        segment: filter.descriptor.segment_length,
        starts: filter.descriptor.segment_count_length,
    };
    let mut bytes = vec![0; shape.bytes()?];
    for (place, value) in filter.fingerprints.iter().enumerate() {
        let bit = place * BITS;
        let value = u16::from(value & ((1 << BITS) - 1)) << (bit % 8);
        bytes[bit / 8] |= value as u8;
        bytes[bit / 8 + 1] |= (value >> 8) as u8;
    }
    Some((shape, bytes))
}

fn fingerprint(bytes: &[u8], place: usize) -> u8 {
    let bit = place * BITS;
    let pair = u16::from_le_bytes([bytes[bit / 8], bytes[bit / 8 + 1]]);
    (pair >> (bit % 8)) as u8 & ((1 << BITS) - 1)
}

/// The finaliser of `MurmurHash3`, as `xorf` uses it.
fn mix(mut key: u64) -> u64 {
    key ^= key >> 33;
    key = key.wrapping_mul(0xff51_afd7_ed55_8ccd);
    key ^= key >> 33;
    key = key.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ (key >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u64) -> Vec<u64> {
        let mut keys: Vec<u64> =
            (0..count).map(|number| mix(number.wrapping_mul(0x9e37_79b9))).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    #[test]
    fn a_filter_holds_all_of_its_keys_whatever_their_number() {
        for count in [0, 1, 2, 3, 4, 5, 10, 100, 1000, 12_345, 100_000] {
            let keys = keys(count);
            let (shape, bytes) = build(&keys).expect("a filter");

            assert_eq!(Some(bytes.len()), shape.bytes());
            assert!(keys.iter().all(|key| shape.may_hold(&bytes, *key)), "of {count} keys");
        }
    }

    #[test]
    fn of_words_that_are_not_there_one_of_64_seems_to_be() {
        let (shape, bytes) = build(&keys(50_000)).expect("a filter");

        let found =
            (0..100_000).filter(|other| shape.may_hold(&bytes, mix(other + (1 << 40)))).count();

        assert!((1_300..1_900).contains(&found), "{found} of 100,000");
    }
}
