//! Closed segments become files of the archive, behind the drain.
//!
//! A thread of the lowest priority makes a file and tests it; the drain gives it its place, since only a
//! leader changes a journal. The thread lives for one file and ends with the lead.

pub(super) mod draft;
pub(super) mod pace;
mod place;
pub(super) mod plan;
#[cfg(all(test, not(loom)))]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{channel, Receiver, TryRecvError};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Leader;
use crate::archive::{tokens, Unreadable};
use crate::error::{Error, Result};
use crate::journal::{notice, segments};
use draft::Draft;
use pace::{Halt, Pace};
use plan::{Leftover, Situation, Work};

/// How often the leader asks its archive whether something is done.
const ATTEND: Duration = Duration::from_millis(100);
/// How often it looks for work, and how often when the last look found none.
const LOOK: Duration = Duration::from_millis(500);
const IDLE_LOOK: Duration = Duration::from_secs(5);
/// How old a lead is when it looks whether indexes of words are missing: most are over by then.
const INDEX_LOOK: Duration = Duration::from_secs(10);
/// How long the end of a lead waits for the thread; one that takes longer finds that nobody wants its file.
const END: Duration = Duration::from_millis(100);
/// After a failure it is tried again after this long, then twice as long, up to the longest.
const RETRY: Duration = Duration::from_secs(30);
const LONGEST_RETRY: Duration = Duration::from_secs(3600);
/// More errors than that at once say nothing new.
const MOST_TOLD: usize = 100;

/// Where the archive stands, for a person who waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub files: u64,
    pub records: u64,
    /// Bytes of the segments that have become files, and of the files.
    pub lines_bytes: u64,
    pub file_bytes: u64,
}

/// What a round has come to.
#[derive(Debug)]
enum Outcome {
    Nothing,
    Drafted(Box<Draft>),
    Held(Box<Leftover>),
    /// The file with this first index has an index of words again.
    Indexed(u64),
    Failed {
        firsts: Vec<u64>,
        error: Error,
    },
}

/// A thread at work on one file.
#[derive(Debug)]
struct Round {
    halt: Arc<Halt>,
    outcome: Receiver<(Outcome, Vec<Unreadable>)>,
}

impl Drop for Round {
    fn drop(&mut self) {
        self.halt.ask(END);
    }
}

/// What has failed, by the first index of a segment.
#[derive(Debug)]
struct Failure {
    times: u32,
    until: Instant,
}

/// The archive of a leader.
#[derive(Debug, Default)]
pub(crate) struct Archiving {
    round: Option<Round>,
    attended: Option<Instant>,
    next_look: Option<Instant>,
    failures: HashMap<u64, Failure>,
    /// Errors that the journal has been told of since something last went well.
    told: HashSet<String>,
    /// Files that cannot be read, of which the journal has been told.
    unreadable: HashSet<PathBuf>,
    began: Option<Instant>,
    /// A look has found that no index of words is missing.
    is_indexed: bool,
    /// However young segments are, and as fast as it goes.
    eager: bool,
    /// However young segments are: room is needed.
    hurried: bool,
    /// The last look of an eager one found nothing.
    is_done: bool,
    progress: Progress,
}

impl Archiving {
    /// Archives everything that is closed, at once.
    pub fn eager() -> Self {
        Self { eager: true, ..Self::default() }
    }

    /// Archives segments however young they are, while room is needed.
    pub fn hurry(&mut self, is_needed: bool) {
        if is_needed && !self.hurried {
            self.next_look = None;
        }
        self.hurried = is_needed;
    }

