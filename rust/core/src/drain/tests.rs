//! Every point at which a leader can die, one after the other.

use std::path::Path;
use std::sync::Arc;

use super::{Leader, Purpose, Step};
use crate::domain::{Domain, OwnRing};
use crate::journal::{Durability, Journal, Reader, Settings, SettingsChange};
use crate::level::INFO;
use crate::ring::Producer;

pub(super) struct World {
    _base: tempfile::TempDir,
    pub journal: Journal,
    pub settings: Settings,
    pub domain: Arc<Domain>,
    rings: Vec<OwnRing>,
    producers: Vec<Producer>,
}

pub(super) fn world(rings: usize, segment_max_bytes: u64) -> World {
    let base = tempfile::tempdir().expect("tempdir");
    let change = SettingsChange {
        segment_max_bytes: Some(segment_max_bytes),
        durability: Some(Durability::Process),
        ..SettingsChange::default()
    };
    let (journal, settings) =
        Journal::open_or_create(&base.path().join("logs"), &change).expect("journal");
    let place = base.path().join("treering-test").join("id");
    let domain = Arc::new(Domain::attach(&place, |_| {}).expect("domain"));
    let rings: Vec<OwnRing> =
        (0..rings).map(|_| OwnRing::create(&domain, 1 << 16).expect("ring")).collect();
    let producers = rings.iter().map(|ring| Producer::new(ring.mapping.clone())).collect();
    World { _base: base, journal, settings, domain, rings, producers }
}

impl World {
    pub fn lead(&self) -> Leader {
        Leader::take(&self.journal, &self.settings, &self.domain, None, Purpose::Logging)
            .expect("io")
            .expect("free")
    }

    pub fn log(&mut self, round: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, producer) in self.producers.iter_mut().enumerate() {
            for number in 0..3 {
                let line = format!("{{\"ring\":{at},\"round\":{round},\"number\":{number}}}");
                let time = (round * 10 + number) as u64;
                producer.write(line.as_bytes(), INFO, time).expect("room");
                lines.push(line);
            }
        }
        lines
    }

    /// Records as a reader sees them, without those of the journal about itself.
    fn records(&self) -> Vec<String> {
        read(self.journal.directory())
            .into_iter()
            .filter(|line| !line.contains("treering.journal"))
            .collect()
    }
}

