//! Which fields get columns of their own, and how an object is divided between those and its JSON text.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::columns::{integer, name, unescape, GROUPS};
use super::{FieldType, Promoted};
use crate::format::raw::Raw;
use crate::format::scan::{Scan, DEEPEST};
use crate::line::{push_float, push_string};

/// More columns cost every reader of a file more than they save.
const MOST: usize = 32;
const MAX_KEY_BYTES: usize = 64;
/// One record in this many has to have a field, for a column of its own.
const RARE: usize = 100;

/// A value of a promoted column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Typed<'a> {
    Int64(i64),
    Double(f64),
    Boolean(bool),
    String(&'a str),
    Unescaped(String),
}

impl<'a> Typed<'a> {
    /// The value as that type, if the type gives it back as it stands.
    fn read(kind: FieldType, value: &'a str) -> Option<Self> {
        match kind {
            FieldType::Int64 => integer(value).map(Self::Int64),
            FieldType::Double => double(value).map(Self::Double),
            FieldType::Boolean => match value {
                "true" => Some(Self::Boolean(true)),
                "false" => Some(Self::Boolean(false)),
                _ => None,
            },
            FieldType::String if value.starts_with('"') => {
                if value.contains('\\') {
                    unescape(value).map(Self::Unescaped)
                } else {
                    Some(Self::String(Raw::new(value).inside()))
                }
            }
            _ => None,
        }
    }
}

fn double(value: &str) -> Option<f64> {
    if !value.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let number = value.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let mut spelled = Vec::with_capacity(value.len());
    push_float(&mut spelled, number);
    (spelled == value.as_bytes()).then_some(number)
}

fn kind_of(value: &str) -> Option<FieldType> {
    match value.as_bytes().first()? {
        b'"' => Some(FieldType::String),
        b't' | b'f' => Some(FieldType::Boolean),
        b'-' | b'0'..=b'9' if integer(value).is_some() => Some(FieldType::Int64),
        b'-' | b'0'..=b'9' => Some(FieldType::Double),
        _ => None,
    }
}

/// A promoted column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// Its place in `GROUPS`.
    pub group: usize,
    /// The key as it stands in a line, with quotes.
    pub spelled: String,
    /// The same with its colon.
    label: String,
    pub kind: FieldType,
    pub elsewhere: u64,
    /// Whether a dictionary would be about as long as the values.
    pub is_varied: bool,
}

impl Column {
    fn new(group: usize, spelled: String, kind: FieldType) -> Self {
        let label = format!("{spelled}:");
        Self { group, spelled, label, kind, elsewhere: 0, is_varied: false }
    }

    pub fn name(&self) -> String {
        format!("{}.{}", name(GROUPS[self.group]), Raw::new(&self.spelled).inside())
    }
}

/// What was seen of the fields in a part of the records.
#[derive(Debug, Default)]
pub(super) struct Sample {
    records: usize,
    seen: HashMap<(usize, String), Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    kinds: [usize; 4],
    places: usize,
    /// Hashes of the values.
    values: HashSet<u64, BuildHasherDefault<KeyHasher>>,
}

impl Seen {
    /// A double is long, so that its dictionary pays sooner.
    fn is_varied(&self, kind: FieldType, count: usize) -> bool {
        match kind {
            FieldType::String => self.values.len() * 4 > count,
            FieldType::Int64 => self.values.len() * 2 > count,
            FieldType::Double | FieldType::Boolean => false,
        }
    }
}

impl Sample {
    /// Counts a record's fields.
    pub fn see(&mut self, groups: [Option<&str>; 3]) {
        self.records += 1;
        for (group, json) in groups.into_iter().enumerate() {
            for (place, (key, value)) in Raw::new(json.unwrap_or_default()).entries().enumerate() {
                let Some(kind) = kind_of(value.json()).filter(|_| is_plain(key)) else { continue };
                let seen = self.seen.entry((group, key.json().to_owned())).or_default();
                seen.kinds[kind as usize] += 1;
                seen.places += place;
                let mut hasher = KeyHasher::default();
                hasher.write(value.json().as_bytes());
                seen.values.insert(hasher.finish());
            }
        }
    }

