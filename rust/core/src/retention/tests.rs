use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::level::{ERROR, INFO};

const DAY: u64 = 86_400_000_000_000;
const NOW: u64 = 1_000 * DAY;

/// A part of 100 records of 10 bytes, the last one so many days old.
fn part(number: u64, days_old: u64, errors: u64) -> Part {
    let newest = NOW - days_old * DAY;
    let count = |level, records| Count { level: Some(level), category: None, records };
    Part {
        file: format!("part {number}"),
        first: number * 100,
        end: number * 100 + 100,
        rows: 100,
        bytes: 1000,
        oldest: Some(newest - DAY / 2),
        newest: Some(newest),
        counts: vec![count(INFO, 100 - errors), count(ERROR, errors)],
        is_archived: true,
        told: 0,
        is_whole: false,
        is_copied: false,
    }
}

fn situation<'a>(parts: &'a [Part], rules: &'a Rules) -> Situation<'a> {
    Situation {
        now_ns: NOW,
        rules,
        min_age_s: 0,
        parts,
        open_bytes: 0,
        space: None,
        holds: &[],
        undelivered: None,
    }
}

fn keep(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

fn firsts(plan: &Plan) -> Vec<u64> {
    plan.steps.iter().map(|step| step.first).collect()
}

#[test]
fn without_a_limit_nothing_goes() {
    let parts = [part(0, 900, 0), part(1, 1, 0)];
    assert_eq!(plan(&situation(&parts, &Rules::default())), Plan::default());
}

#[test]
fn what_is_older_than_the_limit_goes_but_errors_stay_four_times_as_long() {
    let parts = [part(0, 130, 5), part(1, 40, 5), part(2, 31, 0), part(3, 29, 5)];
    let rules = Rules { max_age_s: 30 * 86_400, ..Rules::default() };
    let plan = plan(&situation(&parts, &rules));
    let steps: Vec<_> = plan.steps.iter().map(|s| (s.first, s.records, s.kept, s.why)).collect();
    assert_eq!(steps, [(0, 100, 0, Why::Age), (100, 95, 5, Why::Age), (200, 100, 0, Why::Age)]);
    assert_eq!(plan.steps[1].keep.level, Some(ERROR));
}

#[test]
fn what_was_thinned_is_not_thinned_again() {
    let mut thin = part(0, 40, 5);
    thin.rows = 5;
    thin.counts.remove(0);
    let rules = Rules { max_age_s: 30 * 86_400, ..Rules::default() };
    assert!(plan(&situation(&[thin], &rules)).steps.is_empty());
}

#[test]
fn a_category_can_be_kept_for_a_time_of_its_own() {
    let mut parts = [part(0, 400, 0), part(1, 100, 0)];
    for part in &mut parts {
        part.counts = vec![
            Count { level: Some(INFO), category: Some("security".into()), records: 10 },
            Count { level: Some(INFO), category: Some("api".into()), records: 90 },
        ];
    }
    let rules = Rules {
        max_age_s: 30 * 86_400,
        keep: keep(&[("category:security", "31536000s")]),
        ..Rules::default()
    };
    let kept: Vec<_> =
        plan(&situation(&parts, &rules)).steps.iter().map(|s| (s.records, s.kept)).collect();
    assert_eq!(kept, [(100, 0), (90, 10)]);
}

#[test]
fn a_limit_of_size_takes_the_oldest_and_no_more_than_it_must() {
    let parts: Vec<_> = (0..10).map(|n| part(n, 100 - n * 10, 0)).collect();
    let rules = Rules { max_bytes: 7_500, ..Rules::default() };
    let plan = plan(&situation(&parts, &rules));
    assert_eq!(firsts(&plan), [0, 100, 200]);
    assert!(plan.missed.is_empty());
}

#[test]
fn a_limit_of_size_prefers_what_nothing_keeps_before_four_times_younger_errors() {
    // Errors of 50 days stay as long as the rest has to be older than 12.5 days to go.
    let parts: Vec<_> = (0..5).map(|n| part(n, 50 - n * 10, 50)).collect();
    let rules = Rules { max_bytes: 4_000, ..Rules::default() };
    let plan = plan(&situation(&parts, &rules));
    let steps: Vec<_> = plan.steps.iter().map(|s| (s.first, s.kept)).collect();
    assert_eq!(steps, [(0, 50), (100, 50)]);
}

#[test]
fn a_limit_of_files_counts_the_open_segment() {
    let parts: Vec<_> = (0..5).map(|n| part(n, 50 - n * 10, 0)).collect();
    let rules = Rules { max_files: 4, ..Rules::default() };
    assert_eq!(firsts(&plan(&situation(&parts, &rules))), [0, 100]);
}

#[test]
fn the_promised_least_age_is_above_every_limit() {
    let parts = [part(0, 40, 0), part(1, 5, 0)];
    let rules = Rules { max_bytes: 1, min_free: Some("50%".into()), ..Rules::default() };
    let space = Some(Space { free: 0, total: 10_000 });
    let plan = plan(&Situation { min_age_s: 10 * 86_400, space, ..situation(&parts, &rules) });
    assert_eq!(firsts(&plan), [0]);
    assert_eq!(plan.spared[0].because, Because::TooYoung);
    assert_eq!(plan.missed, [Why::Size, Why::FreeSpace]);
}

#[test]
fn what_is_held_stays_in_an_emergency_too() {
    let parts = [part(0, 40, 0), part(1, 30, 0), part(2, 20, 0)];
    let holds = [Hold::new("case 1", "", Some(NOW - 31 * DAY), Some(NOW - 29 * DAY))];
    let rules = Rules { min_free: Some("5000".into()), ..Rules::default() };
    let space = Some(Space { free: 0, total: 10_000 });
    let plan = plan(&Situation { holds: &holds, space, ..situation(&parts, &rules) });
    assert_eq!(firsts(&plan), [0, 200]);
    assert_eq!(plan.spared[0].because, Because::Held("case 1".into()));
    assert_eq!(plan.missed, [Why::FreeSpace]);
}

#[test]
fn a_hold_without_times_holds_the_whole_journal() {
    let parts = [part(0, 40, 0), part(1, 30, 0)];
    let holds = [Hold::new("all", "", None, None)];
    let rules = Rules { max_age_s: 1, ..Rules::default() };
    let plan = plan(&Situation { holds: &holds, ..situation(&parts, &rules) });
    assert!(plan.steps.is_empty());
    assert_eq!(plan.spared.len(), 2);
}

#[test]
fn what_an_output_has_not_delivered_stays_unless_the_disk_is_full() {
    let parts = [part(0, 40, 0), part(1, 30, 0)];
    let undelivered = Some(Undelivered { output: "siem".into(), index: 150 });
    let aged = Rules { max_age_s: 86_400, ..Rules::default() };
    let patient = plan(&Situation { undelivered: undelivered.clone(), ..situation(&parts, &aged) });
    assert_eq!(firsts(&patient), [0]);
    assert_eq!(patient.spared[0].because, Because::Undelivered("siem".into()));
    let full = Rules { min_free: Some("1600".into()), ..Rules::default() };
    let space = Some(Space { free: 0, total: 10_000 });
    let urgent = plan(&Situation { space, undelivered, ..situation(&parts, &full) });
    assert_eq!(firsts(&urgent), [0, 100]);
}

#[test]
fn what_the_second_place_has_not_got_stays() {
    let mut parts = [part(0, 40, 0), part(1, 30, 0)];
    parts[0].is_copied = true;
    let rules =
        Rules { max_age_s: 86_400, archive_to: Some("/mnt/second".into()), ..Rules::default() };
    let plan = plan(&situation(&parts, &rules));
    assert_eq!(firsts(&plan), [0]);
    assert_eq!(plan.spared[0].because, Because::NotCopied);
}

#[test]
fn an_emergency_begins_below_the_mark_and_frees_a_quarter_more() {
    let parts: Vec<_> = (0..10).map(|n| part(n, 100 - n * 10, 0)).collect();
    let rules = Rules { min_free: Some("40%".into()), ..Rules::default() };
    let with = |free| {
        let space = Some(Space { free, total: 10_000 });
        plan(&Situation { space, ..situation(&parts, &rules) })
    };
    assert_eq!(with(4_000), Plan::default());
    let urgent = with(3_900);
    assert_eq!(urgent.emergency, Some(Emergency { free: 3_900, wanted: 5_000 }));
    assert_eq!(firsts(&urgent), [0, 100]);
}

#[test]
fn an_emergency_takes_nothing_that_is_kept_for_a_time_of_its_own() {
    let parts = [part(0, 40, 100), part(1, 30, 0)];
    let rules = Rules {
        min_free: Some("90%".into()),
        keep: keep(&[("ERROR", "31536000s")]),
        ..Rules::default()
    };
    let space = Some(Space { free: 0, total: 10_000 });
    assert_eq!(firsts(&plan(&Situation { space, ..situation(&parts, &rules) })), [100]);
}

#[test]
fn a_clock_that_jumped_does_not_make_later_parts_older() {
    let parts = [part(0, 10, 0), part(1, 400, 0)];
    let rules = Rules { max_age_s: 30 * 86_400, ..Rules::default() };
    assert!(plan(&situation(&parts, &rules)).steps.is_empty());
}

#[test]
fn records_without_a_time_are_not_taken_for_old() {
    let mut timeless = part(0, 900, 0);
    (timeless.oldest, timeless.newest) = (None, None);
    let rules = Rules { max_age_s: 86_400, ..Rules::default() };
    assert!(plan(&situation(&[timeless], &rules)).steps.is_empty());
}

#[test]
fn rules_that_cannot_be_read_are_refused() {
    let bad = |pairs| Rules { keep: keep(pairs), ..Rules::default() }.check().is_err();
    assert!(bad(&[("LOUD", "4x")]));
    assert!(bad(&[("ERROR", "0.5x")]));
    assert!(bad(&[("category:", "4x")]));
    assert!(bad(&[("ERROR", "soon")]));
    assert!(!bad(&[("Level 27", "4x"), ("category:a:b", "60s")]));
    assert!(Rules { min_free: Some("95%".into()), ..Rules::default() }.check().is_err());
}

#[test]
fn copies_of_two_neighbours_cover_what_was_merged_of_them() {
    let copies = Copies::of([(100, 200), (0, 100), (300, 400)].into_iter());
    assert!(copies.cover(0, 200));
    assert!(!copies.cover(150, 310));
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    prop::collection::vec((0_u64..20, 0_u64..=100, 1_u64..3000, any::<bool>()), 0..30).prop_map(
        |given| {
            let mut days = 900;
            let make =
                |(number, (step, errors, bytes, is_copied)): (u64, (u64, u64, u64, bool))| {
                    days = u64::saturating_sub(days, step);
                    Part { bytes, is_copied, ..part(number, days, errors) }
                };
            (0..).zip(given).map(make).collect()
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    let keep = prop_oneof![
        Just(None),
        Just(keep(&[])),
        Just(keep(&[("ERROR", "2x")])),
        Just(keep(&[("ERROR", "8640000s"), ("AUDIT", "9x")])),
    ];
    let place = prop_oneof![Just(None), Just(Some("/second".to_owned()))];
    let free = prop_oneof![Just(None), (0_u64..90).prop_map(|share| Some(format!("{share}%")))];
    (0_u64..900, 0_u64..40_000, 0_u64..30, free, keep, place).prop_map(
        |(days, max_bytes, max_files, min_free, keep, archive_to)| Rules {
            max_age_s: days * 86_400,
            max_bytes,
            max_files,
            min_free,
            keep,
            archive_to,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_plan_takes_nothing_that_something_keeps_and_no_more_than_it_must(
        parts in parts(),
        rules in rules(),
        min_age in 0_u64..400,
        held in proptest::option::of((0_u64..900, 0_u64..200)),
        free in 0_u64..40_000,
    ) {
        let holds: Vec<Hold> = held
            .map(|(from, long)| {
                let from = NOW - from * DAY;
                Hold::new("h", "r", Some(from), Some(from + long * DAY + 1))
            })
            .into_iter()
            .collect();
        let min_age_s = min_age * 86_400;
        let space = Some(Space { free, total: 40_000 });
        let asked = Situation { min_age_s, holds: &holds, space, ..situation(&parts, &rules) };
        let found = plan(&asked);
        let by_first = |first| parts.iter().find(|part| part.first == first).expect("a part");
        for step in &found.steps {
            let part = by_first(step.first);
            prop_assert_eq!(step.records + step.kept, part.rows);
            prop_assert!(step.records > 0);
            prop_assert!(!holds.iter().any(|hold| hold.covers(part)));
            prop_assert!(NOW - part.newest.expect("a time") >= min_age_s * 1_000_000_000);
            prop_assert!(rules.archive_to.is_none() || part.is_copied);
            prop_assert!(part.kept(&step.keep) == step.kept || step.kept == 0);
            // What is kept for a time of its own is kept.
            if rules.keep.as_ref().is_some_and(|keep| keep.contains_key("AUDIT"))
                && NOW - part.newest.expect("a time") < 100 * DAY
            {
                prop_assert_eq!(step.kept, part.counts[1].records);
            }
        }
        // Deciding twice decides the same.
        prop_assert_eq!(plan(&asked), found);
    }

    #[test]
    fn a_limit_of_size_keeps_the_newest_and_takes_no_part_too_many(
        parts in parts(),
        max_bytes in 1_u64..40_000,
    ) {
        let rules = Rules { max_bytes, keep: keep(&[]), ..Rules::default() };
        let found = plan(&situation(&parts, &rules));
        let total: u64 = parts.iter().map(|part| part.bytes).sum();
        let left = total - found.bytes();
        prop_assert!(left <= max_bytes || found.missed == [Why::Size]);
        // What goes is where the journal begins.
        prop_assert!(found.steps.iter().zip(&parts).all(|(step, part)| step.first == part.first));
        let ages: Vec<_> = found.steps.iter().zip(&parts).map(|(_, part)| part.newest).collect();
        let same_age = |(_, age): &(&Step, &Option<u64>)| Some(**age) == ages.last().copied();
        let last: u64 =
            found.steps.iter().zip(&ages).filter(same_age).map(|(step, _)| step.bytes).sum();
        prop_assert!(found.steps.is_empty() || left + last > max_bytes);
    }
}
