//! Closed segments become files, whatever happens to the leader meanwhile.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::draft::{self, Draft};
use super::pace::{Halt, Pace};
use super::place::Step;
use super::plan::{choose, Plan, Situation, Work};
use super::Archiving;
use crate::archive::{self, tokens};
use crate::drain::tests::{drain_all, read, world, World};
use crate::drain::Leader;
use crate::error::Error;
use crate::journal::{segments, Reader};

/// About four segments.
const ROUNDS: usize = 150;

/// A journal with several closed segments, all of them sealed.
fn grown(rounds: usize) -> (World, Leader) {
    let mut world = world(1, 4096);
    let mut leader = world.lead();
    grow(&mut world, &mut leader, rounds);
    (world, leader)
}

fn grow(world: &mut World, leader: &mut Leader, rounds: usize) {
    for round in 0..rounds {
        world.log(round);
        drain_all(leader);
    }
    leader.sync();
}

fn situation(leader: &Leader) -> Situation {
    Situation {
        journal: leader.journal.clone(),
        settings: leader.settings.clone(),
        active: leader.committed.segment,
        sealed: leader.seal().map(|seal| seal.sealed()),
        eager: true,
        left_out: HashSet::new(),
        apart: HashSet::new(),
    }
}

fn pace() -> Pace {
    Pace::new(1.0, Arc::new(Halt::default()))
}

fn next_plan(leader: &Leader) -> Plan {
    match choose(&situation(leader)).expect("readable").0 {
        Some(Work::Archive(plan)) => plan,
        other => panic!("not something to archive: {other:?}"),
    }
}

fn next_draft(leader: &Leader) -> Draft {
    draft::make(&situation(leader), next_plan(leader), &pace()).expect("a draft")
}

