//! What is prepared apart from the leader, and what becomes of it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::archiving::pace::{Halt, Pace};
use super::cutting::{Ground, Ready};
use super::tests::{drain_all, world, World};
use super::{Cut, Keep, Leader};
use crate::archive::Identities;

/// A journal with several closed segments, all of them sealed.
fn grown() -> (World, Leader) {
    let mut world = world(1, 4096);
    let mut leader = world.lead();
    for round in 0..60 {
        world.log(round);
        drain_all(&mut leader);
    }
    leader.sync();
    (world, leader)
}

/// Everything closed, but for what this keeps. Records without a level are kept by rules about levels.
fn ready(leader: &Leader, keep: Keep, pace: &Pace) -> crate::error::Result<Ready> {
    let cuts = [Cut { first: 0, end: leader.committed.segment, keep }];
    Ready::prepare(&Ground::of(leader), &cuts, &Identities::default(), pace)
}

fn files(world: &World) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(world.journal.directory().join("active")).expect("entries");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("entry").path())
        .map(|path| (path.clone(), fs::read(path).expect("bytes")))
        .collect();
    files.sort();
    files
}

#[test]
fn preparing_changes_nothing_and_leaves_nothing_when_nobody_wants_it() {
    let (world, leader) = grown();
    let before = files(&world);
    let prepared = ready(&leader, Keep::default(), &Pace::unlimited()).expect("ready");
    assert!(!prepared.plans.is_empty());
    assert_eq!(files(&world), before);
    drop(prepared);
    let drafts = world.journal.directory().join("archive").join(".draft");
    assert_eq!(fs::read_dir(drafts).map_or(0, Iterator::count), 0);
}

#[test]
fn what_was_prepared_is_carried_out() {
    let (world, mut leader) = grown();
    let before = files(&world).len();
    let prepared = ready(&leader, Keep::default(), &Pace::unlimited()).expect("ready");
    let pruned = leader.carry_out(prepared).expect("carried out").expect("nothing had changed");
    assert_eq!(pruned.segments as usize, before - 1);
}

#[test]
fn a_file_that_has_changed_since_is_left_alone() {
    let (world, mut leader) = grown();
    let prepared = ready(&leader, Keep::default(), &Pace::unlimited()).expect("ready");
    let (path, content) = files(&world).remove(0);
    // Another file of the same name and content.
    fs::remove_file(&path).expect("removed");
    fs::write(&path, &content).expect("written");
    let before = files(&world);
    assert_eq!(leader.carry_out(prepared).expect("no error"), None);
    assert_eq!(files(&world), before);
}

#[test]
fn a_hold_that_is_placed_meanwhile_holds() {
    let (world, mut leader) = grown();
    let prepared = ready(&leader, Keep::default(), &Pace::unlimited()).expect("ready");
    let hold = crate::retention::Hold::new("case", "why", None, None);
    crate::retention::hold(&mut leader, &hold).expect("placed");
    let before = files(&world);
    assert_eq!(leader.carry_out(prepared).expect("no error"), None);
    assert_eq!(files(&world).len(), before.len());
}

#[test]
fn preparing_ends_when_the_lead_does() {
    let (_world, leader) = grown();
    let halt = Arc::new(Halt::default());
    halt.ask(Duration::ZERO);
    assert!(ready(&leader, Keep::default(), &Pace::new(1.0, halt)).is_err());
}
