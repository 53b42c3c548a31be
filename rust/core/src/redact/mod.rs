//! Redaction: secrets are taken out before a record leaves the memory of its process.
//!
//! By key when a record is encoded (`Redactor::key`), by value when either consumer takes it from the
//! ring (`Redactor::batch`), by both for text from elsewhere (`Redactor::whole`). A line goes through a
//! cheap search first; only one that may hold a secret is read token by token.

mod assignment;
mod card;
mod keys;
mod line;
mod literals;
mod patterns;
mod pseudonym;
mod rules;
mod secrets;
mod shared;
#[cfg(all(test, not(loom)))]
mod tests;
mod values;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

pub use pseudonym::Pseudonyms;
pub use rules::{Action, Pattern, Rules, RulesChange, MASK};
pub use shared::{here, set_here, version, Redaction};

use crate::error::{Error, Result};
use crate::line::{push_string, read_string};
use keys::Keys;
use line::Rewriter;
use literals::BUILT_IN;
use patterns::OPTIONAL;
use secrets::Hit;
use values::{Found, Values, SEARCHES};

/// Decisions about keys that are remembered, and the longest such key.
const KNOWN_KEYS: usize = 4096;
const KNOWN_KEY_BYTES: usize = 64;
/// How often a text is looked through: what stood around a secret may be one without it.
const MAX_ROUNDS: usize = 4;
/// Literals of a line that are judged in it; with more, reading it precisely is quicker.
const MAX_JUDGED: usize = 32;
/// `{"timestamp":"2026-11-21T01:18:00.123456789Z"`: digits that are no card number.
const BEGIN: &[u8] = b"{\"timestamp\":\"";
const BEGIN_BYTES: usize = 14 + crate::line::TIMESTAMP_BYTES;

/// What was found and replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that had a secret.
    pub lines: u64,
    /// Secrets.
    pub secrets: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.lines += more.lines;
        self.secrets += more.secrets;
    }
}

/// The rules, compiled.
#[derive(Debug)]
pub struct Redactor {
    rules: Rules,
    keys: Keys,
    values: Values,
    /// By rule, as `Values::names` has them.
    actions: Vec<Action>,
    pseudonyms: Option<Pseudonyms>,
    known: Mutex<HashMap<Box<str>, bool>>,
}

impl Redactor {
    /// Compiles rules. Without pseudonyms, what should get one is masked.
    ///
    /// # Errors
    /// A pattern that cannot be used, or an action for a rule that is not there.
    pub fn new(rules: Rules, pseudonyms: Option<Pseudonyms>) -> Result<Self> {
        let values = Values::new(&rules)?;
        let is_known = |name: &String| {
            name.is_empty()
                || values.names.contains(name)
                || OPTIONAL.iter().any(|(optional, _)| optional == name)
        };
        if let Some(unknown) = rules.actions.keys().find(|name| !is_known(name)) {
            return Err(Error::Setting {
                name: "redaction_action",
                found: unknown.clone(),
                wanted:
                    "an action, or actions by name of a built-in rule or of redaction_patterns, \
                         would be right",
            });
        }
        Ok(Self {
            keys: Keys::new(&rules.keys, &rules.allow_keys),
            actions: values.names.iter().map(|name| rules.action(name)).collect(),
            values,
            pseudonyms,
            known: Mutex::default(),
            rules,
        })
    }

    /// Compiles the rules of a journal, or of a process without one.
    ///
    /// # Errors
    /// As `new`, and when the key for pseudonyms is wanted and cannot be had.
    pub fn open(rules: &Rules, journal: Option<&Path>) -> Result<Self> {
        let pseudonyms = match (&rules.key_file, journal) {
            _ if !rules.hashes() => None,
            (Some(path), _) => Some(Pseudonyms::open(Path::new(path))?),
            (None, Some(journal)) => Some(Pseudonyms::open(&journal.join("redaction.key"))?),
            (None, None) => Some(Pseudonyms::of_this_process()),
        };
        Self::new(rules.clone(), pseudonyms)
    }

