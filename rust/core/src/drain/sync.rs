//! The thread that waits for the device, so that the drain does not, and signs what has reached it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::domain::Domain;
use crate::error::{At, Result};
use crate::journal::sync_directory;
use crate::seal::Seal;

/// Records are on the device at most this long after they were appended.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Request {
    /// The segment that is written from now on. Sent before its first byte is.
    Active(File),
    /// The active segment has unsynced bytes.
    Dirty,
    /// Sync, sign when `sealed`, and say when it is done.
    Now { sealed: bool, done: Sender<()> },
    /// Everything appended by now, for whoever drew a ticket up to this one.
    Tickets(u64),
}

/// The thread that syncs for a leader, and ends with it.
#[derive(Debug)]
pub struct Syncer {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    last_dirty: Option<Instant>,
    served: u64,
}

impl Syncer {
    pub fn start(
        directory: PathBuf,
        domain: Arc<Domain>,
        active: &File,
        seal: Option<(Arc<Seal>, Duration)>,
    ) -> Result<Self> {
        let (requests, receiver) = channel();
        let served = domain.control().sync_done();
        let active = copy(active)?;
        let mut device = Device {
            active,
            old: Vec::new(),
            directory,
            has_new_segment: true,
            domain,
            seal,
            waiting: Waiting::default(),
        };
        let thread = std::thread::Builder::new()
            .name("treering-sync".into())
            .stack_size(256 << 10)
            .spawn(move || device.serve(&receiver))
            .ok();
        Ok(Self { requests: Some(requests), thread, last_dirty: None, served })
    }

    fn send(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // Without its thread the leader still syncs when it leaves; see `now`.
            let _ = requests.send(request);
        }
    }

    /// Notes that the active segment has new bytes; at most two requests a second go out.
    pub fn dirty(&mut self) {
        if self.last_dirty.is_none_or(|last| last.elapsed() >= INTERVAL / 2) {
            self.last_dirty = Some(Instant::now());
            self.send(Request::Dirty);
        }
    }

    /// Goes over to another segment; the one before is synced soon.
    pub fn active(&mut self, file: &File) -> Result<()> {
        self.last_dirty = None;
        self.send(Request::Active(copy(file)?));
        Ok(())
    }

    /// Waits for the device, and for a checkpoint when `sealed`.
    pub fn now(&mut self, file: &File, sealed: bool) {
        let (done, wait) = channel();
        if self.thread.is_some() {
            self.send(Request::Now { sealed, done });
            let _ = wait.recv();
        } else {
            let _ = file.sync_data();
        }
    }

    /// Has everything appended by now synced and sealed for whoever drew a ticket up to `ticket`.
    pub fn serve_tickets(&mut self, ticket: u64) {
        if ticket > self.served {
            self.served = ticket;
            self.send(Request::Tickets(ticket));
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn copy(file: &File) -> Result<File> {
    file.try_clone().at("duplicating", Path::new("the segment"))
}

/// What has been asked for and not been done.
#[derive(Debug, Default)]
struct Waiting {
    since: Option<Instant>,
    urgent: bool,
    sealed: bool,
    done: Vec<Sender<()>>,
    ticket: u64,
    ended: bool,
}

struct Device {
    active: File,
    /// Segments that are not written any more, and not synced yet.
    old: Vec<File>,
    directory: PathBuf,
    /// A segment was made since the directory was synced.
    has_new_segment: bool,
    domain: Arc<Domain>,
    seal: Option<(Arc<Seal>, Duration)>,
    waiting: Waiting,
}

impl Device {
    fn serve(&mut self, receiver: &Receiver<Request>) {
        let mut unsealed = false;
        while !self.waiting.ended {
            let timeout = match self.waiting.since {
                // Asked for while the last sync ran.
                Some(_) if self.waiting.urgent => Some(Duration::ZERO),
                Some(since) => Some(INTERVAL.saturating_sub(since.elapsed())),
                // Nothing to do later: no wake-ups.
                None => unsealed.then_some(INTERVAL),
            };
            let request = match timeout {
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(timeout) => receiver.recv_timeout(timeout),
            };
            match request {
                Ok(request) => self.take_up(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.waiting.ended = true,
            }
            // One sync serves everybody who has asked by now (group commit).
            for request in receiver.try_iter() {
                self.take_up(request);
            }
            self.work(receiver);
            unsealed = self.seal.as_ref().is_some_and(|(seal, _)| seal.has_unsealed());
        }
    }

    fn take_up(&mut self, request: Request) {
        let waiting = &mut self.waiting;
        match request {
            Request::Active(file) => {
                self.old.push(std::mem::replace(&mut self.active, file));
                self.has_new_segment = true;
                waiting.urgent = true;
            }
            Request::Dirty => {}
            Request::Now { sealed, done } => {
                waiting.done.push(done);
                waiting.sealed |= sealed;
                waiting.urgent = true;
            }
            Request::Tickets(ticket) => {
                waiting.ticket = waiting.ticket.max(ticket);
                waiting.sealed = true;
                waiting.urgent = true;
            }
        }
        waiting.since.get_or_insert_with(Instant::now);
    }

    fn work(&mut self, receiver: &Receiver<Request>) {
        let due = self.seal.as_ref().is_some_and(|(seal, interval)| seal.is_due(*interval));
        let waiting = &self.waiting;
        let late = waiting.since.is_some_and(|since| since.elapsed() >= INTERVAL);
        if !(waiting.urgent || waiting.ended || late || due) {
            return;
        }
        let asked = std::mem::take(&mut self.waiting);
        let seal = self.seal.as_ref().filter(|_| due || asked.sealed || asked.ended);
        let worked = match seal.map(|(seal, _)| seal.clone()) {
            Some(seal) => {
                let hashed = seal.wait_hashed();
                seal.checkpoint(|| self.sync(receiver)).is_ok() && hashed
            }
            None => self.sync(receiver).is_ok(),
        };
        let control = self.domain.control();
        if worked {
            control.totals.syncs.fetch_add(1, Ordering::Relaxed);
            if asked.ticket > 0 {
                control.synced(asked.ticket);
            }
        } else {
            control.totals.sync_errors.fetch_add(1, Ordering::Relaxed);
            self.waiting.since.get_or_insert_with(Instant::now);
            self.waiting.ticket = self.waiting.ticket.max(asked.ticket);
            self.waiting.sealed |= asked.sealed;
        }
        self.waiting.ended |= asked.ended;
        for sender in asked.done {
            let _ = sender.send(());
        }
    }

    /// Brings everything to the device that was appended by now.
    ///
    /// Segments that began meanwhile are taken up first: whoever took note of what is to be signed before
    /// this call has then all their files here.
    fn sync(&mut self, receiver: &Receiver<Request>) -> std::io::Result<()> {
        for request in receiver.try_iter() {
            self.take_up(request);
        }
        while let Some(file) = self.old.last() {
            file.sync_data()?;
            self.old.pop();
        }
        self.active.sync_data()?;
        if self.has_new_segment {
            sync_directory(&self.directory)
                .map_err(|error| std::io::Error::other(error.to_string()))?;
            self.has_new_segment = false;
        }
        Ok(())
    }
}
