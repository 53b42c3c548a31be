//! Putting the records of several rings in order of time.

use crate::ring::{Frame, Frames};

/// Copies lines, each with a line feed, into `out` in order of their timestamps, keeping the order of
/// each source whatever its clock did; stops before `out` exceeds `max_bytes`, but never at nothing.
///
/// Returns, for every source, how many of its bytes were taken, and how many lines were in all.
pub fn merge(sources: &[&[u8]], max_bytes: usize, out: &mut Vec<u8>) -> (Vec<usize>, u64) {
    let mut cursors: Vec<Frames> = sources.iter().map(|bytes| Frames::new(bytes)).collect();
    let mut fronts: Vec<Option<Frame>> = cursors.iter_mut().map(Iterator::next).collect();
    let mut taken = vec![0; sources.len()];
    let mut lines = 0;
    while let Some(at) = earliest(&fronts) {
        // The runner-up's time bounds how far this source may run without being compared again.
        let bound = fronts
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .filter_map(|(_, front)| front.map(|frame| frame.timestamp_ns))
            .min()
            .unwrap_or(u64::MAX);
        while let Some(frame) = fronts[at].filter(|frame| frame.timestamp_ns <= bound || lines == 0)
        {
            if lines > 0 && out.len() + frame.line.len() >= max_bytes {
                return (taken, lines);
            }
            out.extend_from_slice(frame.line);
            out.push(b'\n');
            lines += 1;
            taken[at] += crate::ring::frame_bytes(frame.line.len());
            fronts[at] = cursors[at].next();
        }
    }
    (taken, lines)
}

fn earliest(fronts: &[Option<Frame>]) -> Option<usize> {
    fronts
        .iter()
        .enumerate()
        .filter_map(|(at, front)| front.map(|frame| (frame.timestamp_ns, at)))
        .min()
        .map(|(_, at)| at)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::merge;
    use crate::level::INFO;
    use crate::ring::{Mapping, Producer};

    fn ring(times: &[u64], name: char) -> Vec<u8> {
        let mapping = std::sync::Arc::new(Mapping::private(1 << 14).expect("memory"));
        let mut producer = Producer::new(mapping.clone());
        for (at, time) in times.iter().enumerate() {
            producer.write(format!("{name}{at}").as_bytes(), INFO, *time).expect("room");
        }
        let head = mapping.header().producer.head.load(crate::sync::Ordering::Relaxed);
        #[allow(unsafe_code)]
        // SAFETY: nobody else has this ring.
        unsafe { mapping.bytes(0, head) }.to_vec()
    }

    fn merged(rings: &[Vec<u8>], max_bytes: usize) -> String {
        let sources: Vec<&[u8]> = rings.iter().map(Vec::as_slice).collect();
        let mut out = Vec::new();
        merge(&sources, max_bytes, &mut out);
        String::from_utf8(out).expect("text").replace('\n', " ")
    }

    #[test]
    fn sources_are_merged_by_time() {
        let rings = [ring(&[1, 4, 5], 'a'), ring(&[2, 3, 9], 'b')];
        assert_eq!(merged(&rings, 1000), "a0 b0 b1 a1 a2 b2 ");
    }

    #[test]
    fn a_clock_that_steps_back_never_changes_the_order_within_a_process() {
        let rings = [ring(&[10, 20, 3, 4, 30], 'a'), ring(&[11, 12, 25], 'b')];
        let line = merged(&rings, 1000);
        let of = |name: char| -> Vec<&str> {
            line.split_whitespace().filter(|word| word.starts_with(name)).collect()
        };
        assert_eq!(of('a'), ["a0", "a1", "a2", "a3", "a4"]);
        assert_eq!(of('b'), ["b0", "b1", "b2"]);
    }

    #[test]
    fn a_batch_has_a_bound_and_always_at_least_one_record() {
        let rings = [ring(&[1, 2, 3], 'a')];
        assert_eq!(merged(&rings, 1), "a0 ");
        assert_eq!(merged(&rings, 6), "a0 a1 ");
    }
}
