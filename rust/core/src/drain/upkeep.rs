//! What a person does to a journal as its leader: erase records, prune segments, end an epoch.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::archiving::{Archiving, Progress};
use super::{Leader, Purpose};
use crate::clock::{now_ns, parse_rfc3339, rfc3339};
use crate::domain::Domain;
use crate::error::{At, Error, Result};
use crate::journal::{notice, segments, Journal, Segment};
use crate::seal::{self, ERASED, PRUNED};

/// What was pruned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    pub segments: u64,
    /// Index of the oldest record that was kept.
    pub min_index: u64,
}

/// Takes the lead of a journal, asking the present leader for it, does `work`, and gives the lead away.
///
/// # Errors
/// When the lead cannot be had within `timeout`, and what `work` says.
pub fn as_leader<T>(
    directory: &std::path::Path,
    timeout: Duration,
    work: impl FnOnce(&mut Leader) -> Result<T>,
) -> Result<T> {
    let (journal, settings) = Journal::open(directory)?;
    let place = journal.domain_place(&settings)?;
    let domain = std::sync::Arc::new(Domain::attach(&place, |_| {}).at("opening", &place)?);
    let token = std::process::id() << 8 | 0xff;
    let deadline = Instant::now() + timeout;
    let leader = loop {
        if let Some(leader) = Leader::take(&journal, &settings, &domain, None, Purpose::Upkeep)? {
            break leader;
        }
        domain.control().ask_handover(token);
        domain.control().wake();
        if Instant::now() >= deadline {
            domain.control().ask_handover(0);
            return Err(Error::Unsafe {
                path: directory.to_owned(),
                what: "its leader does not give the lead away; ending that process would be right",
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if domain.control().handover() == token {
        domain.control().ask_handover(0);
    }
    let mut leader = leader;
    let worked = (|| {
        while leader.drain()? > 0 {}
        let worked = work(&mut leader)?;
        leader.retire_orphans();
        leader.close()?;
        Ok(worked)
    })();
    drop(leader);
    domain.detach();
    worked
}

/// Archives all closed segments of a journal, and the active one too when `all`, while going on to drain.
///
/// `tell` is told how far it has come, and stops it by saying no.
///
/// # Errors
/// When the lead cannot be had within `timeout`, or a file cannot be made; those made by then stay.
pub fn archive_now(
    directory: &std::path::Path,
    timeout: Duration,
    all: bool,
    tell: &mut dyn FnMut(Progress) -> bool,
) -> Result<Progress> {
    const TELL: Duration = Duration::from_millis(100);
    as_leader(directory, timeout, |leader| {
        if all && leader.committed.bytes > 0 {
            leader.rotate()?;
        }
        leader.seal_all()?;
        let mut archiving = Archiving::eager();
        let mut failed = None;
        let mut told = Instant::now();
        while !archiving.is_done() {
            if let Err(error) = archiving.attend(leader) {
                failed.get_or_insert(error);
            }
            // Processes that log meanwhile must not wait.
            leader.look_for_rings()?;
            if leader.drain()? == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                if !tell(archiving.progress()) {
                    break;
                }
            }
        }
        failed.map_or(Ok(archiving.progress()), Err)
    })
}

fn lines_of(segment: &Segment) -> Result<Vec<Vec<u8>>> {
    let bytes = std::fs::read(&segment.path).at("reading the segment", &segment.path)?;
    Ok(bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| line[..line.len() - 1].to_vec())
        .collect())
}

impl Leader {
    fn refuse(&self, what: String) -> Error {
        Error::Refused { path: self.journal.directory().to_owned(), what }
    }

    /// Seals everything that was appended.
    fn seal_all(&mut self) -> Result<()> {
        self.sync();
        let sealed = self.seal().map_or(self.committed.end, |seal| seal.sealed());
        if sealed < self.committed.end {
            return Err(self.refuse("it could not be sealed; the disk may be full".into()));
        }
        Ok(())
    }

    /// Ends the running epoch and destroys its key.
    ///
    /// # Errors
    /// When the journal is not sealed, or the checkpoint cannot be written.
    pub fn end_epoch_now(&mut self) -> Result<()> {
        if self.seal().is_none() {
            return Err(self.refuse("it is not sealed, and has no keys".into()));
        }
        self.turn_epoch(true)?;
        self.seal_all()
    }

    /// Appends a record about the journal and seals it.
    ///
    /// # Errors
    /// When it cannot be written or sealed.
    pub fn declare(&mut self, message: &str, fields: &[(&str, Value)]) -> Result<()> {
        self.append_notice(notice(message, fields))?;
        self.seal_all()
    }

    /// Erases single records: says so in the journal, seals that, then takes their content away.
    ///
    /// # Errors
    /// When a record is not there or is one about the journal; nothing is changed then.
    pub fn erase(&mut self, indices: &[u64], reason: &str, request: Option<&str>) -> Result<()> {
        if self.seal().is_none() {
            return Err(self.refuse("it is not sealed; deleting its lines would be enough".into()));
        }
        let mut indices = indices.to_vec();
        indices.sort_unstable();
        indices.dedup();
        let Some(last) = indices.last().copied() else {
            return Ok(());
        };
        if last >= self.committed.end {
            let what = format!("record {last} is not there; it ends at {}", self.committed.end);
            return Err(self.refuse(what));
        }
        let all = segments(&self.journal)?;
        let mut parts: Vec<(Segment, Vec<u64>)> = Vec::new();
        for index in &indices {
            let Some(segment) = all.iter().rfind(|segment| segment.first <= *index) else {
                return Err(self.refuse(format!("record {index} was pruned")));
            };
            match parts.last_mut() {
                Some((known, part)) if known == segment => part.push(*index),
                _ => parts.push((segment.clone(), vec![*index])),
            }
        }
        for (segment, part) in &mut parts {
            let lines = lines_of(segment)?;
            // What was erased before need not be said again.
            part.retain(|index| {
                lines.get((index - segment.first) as usize).is_none_or(|line| !line.is_empty())
            });
            for index in part.iter() {
                let line = lines.get((index - segment.first) as usize);
                if line.is_none_or(|line| seal::is_needed(line)) {
                    return Err(self.refuse(format!(
                        "record {index} is about the journal itself and cannot be erased"
                    )));
                }
            }
        }
        parts.retain(|(_, part)| !part.is_empty());
        let indices: Vec<u64> = parts.iter().flat_map(|(_, part)| part).copied().collect();
        if indices.is_empty() {
            return Ok(());
        }
        if last >= self.committed.segment {
            self.rotate()?;
        }
        self.declare(
            ERASED,
            &[("indices", indices.into()), ("reason", reason.into()), ("request", request.into())],
        )?;
        for (segment, part) in &parts {
            seal::erase_from(self.journal.directory(), segment, part)?;
        }
        Ok(())
    }

    /// Takes away all segments that lie wholly below `before`: says so, seals that, then removes them.
    ///
    /// # Errors
    /// When a record in them is younger than the journal's `retention_min_age_s`.
    pub fn prune(&mut self, before: u64) -> Result<Pruned> {
        if self.seal().is_none() {
            return Err(self.refuse("it is not sealed; deleting segments would be enough".into()));
        }
        let all = segments(&self.journal)?;
        let whole = all.windows(2).take_while(|pair| pair[1].first <= before).count();
        let Some(min_index) = (whole > 0).then(|| all[whole].first) else {
            return Ok(Pruned { segments: 0, min_index: all.first().map_or(0, |s| s.first) });
        };
        let newest = newest_time(&all[..whole])?;
        let policy_s = self.settings.retention_min_age_s;
        let age_ns = now_ns().saturating_sub(parse_rfc3339(&newest).unwrap_or(u64::MAX));
        if policy_s > 0 && age_ns < policy_s.saturating_mul(1_000_000_000) {
            return Err(Error::Setting {
                name: "retention_min_age_s",
                found: policy_s.to_string(),
                wanted:
                    "the newest record below that index is younger; a lower index would be right",
            });
        }
        let names: Vec<Value> =
            all[..whole].iter().map(|segment| format!("{:020}", segment.first).into()).collect();
        self.declare(
            PRUNED,
            &[
                ("min_index", min_index.into()),
                ("segments", names.into()),
                ("newest", newest.into()),
                ("oldest_kept", min_index.into()),
                ("policy", serde_json::json!({"retention_min_age_s": policy_s})),
            ],
        )?;
        for segment in &all[..whole] {
            seal::prune_segment(self.journal.directory(), segment)?;
        }
        Ok(Pruned { segments: whole as u64, min_index })
    }
}

/// The latest time stamp in some segments.
fn newest_time(segments: &[Segment]) -> Result<String> {
    #[derive(serde::Deserialize)]
    struct Timed {
        timestamp: String,
    }
    let mut newest = 0;
    for segment in segments {
        for line in lines_of(segment)? {
            let time = serde_json::from_slice::<Timed>(&line).ok();
            let time = time.and_then(|timed| parse_rfc3339(&timed.timestamp));
            newest = newest.max(time.unwrap_or(0));
        }
    }
    Ok(rfc3339(newest))
}