    /// Takes up what is done, and begins what is due. Cheap when there is neither.
    ///
    /// # Errors
    /// What went wrong, for a person who waits for it; the journal has been told.
    pub fn attend(&mut self, leader: &mut Leader) -> Result<()> {
        if !self.eager && self.attended.is_some_and(|last| last.elapsed() < ATTEND) {
            return Ok(());
        }
        self.attended = Some(Instant::now());
        if self.began.is_none() {
            self.began = Some(Instant::now());
            draft::sweep(&leader.journal);
        }
        let outcome = match &self.round {
            None => None,
            Some(round) => match round.outcome.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => Some((Outcome::Nothing, Vec::new())),
                Ok(outcome) => Some(outcome),
            },
        };
        let settled = outcome.map_or(Ok(()), |(outcome, unreadable)| {
            self.round = None;
            unreadable.into_iter().for_each(|file| self.tell_unreadable(leader, file));
            self.settle(leader, outcome)
        });
        let is_due = self.next_look.is_none_or(|due| Instant::now() >= due);
        if is_due && !self.is_done && (self.eager || leader.settings.archive) {
            self.next_look = Some(Instant::now() + LOOK);
            self.begin(leader);
        }
        settled
    }

    fn begin(&mut self, leader: &Leader) {
        let is_old = self.began.is_some_and(|began| began.elapsed() >= INDEX_LOOK);
        if !self.eager && (self.is_indexed || !is_old) && !has_closed(leader) {
            return;
        }
        let now = Instant::now();
        let waiting = self.failures.iter().filter(|(_, failure)| failure.times > 1);
        let left_out = waiting.filter(|(_, failure)| failure.until > now);
        let situation = Situation {
            journal: leader.journal.clone(),
            settings: leader.settings.clone(),
            active: leader.committed.segment,
            sealed: leader.seal().map(|seal| seal.sealed()),
            eager: self.eager || self.hurried,
            left_out: left_out.map(|(first, _)| *first).collect(),
            apart: self.failures.keys().copied().collect(),
        };
        let (sender, outcome) = channel();
        let halt = Arc::new(Halt::default());
        let theirs = halt.clone();
        let spawned = std::thread::Builder::new()
            .name("treering-archive".into())
            .stack_size(2 << 20)
            .spawn(move || {
                crate::priority::be_modest();
                // Nobody listens when the lead is gone; a draft removes itself then.
                let _ = sender.send(work(&situation, &theirs));
                drop(sender);
                theirs.end();
            });
        // Without a thread for it, it waits.
        self.round = spawned.ok().map(|_| Round { halt, outcome });
    }

    fn settle(&mut self, leader: &mut Leader, outcome: Outcome) -> Result<()> {
        let (firsts, worked) = match outcome {
            Outcome::Nothing => {
                self.is_done = self.eager;
                self.is_indexed = true;
                self.next_look = Some(Instant::now() + IDLE_LOOK);
                return Ok(());
            }
            Outcome::Failed { firsts, error } => (firsts, Err(error)),
            Outcome::Held(leftover) => {
                (vec![leftover.first], leader.remove_leftover(&leftover).map(drop))
            }
            Outcome::Indexed(first) => (vec![first], Ok(())),
            Outcome::Drafted(draft) => {
                let placed = leader.place_draft(&draft, &|_| true);
                if matches!(placed, Ok(true)) {
                    self.count(&draft);
                }
                (draft.plan.firsts(), placed.map(drop))
            }
        };
        // There may be more.
        self.next_look = None;
        match worked {
            Ok(()) => {
                self.told.clear();
                for first in &firsts {
                    self.failures.remove(first);
                }
                Ok(())
            }
            Err(error) => {
                self.fail(leader, &firsts, &error);
                Err(error)
            }
        }
    }

    fn count(&mut self, draft: &Draft) {
        self.progress.files += 1;
        self.progress.records += draft.facts.rows;
        self.progress.lines_bytes += draft.plan.bytes;
        self.progress.file_bytes += draft.bytes;
    }

    /// Says once in the journal that a file of the archive cannot be read. The others go on.
    fn tell_unreadable(&mut self, leader: &mut Leader, file: Unreadable) {
        if self.unreadable.len() < MOST_TOLD && self.unreadable.insert(file.path) {
            leader.domain.control().totals.archive_errors.fetch_add(1, Ordering::Relaxed);
            let fields = [("first", file.first.into()), ("error", file.error.to_string().into())];
            leader.notices.push(notice("archive unreadable", &fields));
        }
    }

    /// Notes a failure, and says it once in the journal.
    fn fail(&mut self, leader: &mut Leader, firsts: &[u64], error: &Error) {
        leader.domain.control().totals.archive_errors.fetch_add(1, Ordering::Relaxed);
        // A disk that is full is so for all of them.
        let is_general = matches!(error, Error::Io { .. });
        for first in firsts {
            let failure = self.failures.entry(*first).or_insert(Failure {
                // What fails with others is tried once more without them, at once.
                times: u32::from(firsts.len() == 1 || is_general),
                until: Instant::now(),
            });
            failure.times += 1;
            let wait = RETRY * (1 << (failure.times.min(16) - 1)) / 2;
            failure.until = Instant::now() + wait.min(LONGEST_RETRY);
            if is_general {
                self.next_look = self.next_look.max(Some(failure.until));
            }
        }
        let is_about_nothing = firsts.is_empty();
        if is_about_nothing {
            self.next_look = Some(Instant::now() + RETRY);
        }
        self.is_done |= self.eager && (is_general || is_about_nothing);
        let what = error.to_string();
        if self.told.len() < MOST_TOLD && self.told.insert(what.clone()) {
            let first = firsts.first().copied().unwrap_or_default();
            let fields = [("first", first.into()), ("error", what.into())];
            leader.notices.push(notice("archiving failed", &fields));
        }
    }

    /// True when an eager one has nothing left to do.
    pub fn is_done(&self) -> bool {
        self.is_done && self.round.is_none()
    }

    pub fn progress(&self) -> Progress {
        self.progress
    }
}

