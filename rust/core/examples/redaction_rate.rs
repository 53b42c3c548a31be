//! What redaction costs a record on its way out of the ring: `cargo run --release --example redaction_rate`.
//!
//! Prints nanoseconds a record, one round after the other: clean lines in batches as the drain has them,
//! one by one, the same with a pattern of the user's, and lines with a secret each.
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use treering_core::redact::{Pattern, Redactor, Rules};

const RECORDS: usize = 1000;
const ROUNDS: usize = 100;

const CLEAN: &str = concat!(
    r#"{"timestamp":"2026-11-21T01:18:00.123456789Z","level":"INFO","component":"auth.session","#,
    r#""message":"User authenticated","module":"app.views","function":"login","file":"views.py","#,
    r#""line":120,"process":1234567,"thread":1234568,"metadata":{"user_id":70712,"ok":true}}"#,
    "\n"
);

fn per_record(mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    for _ in 0..10 {
        work();
    }
    begin.elapsed().as_nanos() as f64 / (10 * RECORDS) as f64
}

fn main() {
    let redactor = Redactor::default();
    let pattern = Pattern::Expression(r"\bcustomer-[0-9]{6}\b".into());
    let patterns = BTreeMap::from([("customer".to_owned(), pattern)]);
    let with_pattern = Redactor::new(Rules { patterns, ..Rules::default() }, None).expect("rules");
    let clean = CLEAN.repeat(RECORDS);
    let secret =
        CLEAN.replace("User authenticated", "paid with 4111 1111 1111 1111").repeat(RECORDS);
    let mut out = Vec::new();
    for _ in 0..ROUNDS {
        let mut lines = clean.clone().into_bytes();
        let copied = per_record(|| {
            out.clear();
            out.extend_from_slice(black_box(&lines));
        });
        let batch = per_record(|| {
            black_box(redactor.batch(&mut lines, 0));
        });
        let single = per_record(|| {
            for line in lines.chunks_exact(CLEAN.len()) {
                black_box(redactor.values(line, &mut out));
            }
        });
        let pattern = per_record(|| {
            black_box(with_pattern.batch(&mut lines, 0));
        });
        let begin = Instant::now();
        let mut lines = secret.clone().into_bytes();
        black_box(redactor.batch(&mut lines, 0));
        let found = begin.elapsed().as_nanos() as f64 / RECORDS as f64;
        println!("{copied:.1} {batch:.1} {single:.1} {pattern:.1} {found:.1}");
    }
}
