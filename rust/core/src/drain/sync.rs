//! `fdatasync` away from the drain, so that a slow device never holds the rings up.

use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::domain::Domain;
use crate::error::{At, Result};
use crate::journal::sync_directory;

/// Records are on the device at most this long after they were appended.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Request {
    /// This file has unsynced bytes.
    Dirty(File),
    /// Sync this file and say when it is done.
    Now(File, Sender<()>),
    /// Everything appended before these tickets were drawn.
    Tickets(File, u64),
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
    pub fn start(directory: PathBuf, domain: Arc<Domain>) -> Self {
        let (requests, receiver) = channel();
        let served = domain.control().sync_done();
        let thread = std::thread::Builder::new()
            .name("treering-sync".into())
            .stack_size(64 << 10)
            .spawn(move || serve(&receiver, &directory, &domain))
            .ok();
        Self { requests: Some(requests), thread, last_dirty: None, served }
    }

    fn send(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // Without its thread the leader still syncs when it leaves; see `finish`.
            let _ = requests.send(request);
        }
    }

    /// Notes that `file` has new bytes; at most one request a second goes out.
    pub fn dirty(&mut self, file: &File) -> Result<()> {
        if self.last_dirty.is_none_or(|last| last.elapsed() >= INTERVAL / 2) {
            self.last_dirty = Some(Instant::now());
            let copy = file.try_clone().at("duplicating", std::path::Path::new("the segment"))?;
            self.send(Request::Dirty(copy));
        }
        Ok(())
    }

    /// Syncs a segment that will not be written any more.
    pub fn close(&mut self, file: File) -> Result<()> {
        self.last_dirty = None;
        self.send(Request::Dirty(file));
        Ok(())
    }

    /// Waits for the device.
    pub fn now(&mut self, file: &File) {
        let (done, wait) = channel();
        match (file.try_clone(), &self.thread) {
            (Ok(copy), Some(_)) => {
                self.send(Request::Now(copy, done));
                let _ = wait.recv();
            }
            _ => drop(file.sync_data()),
        }
    }

    /// Has everything appended by now synced for whoever drew a ticket up to `ticket`.
    pub fn serve_tickets(&mut self, file: &File, ticket: u64) {
        if ticket > self.served {
            self.served = ticket;
            if let Ok(copy) = file.try_clone() {
                self.send(Request::Tickets(copy, ticket));
            }
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

fn serve(requests: &Receiver<Request>, directory: &std::path::Path, domain: &Domain) {
    let mut dirty: Vec<File> = Vec::new();
    let mut since: Option<Instant> = None;
    loop {
        let request = match since {
            // Nothing to do later: no wake-ups.
            None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => requests.recv_timeout(INTERVAL.saturating_sub(since.elapsed())),
        };
        let (mut done, mut tickets) = (Vec::new(), 0);
        let mut urgent = false;
        let mut ended = false;
        // One sync serves everybody who has asked by now (group commit).
        for request in
            std::iter::once(request).chain(std::iter::from_fn(|| requests.try_recv().ok().map(Ok)))
        {
            match request {
                Ok(Request::Dirty(file)) => dirty.push(file),
                Ok(Request::Now(file, sender)) => {
                    dirty.push(file);
                    done.push(sender);
                    urgent = true;
                }
                Ok(Request::Tickets(file, ticket)) => {
                    dirty.push(file);
                    tickets = tickets.max(ticket);
                    urgent = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => ended = true,
            }
        }
        if since.is_none() && !dirty.is_empty() {
            since = Some(Instant::now());
        }
        if urgent || ended || since.is_some_and(|since| since.elapsed() >= INTERVAL) {
            sync(&mut dirty, directory);
            since = None;
            domain.control().totals.syncs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        if tickets > 0 {
            domain.control().synced(tickets);
        }
        for sender in done {
            let _ = sender.send(());
        }
        if ended {
            return;
        }
    }
}

/// Copies of one segment's descriptor are synced once; the kernel finds nothing to do for the rest.
fn sync(dirty: &mut Vec<File>, directory: &std::path::Path) {
    if dirty.is_empty() {
        return;
    }
    for file in dirty.drain(..) {
        // A device that fails here reports the error to every later write as well.
        let _ = file.sync_data();
    }
    let _ = sync_directory(directory);
}
