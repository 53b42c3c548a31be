//! The taking end: the drain claims what it copies, and a producer that must make room evicts.
//!
//! Both move the tail, so they keep each other out with one word. Neither waits for the other.
#![allow(unsafe_code)]

use super::frame::{frame_bytes, Frames};
use super::{Mapping, CONSUMER_DRAINING, CONSUMER_EVICTING, CONSUMER_FREE};
use crate::level::is_protected;
use crate::sync::Ordering;

/// Takes the consumer side for the drain: committed positions `(tail, head)`, or `None` while a
/// producer evicts. `release` or the journal's commit gives it back.
#[must_use]
pub fn claim(ring: &Mapping) -> Option<(u64, u64)> {
    let consumer = &ring.header().consumer;
    consumer
        .state
        .compare_exchange(CONSUMER_FREE, CONSUMER_DRAINING, Ordering::AcqRel, Ordering::Acquire)
        .ok()?;
    let tail = consumer.tail.load(Ordering::Acquire);
    Some((tail, ring.header().producer.head.load(Ordering::Acquire)))
}

/// Gives the consumer side back with nothing taken.
pub fn release(ring: &Mapping) {
    ring.header().consumer.state.store(CONSUMER_FREE, Ordering::Release);
}

/// Moves the tail over the oldest records, up to the first protected one, until `goal` bytes are free
/// of them; counts them as dropped. False while the drain holds them.
#[must_use]
pub fn evict(ring: &Mapping, goal: u64) -> bool {
    let header = ring.header();
    let consumer = &header.consumer;
    let claimed = consumer.state.compare_exchange(
        CONSUMER_FREE,
        CONSUMER_EVICTING,
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    if claimed.is_err() {
        return false;
    }
    let tail = consumer.tail.load(Ordering::Acquire);
    let head = header.producer.head.load(Ordering::Acquire);
    let (mut freed, mut dropped) = (0, 0);
    // SAFETY: `state` keeps the drain out, and the producer writes only at the head.
    for frame in Frames::new(unsafe { ring.bytes(tail, head) }) {
        if freed >= goal || is_protected(frame.level) {
            break;
        }
        freed += frame_bytes(frame.line.len()) as u64;
        dropped += 1;
    }
    header.counters.dropped_oldest.fetch_add(dropped, Ordering::Relaxed);
    consumer.tail.store(tail + freed, Ordering::Release);
    consumer.state.store(CONSUMER_FREE, Ordering::Release);
    true
}
