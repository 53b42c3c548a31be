//! What goes, and why: decided from facts, changing nothing.
//!
//! Every limit comes down to one number, the cut: parts go when their newest record is older. Limits of
//! size, count and free space look for the longest cut that suffices; what is kept so many times as long
//! shrinks with it, what is kept for a time of its own does not.

use serde::Serialize;

use super::{Hold, KeepRule, Part, Rules, Space};
use crate::clock::rfc3339;
use crate::drain::Keep;

/// The limit for which something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Age,
    Size,
    Files,
    FreeSpace,
}

/// What keeps a part that a limit would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Under this legal hold.
    Held(String),
    /// Younger than `retention_min_age_s`.
    TooYoung,
    /// This output has not got it yet.
    Undelivered(String),
    /// The second place has no copy yet.
    NotCopied,
}

/// An output that has not delivered everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    pub output: String,
    /// The next record it delivers.
    pub index: u64,
}

/// Everything that counts.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    pub now_ns: u64,
    pub rules: &'a Rules,
    pub min_age_s: u64,
    /// Closed ones, oldest first.
    pub parts: &'a [Part],
    /// The open segment, which stays whatever happens.
    pub open_bytes: u64,
    pub space: Option<Space>,
    pub holds: &'a [Hold],
    pub undelivered: Option<Undelivered>,
}

/// One part that goes, wholly or but for what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub file: String,
    pub first: u64,
    pub end: u64,
    pub why: Why,
    /// Records that go, and that stay.
    pub records: u64,
    pub kept: u64,
    /// Freed; about, when records stay.
    pub bytes: u64,
    pub oldest: Option<String>,
    pub newest: Option<String>,
    #[serde(skip)]
    pub keep: Keep,
}

/// A part that a limit would take and something keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spared {
    pub file: String,
    pub first: u64,
    pub end: u64,
    pub because: Because,
    pub why: Why,
}

/// The file system is fuller than it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Emergency {
    pub free: u64,
    pub wanted: u64,
}

/// What to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub spared: Vec<Spared>,
    pub emergency: Option<Emergency>,
    /// Limits that cannot be kept even so.
    pub missed: Vec<Why>,
}

impl Plan {
    #[must_use]
    pub fn records(&self) -> u64 {
        self.steps.iter().map(|step| step.records).sum()
    }

    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.bytes).sum()
    }
}

/// A part as the rules see it.
struct Seen<'a> {
    part: &'a Part,
    age_ns: u64,
    because: Option<Because>,
}

impl Seen<'_> {
    /// What stays of it at this cut; `None` when nothing of it goes.
    fn keep(&self, rules: &[KeepRule], cut_ns: u64) -> Option<(Keep, u64)> {
        if self.age_ns <= cut_ns {
            return None;
        }
        let keep = Rules::keep_at(rules, self.age_ns, cut_ns);
        let kept = self.part.kept(&keep);
        // Nobody can take single records out of some files.
        let goes = kept == 0 || (kept < self.part.rows && !self.part.is_whole);
        goes.then_some((keep, kept))
    }
}

fn is_undelivered(situation: &Situation<'_>, part: &Part) -> Option<Because> {
    let behind = situation.undelivered.as_ref()?;
    (part.end > behind.index).then(|| Because::Undelivered(behind.output.clone()))
}

fn see<'a>(situation: &Situation<'a>, is_emergency: bool) -> Vec<Seen<'a>> {
    let mut newest = 0;
    let look = |part: &'a Part| {
        // A part is never older than one before it: what comes later is never taken first.
        newest =
            part.newest.or((part.rows > 0).then_some(situation.now_ns)).unwrap_or(0).max(newest);
        let age_ns = situation.now_ns.saturating_sub(newest);
        let held = situation.holds.iter().find(|hold| hold.covers(part));
        let because = if let Some(hold) = held {
            Some(Because::Held(hold.name.clone()))
        } else if situation.min_age_s > 0
            && age_ns < situation.min_age_s.saturating_mul(1_000_000_000)
        {
            Some(Because::TooYoung)
        } else if situation.rules.archive_to.is_some() && !part.is_copied {
            Some(Because::NotCopied)
        } else if is_emergency {
            None
        } else {
            is_undelivered(situation, part)
        };
        Seen { part, age_ns, because }
    };
    situation.parts.iter().map(look).collect()
}

