//! The rules of retention, as they are kept with the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Space;
use crate::drain::Keep;
use crate::error::{Error, Result};
use crate::level::{self, Level};

/// What a rule keeps longer than the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// This level and everything above it.
    Level(Level),
    Category(String),
}

/// How long a rule keeps it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Horizon {
    /// So many times as long as the rest.
    Times(f64),
    Seconds(u64),
}

impl Horizon {
    /// In nanoseconds, when the rest goes after `cut_ns`.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a hundred nanoseconds more or less do not count
    pub fn reaches(self, cut_ns: u64) -> u64 {
        match self {
            Self::Times(factor) => (cut_ns as f64 * factor) as u64,
            Self::Seconds(seconds) => seconds.saturating_mul(1_000_000_000).max(cut_ns),
        }
    }
}

/// One entry of `retention_keep`.
#[derive(Debug, Clone, PartialEq)]
pub struct KeepRule {
    pub subject: Subject,
    pub horizon: Horizon,
}

impl KeepRule {
    fn parse(subject: &str, horizon: &str) -> Option<Self> {
        let subject = match subject.split_once(':') {
            Some(("category", name)) if !name.is_empty() => Subject::Category(name.to_owned()),
            Some(_) => return None,
            None => Subject::Level(level::parse(subject)?),
        };
        let horizon = if let Some(factor) = horizon.strip_suffix('x') {
            let factor: f64 = factor.parse().ok()?;
            if !(1.0..=1e6).contains(&factor) {
                return None;
            }
            Horizon::Times(factor)
        } else {
            Horizon::Seconds(horizon.strip_suffix('s')?.parse().ok()?)
        };
        Some(Self { subject, horizon })
    }
}

/// How much of the file system shall stay free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MinFree {
    Bytes(u64),
    Percent(f64),
}

impl MinFree {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().ok()?;
                (0.0..=90.0).contains(&percent).then_some(Self::Percent(percent))
            }
            None => text.parse().ok().map(Self::Bytes),
        }
    }

    #[must_use]
    #[allow(clippy::cast_precision_loss)] // whole bytes do not count here
    pub fn bytes(self, space: Space) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (space.total as f64 * percent / 100.0) as u64,
        }
    }
}

/// The rules; 0 and nothing stand for no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    pub max_age_s: u64,
    pub max_bytes: u64,
    pub max_files: u64,
    /// Bytes (`"1073741824"`) or a share (`"5%"`) of the journal's file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_free: Option<String>,
    /// `{"ERROR": "4x", "category:security": "220752000s"}`; none given means `{"ERROR": "4x"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<BTreeMap<String, String>>,
    /// Where files are copied before they may go: a directory, or `s3://bucket/prefix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive_to: Option<String>,
}

impl Rules {
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// True when a rule says that something should ever go.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.max_age_s > 0 || self.max_bytes > 0 || self.max_files > 0 || self.floor().is_some()
    }

    #[must_use]
    pub fn floor(&self) -> Option<MinFree> {
        let floor = MinFree::parse(self.min_free.as_deref()?)?;
        (floor != MinFree::Bytes(0) && floor != MinFree::Percent(0.0)).then_some(floor)
    }

    /// What is kept longer.
    #[must_use]
    pub fn keep_rules(&self) -> Vec<KeepRule> {
        match &self.keep {
            None => vec![KeepRule {
                subject: Subject::Level(level::ERROR),
                horizon: Horizon::Times(4.0),
            }],
            Some(keep) => {
                keep.iter().filter_map(|(subject, how)| KeepRule::parse(subject, how)).collect()
            }
        }
    }

    /// What is kept of a part of that age when the rest goes after `cut_ns`.
    #[must_use]
    pub(super) fn keep_at(rules: &[KeepRule], age_ns: u64, cut_ns: u64) -> Keep {
        let mut keep = Keep::default();
        for rule in rules {
            if rule.horizon.reaches(cut_ns) > age_ns {
                add(&mut keep, &rule.subject);
            }
        }
        keep.categories.sort_unstable();
        keep.categories.dedup();
        keep
    }

    /// # Errors
    /// When a rule cannot be read.
    pub fn check(&self) -> Result<()> {
        if let Some(text) = self.min_free.as_ref().filter(|text| MinFree::parse(text).is_none()) {
            return Err(Error::Setting {
                name: "retention_min_free",
                found: text.clone(),
                wanted: "bytes, or a share from 0% to 90%, would be right",
            });
        }
        for (subject, horizon) in self.keep.iter().flatten() {
            if KeepRule::parse(subject, horizon).is_none() {
                return Err(Error::Setting {
                    name: "retention_keep",
                    found: format!("{subject}={horizon}"),
                    wanted: "a level or category:NAME with a factor (4x) or seconds (86400s) would be right",
                });
            }
        }
        Ok(())
    }
}

fn add(keep: &mut Keep, subject: &Subject) {
    match subject {
        Subject::Level(level) => {
            keep.level = Some(keep.level.map_or(*level, |least| least.min(*level)));
        }
        Subject::Category(name) => keep.categories.push(name.clone()),
    }
}

/// The rules that a configuration names; what it leaves open stays as the journal has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RulesChange {
    pub max_age_s: Option<u64>,
    pub max_bytes: Option<u64>,
    pub max_files: Option<u64>,
    pub min_free: Option<String>,
    pub keep: Option<BTreeMap<String, String>>,
    /// Empty for none.
    pub archive_to: Option<String>,
}

impl RulesChange {
    #[must_use]
    pub fn applied(&self, rules: &Rules) -> Rules {
        let archive_to = match &self.archive_to {
            Some(place) => Some(place.clone()).filter(|place| !place.is_empty()),
            None => rules.archive_to.clone(),
        };
        Rules {
            max_age_s: self.max_age_s.unwrap_or(rules.max_age_s),
            max_bytes: self.max_bytes.unwrap_or(rules.max_bytes),
            max_files: self.max_files.unwrap_or(rules.max_files),
            min_free: self.min_free.clone().or_else(|| rules.min_free.clone()),
            keep: self.keep.clone().or_else(|| rules.keep.clone()),
            archive_to,
        }
    }
}
