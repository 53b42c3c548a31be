//! What a cut takes and leaves, prepared apart from the leader: reading and writing files takes seconds, and
//! the drain has none.

use std::path::Path;

use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use super::archiving::draft::new_path;
use super::archiving::pace::Pace;
use super::archiving::plan::Forms;
use super::held::check_held;
use super::swap::Swap;
use super::units::{units, Unit};
use super::{Cut, Keep, Leader};
use crate::archive::Identities;
use crate::clock::parse_rfc3339;
use crate::error::Result;
use crate::journal::{Journal, Segment, Settings};
use crate::level;
use crate::retention::HOLDS;
use crate::seal::{self, Kept, Rewritten, SaltKind, SegmentSeal};

/// What has to be known of a leader to prepare a cut for it.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub journal: Journal,
    pub settings: Settings,
    /// Records under the newest checkpoint.
    sealed: u64,
    /// First record of the segment that is being written.
    active: u64,
}

impl Ground {
    pub fn of(leader: &Leader) -> Self {
        Self {
            journal: leader.journal.clone(),
            settings: leader.settings.clone(),
            sealed: leader.seal().map_or(0, |seal| seal.sealed()),
            active: leader.committed.segment,
        }
    }
}

/// A cut that only has to be said and carried out.
#[derive(Debug)]
pub(super) struct Ready {
    pub cuts: Vec<Cut>,
    pub plans: Vec<Plan>,
    /// Segments that a file of the archive stands for already: their removal was interrupted.
    pub covered: Vec<Segment>,
    /// First record of what stays wholly or in part.
    pub oldest: u64,
    /// What was read; it must be the same when the cut is carried out.
    pub forms: Forms,
}

impl Ready {
    /// Decides what goes, and writes what takes its place. Changes nothing.
    ///
    /// # Errors
    /// When something is under a legal hold, has to be taken out of an encrypted file, or cannot be read.
    pub fn prepare(
        ground: &Ground,
        cuts: &[Cut],
        identities: &Identities,
        pace: &Pace,
    ) -> Result<Self> {
        let journal = ground.journal.directory();
        let mut forms = Forms::default();
        forms.note(journal.join(HOLDS));
        let (all, covered) = units(&ground.journal, ground.sealed)?;
        let mut plans = Vec::new();
        for unit in &all {
            let inside = |cut: &&Cut| cut.first <= unit.first() && unit.end() <= cut.end;
            let Some(cut) = cuts.iter().find(inside) else { continue };
            forms.note(unit.path().to_owned());
            for (first, _) in unit.segments() {
                forms.note(seal::commitments_place(journal, first));
            }
            for segment in covered.iter().filter(|segment| unit.has(segment.first)) {
                forms.note(segment.path.clone());
            }
            plans.extend(Plan::new(ground, unit, &cut.keep, identities, pace)?);
        }
        check_held(journal, plans.iter().map(|plan| &plan.unit))?;
        for plan in &mut plans {
            plan.prepare(ground, &covered, identities, pace)?;
        }
        let stays =
            |unit: &&Unit| plans.iter().all(|plan| plan.unit != **unit || plan.kept.is_some());
        let oldest = all.iter().find(stays).map_or(ground.active, Unit::first);
        Ok(Self { cuts: cuts.to_vec(), plans, covered, oldest, forms })
    }
}

/// What happens to one unit.
#[derive(Debug)]
pub(super) struct Plan {
    pub unit: Unit,
    /// Kept indexes of each segment; `None` when all of it goes.
    pub kept: Option<Vec<(u64, Vec<u64>)>>,
    pub gone: u64,
    /// Time of the newest record that goes, nanoseconds since 1970.
    pub newest: u64,
    /// When all of it goes: what its segments say about the journal, unless that is kept apart already.
    told: Vec<(u64, Option<Vec<Kept>>)>,
    /// When some of it stays: that, waiting for its place.
    pub draft: Option<Draft>,
}

/// What takes the place of a unit.
#[derive(Debug)]
pub(super) enum Draft {
    File(Swap),
    Lines(Rewritten),
}

#[derive(serde::Deserialize)]
struct Looked<'a> {
    timestamp: Option<&'a str>,
    level: Option<std::borrow::Cow<'a, str>>,
    category: Option<std::borrow::Cow<'a, str>>,
}