    /// `open` for a leader, which cannot refuse: what cannot be used is left out, and said.
    #[must_use]
    pub fn open_or_mask(rules: &Rules, journal: &Path) -> (Self, Option<Error>) {
        let error = match Self::open(rules, Some(journal)) {
            Ok(redactor) => return (redactor, None),
            Err(error) => error,
        };
        let without_key = Self::new(rules.clone(), None);
        (without_key.unwrap_or_default(), Some(error))
    }

    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Does a field of this name hold a secret?
    #[must_use]
    pub fn key(&self, key: &str) -> bool {
        if !self.rules.enabled
            || self.rules.patterns.get(BUILT_IN[0]) == Some(&Pattern::Switch(false))
        {
            return false;
        }
        if key.len() > KNOWN_KEY_BYTES {
            return self.keys.is_sensitive(key);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(decision) = known.get(key) {
            return *decision;
        }
        if known.len() >= KNOWN_KEYS {
            known.clear();
        }
        let decision = self.keys.is_sensitive(key);
        known.insert(key.into(), decision);
        decision
    }

    /// What happens to the value of a sensitive key.
    #[must_use]
    pub fn key_action(&self) -> Action {
        self.actions[0]
    }

    /// Appends what stands for the value of a sensitive key, given as JSON.
    pub fn push_for_json(&self, value: &[u8], out: &mut Vec<u8>) {
        let text = std::str::from_utf8(value).ok().and_then(read_string);
        push_string(out, &self.replacement(0, text.as_ref().map_or(value, String::as_bytes)));
    }

    /// Is this JSON value what a redactor has left?
    fn is_redacted(&self, value: &[u8]) -> bool {
        let text = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        text.is_some_and(|text| self.values.is_redacted(text))
    }

    fn action_of(&self, rule: usize) -> Action {
        self.actions[rule]
    }

    fn replacement(&self, rule: usize, secret: &[u8]) -> Cow<'_, str> {
        match (self.actions[rule], &self.pseudonyms) {
            (Action::Drop, _) => "".into(),
            (Action::Hash, Some(pseudonyms)) => pseudonyms.of(secret).into(),
            _ => self.rules.text.as_str().into(),
        }
    }

    fn number(&self, token: &[u8]) -> Option<usize> {
        self.values.number(token)
    }

    /// A text without its secrets, and how many those were; `None` when it had none.
    #[must_use]
    pub fn text(&self, text: &str) -> Option<(String, u64)> {
        if !self.rules.enabled {
            return None;
        }
        let (mut redacted, mut count) = self.text_once(text)?;
        for _ in 1..MAX_ROUNDS {
            let Some((again, more)) = self.text_once(&redacted) else { break };
            (redacted, count) = (again, count + more);
        }
        Some((redacted, count))
    }

    fn text_once(&self, text: &str) -> Option<(String, u64)> {
        let found = self.values.find(text, &self.keys);
        if found.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for found in &found {
            // Secrets end at ASCII; should one not, its character goes with it.
            let is_boundary = |at: &usize| text.is_char_boundary(*at);
            let begin = (0..=found.place.start).rev().find(is_boundary).unwrap_or(0);
            let end = (found.place.end..=text.len()).find(is_boundary).unwrap_or(text.len());
            out.push_str(&text[from.min(begin)..begin]);
            out.push_str(&self.replacement(found.rule, &text.as_bytes()[begin..end]));
            from = end;
        }
        out.push_str(&text[from..]);
        Some((out, found.len() as u64))
    }

    /// Appends a canonical line without its secrets to `out`; returns how many those were. With none,
    /// nothing is appended.
    pub fn values(&self, line: &[u8], out: &mut Vec<u8>) -> u64 {
        if !self.rules.enabled {
            return 0;
        }
        let mut hits = self.first_hits(line, 0);
        if !self.is_suspect(line, 0..line.len(), &mut hits) {
            return 0;
        }
        self.rewrite(line, false, out)
    }

