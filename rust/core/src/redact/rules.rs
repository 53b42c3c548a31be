//! What is redacted and how, as settings say it and `journal.json` keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What stands for a secret.
pub const MASK: &str = "[REDACTED]";

const MAX_TEXT_BYTES: usize = 64;

/// The rule of values under sensitive keys.
pub const KEYS: &str = "keys";

/// What happens to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A fixed text takes its place.
    #[default]
    Mask,
    /// A pseudonym takes its place: the same for the same secret, for whoever has not the key just a name.
    Hash,
    /// It is left out: the field, or the part of the text.
    Drop,
}

impl Action {
    /// From its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mask" => Some(Self::Mask),
            "hash" => Some(Self::Hash),
            "drop" => Some(Self::Drop),
            _ => None,
        }
    }
}

/// A pattern of the user's: a regular expression, or a built-in rule switched on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pattern {
    Switch(bool),
    Expression(String),
}

/// The rules of one journal, or of one process without a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Keys that are secret besides the built-in ones.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Keys that are not secret although they look it.
    #[serde(default)]
    pub allow_keys: Vec<String>,
    /// By name.
    #[serde(default)]
    pub patterns: BTreeMap<String, Pattern>,
    /// By name of a rule or pattern; the empty name is for all others.
    #[serde(default)]
    pub actions: BTreeMap<String, Action>,
    #[serde(default = "mask")]
    pub text: String,
    /// Of the key for pseudonyms; `redaction.key` in the journal's directory when left out.
    #[serde(default)]
    pub key_file: Option<String>,
}

fn yes() -> bool {
    true
}

fn mask() -> String {
    MASK.into()
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            enabled: true,
            keys: Vec::new(),
            allow_keys: Vec::new(),
            patterns: BTreeMap::new(),
            actions: BTreeMap::new(),
            text: mask(),
            key_file: None,
        }
    }
}

impl Rules {
    /// As nobody has changed them: `journal.json` does not mention them then.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    #[must_use]
    pub fn action(&self, rule: &str) -> Action {
        let named = self.actions.get(rule).or_else(|| self.actions.get(""));
        named.copied().unwrap_or_default()
    }

    /// Does any rule give pseudonyms?
    #[must_use]
    pub fn hashes(&self) -> bool {
        self.enabled && self.actions.values().any(|action| *action == Action::Hash)
    }

    /// Refuses what cannot be used, naming it.
    ///
    /// # Errors
    /// A setting or pattern that is not what it should be.
    pub fn check(&self) -> Result<()> {
        let is_plain = |char: char| !char.is_control() && !matches!(char, '\u{2028}' | '\u{2029}');
        if self.text.len() > MAX_TEXT_BYTES || !self.text.chars().all(is_plain) {
            return Err(Error::Setting {
                name: "redaction_text",
                found: self.text.escape_debug().to_string(),
                wanted: "at most 64 bytes of plain text would be right",
            });
        }
        super::Redactor::new(self.clone(), None).map(drop)
    }
}

/// The rules a configuration names; what it leaves open stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RulesChange {
    pub enabled: Option<bool>,
    pub keys: Option<Vec<String>>,
    pub allow_keys: Option<Vec<String>>,
    pub patterns: Option<BTreeMap<String, Pattern>>,
    pub actions: Option<BTreeMap<String, Action>>,
    pub text: Option<String>,
    pub key_file: Option<String>,
}

impl RulesChange {
    /// The rules after this change.
    #[must_use]
    pub fn applied(&self, rules: &Rules) -> Rules {
        Rules {
            enabled: self.enabled.unwrap_or(rules.enabled),
            keys: self.keys.as_ref().unwrap_or(&rules.keys).clone(),
            allow_keys: self.allow_keys.as_ref().unwrap_or(&rules.allow_keys).clone(),
            patterns: self.patterns.as_ref().unwrap_or(&rules.patterns).clone(),
            actions: self.actions.as_ref().unwrap_or(&rules.actions).clone(),
            text: self.text.as_ref().unwrap_or(&rules.text).clone(),
            key_file: self.key_file.as_ref().or(rules.key_file.as_ref()).cloned(),
        }
    }
}
