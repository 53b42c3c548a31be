//! Pruning: old records go, whole files of them or all but some. The journal says so first.

use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use super::swap::Swap;
use super::units::{units, Unit};
use super::Leader;
use crate::archive::Identities;
use crate::clock::{now_ns, parse_rfc3339, rfc3339};
use crate::error::{Error, Result};
use crate::journal::Segment;
use crate::level::{self, Level};
use crate::seal::{self, Kept, SaltKind, SegmentSeal, PRUNED};

/// Which records stay when old ones go: those of the level and above, and of the categories. What the
/// journal says about itself stays in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    pub level: Option<Level>,
    pub categories: Vec<String>,
}

impl Keep {
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.level.is_none() && self.categories.is_empty()
    }

    /// True for a record that stays.
    #[must_use]
    pub fn keeps(&self, level: Option<Level>, category: Option<&str>) -> bool {
        self.level.is_some_and(|least| level.is_none_or(|level| level >= least))
            || category.is_some_and(|found| self.categories.iter().any(|kept| kept == found))
    }

    fn to_json(&self) -> Value {
        let mut text = serde_json::Map::new();
        if let Some(level) = self.level {
            text.insert("level".into(), level::name(level).into());
        }
        if !self.categories.is_empty() {
            text.insert("categories".into(), self.categories.clone().into());
        }
        text.into()
    }
}

/// Records `[first, end)` that go, as far as whole files of them lie there, but for what is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    pub first: u64,
    /// Exclusive.
    pub end: u64,
    pub keep: Keep,
}

/// What was pruned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Segments that are gone, and those of which some records were kept.
    pub segments: u64,
    pub thinned: u64,
    /// Records of the latter that are gone, and that stay.
    pub records: u64,
    pub kept: u64,
    /// Every record from here on was kept.
    pub min_index: u64,
}

