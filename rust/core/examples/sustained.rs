//! How fast records get from a producer into the segment, without Python: `cargo run --release --example sustained`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::items_after_statements
)]

use std::time::{Duration, Instant};

use treering_core::journal::SettingsChange;
use treering_core::level::INFO;
use treering_core::process::{Admission, Options, Overflow, Process};
use treering_core::redact::RulesChange;

fn main() {
    let directory = std::env::temp_dir().join(format!("treering-sustained-{}", std::process::id()));
    let options = Options {
        journal: Some((directory.clone(), SettingsChange::default())),
        ring_bytes: 1 << 20,
        overflow: Overflow::Block,
        block_timeout: Duration::from_secs(10),
        levels: Vec::new(),
        output: None,
        redaction: RulesChange::default(),
    };
    let (process, mut producer) = Process::start(options).unwrap();
    let line = vec![b'x'; 250];
    const RECORDS: u64 = 4_000_000;
    let begin = Instant::now();
    for number in 0..RECORDS {
        loop {
            match producer.write(&line, INFO, number) {
                Some(behind) => {
                    if behind {
                        process.wake();
                    }
                    break;
                }
                None => assert_eq!(process.admit(line.len(), INFO), Admission::Retry),
            }
        }
    }
    let logged = begin.elapsed();
    assert!(process.flush(Duration::from_secs(60), false));
    let total = begin.elapsed();
    let rate = |elapsed: Duration| RECORDS as f64 / elapsed.as_secs_f64() / 1e6;
    println!(
        "{:.2} M records/s logged, {:.2} M records/s until readable",
        rate(logged),
        rate(total)
    );
    println!("{:?}", process.statistics());
    assert!(process.close(Duration::from_secs(10)));
    std::fs::remove_dir_all(directory).unwrap();
}
