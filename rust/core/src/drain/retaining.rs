//! Retention at work: a thread of its own looks, decides and writes what takes a file's place; the leader says
//! so in the journal and carries it out, one file at a time.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{channel, Receiver, TryRecvError};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::archiving::pace::{Halt, Pace};
use super::archiving::Archiving;
use super::cutting::{Ground, Ready};
use super::units::remove_beside;
use super::{Cut, Leader};
use crate::archive::Identities;
use crate::clock::rfc3339;
use crate::error::{At, Error, Result};
use crate::journal::{notice, sync_directory};
use crate::retention::{plan, space_of, Because, Holds, Looker, Plan, Rules, Step, Survey, Why};
use crate::seal::PRUNED;

/// How long after the lead began, or the rules changed, the first look is; how long until the next.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_secs(60);
/// How often the free space alone is looked at.
const WATCH: Duration = Duration::from_secs(1);
/// In an emergency.
const URGENT_LOOK: Duration = Duration::from_secs(2);
/// Files that go at once in an emergency.
const URGENT_STEPS: usize = 16;
/// How often an emergency waits for segments to be archived instead of taking records.
const PATIENCE: u32 = 3;
/// A step whose file is younger than its plan, or gone, is planned anew.
const RETRY: Duration = Duration::from_secs(30);

/// What retention has done.
#[derive(Debug, Clone, Default)]
pub struct Retained {
    pub plan: Plan,
    /// How many of the plan's steps were taken.
    pub steps: usize,
}

/// What a round of the thread has come to.
#[derive(Debug)]
enum Outcome {
    Looked(Box<(Looker, Survey, Plan)>),
    Ready(Box<(Vec<Step>, Ready)>),
    Failed(Error),
}

/// The thread at work; it is told to end when nobody wants its outcome any more, and nobody waits for that.
#[derive(Debug)]
struct Round {
    halt: Arc<Halt>,
    outcome: Receiver<Outcome>,
}

impl Drop for Round {
    fn drop(&mut self) {
        self.halt.ask(Duration::ZERO);
    }
}

/// Retention as the leader does it besides everything else.
#[derive(Debug, Default)]
pub(crate) struct Retaining {
    looker: Option<Looker>,
    round: Option<Round>,
    steps: VecDeque<Step>,
    next_look: Option<Instant>,
    next_watch: Option<Instant>,
    rules: Option<Rules>,
    /// Errors and emergencies that the journal has been told of.
    told: HashSet<String>,
    waited: u32,
    is_urgent: bool,
}

impl Retaining {
    /// Takes one step, or has the thread prepare one, or look whether there are any. Cheap when there is
    /// nothing to do.
    pub fn attend(&mut self, leader: &mut Leader, archiving: &mut Archiving) {
        if self.rules.as_ref() != Some(&leader.settings.retention) {
            self.rules = Some(leader.settings.retention.clone());
            (self.steps, self.round) = (VecDeque::new(), None);
            self.next_look = Some(Instant::now() + FIRST_LOOK);
        }
        if !leader.settings.retention.is_active() {
            return;
        }
        if let Some(round) = &self.round {
            match round.outcome.try_recv() {
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.round = None,
                Ok(outcome) => {
                    self.round = None;
                    self.settle(leader, archiving, outcome);
                }
            }
            return;
        }
        self.watch(leader);
        if let Some(step) = self.steps.pop_front() {
            self.begin_step(leader, step);
        } else if self.next_look.is_some_and(|due| Instant::now() >= due) {
            self.next_look = Some(Instant::now() + LOOK);
            let mut looker = self.looker.take().unwrap_or_default();
            let directory = leader.journal.directory().to_owned();
            self.begin(leader, move |_| {
                let survey = looker.look(&directory)?;
                let plan = plan(&survey.situation());
                Ok(Outcome::Looked(Box::new((looker, survey, plan))))
            });
        }
    }

    /// Looks at once when the disk fills up between two looks.
    fn watch(&mut self, leader: &Leader) {
        let Some(floor) = leader.settings.retention.floor() else { return };
        let now = Instant::now();
        if self.is_urgent || self.next_watch.is_some_and(|due| now < due) {
            return;
        }
        self.next_watch = Some(now + WATCH);
        let space = space_of(leader.journal.directory());
        if space.is_ok_and(|space| space.free < floor.bytes(space)) {
            (self.is_urgent, self.next_look) = (true, Some(now));
        }
    }