/// What happens to one unit.
struct Plan {
    unit: Unit,
    /// Kept indexes of each segment; `None` when all of it goes.
    kept: Option<Vec<(u64, Vec<u64>)>>,
    gone: u64,
    /// Time of the newest record that goes, nanoseconds since 1970.
    newest: u64,
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
        leader: &Leader,
        unit: &Unit,
        keep: &Keep,
        identities: &Identities,
    ) -> Result<Option<Self>> {
        let journal = leader.journal.directory();
        let seals: Vec<SegmentSeal> = unit
            .segments()
            .iter()
            .map(|(first, _)| SegmentSeal::load(journal, *first))
            .collect::<Result<_>>()?;
        let whole = |newest| Plan { unit: unit.clone(), kept: None, gone: 0, newest };
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
                return true;
            }
            let time = looked.as_ref().and_then(|looked| parse_rfc3339(looked.timestamp?));
            newest = newest.max(time.unwrap_or(0));
            gone += 1;
            true
        })?;
        if !is_wanted {
            return Ok(Some(whole(newest)));
        }
        let unit = unit.clone();
        Ok((gone > 0).then_some(Self { unit, kept: Some(kept), gone, newest }))
    }

    /// Whether record `index` is one that stays.
    fn stays(&self, index: u64) -> bool {
        let Some(kept) = &self.kept else { return false };
        let at = kept.partition_point(|(first, _)| *first <= index);
        at.checked_sub(1).is_some_and(|at| kept[at].1.binary_search(&index).is_ok())
    }

    /// First indexes of segments that are gone, for the journal.
    fn gone_segments(&self) -> Vec<u64> {
        let kept = self.kept.as_deref().unwrap_or_default();
        let is_kept =
            |first: u64| kept.iter().any(|(known, kept)| *known == first && !kept.is_empty());
        let firsts = self.unit.segments().into_iter().map(|(first, _)| first);
        firsts.filter(|first| !is_kept(*first)).collect()
    }

    /// `[first index of the segment, how many stay, digest over which]`.
    fn kept_segments(&self) -> impl Iterator<Item = Value> + '_ {
        self.kept.iter().flatten().filter(|(_, kept)| !kept.is_empty()).map(|(first, kept)| {
            let mut digest = Sha256::new();
            for index in kept {
                digest.update(format!("{index}\n"));
            }
            json!([first, kept.len(), seal::hex(&digest.finalize())])
        })
    }

    /// Takes a unit's content away, but for what the journal says about itself.
    fn forget(&self, journal: &std::path::Path, covered: &[Segment]) -> Result<()> {
        let mut told: Vec<(u64, Option<Vec<Kept>>)> = Vec::new();
        for (first, end) in self.unit.segments() {
            let seal = SegmentSeal::load(journal, first)?;
            let unit = match covered.iter().find(|segment| segment.first == first) {
                Some(segment) => &Unit::Segment { segment: segment.clone(), end },
                None => &self.unit,
            };
            let is_known = seal.salts == SaltKind::None || unit.is_encrypted();
            told.push((first, if is_known { None } else { Some(told_in(&seal, unit, end)?) }));
        }
        for (first, kept) in told {
            seal::forget(journal, first, kept)?;
        }
        self.unit.remove()
    }

    /// Takes the records that do not stay out of a segment.
    fn thin(&self, journal: &std::path::Path) -> Result<()> {
        for (first, end) in self.unit.segments() {
            let gone: Vec<u64> = (first..end).filter(|index| !self.stays(*index)).collect();
            seal::drop_salts(journal, first, &gone)?;
            if let Unit::Segment { segment, .. } = &self.unit {
                seal::erase_lines(journal, segment, &gone)?;
            }
        }
        Ok(())
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

impl Leader {
    /// Takes away all files of records that lie wholly below `before`: says so, seals that, then removes
    /// them. When something is to be kept, files that hold such records are written anew without the rest.
    ///
    /// # Errors
    /// When a record that would go is younger than the journal's `retention_min_age_s`, or something is
    /// to be kept of an encrypted file.
    pub fn prune(
        &mut self,
        before: u64,
        keep: Option<Keep>,
        identities: &Identities,
    ) -> Result<Pruned> {
        let keep = keep.unwrap_or_default();
        self.cut(&[Cut { first: 0, end: before, keep }], identities)
    }

    /// Takes away the files of records that lie wholly in one of `cuts`, each by its own rule.
    ///
    /// # Errors
    /// As `prune`; nothing was changed then.
    pub fn cut(&mut self, cuts: &[Cut], identities: &Identities) -> Result<Pruned> {
        if self.seal().is_none() {
            return Err(self.refuse("it is not sealed; deleting segments would be enough".into()));
        }
        // The seal files of all closed segments are there then.
        self.seal_all()?;
        let (all, covered) = units(&self.journal)?;
        let mut plans = Vec::new();
        for unit in &all {
            let inside = |cut: &&Cut| cut.first <= unit.first() && unit.end() <= cut.end;
            if let Some(cut) = cuts.iter().find(inside) {
                plans.extend(Plan::new(self, unit, &cut.keep, identities)?);
            }
        }
        let Some(min_index) = plans.iter().map(|plan| plan.unit.end()).max() else {
            let min_index = all.first().map_or(self.committed.segment, Unit::first);
            return Ok(Pruned { min_index, ..Pruned::default() });
        };
        self.check_age(&plans)?;
        self.check_held(plans.iter().map(|plan| &plan.unit))?;
        let mut swaps = Vec::new();
        for plan in plans.iter().filter(|plan| plan.kept.is_some()) {
            if let Unit::Archived(file) = &plan.unit {
                match Swap::write(self, file, identities, &|index| plan.stays(index)) {
                    Ok(swap) => swaps.push(swap),
                    Err(error) => {
                        Swap::give_up(&swaps);
                        return Err(error);
                    }
                }
            }
        }
        Swap::announce(self, &swaps)?;
        let oldest = all
            .iter()
            .find(|unit| plans.iter().all(|plan| plan.unit != **unit || plan.kept.is_some()))
            .map_or(self.committed.segment, Unit::first);
        self.declare_cut(&plans, cuts, min_index, oldest)?;
        let mut pruned = Pruned { min_index, ..Pruned::default() };
        let mut swaps = swaps.iter();
        for plan in &plans {
            let directory = self.journal.directory();
            if plan.kept.is_some() {
                plan.thin(directory)?;
                if let (Unit::Archived(_), Some(swap)) = (&plan.unit, swaps.next()) {
                    swap.finish(false)?;
                }
            } else {
                plan.forget(directory, &covered)?;
            }
            remove_covered(&plan.unit, &covered)?;
            pruned.add(plan);
        }
        Ok(pruned)
    }

    fn check_age(&self, plans: &[Plan]) -> Result<()> {
        let newest = plans.iter().map(|plan| plan.newest).max().unwrap_or(0);
        let policy_s = self.settings.retention_min_age_s;
        let age_ns = now_ns().saturating_sub(newest);
        if policy_s > 0 && age_ns < policy_s.saturating_mul(1_000_000_000) {
            return Err(Error::Setting {
                name: "retention_min_age_s",
                found: policy_s.to_string(),
                wanted:
                    "the newest record below that index is younger; a lower index would be right",
            });
        }
        Ok(())
    }

    fn declare_cut(
        &mut self,
        plans: &[Plan],
        cuts: &[Cut],
        min_index: u64,
        oldest: u64,
    ) -> Result<()> {
        let gone = plans.iter().flat_map(Plan::gone_segments);
        let gone: Vec<Value> = gone.map(|first| format!("{first:020}").into()).collect();
        let newest = rfc3339(plans.iter().map(|plan| plan.newest).max().unwrap_or(0));
        let mut policy = json!({"retention_min_age_s": self.settings.retention_min_age_s});
        let rules: Vec<&Keep> =
            cuts.iter().map(|cut| &cut.keep).filter(|keep| !keep.is_nothing()).collect();
        if let Some(keep) = rules.first() {
            policy["keep"] = match rules.len() {
                1 => keep.to_json(),
                _ => rules.iter().map(|keep| keep.to_json()).collect(),
            };
        }
        let mut fields: Vec<(&str, Value)> = vec![
            ("min_index", min_index.into()),
            ("segments", gone.into()),
            ("newest", newest.into()),
            ("oldest_kept", oldest.into()),
            ("policy", policy),
        ];
        // Without it everything below is gone.
        if !rules.is_empty() || cuts.iter().any(|cut| cut.first > 0) {
            let kept: Vec<Value> = plans.iter().flat_map(Plan::kept_segments).collect();
            fields.push(("kept", kept.into()));
        }
        self.declare(PRUNED, &fields)
    }
}

/// Segments that a file of the archive stands for already: their removal was interrupted.
fn remove_covered(unit: &Unit, covered: &[Segment]) -> Result<()> {
    for segment in covered.iter().filter(|s| (unit.first()..unit.end()).contains(&s.first)) {
        Unit::Segment { segment: segment.clone(), end: unit.end() }.remove()?;
    }
    Ok(())
}

impl Pruned {
    fn add(&mut self, plan: &Plan) {
        let segments = plan.unit.segments().len() as u64;
        match &plan.kept {
            None => self.segments += segments,
            Some(kept) => {
                self.thinned += segments;
                self.records += plan.gone;
                self.kept += kept.iter().map(|(_, kept)| kept.len() as u64).sum::<u64>();
            }
        }
    }
}
