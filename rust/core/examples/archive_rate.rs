//! What archiving costs a core: `cargo run --release --example archive_rate -- LINES.jsonl [ROUNDS]`.
//!
//! Prints thousands of records a second of processor time, one round after the other.
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use treering_core::archive::{
    check, facts, tokens, write, Against, Archived, Identities, Input, LineBatches, Wanted,
    WriteOptions,
};
use treering_core::error::Result;
use treering_core::seal::{commitment, Range, Salts, SegmentSeal};

#[allow(unsafe_code)]
fn processor_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is there to be written.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn took<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let begin = processor_seconds();
    let made = work()?;
    Ok((processor_seconds() - begin, made))
}

fn sealed(lines: &[u8]) -> SegmentSeal {
    let seed = [7; 32];
    let mut salts = Salts::new(&seed, 0);
    let lines = lines.split_inclusive(|byte| *byte == b'\n');
    let commitments: Vec<_> =
        lines.map(|line| commitment(&salts.next_salt(), &line[..line.len() - 1])).collect();
    let records = Some(commitments.len() as u64);
    let open = SegmentSeal::open_segment(seed, Range::default());
    SegmentSeal { records, commitments, ..open }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let text = PathBuf::from(arguments.next().unwrap_or_default());
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let lines: Arc<[u8]> = std::fs::read(&text).unwrap_or_default().into();
    let seal = sealed(&lines);
    let records = seal.commitments.len() as f64;
    println!("write check both tokens arrow bytes");
    for _ in 0..rounds {
        round(&text, &lines, &seal, records)?;
    }
    Ok(())
}

fn round(text: &Path, lines: &Arc<[u8]>, seal: &SegmentSeal, records: f64) -> Result<()> {
    let identities = Identities::default();
    let options = WriteOptions { journal_id: "j", keep: None, identities: &identities };
    let input = Input::Segment { first: 0, records: None, path: text.to_owned() };
    let path = text.with_extension("parquet");
    let (written, _) = took(|| write(&[input], &path, &options))?;
    let file = Archived { path: path.clone(), is_encrypted: false, facts: facts(&path)? };
    let seals = std::slice::from_ref(seal);
    let (checked, _) = took(|| check(&file, Against::Seals(seals), &identities))?;
    let (indexed, ()) = took(|| tokens::build(&path))?;
    let source = LineBatches { first: 0, lines: lines.clone(), wanted: Wanted::default() };
    let (shown, ()) = took(|| {
        let mut batches = source.read()?;
        while batches.next_batch()?.is_some() {}
        Ok(())
    })?;
    let rates = [written, checked, written + checked, indexed, shown];
    let rates = rates.map(|seconds| format!("{:.0}", records / seconds / 1e3)).join(" ");
    println!("{rates} {}", std::fs::metadata(&path).map_or(0, |found| found.len()));
    Ok(())
}
