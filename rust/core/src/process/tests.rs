use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Admission, Options, Overflow, Process, ProcessOutput};
use crate::journal::{Reader, SettingsChange};
use crate::level::{AUDIT, INFO, WARNING};
use crate::ring::{Frames, Producer};

const SECOND: Duration = Duration::from_secs(5);

fn options(directory: Option<&Path>) -> Options {
    Options {
        journal: directory.map(|directory| (directory.to_owned(), SettingsChange::default())),
        ring_bytes: 1 << 16,
        overflow: Overflow::Block,
        block_timeout: Duration::from_millis(200),
        levels: Vec::new(),
        output: None,
        redaction: crate::redact::RulesChange::default(),
    }
}

fn log(process: &Process, producer: &mut Producer, line: &str, level: u16) -> bool {
    loop {
        match producer.write(line.as_bytes(), level, crate::clock::now_ns()) {
            Some(behind) => {
                if behind {
                    process.wake();
                }
                return true;
            }
            None if process.admit(line.len(), level) == Admission::Drop => return false,
            None => {}
        }
    }
}

fn records(directory: &Path) -> Vec<String> {
    let mut reader = Reader::open(directory, 0).expect("reader");
    let mut lines = Vec::new();
    loop {
        let batch = reader.read(1 << 20).expect("read");
        if batch.bytes.is_empty() {
            return lines;
        }
        lines.extend(batch.lines().map(|line| String::from_utf8_lossy(line).into_owned()));
    }
}

#[test]
fn what_was_logged_is_in_the_journal_after_flush_and_after_close() {
    let base = tempfile::tempdir().expect("tempdir");
    let directory = base.path().join("logs");
    let (process, mut producer) = Process::start(options(Some(&directory))).expect("start");
    for number in 0..20_000 {
        assert!(log(&process, &mut producer, &format!("{{\"number\":{number}}}"), INFO));
    }
    assert!(process.flush(SECOND, true));
    assert_eq!(records(&directory).len(), 20_001);
    assert!(process.statistics().journal_syncs > 0);
    assert!(log(&process, &mut producer, "{\"last\":true}", INFO));
    let place = process.domain().directory().expect("shared").to_owned();
    assert!(process.close(SECOND));
    let records = records(&directory);
    assert_eq!(records[records.len() - 2], "{\"last\":true}");
    assert!(records[records.len() - 1].contains("journal closed"));
    assert!(!place.exists(), "the last process removes the shared memory");
}

#[test]
fn two_processes_write_one_journal_and_the_second_takes_the_lead_when_the_first_leaves() {
    let base = tempfile::tempdir().expect("tempdir");
    let directory = base.path().join("logs");
    let (first, mut one) = Process::start(options(Some(&directory))).expect("start");
    assert!(log(&first, &mut one, "{\"from\":1}", INFO));
    assert!(first.flush(SECOND, false));
    let (second, mut two) = Process::start(options(Some(&directory))).expect("start");
    assert!(log(&second, &mut two, "{\"from\":2}", INFO));
    assert!(second.flush(SECOND, false));
    assert!(!second.statistics().leads);
    second.levels().set("shop", Some(WARNING));
    assert_eq!(first.levels().effective("shop.till"), WARNING);
    assert!(first.close(SECOND));
    assert!(log(&second, &mut two, "{\"from\":3}", INFO));
    assert!(second.flush(SECOND, false));
    assert!(second.statistics().leads);
    assert!(second.close(SECOND));
    let own: Vec<_> =
        records(&directory).into_iter().filter(|line| line.starts_with("{\"from\"")).collect();
    assert_eq!(own, ["{\"from\":1}", "{\"from\":2}", "{\"from\":3}"]);
}

