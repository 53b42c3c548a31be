//! Pruning: old records go, whole files of them or all but some. The journal says so first.

use serde_json::{json, Value};

use super::archiving::pace::Pace;
use super::cutting::{Draft, Ground, Plan, Ready};
use super::swap::Swap;
use super::units::Unit;
use super::Leader;
use crate::archive::Identities;
use crate::clock::{now_ns, rfc3339};
use crate::error::{Error, Result};
use crate::journal::Segment;
use crate::level::{self, Level};
use crate::seal::PRUNED;

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
        let ground = Ground::of(self);
        let ready =
            self.meanwhile(|| Ready::prepare(&ground, cuts, identities, &Pace::unlimited()))?;
        let changed =
            self.refuse("a file was changed meanwhile; doing it again would be right".into());
        self.carry_out(ready)?.ok_or(changed)
    }

    /// Says what a prepared cut takes, seals that, and takes it. `None` when files have changed since it was
    /// prepared: it has to be prepared again.
    pub(super) fn carry_out(&mut self, ready: Ready) -> Result<Option<Pruned>> {
        let Ready { cuts, mut plans, covered, oldest, forms } = ready;
        if !forms.are_the_same() {
            return Ok(None);
        }
        let Some(min_index) = plans.iter().map(|plan| plan.unit.end()).max() else {
            return Ok(Some(Pruned { min_index: oldest, ..Pruned::default() }));
        };
        self.check_age(&plans)?;
        let swaps = plans.iter().filter_map(|plan| match &plan.draft {
            Some(Draft::File(swap)) => Some(&**swap),
            _ => None,
        });
        Swap::announce(self, swaps)?;
        self.declare_cut(&plans, &cuts, min_index, oldest)?;
        let mut pruned = Pruned { min_index, ..Pruned::default() };
        for plan in &mut plans {
            plan.carry_out(self.journal.directory())?;
            remove_covered(&plan.unit, &covered)?;
            pruned.add(plan);
        }
        Ok(Some(pruned))
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