/// True when there is a closed segment that is old enough, whatever else it may wait for.
fn has_closed(leader: &Leader) -> bool {
    let Ok(all) = segments(&leader.journal) else { return false };
    let oldest = all.iter().find(|segment| segment.first < leader.committed.segment);
    oldest.is_some_and(|segment| {
        plan::age(segment).is_ok_and(|age| age.as_secs() >= leader.settings.archive_after_s)
    })
}

/// One round: finds work, and does it as far as the file goes.
fn work(situation: &Situation, halt: &Arc<Halt>) -> (Outcome, Vec<Unreadable>) {
    let share = if situation.eager { 1.0 } else { situation.settings.archive_cpu };
    let pace = Pace::new(share, halt.clone());
    match plan::choose(situation) {
        Ok((Some(chosen), unreadable)) => (carry_out(situation, chosen, &pace), unreadable),
        Ok((None, unreadable)) => (Outcome::Nothing, unreadable),
        Err(error) => (Outcome::Failed { firsts: Vec::new(), error }, Vec::new()),
    }
}

fn carry_out(situation: &Situation, chosen: Work, pace: &Pace) -> Outcome {
    let (firsts, done) = match chosen {
        Work::Archive(plan) => {
            let firsts = plan.firsts();
            (firsts, draft::make(situation, plan, pace).map(|draft| Outcome::Drafted(draft.into())))
        }
        Work::Remove(leftover) => {
            let held = draft::is_held(&leftover, pace);
            (vec![leftover.first], held.and_then(|held| judge(leftover, held)))
        }
        Work::Index(first, path) => {
            let built = tokens::build_while(&path, &|| pace.rest());
            (vec![first], built.map(|()| Outcome::Indexed(first)))
        }
    };
    done.unwrap_or_else(|error| Outcome::Failed { firsts, error })
}

fn judge(leftover: Leftover, is_held: bool) -> Result<Outcome> {
    if is_held {
        return Ok(Outcome::Held(leftover.into()));
    }
    let what = format!("it differs from '{}', which stands for it", leftover.kept.path.display());
    Err(Error::Damaged { path: leftover.path, what })
}