fn archive_all(leader: &mut Leader) -> Vec<Error> {
    let mut archiving = Archiving::eager();
    let mut errors = Vec::new();
    while !archiving.is_done() {
        errors.extend(archiving.attend(leader).err());
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    drain_all(leader);
    errors
}

/// Everything but what the journal says about itself: that grows with every attempt.
fn records(world: &World) -> Vec<String> {
    let all = read(world.journal.directory());
    all.into_iter().filter(|line| !line.contains("treering.journal")).collect()
}

fn drafts(world: &World) -> usize {
    let place = world.journal.directory().join("archive").join(".draft");
    fs::read_dir(place).map_or(0, Iterator::count)
}

fn is_tidy(world: &World) {
    let archived = archive::list(world.journal.directory()).expect("list");
    let names = archive::names(world.journal.directory()).expect("names");
    assert_eq!(archived.len(), names.len(), "a file that has become part of another");
    assert_eq!(drafts(world), 0);
    let end = archived.last().map_or(0, |file| file.facts.end);
    let active = segments(&world.journal).expect("segments");
    assert!(active.iter().all(|segment| segment.first >= end), "{active:?} {end}");
}

#[test]
fn a_leader_may_die_at_every_step_of_archiving() {
    let steps = [
        Step::Compared,
        Step::Declared,
        Step::Renamed,
        Step::Synced,
        Step::Removing(0),
        Step::Removed,
    ];
    for step in steps {
        let (world, mut leader) = grown(ROUNDS);
        let before = records(&world);
        let draft = next_draft(&leader);
        leader.place_draft(&draft, &|now| now != step).expect("placed");
        // As if killed: nobody cleans up.
        std::mem::forget(draft);
        assert_eq!(records(&world), before, "{step:?}");
        drop(leader);
        let mut successor = world.lead();
        assert_eq!(records(&world), before, "{step:?}");
        let errors = archive_all(&mut successor);
        assert!(errors.is_empty(), "{step:?}: {errors:?}");
        assert_eq!(records(&world), before, "{step:?}");
        is_tidy(&world);
    }
}

#[test]
fn a_leader_may_die_at_every_removal_of_a_merged_file() {
    for removed in 0..6 {
        let (mut world, mut leader) = grown(2 * ROUNDS);
        archive_all(&mut leader);
        // Larger segments from now on: the small files of the archive become one.
        leader.settings.segment_max_bytes = 1 << 20;
        grow(&mut world, &mut leader, 3 * ROUNDS);
        let before = records(&world);
        leader.rotate().expect("rotated");
        leader.sync();
        let draft = next_draft(&leader);
        assert!(draft.plan.merged.len() > 3, "{:?}", draft.plan.merged);
        leader.place_draft(&draft, &|now| now != Step::Removing(removed)).expect("placed");
        std::mem::forget(draft);
        assert_eq!(records(&world), before, "{removed}");
        drop(leader);
        let mut successor = world.lead();
        let errors = archive_all(&mut successor);
        assert!(errors.is_empty(), "{removed}: {errors:?}");
        assert_eq!(records(&world), before, "{removed}");
        is_tidy(&world);
    }
}

#[test]
fn a_reader_begins_at_any_index_of_the_archive() {
    let (world, mut leader) = grown(ROUNDS);
    archive_all(&mut leader);
    let all = read(world.journal.directory());
    assert!(archive::list(world.journal.directory()).expect("list").len() > 1);
    for start in 0..all.len() {
        let mut reader = Reader::open(world.journal.directory(), start as u64).expect("reader");
        assert_eq!(reader.position(), start as u64);
        let mut lines = Vec::new();
        loop {
            let batch = reader.read(300).expect("read");
            if batch.bytes.is_empty() {
                break;
            }
            assert_eq!(batch.first, (start + lines.len()) as u64);
            lines.extend(batch.lines().map(|line| String::from_utf8_lossy(line).into_owned()));
        }
        assert_eq!(lines, all[start..]);
        assert_eq!(reader.position(), all.len() as u64);
    }
}

#[test]
fn a_reader_goes_on_while_what_it_reads_is_archived() {
    let (world, mut leader) = grown(ROUNDS);
    let before = read(world.journal.directory());
    let mut reader = Reader::open(world.journal.directory(), 0).expect("reader");
    let mut lines: Vec<String> = Vec::new();
    let mut is_archived = false;
    loop {
        let batch = reader.read(1000).expect("read");
        if batch.bytes.is_empty() {
            break;
        }
        lines.extend(batch.lines().map(|line| String::from_utf8_lossy(line).into_owned()));
        if !std::mem::replace(&mut is_archived, true) {
            archive_all(&mut leader);
        }
    }
    assert_eq!(lines[..before.len()], before);
}

#[test]
fn a_segment_that_changes_meanwhile_is_not_removed() {
    let (world, mut leader) = grown(ROUNDS);
    let draft = next_draft(&leader);
    let path = draft.plan.segments[0].path.clone();
    let mut bytes = fs::read(&path).expect("read");
    bytes.push(b'\n');
    fs::write(&path, bytes).expect("write");
    assert!(!leader.place_draft(&draft, &|_| true).expect("compared"));
    drop(draft);
    assert!(path.exists());
    assert_eq!(archive::names(world.journal.directory()).expect("names"), []);
    assert_eq!(drafts(&world), 0);
}

#[test]
fn a_segment_that_is_not_what_was_sealed_stays_and_is_told_once() {
    let (world, mut leader) = grown(ROUNDS);
    let all = segments(&world.journal).expect("segments");
    let damaged = &all[1];
    let text = fs::read_to_string(&damaged.path).expect("read");
    fs::write(&damaged.path, text.replacen("\"number\":1", "\"number\":7", 1)).expect("write");
    let errors = archive_all(&mut leader);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(archive_all(&mut leader).len() == 1);
    let left: Vec<u64> =
        segments(&world.journal).expect("segments").iter().map(|s| s.first).collect();
    assert_eq!(left, [damaged.first, leader.committed.segment]);
    let told = read(world.journal.directory());
    let told = told.iter().filter(|line| line.contains("archiving failed")).count();
    // Once by each of the two that tried.
    assert_eq!(told, 2);
}

#[test]
fn what_the_journal_says_about_archiving_is_not_archived_for_ever() {
    let (world, mut leader) = grown(ROUNDS);
    archive_all(&mut leader);
    for _ in 0..3 {
        leader.rotate().expect("rotated");
        leader.sync();
        let patient = Situation { eager: false, ..situation(&leader) };
        let patient = Situation {
            settings: crate::journal::Settings { archive_after_s: 0, ..patient.settings.clone() },
            ..patient
        };
        let (work, _) = choose(&patient).expect("chosen");
        if let Some(Work::Archive(plan)) = work {
            let lines = fs::read_to_string(&plan.segments[0].path).expect("read");
            assert!(lines.lines().any(|line| !line.contains("treering.journal")), "{lines}");
            archive_all(&mut leader);
        }
    }
    assert_eq!(records(&world).len(), 3 * ROUNDS);
}

#[test]
fn an_archive_that_is_not_wanted_any_more_ends_at_once() {
    let (_world, leader) = grown(ROUNDS);
    let halt = Arc::new(Halt::default());
    let slow = Pace::new(0.01, halt.clone());
    halt.ask(std::time::Duration::ZERO);
    let error = draft::make(&situation(&leader), next_plan(&leader), &slow).expect_err("ended");
    assert!(error.to_string().contains("stopped"), "{error}");
}

#[test]
fn a_damaged_file_of_the_archive_is_told_once_and_stops_nothing_else() {
    let (mut world, mut leader) = grown(ROUNDS);
    assert_eq!(archive_all(&mut leader).len(), 0);
    let files = archive::list(world.journal.directory()).expect("list");
    fs::write(&files[1].path, "not Parquet").expect("write");
    grow(&mut world, &mut leader, ROUNDS);
    let mut archiving = Archiving::eager();
    while !archiving.is_done() {
        archiving.attend(&mut leader).expect("the others are archived");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    drain_all(&mut leader);
    let (left, unreadable) = archive::readable(world.journal.directory()).expect("readable");
    assert!(left.len() > files.len(), "{left:?}");
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    let mut reader = Reader::open(world.journal.directory(), 0).expect("reader");
    while reader.position() < files[0].facts.end {
        reader.read(1 << 20).expect("what lies before it");
    }
    assert!(matches!(reader.read(1 << 20), Err(Error::Damaged { .. })));
    reader.seek(files[2].facts.first).expect("what lies after it");
    let mut told = 0;
    loop {
        let batch = reader.read(1 << 20).expect("what lies after it");
        if batch.bytes.is_empty() {
            break;
        }
        let said = batch.lines().map(String::from_utf8_lossy);
        told += said.filter(|line| line.contains("archive unreadable")).count();
    }
    assert_eq!(told, 1);
    assert_eq!(leader.domain.control().totals.archive_errors.load(Ordering::Relaxed), 1);
}

#[test]
fn every_file_has_its_index_of_words_and_gets_a_new_one_for_a_damaged_one() {
    let (world, mut leader) = grown(ROUNDS);
    assert_eq!(archive_all(&mut leader).len(), 0);
    let files = archive::list(world.journal.directory()).expect("list");
    assert!(files.iter().all(|file| tokens::is_usable(&file.path)));
    fs::remove_file(tokens::path(&files[0].path)).expect("removed");
    fs::write(tokens::path(&files[1].path), "damaged").expect("written");
    assert_eq!(archive_all(&mut leader).len(), 0);
    let checked = files.iter().map(|file| tokens::check(&file.path).expect("checked"));
    assert!(checked.into_iter().all(|found| found == tokens::Checked::Complete));
}

#[test]
fn what_is_encrypted_never_lies_in_a_draft_in_plain() {
    let (world, mut leader) = grown(ROUNDS);
    let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    leader.settings.archive_recipients = vec![recipient.to_owned()];
    let draft = next_draft(&leader);
    let place = draft.path.parent().expect("a directory").to_owned();
    let names: Vec<_> = fs::read_dir(place).expect("drafts").flatten().map(|e| e.path()).collect();
    assert_eq!(names, [draft.path.clone()]);
    assert!(fs::read(&draft.path).expect("read").starts_with(b"age-encryption.org/v1"));
    assert!(leader.place_draft(&draft, &|_| true).expect("placed"));
    let files = archive::list(world.journal.directory()).expect("list");
    assert!(files[0].is_encrypted && !tokens::path(&files[0].path).exists());
}
