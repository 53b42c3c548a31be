//! Pieces through the hashing threads, and back in order.

use std::collections::VecDeque;
use std::sync::mpsc::{channel, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};

use super::hashing::{hash, Hashed, Piece};
use super::judge::{Judged, Walk};
use super::{Failure, Options};

pub type Task = (Piece, std::sync::mpsc::Sender<Hashed>);

pub fn work(tasks: &Mutex<Receiver<Task>>) {
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((piece, done)) = task else { return };
        // Nobody waits any more when the walk has failed already.
        let _ = done.send(hash(&piece));
    }
}

/// Pieces on their way through the threads, in order.
pub struct Feed {
    queue: SyncSender<Task>,
    waiting: VecDeque<Receiver<Hashed>>,
    limit: usize,
    total: u64,
}

impl Feed {
    /// A feed of `limit` pieces at most; the threads at the other end of `queue` end with it.
    pub fn new(queue: SyncSender<Task>, limit: usize, total: u64) -> Self {
        Self { queue, waiting: VecDeque::new(), limit, total }
    }

    pub fn push(
        &mut self,
        piece: Piece,
        walk: &mut Walk<'_>,
        options: &mut Options<'_>,
    ) -> Judged<()> {
        let (done, wait) = channel();
        if self.waiting.len() >= self.limit {
            self.settle(walk, options)?;
        }
        self.waiting.push_back(wait);
        // The threads live as long as the queue does.
        let _ = self.queue.send((piece, done));
        Ok(())
    }

    fn settle(&mut self, walk: &mut Walk<'_>, options: &mut Options<'_>) -> Judged<()> {
        let Some(wait) = self.waiting.pop_front() else { return Ok(()) };
        let hashed =
            wait.recv().map_err(|_| Failure::new("the verifier has a bug: a thread is gone"))?;
        let bytes = hashed.bytes;
        walk.join(hashed)?;
        if let Some(progress) = &mut options.progress {
            progress(bytes, self.total);
        }
        Ok(())
    }

    pub fn settle_all(&mut self, walk: &mut Walk<'_>, options: &mut Options<'_>) -> Judged<()> {
        while !self.waiting.is_empty() {
            self.settle(walk, options)?;
        }
        Ok(())
    }
}