pub(super) fn read(directory: &Path) -> Vec<String> {
    let mut reader = Reader::open(directory, 0).expect("reader");
    let mut lines = Vec::new();
    loop {
        let batch = reader.read(1 << 16).expect("read");
        if batch.bytes.is_empty() {
            return lines;
        }
        assert_eq!(batch.first, lines.len() as u64, "indexes without gaps");
        lines.extend(batch.lines().map(|line| String::from_utf8(line.to_vec()).expect("utf-8")));
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

pub(super) fn drain_all(leader: &mut Leader) {
    while leader.drain().expect("drain") > 0 {}
}

#[test]
fn records_of_several_processes_come_in_order_of_time() {
    let mut world = world(3, 1 << 20);
    let expected = world.log(1);
    let mut leader = world.lead();
    drain_all(&mut leader);
    let records = world.records();
    assert_eq!(sorted(records.clone()), sorted(expected));
    let numbers: Vec<char> = records.iter().filter_map(|line| line.chars().rev().nth(1)).collect();
    assert!(numbers.is_sorted(), "{records:?}");
}

/// A leader that dies at any step of any batch: its successor has every record exactly once.
#[test]
fn a_leader_may_die_at_every_step() {
    const STEPS: [Step; 8] = [
        Step::Claimed,
        Step::Intended,
        Step::Appending(1),
        Step::Appended,
        Step::Published,
        Step::Releasing,
        Step::Released,
        Step::Settled,
    ];
    for segment_max_bytes in [1 << 20, 4096] {
        for step in STEPS {
            for part in 0..3 {
                let mut world = world(2, segment_max_bytes);
                let mut expected = Vec::new();
                for round in 0..40 {
                    expected.extend(world.log(round));
                    let mut leader = world.lead();
                    let seen = std::cell::Cell::new(0);
                    let stop = |now: Step| match (step, now) {
                        (Step::Appending(_), Step::Appending(_)) => {
                            seen.set(seen.get() + 1);
                            seen.get() == part + 1
                        }
                        (step, now) => step == now,
                    };
                    leader.drain_until(|now| !stop(now)).expect("drain");
                    // A reader in the meantime sees nothing that will be taken back.
                    let so_far = world.records();
                    drop(leader);
                    let mut successor = world.lead();
                    drain_all(&mut successor);
                    let after = world.records();
                    assert_eq!(after[..so_far.len()], so_far[..], "{step:?}");
                }
                assert_eq!(sorted(world.records()), sorted(expected), "{step:?} {part}");
                for ring in 0..2 {
                    let own: Vec<_> = world
                        .records()
                        .into_iter()
                        .filter(|line| line.contains(&format!("\"ring\":{ring},")))
                        .collect();
                    let in_order: Vec<_> = (0..40)
                        .flat_map(|round| (0..3).map(move |number| (round, number)))
                        .map(|(round, number)| {
                            format!("{{\"ring\":{ring},\"round\":{round},\"number\":{number}}}")
                        })
                        .collect();
                    assert_eq!(own, in_order, "order within a process at {step:?}");
                }
            }
        }
    }
}

#[test]
fn a_second_leader_is_refused_while_the_first_lives() {
    let world = world(1, 1 << 20);
    let leader = world.lead();
    let refused =
        Leader::take(&world.journal, &world.settings, &world.domain, None, Purpose::Logging)
            .expect("io");
    assert!(refused.is_none());
    drop(leader);
    world.lead();
}

#[test]
fn the_ring_of_a_dead_process_is_drained_and_removed() {
    let mut world = world(2, 1 << 20);
    let expected = world.log(1);
    let orphan = world.rings.remove(0);
    let path = orphan.path().expect("shared").to_owned();
    drop(orphan);
    let mut leader = world.lead();
    drain_all(&mut leader);
    assert!(leader.retire_orphans());
    assert_eq!(sorted(world.records()), sorted(expected));
    assert!(!path.exists());
    assert!(world.rings[0].path().expect("shared").exists());
}

#[test]
fn a_torn_last_line_is_set_aside_at_every_byte() {
    for cut in 1..20 {
        let mut world = world(1, 1 << 20);
        let expected = world.log(1);
        drain_all(&mut world.lead());
        let segments = crate::journal::segments(&world.journal).expect("segments");
        let path = &segments.last().expect("one").path;
        let mut bytes = std::fs::read(path).expect("read");
        bytes.extend_from_slice(&b"{\"torn\":\"line of some length\"}\n"[..cut]);
        std::fs::write(path, &bytes).expect("write");
        // As after a reboot: the shared memory is gone, the files are all there is.
        let place = world.domain.directory().expect("shared").to_owned();
        world.rings.clear();
        world.domain.detach();
        std::fs::remove_dir_all(&place).ok();
        world.domain = Arc::new(Domain::attach(&place, |_| {}).expect("domain"));
        let mut leader = world.lead();
        drain_all(&mut leader);
        assert_eq!(world.records(), expected);
        assert!(read(world.journal.directory())
            .iter()
            .any(|line| line.contains("journal recovered")));
        let aside =
            std::fs::read_dir(world.journal.directory().join("aside")).expect("aside").count();
        assert_eq!(aside, 1);
    }
}

#[test]
fn a_reader_starts_at_any_index_and_follows_across_rotations() {
    let mut world = world(1, 4096);
    let mut leader = world.lead();
    for round in 0..100 {
        world.log(round);
        drain_all(&mut leader);
    }
    assert!(crate::journal::segments(&world.journal).expect("segments").len() > 1);
    let all = read(world.journal.directory());
    for start in [0, 1, 7, 150, all.len() - 1] {
        let mut reader = Reader::open(world.journal.directory(), start as u64).expect("reader");
        let mut lines = Vec::new();
        loop {
            let batch = reader.read(300).expect("read");
            if batch.bytes.is_empty() {
                break;
            }
            lines.extend(batch.lines().map(|line| String::from_utf8_lossy(line).into_owned()));
        }
        assert_eq!(lines, all[start..]);
    }
    let mut reader = Reader::open(world.journal.directory(), all.len() as u64).expect("reader");
    assert!(reader.read(1 << 16).expect("read").bytes.is_empty());
    world.log(1000);
    drain_all(&mut leader);
    assert!(!reader.read(1 << 16).expect("read").bytes.is_empty());
}

#[test]
fn drops_are_told_to_the_journal() {
    let mut world = world(1, 1 << 20);
    let mut leader = world.lead();
    world.log(1);
    drain_all(&mut leader);
    let counters = &world.rings[0].mapping.header().counters;
    counters.dropped_newest.store(1204, std::sync::atomic::Ordering::Relaxed);
    drain_all(&mut leader);
    let told = read(world.journal.directory());
    assert!(told.iter().any(|line| line.contains("1,204 records dropped")), "{told:?}");
    drain_all(&mut leader);
    assert_eq!(read(world.journal.directory()).len(), told.len());
}
