//! The tree, and what keeps it small.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::format::record::{Key, Record};

use super::cluster::{Cluster, Template};
use super::groups::{is_site, Groups, Source};
use super::mask::{Masked, VARIABLE};

/// The id of what was forgotten to stay within the limit.
pub const REST: u32 = 0;

/// A leaf with more templates than this merges by similarity alone: its words cannot all be constants.
const CROWDED: usize = 48;
/// Exact messages remembered, for each template that may be kept.
const RECENT_PER_TEMPLATE: usize = 4;

/// Where a message stood and when it was logged, in nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub time_ns: i64,
    pub index: u64,
}

/// What decides, and how much may be kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Share of words that must be the same.
    pub similarity: f64,
    /// The same for messages of one call site, and in crowded leaves.
    pub site_similarity: f64,
    /// Templates that differ in one plain word become one when they are this many.
    pub variants: usize,
    /// Templates kept; the least recently used go first.
    pub templates: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { similarity: 0.5, site_similarity: 0.4, variants: 5, templates: 20_000 }
    }
}

type Leaf = u64;

/// Finds templates; memory is bounded by the limits.
#[derive(Debug)]
pub struct Miner {
    limits: Limits,
    hasher: RandomState,
    clusters: HashMap<u32, Cluster>,
    /// For each id ever given the one it became; itself while it is a template of its own.
    became: Vec<u32>,
    leaves: HashMap<Leaf, Vec<u32>>,
    /// Templates by what they are without one of their words.
    variants: HashMap<u64, Vec<u32>>,
    /// Masked messages seen lately.
    recent: HashMap<u64, u32>,
    masked: Masked,
    clock: u64,
    forgotten: u64,
    forgotten_messages: u64,
}

