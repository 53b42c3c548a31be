//! Retention: which parts of a journal may go, and why. `docs/guides/retention.md` has the rules.
//!
//! `gather` looks at the journal, `plan` decides without touching anything, `drain::retaining` has the leader do it.

mod copies;
mod gather;
mod holds;
mod part;
mod plan;
mod rules;
mod space;
#[cfg(all(test, not(loom)))]
mod tests;

pub use copies::{Copies, COPIES};
pub use gather::{survey, Looker, Survey};
pub use holds::{hold, release, Hold, Holds, HELD, HOLDS, RELEASED};
pub use part::{Count, Part};
pub use plan::{plan, Because, Emergency, Plan, Situation, Spared, Step, Undelivered, Why};
pub use rules::{Horizon, KeepRule, MinFree, Rules, RulesChange, Subject};
pub use space::{space_of, Space};
