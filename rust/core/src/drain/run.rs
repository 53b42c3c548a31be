//! The life of the drain thread: lead, or wait to lead.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::archiving::Archiving;
use super::retaining::Retaining;
use super::{Leader, Purpose};
use crate::domain::Domain;
use crate::journal::{Journal, Settings};
use crate::redact::Redaction;
use crate::ring::Mapping;

/// How often a process that does not lead asks whether the lead is free.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(100);
/// The leader's shortest and longest sleep; records wake it before their ring is a quarter full.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);
const LONGEST_SLEEP: Duration = Duration::from_millis(100);
/// How often an idle leader looks for dead processes, waiting domains and overdue rotations.
const HOUSEKEEPING: Duration = Duration::from_millis(200);
/// How long a leader stays away after it has given another one a turn.
const TURN: Duration = Duration::from_millis(100);

/// What `run` works on.
#[derive(Debug)]
pub struct DrainThread {
    journal: Journal,
    settings: Settings,
    domain: Arc<Domain>,
    own: Option<Arc<Mapping>>,
    /// The rules that this process encodes and shows its records by.
    redaction: Option<Arc<Redaction>>,
    /// The settings of which `redaction` has the rules.
    rules_version: AtomicU32,
    stop: AtomicBool,
    /// Tells this drain from others, of this process too.
    token: u32,
    /// This drain wants the lead whoever has it (`treering drain`).
    insists: bool,
    leads: AtomicBool,
    last_error: Mutex<Option<String>>,
    poked: (Mutex<bool>, Condvar),
}

impl DrainThread {
    #[must_use]
    pub fn new(
        journal: Journal,
        settings: Settings,
        domain: Arc<Domain>,
        own: Option<Arc<Mapping>>,
        redaction: Option<Arc<Redaction>>,
        insists: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            rules_version: AtomicU32::new(domain.control().settings_version()),
            redaction,
            journal,
            settings,
            domain,
            own,
            stop: AtomicBool::new(false),
            token: next_token(),
            insists,
            leads: AtomicBool::new(false),
            last_error: Mutex::new(None),
            poked: (Mutex::new(false), Condvar::new()),
        })
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn spawn(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let shared = self.clone();
        std::thread::Builder::new()
            .name("treering-drain".into())
            .stack_size(256 << 10)
            .spawn(move || run(&shared))
    }

    /// Wakes the drain, wherever it runs, and this process's own bid for the lead.
    pub fn poke(&self) {
        self.domain.control().wake();
        if !self.leads.load(Ordering::Acquire) {
            *self.poked.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.poked.1.notify_all();
        }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.domain.control().wake();
        self.poke();
    }

    #[must_use]
    pub fn leads(&self) -> bool {
        self.leads.load(Ordering::Acquire)
    }

    /// What last kept the drain from appending, if it still does.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, error: Option<String>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// Takes up rules that another process has changed.
    fn look_for_rules(&self) {
        let version = self.domain.control().settings_version();
        let Some(redaction) = &self.redaction else { return };
        if self.rules_version.swap(version, Ordering::Relaxed) == version {
            return;
        }
        // A journal that cannot be read is the leader's to report; the old rules stay in force.
        if let Ok((_, settings)) = Journal::open(self.journal.directory()) {
            redaction.take_up(&settings.redaction);
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn pause(&self, timeout: Duration) {
        let guard = self.poked.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut guard, _) = self
            .poked
            .1
            .wait_timeout_while(guard, timeout, |poked| !*poked && !self.stopped())
            .unwrap_or_else(PoisonError::into_inner);
        *guard = false;
    }

    fn has_records(&self) -> bool {
        self.own.as_ref().is_some_and(|ring| {
            let header = ring.header();
            header.producer.head.load(Ordering::Acquire)
                != header.consumer.tail.load(Ordering::Acquire)
        })
    }

    /// Asks a leader of another domain for a turn.
    fn ask_for_turn(&self, turn: &PathBuf) {
        let foreign = self
            .journal
            .last_leader()
            .is_some_and(|(_, domain)| domain != self.domain.control().id());
        if foreign && self.has_records() {
            let _ = std::fs::write(turn, b"");
        }
    }
}

/// Process id and a count; never 0, which stands for nobody.
fn next_token() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    (std::process::id() << 8) | (COUNT.fetch_add(1, Ordering::Relaxed) & 0xff)
}

