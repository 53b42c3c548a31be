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