/// Bytes and files that stay at this cut.
fn rest(seen: &[Seen<'_>], rules: &[KeepRule], cut_ns: u64) -> (u64, u64) {
    seen.iter().fold((0, 0), |(bytes, files), one| {
        let gone = one.because.is_none().then(|| one.keep(rules, cut_ns)).flatten();
        match gone {
            Some((_, 0)) => (bytes, files),
            Some((_, kept)) => (bytes + one.part.bytes - one.part.freed(kept), files + 1),
            None => (bytes + one.part.bytes, files + 1),
        }
    })
}

/// The cuts at which something changes, longest first.
fn cuts(seen: &[Seen<'_>], rules: &[KeepRule]) -> Vec<u64> {
    let mut cuts = Vec::new();
    for age in seen.iter().map(|one| one.age_ns) {
        // A part goes when it is older than the cut.
        cuts.push(age.saturating_sub(1));
        for rule in rules {
            if let super::Horizon::Times(factor) = rule.horizon {
                #[allow(clippy::cast_precision_loss)] // rounded down, below
                let cut = (age as f64 / factor) as u64;
                cuts.push(cut.saturating_sub(1));
            }
        }
    }
    cuts.push(0);
    cuts.sort_unstable_by(|one, other| other.cmp(one));
    cuts.dedup();
    cuts
}

/// The longest cut that `suffices`, or 0 and false.
fn longest(cuts: &[u64], suffices: impl Fn(u64) -> bool) -> (u64, bool) {
    let at = cuts.partition_point(|cut| !suffices(*cut));
    cuts.get(at).map_or((0, false), |cut| (*cut, true))
}

/// Once it cleans up it frees a quarter more than it must, so that it need not begin again at once.
fn wanted(rules: &Rules, space: Option<Space>) -> Option<Emergency> {
    let space = space?;
    let floor = rules.floor()?.bytes(space);
    let wanted = floor.saturating_add(floor / 4).min(space.total);
    (space.free < floor).then_some(Emergency { free: space.free, wanted })
}

/// Decides what goes.
#[must_use]
pub fn plan(situation: &Situation<'_>) -> Plan {
    let rules = situation.rules;
    let keep_rules = rules.keep_rules();
    let emergency = wanted(rules, situation.space);
    let seen = see(situation, emergency.is_some());
    let patient = see(situation, false);
    let mut plan = Plan { emergency, ..Plan::default() };
    // Limit, cut, and the parts as that limit sees them.
    let mut limits: Vec<(Why, u64, &[Seen<'_>])> = Vec::new();
    if rules.max_age_s > 0 {
        limits.push((Why::Age, rules.max_age_s.saturating_mul(1_000_000_000), &patient));
    }
    let mut look = |why: Why, seen, fits: &dyn Fn(u64, u64) -> bool| {
        let all = [u64::MAX].into_iter().chain(cuts(seen, &keep_rules)).collect::<Vec<_>>();
        let (cut, is_kept) = longest(&all, |cut| {
            let (bytes, files) = rest(seen, &keep_rules, cut);
            fits(bytes + situation.open_bytes, files + 1)
        });
        if !is_kept {
            plan.missed.push(why);
        }
        limits.push((why, cut, seen));
    };
    if rules.max_bytes > 0 {
        look(Why::Size, &patient, &|bytes, _| bytes <= rules.max_bytes);
    }
    if rules.max_files > 0 {
        look(Why::Files, &patient, &|_, files| files <= rules.max_files);
    }
    if let Some(Emergency { free, wanted }) = emergency {
        let now = situation.parts.iter().map(|part| part.bytes).sum::<u64>();
        let most = (now + situation.open_bytes).saturating_sub(wanted - free);
        look(Why::FreeSpace, &seen, &|bytes, _| {
            bytes <= most && now + situation.open_bytes >= wanted - free
        });
    }
    for at in 0..situation.parts.len() {
        decide(&mut plan, &limits, at, &keep_rules);
    }
    plan
}

/// What becomes of one part: the limit that takes most of it counts, and of equals the first.
fn decide(plan: &mut Plan, limits: &[(Why, u64, &[Seen<'_>])], at: usize, rules: &[KeepRule]) {
    let mut best: Option<(Why, Keep, u64)> = None;
    let mut spared: Option<(Why, Because)> = None;
    for (why, cut, seen) in limits {
        let one = &seen[at];
        let Some((keep, kept)) = one.keep(rules, *cut) else { continue };
        match &one.because {
            Some(because) => spared = spared.or_else(|| Some((*why, because.clone()))),
            None if best.as_ref().is_none_or(|(_, _, least)| kept < *least) => {
                best = Some((*why, keep, kept));
            }
            None => {}
        }
    }
    let Some(part) = limits.first().map(|(_, _, seen)| seen[at].part) else { return };
    let (file, first, end) = (part.file.clone(), part.first, part.end);
    match (best, spared) {
        (Some((why, keep, kept)), _) => plan.steps.push(Step {
            file,
            first,
            end,
            why,
            records: part.rows - kept,
            kept,
            bytes: part.freed(kept),
            oldest: part.oldest.map(rfc3339),
            newest: part.newest.map(rfc3339),
            keep: if kept == 0 { Keep::default() } else { keep },
        }),
        (None, Some((why, because))) => {
            plan.spared.push(Spared { file, first, end, because, why });
        }
        (None, None) => {}
    }
}
