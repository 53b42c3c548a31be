//! The rules in force in one process, which another process may change.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Redactor, Rules};
use crate::error::Result;

thread_local! {
    static HERE: RefCell<Option<Arc<Redactor>>> = const { RefCell::new(None) };
}

/// Has this thread redact by these rules what it adds to records: lines of source code.
pub fn set_here(redactor: Arc<Redactor>) {
    HERE.set(Some(redactor));
}

/// What this thread redacts by: the built-in rules unless it was told others.
#[must_use]
pub fn here() -> Arc<Redactor> {
    HERE.with_borrow_mut(|here| here.get_or_insert_with(Arc::default).clone())
}

static VERSION: AtomicU32 = AtomicU32::new(0);

/// Changes whenever rules were taken up while a process was running.
#[inline]
#[must_use]
pub fn version() -> u32 {
    VERSION.load(Ordering::Acquire)
}

/// A redactor that is replaced as a whole.
#[derive(Debug)]
pub struct Redaction {
    journal: Option<PathBuf>,
    current: RwLock<Arc<Redactor>>,
}

impl Redaction {
    /// # Errors
    /// As `Redactor::open`.
    pub fn open(rules: &Rules, journal: Option<PathBuf>) -> Result<Self> {
        let redactor = Redactor::open(rules, journal.as_deref())?;
        Ok(Self { journal, current: RwLock::new(Arc::new(redactor)) })
    }

    #[must_use]
    pub fn current(&self) -> Arc<Redactor> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up the rules that the journal has now.
    pub fn take_up(&self, rules: &Rules) {
        let Some(journal) = self.journal.as_ref().filter(|_| *rules != *self.current().rules())
        else {
            return;
        };
        let (redactor, _) = Redactor::open_or_mask(rules, journal);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(redactor);
        VERSION.fetch_add(1, Ordering::AcqRel);
    }
}
