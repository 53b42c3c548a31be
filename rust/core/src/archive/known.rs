//! What was read of files that do not change, kept for the next question.

use std::collections::VecDeque;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

/// By which a file is known to be the one that was read: device, number, size, time of the last change.
pub(super) type Identity = (u64, u64, u64, i64, i64);

pub(super) fn identity(of: &Metadata) -> Identity {
    (of.dev(), of.ino(), of.size(), of.mtime(), of.mtime_nsec())
}

/// Values by key, of which the ones longest unused go when there is no room.
#[derive(Debug)]
pub(super) struct Known<K, V> {
    /// Key, value and size, the one used last at the end.
    entries: Mutex<VecDeque<(K, Arc<V>, usize)>>,
    room: usize,
}

impl<K: PartialEq, V> Known<K, V> {
    /// With room for so many bytes.
    pub const fn new(room: usize) -> Self {
        Self { entries: Mutex::new(VecDeque::new()), room }
    }

    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|(known, ..)| known == key)?;
        let entry = entries.remove(at)?;
        let value = Arc::clone(&entry.1);
        entries.push_back(entry);
        Some(value)
    }

    /// Keeps a value of this many bytes.
    pub fn keep(&self, key: K, value: V, bytes: usize) -> Arc<V> {
        let value = Arc::new(value);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(known, ..)| *known != key);
        entries.push_back((key, Arc::clone(&value), bytes));
        let mut used: usize = entries.iter().map(|(_, _, bytes)| bytes).sum();
        while used > self.room {
            let Some((.., bytes)) = entries.pop_front() else { break };
            used -= bytes;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_longest_goes_first() {
        let known = Known::new(2);
        for key in 0..2 {
            known.keep(key, key * 10, 1);
        }
        assert_eq!(known.get(&0).as_deref(), Some(&0));
        known.keep(2, 20, 1);

        assert_eq!(known.get(&1), None);
        assert_eq!(known.get(&0).as_deref(), Some(&0));
        assert_eq!(known.get(&2).as_deref(), Some(&20));
    }

    #[test]
    fn what_has_no_room_at_all_is_not_kept() {
        let known = Known::new(2);
        assert_eq!(*known.keep(0, 7, 3), 7);

        assert_eq!(known.get(&0), None);
    }
}