    /// The columns that pay, in the order in which their keys usually stand.
    pub fn plan(self) -> Plan {
        const KINDS: [FieldType; 4] =
            [FieldType::Int64, FieldType::Double, FieldType::String, FieldType::Boolean];
        let records = self.records;
        let mut found: Vec<_> = self
            .seen
            .into_iter()
            .filter_map(|((group, spelled), seen)| {
                let all: usize = seen.kinds.iter().sum();
                let best = KINDS.into_iter().max_by_key(|kind| seen.kinds[*kind as usize])?;
                let count = seen.kinds[best as usize];
                let is_varied = seen.is_varied(best, count);
                let column = Column { is_varied, ..Column::new(group, spelled, best) };
                (count * RARE >= records).then_some((count, seen.places * 1024 / all, column))
            })
            .collect();
        found.sort_by(|(a, _, left), (b, _, right)| {
            b.cmp(a).then_with(|| left.spelled.cmp(&right.spelled))
        });
        // Names that differ in case only are one name to some readers.
        let mut names = std::collections::HashSet::new();
        found.retain(|(_, _, column)| names.insert(column.name().to_lowercase()));
        found.truncate(MOST);
        found.sort_by_key(|(_, place, column)| (column.group, *place));
        Plan::new(found.into_iter().map(|(_, _, column)| column).collect())
    }
}

/// A key that every reader takes for the name of a column.
fn is_plain(key: Raw<'_>) -> bool {
    let inside = key.inside();
    let is_short = !inside.is_empty() && inside.len() <= MAX_KEY_BYTES;
    is_short && inside.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'\\')
}

/// The promoted columns of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub columns: Vec<Column>,
    by_key: [HashMap<String, usize, BuildHasherDefault<KeyHasher>>; 3],
    /// By group, members of the last object that was divided: their columns, or none. The next one is
    /// most often made alike.
    orders: [Vec<Option<usize>>; 3],
}

/// Tells a few dozen keys of our own choice apart, so that nobody can make them collide on purpose.
#[derive(Debug, Clone, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for bytes in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            let mixed = self.0.rotate_left(23) ^ u64::from_le_bytes(word);
            self.0 = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
}