impl Miner {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            hasher: RandomState::new(),
            clusters: HashMap::new(),
            became: vec![REST],
            leaves: HashMap::new(),
            variants: HashMap::new(),
            recent: HashMap::new(),
            masked: Masked::default(),
            clock: 0,
            forgotten: 0,
            forgotten_messages: 0,
        }
    }

    /// Takes a message and gives an id; `settled` says what it became in the end.
    ///
    /// Messages of different groups never share a template; see `Groups`.
    pub fn add(&mut self, group: u32, seen: Seen, message: &str) -> u32 {
        self.clock += 1;
        let mut masked = std::mem::take(&mut self.masked);
        masked.set(message);
        let exact = self.hash(group, masked.words());
        let known = self.recent.get(&exact).map(|&id| self.settled(id)).filter(|&id| id != REST);
        let id = known
            .or_else(|| self.nearest(group, &masked))
            .unwrap_or_else(|| self.insert(Cluster::new(group, &masked, seen)));
        if let Some(cluster) = self.clusters.get_mut(&id) {
            cluster.used = self.clock;
            cluster.keep(seen, message);
        }
        if known.is_none() {
            self.remember(exact, id);
            self.widen(id, &masked);
        }
        self.masked = masked;
        id
    }

    /// Takes a canonical line: its message, grouped by where it comes from.
    pub fn add_record(&mut self, groups: &mut Groups, index: u64, line: &[u8]) -> u32 {
        let mut spelled = String::new();
        let record = Record::read(line, &mut spelled);
        let text = |key| record.get(key).text();
        let source = Source {
            component: &text(Key::Component),
            module: &text(Key::Module),
            file: &text(Key::File),
            line: record.get(Key::Line).as_u64().unwrap_or(0),
        };
        let seen = Seen { time_ns: record.timestamp_ns().unwrap_or(0) as i64, index };
        self.add(groups.group(source), seen, &text(Key::Message))
    }

    /// What an id became: templates that turned out to be one share it, forgotten ones are `REST`.
    #[must_use]
    pub fn settled(&self, id: u32) -> u32 {
        let mut id = id;
        while let Some(&next) = self.became.get(id as usize) {
            if next == id {
                return id;
            }
            id = next;
        }
        REST
    }

    /// The templates, most messages first.
    #[must_use]
    pub fn templates(&self) -> Vec<Template> {
        let mut found: Vec<_> =
            self.clusters.iter().map(|(&id, cluster)| template(id, cluster)).collect();
        found.sort_by_key(|template| (std::cmp::Reverse(template.count), template.id));
        found
    }

    /// How many templates there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clusters.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// How many templates were forgotten, and how many messages they had.
    #[must_use]
    pub fn forgotten(&self) -> (u64, u64) {
        (self.forgotten, self.forgotten_messages)
    }

    fn hash<'a>(&self, group: u32, words: impl Iterator<Item = &'a str>) -> u64 {
        use std::hash::{Hash, Hasher};
        let mut hasher = self.hasher.build_hasher();
        group.hash(&mut hasher);
        words.for_each(|word| word.hash(&mut hasher));
        hasher.finish()
    }

    /// A first word that is or may be a value says nothing about the template.
    fn leaf(&self, group: u32, count: usize, first: &str) -> Leaf {
        self.hasher.hash_one((group, count, first))
    }

    fn leaves_of(&self, group: u32, count: usize, first: &str) -> [Leaf; 2] {
        [self.leaf(group, count, head(group, first)), self.leaf(group, count, VARIABLE)]
    }

    fn nearest(&self, group: u32, masked: &Masked) -> Option<u32> {
        let mut best: Option<(f64, u32)> = None;
        let first = if masked.is_empty() { "" } else { masked.word(0) };
        for leaf in self.leaves_of(group, masked.len(), first) {
            let Some(ids) = self.leaves.get(&leaf) else { continue };
            let by_words = !is_site(group) && ids.len() < CROWDED;
            let least =
                if is_site(group) { self.limits.site_similarity } else { self.limits.similarity };
            for &id in ids {
                let Some(cluster) = self.clusters.get(&id) else { continue };
                let near = cluster.nearness(masked);
                let is_near = near.same >= least && (near.words == 0 || !by_words);
                if is_near && best.is_none_or(|(same, _)| near.same > same) {
                    best = Some((near.same, id));
                }
            }
        }
        best.map(|(_, id)| id)
    }

    fn insert(&mut self, mut cluster: Cluster) -> u32 {
        if self.clusters.len() >= self.limits.templates {
            self.forget();
        }
        cluster.used = self.clock;
        let id = self.became.len() as u32;
        self.became.push(id);
        self.enter(id, &cluster);
        self.clusters.insert(id, cluster);
        id
    }

    fn enter(&mut self, id: u32, cluster: &Cluster) {
        let first = cluster.words.first().map_or("", |word| &**word);
        let leaf = self.leaves_of(cluster.group, cluster.words.len(), first)[0];
        self.leaves.entry(leaf).or_default().push(id);
        for key in self.variant_keys(cluster) {
            self.variants.entry(key).or_default().push(id);
        }
    }

    fn leave(&mut self, id: u32, cluster: &Cluster) {
        let first = cluster.words.first().map_or("", |word| &**word);
        let leaf = self.leaves_of(cluster.group, cluster.words.len(), first)[0];
        remove(&mut self.leaves, leaf, id);
        for key in self.variant_keys(cluster) {
            remove(&mut self.variants, key, id);
        }
    }

    /// A template without each of its plain words in turn; call sites need none.
    fn variant_keys(&self, cluster: &Cluster) -> Vec<u64> {
        if is_site(cluster.group) || cluster.words.len() < 2 {
            return Vec::new();
        }
        let words = || cluster.words.iter().map(|word| &**word);
        (0..cluster.words.len())
            .filter(|&at| !cluster.words[at].contains(VARIABLE))
            .map(|at| {
                // No masked word holds a space, so this one stands for the place alone.
                let rest =
                    words().enumerate().map(|(other, word)| if other == at { " " } else { word });
                self.hash(cluster.group, rest)
            })
            .collect()
    }

    fn widen(&mut self, id: u32, masked: &Masked) {
        let Some(mut cluster) = self.clusters.remove(&id) else { return };
        self.leave(id, &cluster);
        cluster.widen(masked.words());
        self.enter(id, &cluster);
        self.clusters.insert(id, cluster);
        self.unite(id);
    }

    /// Makes one of those that differ in one plain word, once they are many.
    fn unite(&mut self, id: u32) {
        let mut id = id;
        while let Some(ids) = self.many(id) {
            let oldest = ids.iter().copied().min().unwrap_or(id);
            let Some(mut into) = self.clusters.remove(&oldest) else { return };
            self.leave(oldest, &into);
            for other in ids.into_iter().filter(|&other| other != oldest) {
                if let Some(cluster) = self.clusters.remove(&other) {
                    self.leave(other, &cluster);
                    self.became[other as usize] = oldest;
                    into.absorb(cluster);
                }
            }
            self.enter(oldest, &into);
            self.clusters.insert(oldest, into);
            id = oldest;
        }
    }

    fn many(&self, id: u32) -> Option<Vec<u32>> {
        let keys = self.variant_keys(self.clusters.get(&id)?);
        let ids = keys.iter().filter_map(|key| self.variants.get(key));
        ids.filter(|ids| ids.len() >= self.limits.variants).max_by_key(|ids| ids.len()).cloned()
    }

    fn remember(&mut self, exact: u64, id: u32) {
        if self.recent.len() >= self.limits.templates * RECENT_PER_TEMPLATE {
            self.recent.clear();
        }
        self.recent.insert(exact, id);
    }

    /// Forgets an eighth, those not used for longest.
    fn forget(&mut self) {
        let mut used: Vec<_> = self.clusters.iter().map(|(&id, one)| (one.used, id)).collect();
        used.sort_unstable();
        for (_, id) in used.into_iter().take(self.limits.templates / 8 + 1) {
            if let Some(cluster) = self.clusters.remove(&id) {
                self.leave(id, &cluster);
                self.became[id as usize] = REST;
                self.forgotten += 1;
                self.forgotten_messages += cluster.count;
            }
        }
    }
}

/// In a call site's group every first word may be the value of a format.
fn head(group: u32, first: &str) -> &str {
    let may_vary =
        is_site(group) || first.bytes().any(|byte| byte.is_ascii_digit() || byte == b'*');
    if may_vary {
        VARIABLE
    } else {
        first
    }
}

fn remove(from: &mut HashMap<u64, Vec<u32>>, key: u64, id: u32) {
    if let Some(ids) = from.get_mut(&key) {
        ids.retain(|&other| other != id);
        if ids.is_empty() {
            from.remove(&key);
        }
    }
}

fn template(id: u32, cluster: &Cluster) -> Template {
    Template {
        id,
        text: cluster.text(is_site(cluster.group)),
        count: cluster.count,
        first: cluster.first,
        last: cluster.last,
        examples: cluster.examples.clone(),
    }
}