/// Runs until stopped. Leaves the journal with every ring of the domain drained when it leads.
pub fn run(shared: &DrainThread) {
    let turn = shared.journal.turn_path();
    while !shared.stopped() {
        let control = shared.domain.control();
        shared.look_for_rules();
        if shared.insists && control.leader() != 0 {
            control.ask_handover(shared.token);
        }
        let waits_for_other = ![0, shared.token].contains(&control.handover());
        let taken = if waits_for_other {
            Ok(None)
        } else {
            Leader::take(
                &shared.journal,
                &shared.settings,
                &shared.domain,
                shared.own.clone(),
                Purpose::Logging,
            )
        };
        match taken {
            Ok(Some(leader)) => {
                if control.handover() == shared.token {
                    control.ask_handover(0);
                }
                shared.leads.store(true, Ordering::Release);
                shared.note(None);
                // A bug must cost the lead, not the records: the next lead settles what was in flight.
                let led = std::panic::AssertUnwindSafe(|| lead(shared, leader, &turn));
                if std::panic::catch_unwind(led).is_err() {
                    control.totals.write_errors.fetch_add(1, Ordering::Relaxed);
                    shared.note(Some("the drain has a bug and starts again".into()));
                    shared.pause(FOLLOW_INTERVAL);
                }
                shared.leads.store(false, Ordering::Release);
                if !shared.stopped() {
                    shared.pause(TURN);
                    // Whoever asked has had its chance; a dead one must not block the lead for good.
                    control.ask_handover(0);
                }
            }
            Ok(None) => {
                shared.ask_for_turn(&turn);
                let interval = if shared.insists { SHORTEST_SLEEP } else { FOLLOW_INTERVAL };
                shared.pause(interval);
                if waits_for_other && !shared.insists {
                    control.ask_handover(0);
                }
            }
            Err(error) => {
                shared.note(Some(error.to_string()));
                shared.pause(FOLLOW_INTERVAL);
            }
        }
    }
}

fn lead(shared: &DrainThread, mut leader: Leader, turn: &PathBuf) {
    let control = shared.domain.control();
    let mut sleep = SHORTEST_SLEEP;
    let mut last_look = Instant::now();
    let mut archiving = Archiving::default();
    let mut retaining = Retaining::default();
    loop {
        let stopping = shared.stopped();
        let ticket = control.sync_wanted();
        if let Err(error) = leader.turn_epoch(false) {
            control.totals.sync_errors.fetch_add(1, Ordering::Relaxed);
            shared.note(Some(error.to_string()));
        }
        if !stopping {
            // The journal says what went wrong; it keeps no record from being appended.
            let _ = archiving.attend(&mut leader);
            retaining.attend(&mut leader, &mut archiving);
        }
        let drained = leader.look_for_rings().and_then(|()| leader.drain());
        match drained {
            Ok(0) => {
                leader.serve_tickets(ticket);
                if stopping {
                    break;
                }
                sleep = (sleep * 2).min(LONGEST_SLEEP);
            }
            Ok(_) => {
                shared.note(None);
                sleep = SHORTEST_SLEEP;
                // Also of a leader that is never idle: rules of redaction are not to wait.
                shared.look_for_rules();
                if let Err(error) = leader.look_for_settings() {
                    shared.note(Some(error.to_string()));
                }
                // A ring that is filling fast is emptied again at once; a trickle is left to collect.
                if !leader.has_backlog() && !stopping {
                    control.sleep(SHORTEST_SLEEP, || leader.has_backlog() || shared.stopped());
                }
                continue;
            }
            Err(error) => {
                shared.note(Some(error.to_string()));
                if stopping {
                    break;
                }
                sleep = LONGEST_SLEEP;
                std::thread::sleep(sleep);
            }
        }
        if last_look.elapsed() >= HOUSEKEEPING {
            last_look = Instant::now();
            shared.look_for_rules();
            if ![0, shared.token].contains(&control.handover()) {
                break;
            }
            if turn.exists() {
                let _ = std::fs::remove_file(turn);
                break;
            }
            leader.retire_orphans();
            if let Err(error) = leader.look_for_settings().and_then(|()| leader.rotate_by_age()) {
                shared.note(Some(error.to_string()));
            }
        }
        control.sleep(sleep, || shared.stopped() || control.sync_wanted() > ticket);
    }
    drop(archiving);
    drop(retaining);
    leader.retire_orphans();
    if let Err(error) = leader.close() {
        shared.note(Some(error.to_string()));
    }
}
