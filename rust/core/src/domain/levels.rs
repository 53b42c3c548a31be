//! The level table: every component's threshold, in memory that all processes of a journal share.
//!
//! A logger keeps a pointer to its component's `effective` word, so that a disabled call is one load
//! and one comparison, and a change made anywhere is in force everywhere at once. Nothing here takes a
//! lock: a process killed half-way can at worst waste a slot.

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU8, Ordering};

use crate::level::{Level, DEBUG};

/// Components the table has room for; later ones share the threshold of their nearest known ancestor.
const SLOTS: usize = 4096;
/// Longest component name with a slot of its own.
const NAME_BYTES: usize = 118;
pub const TABLE_BYTES: usize = size_of::<LevelTable>();

/// `explicit` when the level comes from further up.
const INHERIT: Level = u16::MAX;
const FREE: u32 = 0;
const CLAIMED: u32 = 1;
const READY: u32 = 2;

#[repr(C)]
#[derive(Debug)]
struct Slot {
    state: AtomicU32,
    explicit: AtomicU16,
    effective: AtomicU16,
    length: AtomicU16,
    name: [AtomicU8; NAME_BYTES],
}

impl Slot {
    fn is(&self, name: &str) -> bool {
        self.state.load(Ordering::Acquire) == READY
            && usize::from(self.length.load(Ordering::Relaxed)) == name.len()
            && self.name.iter().zip(name.bytes()).all(|(a, b)| a.load(Ordering::Relaxed) == b)
    }

    fn name(&self) -> Option<String> {
        if self.state.load(Ordering::Acquire) != READY {
            return None;
        }
        let length = usize::from(self.length.load(Ordering::Relaxed)).min(NAME_BYTES);
        let bytes = self.name[..length].iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
        String::from_utf8(bytes).ok()
    }
}

/// Thresholds by component name, inherited down the dots; the empty name is the root.
#[repr(C)]
#[derive(Debug)]
pub struct LevelTable {
    version: AtomicU32,
    _padding: [AtomicU32; 15],
    slots: [Slot; SLOTS],
}

/// The next ancestor: `a.b` for `a.b.c`, the root for `a`, none for the root.
fn parent(name: &str) -> Option<&str> {
    if name.is_empty() {
        return None;
    }
    Some(name.rfind('.').map_or("", |dot| &name[..dot]))
}

fn start_of(name: &str) -> usize {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 32).unwrap_or(0) % SLOTS
}

impl LevelTable {
    pub(super) fn initialise(&self) {
        let root = &self.slots[start_of("")];
        root.explicit.store(DEBUG, Ordering::Relaxed);
        root.effective.store(DEBUG, Ordering::Relaxed);
        root.state.store(READY, Ordering::Release);
    }

    /// The word that holds the threshold of `component`; its address stays good while the table does.
    #[must_use]
    pub fn slot(&self, component: &str) -> &AtomicU16 {
        &self.slots[self.find_or_add(component)].effective
    }

    /// The threshold in force for `component`.
    #[must_use]
    pub fn effective(&self, component: &str) -> Level {
        self.resolve(component)
    }

    /// The level set for exactly this component, if any.
    #[must_use]
    pub fn explicit(&self, component: &str) -> Option<Level> {
        let level = self.slots[self.find(component)?].explicit.load(Ordering::Acquire);
        (level != INHERIT).then_some(level)
    }

    /// Sets the threshold of a component and everything below it that has none of its own; `None`
    /// inherits again. False when the table is full or the name too long for a slot.
    pub fn set(&self, component: &str, level: Option<Level>) -> bool {
        let level = match level {
            None if component.is_empty() => DEBUG,
            other => other.unwrap_or(INHERIT),
        };
        let own = self.find_or_add(component);
        if !self.slots[own].is(component) {
            return false;
        }
        // Two processes may have added the same name at once; both slots count.
        for slot in self.slots.iter().filter(|slot| slot.is(component)) {
            slot.explicit.store(level, Ordering::Release);
        }
        self.version.fetch_add(1, Ordering::AcqRel);
        self.recompute();
        true
    }

    /// Components with a level of their own, by name.
    #[must_use]
    pub fn list(&self) -> Vec<(String, Level)> {
        let mut levels: Vec<_> = self
            .slots
            .iter()
            .filter_map(|slot| {
                let name = slot.name()?;
                let level = slot.explicit.load(Ordering::Acquire);
                (level != INHERIT).then_some((name, level))
            })
            .collect();
        levels.sort();
        levels.dedup();
        levels
    }

    fn find(&self, name: &str) -> Option<usize> {
        let start = start_of(name);
        for step in 0..SLOTS {
            let at = (start + step) % SLOTS;
            if self.slots[at].is(name) {
                return Some(at);
            }
            if self.slots[at].state.load(Ordering::Acquire) == FREE {
                return None;
            }
        }
        None
    }

    fn find_or_add(&self, name: &str) -> usize {
        if let Some(at) = self.find(name) {
            return at;
        }
        if name.len() <= NAME_BYTES {
            let start = start_of(name);
            for step in 0..SLOTS {
                let at = (start + step) % SLOTS;
                let slot = &self.slots[at];
                if slot
                    .state
                    .compare_exchange(FREE, CLAIMED, Ordering::AcqRel, Ordering::Acquire)
                    .is_ok()
                {
                    self.fill(slot, name);
                    return at;
                }
                if slot.is(name) {
                    return at;
                }
            }
        }
        parent(name).map_or(start_of(""), |up| self.find_or_add(up))
    }

    fn fill(&self, slot: &Slot, name: &str) {
        for (place, byte) in slot.name.iter().zip(name.bytes()) {
            place.store(byte, Ordering::Relaxed);
        }
        slot.length.store(name.len() as u16, Ordering::Relaxed);
        slot.explicit.store(INHERIT, Ordering::Relaxed);
        slot.effective.store(self.resolve(name), Ordering::Relaxed);
        let version = self.version.load(Ordering::Acquire);
        slot.state.store(READY, Ordering::Release);
        if self.version.load(Ordering::Acquire) != version {
            self.recompute();
        }
        // A level set between `resolve` and `READY` did not see this slot.
        slot.effective.store(self.resolve(name), Ordering::Release);
    }

    fn resolve(&self, name: &str) -> Level {
        let mut at = name;
        loop {
            if let Some(level) = self.explicit(at) {
                return level;
            }
            match parent(at) {
                Some(up) => at = up,
                None => return DEBUG,
            }
        }
    }

    /// Derives every threshold again until no change came in meanwhile.
    fn recompute(&self) {
        loop {
            let version = self.version.load(Ordering::Acquire);
            for slot in &self.slots {
                if let Some(name) = slot.name() {
                    slot.effective.store(self.resolve(&name), Ordering::Release);
                }
            }
            if self.version.load(Ordering::Acquire) == version {
                return;
            }
        }
    }
}
