//! What sealing a record costs, and what its SHA-256 alone does: `cargo run --release --example seal_rate`.
//!
//! Prints nanoseconds a record, one round after the other: the same bytes in both loops, in turns.
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use std::hint::black_box;
use std::time::Instant;

use sha2::{Digest, Sha256};
use treering_core::seal::hash_batches;

const RECORDS: usize = 20_000;
const RECORD_BYTES: usize = 250;
/// As many as the drain hands over at once when it has much to do.
const BATCH_RECORDS: usize = 1000;
const ROUNDS: usize = 100;

/// The hashes that RFC 6962 and the commitment ask for, and nothing else: one of 267 bytes, one of 35, one of 65.
fn bare(lines: &[u8]) -> u8 {
    let (mut committed, mut leaf, mut node) = ([0; 17 + RECORD_BYTES], [0; 35], [0; 65]);
    for line in lines.chunks_exact(RECORD_BYTES + 1) {
        committed[17..].copy_from_slice(&line[..RECORD_BYTES]);
        leaf[3..].copy_from_slice(&Sha256::digest(committed));
        let hash = Sha256::digest(leaf);
        node[1..33].copy_from_slice(&hash);
        node[33..].copy_from_slice(&hash);
        black_box(Sha256::digest(node));
    }
    node[1]
}

fn per_record(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_nanos() as f64 / RECORDS as f64
}

fn main() {
    let mut line = vec![b'x'; RECORD_BYTES];
    line.push(b'\n');
    let lines = line.repeat(RECORDS);
    for _ in 0..ROUNDS {
        let bare = per_record(|| {
            black_box(bare(&lines));
        });
        let sealed = per_record(|| {
            black_box(hash_batches([7; 32], lines.chunks(BATCH_RECORDS * line.len())));
        });
        println!("{bare:.1} {sealed:.1}");
    }
}
