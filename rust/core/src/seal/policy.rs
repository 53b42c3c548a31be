//! Policies (C2SP tlog-policy): which logs and witnesses are trusted, and how many of the latter.

use std::collections::{HashMap, HashSet};

use super::note::{KeyKind, Note, Vkey};
use super::text::{decimal, shown};
use super::Malformed;

/// A witness, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group { wanted: usize, members: Vec<String> },
}

/// A parsed policy file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Keys of `log` lines, in order: for our journals the identity key, then the key of epoch 0.
    pub logs: Vec<Vkey>,
    pub witnesses: Vec<(String, Vkey, Option<String>)>,
    members: HashMap<String, Member>,
    quorum: Option<String>,
}

const MAX_POLICY_BYTES: usize = 1 << 20;
/// Groups can be members of groups, and are asked one inside the other.
const MAX_GROUPS: usize = 256;

impl Policy {
    /// # Errors
    /// When a line is not what it should be; the message names it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > MAX_POLICY_BYTES {
            return Err(Malformed::new("policy is larger than 1 MB"));
        }
        let mut policy = Self::default();
        let mut used = HashSet::new();
        let mut has_quorum = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong =
                |what: String| Malformed::new(format!("policy line {}: {what}", number + 1));
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["log", key] | ["log", key, _] => {
                    let vkey = Vkey::parse(key).map_err(|error| wrong(error.what))?;
                    policy.logs.push(vkey);
                }
                ["witness", name, key] => policy.witness(name, key, None).map_err(wrong)?,
                ["witness", name, key, url] => {
                    policy.witness(name, key, Some(url)).map_err(wrong)?;
                }
                ["group", name, wanted, ref members @ ..] if !members.is_empty() => {
                    policy.group(name, wanted, members, &mut used).map_err(wrong)?;
                }
                ["quorum", name] if !has_quorum => {
                    if name != "none" && !policy.members.contains_key(name) {
                        return Err(wrong(format!("'{}' is not defined before", shown(name))));
                    }
                    has_quorum = true;
                    policy.quorum = (name != "none").then(|| name.to_owned());
                }
                _ => {
                    return Err(wrong(format!(
                        "'{}' is none of log, witness, group and one quorum",
                        shown(line)
                    )));
                }
            }
        }
        if !has_quorum {
            return Err(Malformed::new("policy has no quorum line; 'quorum none' would be right"));
        }
        Ok(policy)
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), String> {
        let reserved = ["none", "all", "any"].contains(&name) || decimal(name).is_some();
        if reserved || self.members.insert(name.to_owned(), member).is_some() {
            return Err(format!("the name '{}' is taken", shown(name)));
        }
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), String> {
        let vkey = Vkey::parse(key).map_err(|error| error.what)?;
        if vkey.kind != KeyKind::Cosignature {
            return Err("a witness has a cosignature key (type 0x04)".into());
        }
        if self.witnesses.iter().any(|(_, known, _)| known.key == vkey.key) {
            return Err("two witnesses have the same key".into());
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push((name.to_owned(), vkey, url.map(str::to_owned)));
        Ok(())
    }

    fn group(
        &mut self,
        name: &str,
        wanted: &str,
        members: &[&str],
        used: &mut HashSet<String>,
    ) -> Result<(), String> {
        if self.members.len() - self.witnesses.len() == MAX_GROUPS {
            return Err(format!("is one group more than {MAX_GROUPS}"));
        }
        for member in members {
            if !self.members.contains_key(*member) {
                return Err(format!("'{}' is not defined before", shown(member)));
            }
            if !used.insert((*member).to_owned()) {
                return Err(format!("'{}' is a member twice", shown(member)));
            }
        }
        let wanted = match wanted {
            "all" => members.len(),
            "any" => 1,
            number => decimal(number)
                .map(|number| number as usize)
                .filter(|number| (1..=members.len()).contains(number))
                .ok_or("all, any or a number of members would be right")?,
        };
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.define(name, Member::Group { wanted, members })
    }

    /// When the quorum's last necessary witness cosigned, seconds since 1970; `None` without a quorum.
    ///
    /// # Errors
    /// When a cosignature of a known witness is wrong.
    pub fn quorum_time(&self, note: &Note) -> Result<Option<u64>, Malformed> {
        let mut times = HashMap::new();
        for line in &note.signatures {
            let known = self.witnesses.iter().position(|(_, vkey, _)| line.is_by(vkey));
            let Some(at) = known else { continue };
            let vkey = &self.witnesses[at].1;
            let time = super::cosignature::time(note, line, vkey).ok_or_else(|| {
                Malformed::new(format!("cosignature of '{}' is wrong", shown(&vkey.name)))
            })?;
            times.insert(at, time);
        }
        Ok(self.quorum.as_ref().and_then(|name| self.time_of(name, &times)))
    }

    fn time_of(&self, name: &str, times: &HashMap<usize, u64>) -> Option<u64> {
        match self.members.get(name)? {
            Member::Witness(at) => times.get(at).copied(),
            Member::Group { wanted, members } => {
                let mut found: Vec<u64> =
                    members.iter().filter_map(|member| self.time_of(member, times)).collect();
                found.sort_unstable();
                found.get(wanted - 1).copied()
            }
        }
    }

    /// True when a quorum of witnesses is demanded.
    #[must_use]
    pub fn wants_witnesses(&self) -> bool {
        self.quorum.is_some()
    }
}
