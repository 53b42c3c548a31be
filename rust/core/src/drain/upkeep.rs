//! What a person does to a journal as its leader: erase records, end an epoch. Pruning is next door.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::archiving::pace::Pace;
use super::archiving::{Archiving, Progress};
use super::cutting::Ground;
use super::held::check_held;
use super::swap::Swap;
use super::units::{units, Unit};
use super::{Leader, Purpose};
use crate::archive::Identities;
use crate::domain::Domain;
use crate::error::{At, Error, Result};
use crate::journal::{notice, Journal};
use crate::seal::{self, SegmentSeal, ERASED};

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

impl Leader {
    pub(super) fn refuse(&self, what: String) -> Error {
        Error::Refused { path: self.journal.directory().to_owned(), what }
    }

    /// Does work that takes long for a person, in a thread: processes that log meanwhile must not wait.
    pub(super) fn meanwhile<T: Send>(
        &mut self,
        work: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        std::thread::scope(|scope| {
            let work = scope.spawn(work);
            while !work.is_finished() {
                // What cannot be drained now says so when it is needed.
                let drained = self.look_for_rings().and_then(|()| self.drain());
                if !matches!(drained, Ok(1..)) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            work.join().unwrap_or_else(|_| Err(self.refuse("the work on it has a bug".into())))
        })
    }

    /// Seals everything that was appended.
    pub(super) fn seal_all(&mut self) -> Result<()> {
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
    /// When a record is not there, is one about the journal, or lies in an encrypted file; nothing is
    /// changed then.
    pub fn erase(
        &mut self,
        indices: &[u64],
        reason: &str,
        request: Option<&str>,
        identities: &Identities,
    ) -> Result<()> {
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
        if last >= self.committed.segment {
            self.rotate()?;
        }
        // The seal files of all closed segments are there then.
        self.seal_all()?;
        let parts = self.erasable(&indices, identities)?;
        check_held(self.journal.directory(), parts.iter().map(|(unit, _)| unit))?;
        let mut indices: Vec<u64> = parts.iter().flat_map(|(_, part)| part).copied().collect();
        indices.sort_unstable();
        indices.dedup();
        if indices.is_empty() {
            return Ok(());
        }
        let ground = Ground::of(self);
        let swaps = self.meanwhile(|| {
            let mut swaps = Vec::new();
            for (unit, part) in &parts {
                let Unit::Archived(file) = unit else { continue };
                let keep = |index: u64| part.binary_search(&index).is_err();
                swaps.push(Swap::write(&ground, file, identities, &keep, &Pace::unlimited())?);
            }
            Ok(swaps)
        })?;
        Swap::announce(self, swaps.iter())?;
        self.declare(
            ERASED,
            &[("indices", indices.into()), ("reason", reason.into()), ("request", request.into())],
        )?;
        for (unit, part) in &parts {
            self.drop_content(unit, part)?;
        }
        swaps.iter().try_for_each(|swap| swap.finish(true))
    }

    /// Salts, and the lines of a segment; a file of the archive is swapped.
    fn drop_content(&self, unit: &Unit, part: &[u64]) -> Result<()> {
        let directory = self.journal.directory();
        for (first, end) in unit.segments() {
            let inside: Vec<u64> =
                part.iter().filter(|index| (first..end).contains(*index)).copied().collect();
            if inside.is_empty() {
                continue;
            }
            seal::drop_salts(directory, first, &inside)?;
            if let Unit::Segment { segment, .. } = unit {
                seal::erase_lines(directory, segment, &inside)?;
            }
        }
        Ok(())
    }

    /// Where the records lie, those of them that have content; a record that is being archived twice.
    fn erasable(&self, indices: &[u64], identities: &Identities) -> Result<Vec<(Unit, Vec<u64>)>> {
        let (mut all, covered) = units(&self.journal, self.committed.end)?;
        let pruned = indices.iter().find(|index| !all.iter().any(|unit| unit.has(**index)));
        if let Some(index) = pruned {
            return Err(self.refuse(format!("record {index} was pruned")));
        }
        for segment in covered {
            let first = segment.first;
            let header = SegmentSeal::load_header(self.journal.directory(), first)?;
            all.push(Unit::Segment { segment, end: first + header.records.unwrap_or(0) });
        }
        let mut parts = Vec::new();
        for unit in all {
            let inside: Vec<u64> =
                indices.iter().filter(|index| unit.has(**index)).copied().collect();
            let Some((from, to)) = inside.first().copied().zip(inside.last().copied()) else {
                continue;
            };
            let (mut part, mut needed) = (Vec::new(), None);
            // What was erased before need not be said again.
            unit.each(from, identities, |index, line| {
                if inside.binary_search(&index).is_ok() {
                    part.push(index);
                    needed = needed.or(seal::is_needed(line).then_some(index));
                }
                index < to
            })?;
            if let Some(index) = needed {
                return Err(self.refuse(format!(
                    "record {index} is about the journal itself and cannot be erased"
                )));
            }
            if !part.is_empty() {
                parts.push((unit, part));
            }
        }
        Ok(parts)
    }
}
