//! Which messages may share a template: those of one call site, or of one component.

use std::collections::HashMap;

/// The group of text about which nothing is known.
pub const FOREIGN: u32 = 0;

const SITE: u32 = 1 << 31;
/// More call sites and components than this share one group each.
const MAX_GROUPS: usize = 200_000;

/// What a record says about where its message comes from; empty where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Source<'a> {
    pub component: &'a str,
    pub module: &'a str,
    pub file: &'a str,
    pub line: u64,
}

/// Groups by what their records say.
#[derive(Debug, Default)]
pub struct Groups {
    known: HashMap<(String, String, String, u64), u32>,
    key: (String, String, String, u64),
}

impl Groups {
    /// The group of a record: its call site when it has one, else its component.
    pub fn group(&mut self, source: Source<'_>) -> u32 {
        let is_site = !source.file.is_empty() && source.line != 0;
        if source.component.is_empty() && !is_site {
            return FOREIGN;
        }
        set(&mut self.key.0, source.component);
        set(&mut self.key.1, if is_site { source.module } else { "" });
        set(&mut self.key.2, if is_site { source.file } else { "" });
        self.key.3 = if is_site { source.line } else { 0 };
        if let Some(&group) = self.known.get(&self.key) {
            return group;
        }
        if self.known.len() >= MAX_GROUPS {
            return FOREIGN;
        }
        let group = (self.known.len() as u32 + 1) | if is_site { SITE } else { 0 };
        self.known.insert(self.key.clone(), group);
        group
    }
}

fn set(text: &mut String, to: &str) {
    text.clear();
    text.push_str(to);
}

/// Do the messages of this group come from one call?
pub fn is_site(group: u32) -> bool {
    group & SITE != 0
}
