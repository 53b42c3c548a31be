use std::sync::Arc;

use super::{Follower, Frames, Lapped, Mapping, Producer};
use crate::level::{AUDIT, INFO};
use crate::sync::Ordering;

fn ring() -> Arc<Mapping> {
    Arc::new(Mapping::private(super::capacity_for(1)).expect("memory"))
}

fn drain(ring: &Mapping) -> Vec<Vec<u8>> {
    let consumer = &ring.header().consumer;
    let (tail, head) = (
        consumer.tail.load(Ordering::Relaxed),
        ring.header().producer.head.load(Ordering::Acquire),
    );
    #[allow(unsafe_code)]
    // SAFETY: the test is the only consumer.
    let bytes = unsafe { ring.bytes(tail, head) };
    let lines = Frames::new(bytes).map(|frame| frame.line.to_vec()).collect();
    consumer.tail.store(head, Ordering::Release);
    lines
}

#[test]
fn records_come_out_as_they_went_in_across_many_wraps() {
    let ring = ring();
    let mut producer = Producer::new(ring.clone());
    for round in 0..500_u32 {
        let lines: Vec<Vec<u8>> =
            (0..20).map(|i| format!("{round}-{i}").repeat(1 + i).into_bytes()).collect();
        for line in &lines {
            producer.write(line, INFO, 7).expect("room");
        }
        assert_eq!(drain(&ring), lines);
    }
}

#[test]
fn a_full_ring_refuses_ordinary_records_and_still_takes_audit() {
    let ring = ring();
    let mut producer = Producer::new(ring.clone());
    while producer.write(b"ordinary", INFO, 1).is_some() {}
    assert!(producer.write(b"audit", AUDIT, 1).is_some());
    assert!(producer.write(b"ordinary", INFO, 1).is_none());
    drain(&ring);
    assert!(producer.write(b"ordinary", INFO, 1).is_some());
}

#[test]
fn a_lapped_follower_counts_what_it_missed() {
    let ring = ring();
    let mut producer = Producer::new(ring.clone());
    let mut follower = Follower::new(ring.clone());
    let mut written = 0;
    for _ in 0..10 {
        while producer.write(b"a line of some length", INFO, 1).is_some() {
            written += 1;
        }
        drain(&ring);
    }
    producer.write(b"last", INFO, 1).expect("room");
    written += 1;
    let (mut seen, mut lost, mut out) = (0, 0, Vec::new());
    for _ in 0..20 {
        let Lapped(missed) = follower.read(&mut out, 1 << 20);
        lost += missed;
        seen += Frames::new(&out).count() as u64;
    }
    assert_eq!(seen + lost, written);
    assert!(lost > 0 && seen >= 1);
}