/// A process that cannot have shared memory still gets its records into a journal that others lead.
#[test]
fn domains_without_common_memory_take_turns() {
    let base = tempfile::tempdir().expect("tempdir");
    let directory = base.path().join("logs");
    let (first, mut one) = Process::start(options(Some(&directory))).expect("start");
    assert!(log(&first, &mut one, "{\"from\":1}", INFO));
    assert!(first.flush(SECOND, false));
    let private = crate::domain::Domain::private().expect("memory");
    let ring = crate::domain::OwnRing::create(&private, 1 << 16).expect("memory");
    let (journal, settings) = crate::journal::Journal::open(&directory).expect("journal");
    let mut two = Producer::new(ring.mapping.clone());
    let drain = crate::drain::DrainThread::new(
        journal,
        settings,
        Arc::new(private),
        Some(ring.mapping.clone()),
        None,
        false,
    );
    let thread = drain.spawn().expect("thread");
    for number in 0..5 {
        two.write(format!("{{\"private\":{number}}}").as_bytes(), INFO, 1).expect("room");
        assert!(log(&first, &mut one, &format!("{{\"shared\":{number}}}"), INFO));
        let deadline = std::time::Instant::now() + SECOND;
        let consumer = &ring.mapping.header().consumer;
        let head = ring.mapping.header().producer.head.load(crate::sync::Ordering::Acquire);
        while consumer.tail.load(crate::sync::Ordering::Acquire) < head {
            assert!(std::time::Instant::now() < deadline, "no turn was given");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    drain.stop();
    thread.join().expect("drain");
    assert!(first.flush(SECOND, false));
    assert!(first.close(SECOND));
    let lines = records(&directory);
    for number in 0..5 {
        for kind in ["private", "shared"] {
            let wanted = format!("{{\"{kind}\":{number}}}");
            assert_eq!(lines.iter().filter(|line| **line == wanted).count(), 1, "{lines:?}");
        }
    }
}

#[derive(Default, Clone)]
struct Shown(Arc<Mutex<(Vec<String>, u64)>>);

impl ProcessOutput for Shown {
    fn write(&mut self, frames: Frames<'_>, lost: u64) {
        let mut shown = self.0.lock().expect("lock");
        shown.1 += lost;
        shown.0.extend(frames.map(|frame| String::from_utf8_lossy(frame.line).into_owned()));
    }
}

#[test]
fn without_a_journal_the_console_gets_every_record() {
    let shown = Shown::default();
    let copy = shown.clone();
    let mut options = options(None);
    options.output = Some(Arc::new(move || Box::new(copy.clone())));
    let (process, mut producer) = Process::start(options).expect("start");
    for number in 0..50_000 {
        assert!(log(&process, &mut producer, &format!("{number}"), INFO));
    }
    assert!(process.flush(SECOND, false));
    let (lines, lost) = shown.0.lock().expect("lock").clone();
    assert_eq!((lines.len(), lost), (50_000, 0));
    assert!(lines.iter().enumerate().all(|(at, line)| *line == at.to_string()));
    assert!(process.close(SECOND));
}

/// The only reader does not read: a private domain without journal.
fn full(overflow: Overflow) -> (Arc<Process>, Producer) {
    let mut options = options(None);
    options.overflow = overflow;
    let (process, mut producer) = Process::start(options).expect("start");
    std::mem::forget(process.tap(true));
    while producer.write(&[b'x'; 100], INFO, 1).is_some() {}
    (process, producer)
}

#[test]
fn block_waits_once_and_then_drops_at_once_until_there_is_room() {
    let (process, mut producer) = full(Overflow::Block);
    let begin = std::time::Instant::now();
    for _ in 0..100 {
        assert!(!log(&process, &mut producer, &"y".repeat(100), INFO));
    }
    assert!(begin.elapsed() < Duration::from_secs(2), "one timeout, not a hundred");
    assert_eq!(process.statistics().dropped_newest, 100);
    let header = process.ring().header();
    let head = header.producer.head.load(crate::sync::Ordering::Relaxed);
    header.consumer.tail.store(head, crate::sync::Ordering::Release);
    assert!(log(&process, &mut producer, "z", INFO));
}

#[test]
fn drop_oldest_keeps_the_newest_and_counts_what_it_gave_up() {
    let (process, mut producer) = full(Overflow::DropOldest);
    let before = process.statistics();
    for number in 0..2000 {
        assert!(log(&process, &mut producer, &format!("{number:0100}"), INFO));
    }
    let after = process.statistics();
    let header = process.ring().header();
    let (tail, head) = (
        header.consumer.tail.load(crate::sync::Ordering::Relaxed),
        header.producer.head.load(crate::sync::Ordering::Relaxed),
    );
    #[allow(unsafe_code)]
    // SAFETY: nobody drains.
    let kept: Vec<_> = Frames::new(unsafe { process.ring().bytes(tail, head) })
        .map(|frame| frame.sequence)
        .collect();
    assert_eq!(kept.last().copied(), Some(after.logged - 1));
    assert_eq!(kept.len() as u64 + after.dropped_oldest, after.logged);
    assert!(before.dropped_oldest == 0 && after.dropped_newest == 0);
}

#[test]
fn drop_newest_and_drop_below_keep_what_is_there() {
    let (process, mut producer) = full(Overflow::DropNewest);
    assert!(!log(&process, &mut producer, &"y".repeat(100), INFO));
    assert!(log(&process, &mut producer, "audit", AUDIT), "the protected share still has room");
    assert_eq!(process.statistics().dropped_newest, 1);
    let (process, mut producer) = full(Overflow::DropBelow(WARNING));
    let begin = std::time::Instant::now();
    assert!(!log(&process, &mut producer, &"y".repeat(100), INFO));
    assert!(begin.elapsed() < Duration::from_millis(100), "below the level nobody waits");
    assert!(!log(&process, &mut producer, &"y".repeat(100), WARNING));
    assert!(begin.elapsed() >= Duration::from_millis(200), "from the level on the call waits");
}

#[test]
fn without_journal_and_readers_records_go_nowhere_and_nobody_waits() {
    let mut options = options(None);
    options.block_timeout = Duration::from_secs(60);
    let (process, mut producer) = Process::start(options).expect("start");
    for _ in 0..10_000 {
        assert!(log(&process, &mut producer, &"y".repeat(100), INFO));
    }
    assert!(process.flush(SECOND, false));
    assert_eq!(process.statistics().dropped_newest, 0);
}

#[test]
fn a_tap_that_holds_misses_nothing_however_late_it_reads() {
    let (process, mut producer) = Process::start(options(None)).expect("start");
    let mut tap = process.tap(true);
    let reading = std::thread::spawn(move || {
        let (mut next, mut lines) = (0, 0);
        while lines < 50_000 {
            let tapped = tap.read(1 << 14, SECOND);
            assert_eq!((tapped.first, tapped.lost), (next, 0));
            (next, lines) = (next + tapped.count, lines + tapped.count);
        }
    });
    for number in 0..50_000 {
        assert!(log(&process, &mut producer, &format!("{number:0100}"), INFO));
    }
    reading.join().expect("all");
    assert!(process.close(SECOND));
}

#[test]
fn a_tap_that_does_not_hold_is_overtaken_and_says_by_how_many() {
    let base = tempfile::tempdir().expect("tempdir");
    let (process, mut producer) = Process::start(options(Some(base.path()))).expect("start");
    let mut tap = process.tap(false);
    for number in 0..20_000 {
        assert!(log(&process, &mut producer, &format!("{number:0100}"), INFO));
    }
    let (mut seen, mut lost) = (0, 0);
    while seen + lost < 20_000 {
        let tapped = tap.read(1 << 14, SECOND);
        assert_eq!(tapped.first, seen + lost + tapped.lost);
        lost += tapped.lost;
        seen += tapped.count;
    }
    assert!(lost > 0 && seen > 0);
    assert!(process.close(SECOND));
}