/// How the objects of a row are divided.
#[derive(Debug, Default)]
pub(super) struct Shares<'a> {
    /// By column.
    pub values: Vec<(usize, Typed<'a>)>,
    /// The JSON text of each group.
    pub texts: [Option<std::borrow::Cow<'a, str>>; 3],
    /// Empty where it follows from the columns' order.
    pub layout: String,
}

impl Plan {
    pub fn new(columns: Vec<Column>) -> Self {
        let mut plan = Self { columns, ..Self::default() };
        for (at, column) in plan.columns.iter().enumerate() {
            plan.by_key[column.group].insert(column.spelled.clone(), at);
        }
        plan
    }

    pub fn facts(&self) -> Vec<Promoted> {
        let promoted = |column: &Column| Promoted {
            column: column.name(),
            kind: column.kind,
            elsewhere: column.elsewhere,
        };
        self.columns.iter().map(promoted).collect()
    }

    /// The columns that a file's facts name; nothing if one is not of the three objects.
    pub fn from_facts(promoted: &[Promoted]) -> Option<Self> {
        let column = |promoted: &Promoted| {
            let (object, key) = promoted.column.split_once('.')?;
            let group = GROUPS.iter().position(|group| name(*group) == object)?;
            let mut spelled = Vec::new();
            push_string(&mut spelled, key);
            let spelled = String::from_utf8(spelled).ok()?;
            let column = Column::new(group, spelled, promoted.kind);
            Some(Column { elsewhere: promoted.elsewhere, ..column })
        };
        promoted.iter().map(column).collect::<Option<Vec<_>>>().map(Self::new)
    }

    /// Divides the three objects of a record.
    pub fn divide<'a>(&mut self, groups: [Option<&'a str>; 3], shares: &mut Shares<'a>) {
        shares.values.clear();
        shares.values.reserve(self.columns.len());
        shares.layout.clear();
        for (group, json) in groups.into_iter().enumerate() {
            shares.texts[group] = None;
            let Some(json) = json else { continue };
            let begin = shares.values.len();
            let elsewhere = if self.by_key[group].is_empty() {
                shares.texts[group] = Some(json.into());
                0
            } else if let Some(elsewhere) = self.take(group, json, shares) {
                shares.texts[group] = rest(json, &self.orders[group]);
                shares.push_layout(group, &self.orders[group]);
                elsewhere
            } else {
                shares.values.truncate(begin);
                shares.texts[group] = Some(json.into());
                self.named(group, json)
            };
            self.count(elsewhere);
        }
    }

    /// Leaves the objects of a record whole.
    pub fn leave<'a>(&mut self, groups: [Option<&'a str>; 3], shares: &mut Shares<'a>) {
        shares.values.clear();
        shares.layout.clear();
        for (group, json) in groups.into_iter().enumerate() {
            self.count(self.named(group, json.unwrap_or_default()));
            shares.texts[group] = json.map(Into::into);
        }
    }

    fn count(&mut self, mut columns: u64) {
        while columns != 0 {
            self.columns[columns.trailing_zeros() as usize].elsewhere += 1;
            columns &= columns - 1;
        }
    }

    /// Takes the promoted members, and says whose values are of another type; nothing when the
    /// object has to stay whole.
    fn take<'a>(&mut self, group: usize, json: &'a str, shares: &mut Shares<'a>) -> Option<u64> {
        let mut order = std::mem::take(&mut self.orders[group]);
        let elsewhere = self.take_members(group, json, &mut order, shares);
        self.orders[group] = order;
        elsewhere
    }

    /// `order` is that of an object before, and becomes that of this one.
    fn take_members<'a>(
        &self,
        group: usize,
        json: &'a str,
        order: &mut Vec<Option<usize>>,
        shares: &mut Shares<'a>,
    ) -> Option<u64> {
        let mut scan = Scan::new(json.strip_prefix('{')?);
        let (mut count, mut bytes, mut seen, mut elsewhere) = (0, 1, 0_u64, 0);
        loop {
            let guess = order.get(count).copied().flatten();
            let (mut column, is_spelled, key) = self.key(group, guess, &mut scan)?;
            let value = scan.value(DEEPEST)?.json();
            // With the comma or the brace.
            bytes += key + value.len() + 1;
            if let Some(found) = column {
                if seen >> found & 1 == 1 {
                    return None;
                }
                seen |= 1 << found;
                let typed = Typed::read(self.columns[found].kind, value);
                if let Some(typed) = typed.filter(|_| is_spelled) {
                    shares.values.push((found, typed));
                } else {
                    elsewhere |= 1 << found;
                    column = None;
                }
            }
            match order.get_mut(count) {
                Some(place) => *place = column,
                None => order.push(column),
            }
            count += 1;
            if !scan.take(b',') {
                break;
            }
        }
        order.truncate(count);
        // Anything else between the members would be lost.
        (bytes == json.len()).then_some(elsewhere)
    }

    /// Takes a key and its colon: its column, whether it is spelled as we do, and its bytes.
    #[inline]
    fn key(
        &self,
        group: usize,
        guess: Option<usize>,
        scan: &mut Scan<'_>,
    ) -> Option<(Option<usize>, bool, usize)> {
        if let Some(column) = guess {
            let label = self.columns[column].label.as_str();
            if scan.expected(&[label]).is_some() {
                return Some((guess, true, label.len()));
            }
        }
        let key = scan.key()?;
        let column = self.column(group, key);
        let is_spelled = column.is_some_and(|column| key.json() == self.columns[column].spelled);
        Some((column, is_spelled, key.json().len() + 1))
    }

    fn column(&self, group: usize, key: Raw<'_>) -> Option<usize> {
        let by_key = &self.by_key[group];
        if key.json().contains('\\') {
            let mut spelled = Vec::new();
            push_string(&mut spelled, &key.text());
            return by_key.get(std::str::from_utf8(&spelled).ok()?).copied();
        }
        by_key.get(key.json()).copied()
    }

    /// Columns whose keys an object has.
    fn named(&self, group: usize, json: &str) -> u64 {
        if self.by_key[group].is_empty() {
            return 0;
        }
        let keys = Raw::new(json).entries().filter_map(|(key, _)| self.column(group, key));
        keys.fold(0, |columns, column| columns | 1 << column)
    }
}

impl Shares<'_> {
    /// Says where the group's members stood; see `docs/concepts/archive-files.md`.
    fn push_layout(&mut self, group: usize, order: &[Option<usize>]) {
        // Columns in rising order and then the rest need no word.
        let rank = |column: &Option<usize>| column.unwrap_or(usize::MAX);
        if order.is_sorted_by_key(rank) {
            return;
        }
        while self.layout.bytes().filter(|byte| *byte == b';').count() < group {
            self.layout.push(';');
        }
        let last = order.iter().rposition(Option::is_some).unwrap_or(0);
        for (at, column) in order[..=last].iter().enumerate() {
            if at > 0 {
                self.layout.push(',');
            }
            match column {
                Some(column) => self.layout.push_str(itoa::Buffer::new().format(*column)),
                None => self.layout.push('-'),
            }
        }
    }
}

/// The members without a column, as an object; nothing when there are none.
fn rest<'a>(json: &'a str, order: &[Option<usize>]) -> Option<std::borrow::Cow<'a, str>> {
    let others = order.iter().filter(|column| column.is_none()).count();
    if others == order.len() {
        return Some(json.into());
    }
    if others == 0 {
        return None;
    }
    let mut text = String::with_capacity(json.len());
    for ((key, value), column) in Raw::new(json).entries().zip(order) {
        if column.is_none() {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(key.json());
            text.push(':');
            text.push_str(value.json());
        }
    }
    text.push('}');
    Some(text.into())
}
