//! The ring under loom: every interleaving of its sides, and every order of memory that the model allows.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --lib ring::interleavings`

use std::sync::Arc;

use loom::thread;

use super::{consumer, Follower, Frames, Mapping, Producer};
use crate::level::{AUDIT, INFO};
use crate::sync::Ordering;

/// One page; two records of `line` fill it but for its protected share.
fn ring() -> Arc<Mapping> {
    Arc::new(Mapping::private(4096).expect("memory"))
}

fn line(number: u8) -> Vec<u8> {
    vec![number; 1700]
}

fn number(line: &[u8]) -> u8 {
    assert!(line.iter().all(|byte| *byte == line[0]), "a torn record");
    line[0]
}

fn take(ring: &Mapping, out: &mut Vec<u8>) {
    let Some((tail, head)) = consumer::claim(ring) else {
        return;
    };
    #[allow(unsafe_code)]
    // SAFETY: claimed.
    let bytes = unsafe { ring.bytes(tail, head) };
    out.extend(Frames::new(bytes).map(|frame| number(frame.line)));
    ring.header().consumer.tail.store(head, Ordering::Release);
    consumer::release(ring);
}

#[test]
fn the_drain_gets_every_record_once_and_in_order() {
    loom::model(|| {
        let ring = ring();
        let shared = ring.clone();
        let writer = thread::spawn(move || {
            let mut producer = Producer::new(shared);
            (1..=3).filter(|at| producer.write(&line(*at), INFO, 1).is_some()).collect::<Vec<u8>>()
        });
        let mut seen = Vec::new();
        take(&ring, &mut seen);
        take(&ring, &mut seen);
        let written = writer.join().expect("writer");
        take(&ring, &mut seen);
        assert_eq!(seen, written);
    });
}

#[test]
fn eviction_and_drain_never_both_have_a_record() {
    loom::model(|| {
        let ring = ring();
        let mut producer = Producer::new(ring.clone());
        assert!(producer.write(&line(1), INFO, 1).is_some());
        assert!(producer.write(&line(2), INFO, 1).is_some());
        let shared = ring.clone();
        let drain = thread::spawn(move || {
            let mut seen = Vec::new();
            take(&shared, &mut seen);
            seen
        });
        let written = if producer.write(&line(3), INFO, 1).is_some() {
            3
        } else {
            let _ = consumer::evict(&ring, 1800);
            if producer.write(&line(3), INFO, 1).is_some() {
                3
            } else {
                2
            }
        };
        let mut seen = drain.join().expect("drain");
        take(&ring, &mut seen);
        let dropped = ring.header().counters.dropped_oldest.load(Ordering::Relaxed);
        assert_eq!(seen.len() as u64 + dropped, written);
        assert!(seen.is_sorted(), "{seen:?}");
    });
}

#[test]
fn eviction_stops_before_a_protected_record() {
    loom::model(|| {
        let ring = ring();
        let mut producer = Producer::new(ring.clone());
        assert!(producer.write(&line(1), AUDIT, 1).is_some());
        assert!(producer.write(&line(2), INFO, 1).is_some());
        assert!(consumer::evict(&ring, 4096));
        let mut seen = Vec::new();
        take(&ring, &mut seen);
        assert_eq!(seen, [1, 2]);
    });
}

#[test]
fn a_follower_sees_whole_records_in_order_and_knows_how_many_it_missed() {
    loom::model(|| {
        let ring = ring();
        let mut follower = Follower::new(ring.clone());
        let shared = ring.clone();
        let writer = thread::spawn(move || {
            let mut producer = Producer::new(shared.clone());
            let mut written = 0;
            for at in 1..=3 {
                if producer.write(&line(at), INFO, 1).is_none() {
                    let mut drained = Vec::new();
                    take(&shared, &mut drained);
                    producer.write(&line(at), INFO, 1).expect("room");
                }
                written += 1;
            }
            written
        });
        let (mut out, mut seen, mut lost) = (Vec::new(), Vec::new(), 0);
        for _ in 0..2 {
            lost += follower.read(&mut out, 8192).0;
            seen.extend(Frames::new(&out).map(|frame| number(frame.line)));
        }
        let written = writer.join().expect("writer");
        for _ in 0..3 {
            lost += follower.read(&mut out, 8192).0;
            seen.extend(Frames::new(&out).map(|frame| number(frame.line)));
        }
        assert!(seen.is_sorted());
        assert!(seen.len() as u64 + lost <= written);
        assert_eq!(seen.last(), Some(&3));
    });
}