    fn begin_step(&mut self, leader: &mut Leader, step: Step) {
        if leader.seal().is_none() {
            // The file goes whole, which takes no time.
            if let Err(error) = leader.take_step(&step) {
                self.fail(leader, &error);
            }
            return;
        }
        let mut steps = vec![step];
        if self.is_urgent {
            steps.extend(self.steps.drain(..self.steps.len().min(URGENT_STEPS - 1)));
        }
        let ground = Ground::of(leader);
        self.begin(leader, move |pace| {
            let cut =
                |step: &Step| Cut { first: step.first, end: step.end, keep: step.keep.clone() };
            let cuts: Vec<Cut> = steps.iter().map(cut).collect();
            let ready = Ready::prepare(&ground, &cuts, &Identities::default(), pace)?;
            Ok(Outcome::Ready(Box::new((steps, ready))))
        });
    }

    fn begin(
        &mut self,
        leader: &Leader,
        work: impl FnOnce(&Pace) -> Result<Outcome> + Send + 'static,
    ) {
        let (sender, outcome) = channel();
        let halt = Arc::new(Halt::default());
        // Room is needed at once in an emergency, also on a busy machine.
        let is_urgent = self.is_urgent;
        let share = if is_urgent { 1.0 } else { leader.settings.archive_cpu };
        let theirs = halt.clone();
        let spawned = std::thread::Builder::new()
            .name("treering-retain".into())
            .stack_size(2 << 20)
            .spawn(move || {
                if !is_urgent {
                    crate::priority::be_modest();
                }
                // Nobody listens when the lead is gone; drafts remove themselves then.
                let _ =
                    sender.send(work(&Pace::new(share, theirs)).unwrap_or_else(Outcome::Failed));
            });
        // Without a thread for it, it waits.
        self.round = spawned.ok().map(|_| Round { halt, outcome });
    }

    fn settle(&mut self, leader: &mut Leader, archiving: &mut Archiving, outcome: Outcome) {
        let carried = match outcome {
            Outcome::Looked(look) => {
                let (looker, survey, plan) = *look;
                self.looker = Some(looker);
                return self.take_up(leader, archiving, &survey, plan);
            }
            Outcome::Ready(prepared) => {
                let (steps, ready) = *prepared;
                leader.carry_out(ready).map(|pruned| {
                    let pruned = pruned.filter(|pruned| pruned.segments + pruned.thinned > 0);
                    pruned.inspect(|_| steps.iter().for_each(|step| leader.count(step))).is_some()
                })
            }
            Outcome::Failed(error) => Err(error),
        };
        match carried {
            Ok(true) => {}
            // Its files have become others meanwhile: what is due is decided anew.
            Ok(false) => self.again(),
            Err(error) => self.fail(leader, &error),
        }
    }

    fn again(&mut self) {
        self.steps.clear();
        let wait = if self.is_urgent { URGENT_LOOK } else { RETRY };
        self.next_look = Some(Instant::now() + wait);
    }

    fn take_up(
        &mut self,
        leader: &mut Leader,
        archiving: &mut Archiving,
        survey: &Survey,
        plan: Plan,
    ) {
        let totals = &leader.domain.control().totals;
        totals.retention_spared.store(plan.spared.len() as u64, Ordering::Relaxed);
        self.is_urgent = plan.emergency.is_some();
        let Some(emergency) = plan.emergency else {
            (self.waited, self.told) = (0, HashSet::new());
            archiving.hurry(false);
            self.steps = plan.steps.into();
            return;
        };
        self.next_look = Some(Instant::now() + URGENT_LOOK);
        let can_shrink = survey.settings.archive && survey.parts.iter().any(|p| !p.is_archived);
        archiving.hurry(can_shrink);
        self.tell(leader, "emergency clean-up", &emergency_fields(&plan, emergency.wanted));
        // Below half of the mark there is no time left.
        let is_early = emergency.free >= emergency.wanted / 5 * 2;
        if can_shrink && is_early && self.waited < PATIENCE {
            // What becomes smaller need not go.
            self.waited += 1;
            self.steps = plan.steps.into_iter().filter(|s| s.why != Why::FreeSpace).collect();
            return;
        }
        if plan.missed.contains(&Why::FreeSpace) {
            let fields = emergency_fields(&plan, emergency.wanted);
            self.tell(leader, "emergency clean-up is not enough", &fields);
        }
        self.steps = plan.steps.into();
    }