impl Plan {
    /// `None` when nothing of the unit would go.
    fn new(
        ground: &Ground,
        unit: &Unit,
        keep: &Keep,
        identities: &Identities,
        pace: &Pace,
    ) -> Result<Option<Self>> {
        let journal = ground.journal.directory();
        let seals: Vec<SegmentSeal> = unit
            .segments()
            .iter()
            .map(|(first, _)| SegmentSeal::load(journal, *first))
            .collect::<Result<_>>()?;
        let whole = |newest| Plan {
            unit: unit.clone(),
            kept: None,
            gone: 0,
            newest,
            told: Vec::new(),
            draft: None,
        };
        if let (Unit::Archived(file), true) = (unit, keep.is_nothing()) {
            let newest = file.facts.max_timestamp.as_deref().and_then(parse_rfc3339);
            return Ok(Some(whole(newest.unwrap_or(0))));
        }
        if seals.iter().all(|seal| seal.salts == SaltKind::None) {
            // A prune that died: what it said is finished.
            return Ok(Some(whole(0)));
        }
        let mut kept: Vec<(u64, Vec<u64>)> =
            seals.iter().map(|seal| (seal.first, Vec::new())).collect();
        let (mut gone, mut newest, mut is_wanted) = (0, 0, false);
        unit.each(unit.first(), identities, |index, line| {
            let at = kept.partition_point(|(first, _)| *first <= index).saturating_sub(1);
            let looked = serde_json::from_slice::<Looked<'_>>(line).ok();
            let of = |field: fn(&Looked<'_>) -> Option<String>| looked.as_ref().and_then(field);
            let level = of(|looked| looked.level.as_deref().map(str::to_owned));
            let category = of(|looked| looked.category.as_deref().map(str::to_owned));
            let level = level.as_deref().and_then(level::parse);
            let salt = seals[at].table.get((index - seals[at].first) as usize);
            // Nothing could verify it any more: an erasure or a prune that died.
            let is_erased =
                salt == Some(&seal::Salt::default()) || seals[at].salts == SaltKind::None;
            let is_needed = seal::is_needed(line);
            let stays = !keep.is_nothing() && keep.keeps(level, category.as_deref());
            is_wanted |= stays && !is_needed && !is_erased;
            if !is_erased && (stays || is_needed) {
                kept[at].1.push(index);
                return pace.step();
            }
            let time = looked.as_ref().and_then(|looked| parse_rfc3339(looked.timestamp?));
            newest = newest.max(time.unwrap_or(0));
            gone += 1;
            pace.step()
        })?;
        pace.rest_or_end(unit.path())?;
        if !is_wanted {
            return Ok(Some(whole(newest)));
        }
        let unit = unit.clone();
        let (told, draft) = (Vec::new(), None);
        Ok((gone > 0).then_some(Self { unit, kept: Some(kept), gone, newest, told, draft }))
    }

    /// Whether record `index` is one that stays.
    fn stays(&self, index: u64) -> bool {
        let Some(kept) = &self.kept else { return false };
        let at = kept.partition_point(|(first, _)| *first <= index);
        at.checked_sub(1).is_some_and(|at| kept[at].1.binary_search(&index).is_ok())
    }

    /// First indexes of segments that are gone, for the journal.
    pub fn gone_segments(&self) -> Vec<u64> {
        let kept = self.kept.as_deref().unwrap_or_default();
        let is_kept =
            |first: u64| kept.iter().any(|(known, kept)| *known == first && !kept.is_empty());
        let firsts = self.unit.segments().into_iter().map(|(first, _)| first);
        firsts.filter(|first| !is_kept(*first)).collect()
    }

    /// `[first index of the segment, how many stay, digest over which]`.
    pub fn kept_segments(&self) -> impl Iterator<Item = Value> + '_ {
        self.kept.iter().flatten().filter(|(_, kept)| !kept.is_empty()).map(|(first, kept)| {
            let mut digest = Sha256::new();
            kept.iter().for_each(|index| digest.update(format!("{index}\n")));
            json!([first, kept.len(), seal::hex(&digest.finalize())])
        })
    }

    /// Everything that takes long: reads what has to be kept apart, writes anew what stays.
    fn prepare(
        &mut self,
        ground: &Ground,
        covered: &[Segment],
        identities: &Identities,
        pace: &Pace,
    ) -> Result<()> {
        let journal = ground.journal.directory();
        if self.kept.is_some() {
            let stays = |index: u64| self.stays(index);
            self.draft = Some(match &self.unit {
                Unit::Archived(file) => {
                    Draft::File(Swap::write(ground, file, identities, &stays, pace)?)
                }
                Unit::Segment { segment, .. } => {
                    let draft = new_path(&ground.journal, segment.first)?;
                    Draft::Lines(Rewritten::write(journal, segment, draft, &|at| !stays(at))?)
                }
            });
            return Ok(());
        }
        for (first, end) in self.unit.segments() {
            let seal = SegmentSeal::load(journal, first)?;
            let unit = match covered.iter().find(|segment| segment.first == first) {
                Some(segment) => &Unit::Segment { segment: segment.clone(), end },
                None => &self.unit,
            };
            let is_known = seal.salts == SaltKind::None || unit.is_encrypted();
            let told = if is_known { None } else { Some(told_in(&seal, unit, end)?) };
            self.told.push((first, told));
            pace.rest_or_end(self.unit.path())?;
        }
        Ok(())
    }

    /// Takes away what goes.
    pub fn carry_out(&mut self, journal: &Path) -> Result<()> {
        if self.kept.is_none() {
            for (first, told) in std::mem::take(&mut self.told) {
                seal::forget(journal, first, told)?;
            }
            return self.unit.remove();
        }
        for (first, end) in self.unit.segments() {
            let gone: Vec<u64> = (first..end).filter(|index| !self.stays(*index)).collect();
            seal::drop_salts(journal, first, &gone)?;
        }
        match &self.draft {
            Some(Draft::File(swap)) => swap.finish(false),
            Some(Draft::Lines(lines)) => lines.place(false),
            None => Ok(()),
        }
    }
}

/// What a segment of a unit says about the journal.
fn told_in(seal: &SegmentSeal, unit: &Unit, end: u64) -> Result<Vec<Kept>> {
    let mut kept = Vec::new();
    unit.each(seal.first, &Identities::default(), |index, line| {
        if (seal.first..end).contains(&index) {
            kept.extend(seal::kept_of(seal, index, line));
        }
        index < end
    })?;
    Ok(kept)
}