    /// As `values`, and by key as well: for lines that this process has not encoded.
    pub fn whole(&self, line: &[u8], out: &mut Vec<u8>) -> u64 {
        if self.rules.enabled {
            self.rewrite(line, true, out)
        } else {
            0
        }
    }

    fn rewrite(&self, line: &[u8], by_key: bool, out: &mut Vec<u8>) -> u64 {
        let begin = out.len();
        let count = Rewriter::run(self, line, by_key, out);
        if count == 0 {
            out.truncate(begin);
        }
        count
    }

    /// Takes the secrets out of lines, each with its line feed, from place `from` of `lines` on.
    pub fn batch(&self, lines: &mut Vec<u8>, from: usize) -> Counts {
        let mut counts = Counts::default();
        if !self.rules.enabled {
            return counts;
        }
        let mut out: Vec<u8> = Vec::new();
        let (mut begin, mut copied) = (from, from);
        let mut hits = self.first_hits(lines, from);
        for end in memchr::memchr_iter(b'\n', &lines[from..]).map(|at| from + at) {
            if self.is_suspect(lines, begin..end, &mut hits) {
                let clean_end = out.len();
                out.extend_from_slice(&lines[copied..begin]);
                match self.rewrite(&lines[begin..end], false, &mut out) {
                    0 => out.truncate(clean_end),
                    secrets => {
                        counts += Counts { lines: 1, secrets };
                        copied = end;
                    }
                }
            }
            begin = end + 1;
        }
        if counts.lines > 0 {
            out.extend_from_slice(&lines[copied..]);
            lines.truncate(from);
            lines.append(&mut out);
        }
        counts
    }

    fn first_hits(&self, lines: &[u8], from: usize) -> [Found; SEARCHES] {
        std::array::from_fn(|search| self.values.literal(search, lines, from))
    }

    /// May this line hold a secret? `hits` are the first literals in or after it, and are moved behind it.
    #[inline]
    fn is_suspect(&self, lines: &[u8], line: Range<usize>, hits: &mut [Found; SEARCHES]) -> bool {
        let text = &lines[line.clone()];
        let (mut suspect, mut judged) = (false, 0);
        for (search, hit) in hits.iter_mut().enumerate() {
            while let Some((at, literal)) = hit.filter(|(at, _)| *at < line.end) {
                judged += 1;
                suspect |= judged > MAX_JUDGED
                    || self.judge_in_line(search, text, (at - line.start, literal));
                let next = if suspect { line.end } else { at + 1 };
                *hit = self.values.literal(search, lines, next.max(at + 1));
            }
        }
        let digits = if text.starts_with(BEGIN) { BEGIN_BYTES.min(text.len()) } else { 0 };
        suspect
            || self.values.cards_suspect(&text[digits..])
            || self.values.has_expressions()
                && self.values.expressions_suspect(text, memchr::memchr(b'\\', text).is_some())
    }

    /// Judges a literal where it stands in a line: must the line be read precisely?
    #[cold]
    fn judge_in_line(&self, search: usize, line: &[u8], found: (usize, usize)) -> bool {
        if memchr::memchr(b'\\', line).is_some() {
            return true;
        }
        let (at, literal) = found;
        // Without escapes, strings are what stands between quotes.
        let begin = memchr::memrchr(b'"', &line[..at]).map_or(0, |quote| quote + 1);
        let end = memchr::memchr(b'"', &line[at..]).map_or(line.len(), |quote| at + quote);
        let hit = self.values.judge(search, &line[begin..end], (at - begin, literal), &self.keys);
        matches!(hit, Hit::Secret(_))
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new(Rules::default(), None).expect("the built-in rules compile")
    }
}
