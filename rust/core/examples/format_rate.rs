//! Nanoseconds for each record, by format, on one core: `cargo run --release --example format_rate`.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use treering_core::format::{Batch, Formatter, Options};

const LINE: &str = concat!(
    r#"{"timestamp":"2026-11-21T10:30:45.123456789Z","level":"WARNING","category":"application","#,
    r#""component":"auth.session","message":"User authenticated","module":"app","#,
    r#""function":"login","file":"/srv/app/auth.py","line":42,"process":4711,"thread":4711,"#,
    r#""context":{"request_id":"r-1","tenant":"acme"},"#,
    r#""metadata":{"user_id":7,"method":"password","ok":true}}"#
);
const RECORDS: u32 = 3_000;
const ROUNDS: u32 = 60;

fn main() {
    for format in std::env::args().skip(1) {
        let formatter = Formatter::new(&format, Options::default()).expect("a format");
        let (mut batch, mut out) = (Batch::default(), Vec::new());
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            out.clear();
            let begin = Instant::now();
            for index in 0..RECORDS {
                formatter.push(LINE.as_bytes(), Some(index.into()), &mut batch, &mut out);
            }
            best = best.min(begin.elapsed().as_secs_f64() * 1e9 / f64::from(RECORDS));
        }
        println!("{format} {best:.0}");
    }
}