    /// Says something once until an emergency is over.
    fn tell(&mut self, leader: &mut Leader, message: &str, fields: &[(&str, Value)]) {
        if self.told.insert(message.to_owned()) {
            let totals = &leader.domain.control().totals;
            totals.emergencies.fetch_add(u64::from(self.told.len() == 1), Ordering::Relaxed);
            leader.notices.push(notice(message, fields));
        }
    }

    fn fail(&mut self, leader: &mut Leader, error: &Error) {
        leader.domain.control().totals.retention_errors.fetch_add(1, Ordering::Relaxed);
        self.again();
        let what = error.to_string();
        if self.told.len() < 100 && self.told.insert(what.clone()) {
            leader.notices.push(notice("retention failed", &[("error", what.into())]));
        }
    }
}

fn emergency_fields(plan: &Plan, wanted: u64) -> Vec<(&'static str, Value)> {
    let mut held: Vec<&str> = plan
        .spared
        .iter()
        .filter_map(|spared| match &spared.because {
            Because::Held(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    held.dedup();
    let mut fields: Vec<(&str, Value)> = vec![
        ("free", plan.emergency.map(|emergency| emergency.free).into()),
        ("wanted", wanted.into()),
        ("records", plan.records().into()),
        ("bytes", plan.bytes().into()),
        ("spared", plan.spared.len().into()),
    ];
    if !held.is_empty() {
        fields.push(("held", held.into()));
    }
    fields
}

/// Looks, decides and does all of it, for a person.
///
/// # Errors
/// When the journal cannot be read or changed; what went before stays so.
pub fn retain(leader: &mut Leader) -> Result<Retained> {
    let survey = Looker::default().look(leader.journal.directory())?;
    let plan = plan(&survey.situation());
    if let Some(emergency) = plan.emergency {
        let fields = emergency_fields(&plan, emergency.wanted);
        leader.append_notice(notice("emergency clean-up", &fields))?;
        leader.domain.control().totals.emergencies.fetch_add(1, Ordering::Relaxed);
    }
    let mut steps = 0;
    for step in &plan.steps {
        leader.take_step(step)?;
        steps += 1;
    }
    Ok(Retained { plan, steps })
}

impl Leader {
    /// Takes what one step of a plan names. The journal says so, and why, before.
    fn take_step(&mut self, step: &Step) -> Result<()> {
        if self.seal().is_some() {
            let cut = Cut { first: step.first, end: step.end, keep: step.keep.clone() };
            self.cut(&[cut], &Identities::default())?;
        } else {
            self.remove_unsealed(step)?;
        }
        self.count(step);
        Ok(())
    }

    fn count(&self, step: &Step) {
        let totals = &self.domain.control().totals;
        totals.pruned_records.fetch_add(step.records, Ordering::Relaxed);
        totals.pruned_bytes.fetch_add(step.bytes, Ordering::Relaxed);
    }

    /// In a journal without seal files go whole, and nothing has to stay of them.
    fn remove_unsealed(&mut self, step: &Step) -> Result<()> {
        let directory = self.journal.directory().to_owned();
        let path = directory.join(&step.file);
        let time = |text: &Option<String>| text.as_deref().and_then(crate::clock::parse_rfc3339);
        let holds = Holds::load(&directory)?.holds;
        let times = (time(&step.oldest), time(&step.newest));
        if let Some(hold) = holds.iter().find(|hold| hold.covers_times(times.0, times.1)) {
            let what = format!("it is under the legal hold '{}': {}", hold.name, hold.reason);
            return Err(Error::Refused { path, what });
        }
        self.declare(
            PRUNED,
            &[
                ("min_index", step.end.into()),
                ("segments", vec![Value::from(format!("{:020}", step.first))].into()),
                ("newest", step.newest.clone().unwrap_or_else(|| rfc3339(0)).into()),
                (
                    "policy",
                    serde_json::json!({"retention_min_age_s": self.settings.retention_min_age_s}),
                ),
            ],
        )?;
        std::fs::remove_file(&path).at("removing", &path)?;
        remove_beside(&path)?;
        sync_directory(path.parent().unwrap_or(&directory))
    }
}
