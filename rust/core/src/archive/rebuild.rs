//! A record's line, from its row.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};

use super::columns::{kind, Kind, GROUPS, INDEX, LAYOUT, VERBATIM};
use super::promote::Plan;
use crate::format::raw::Raw;
use crate::format::record::{Key, CANONICAL, KEYS};
use crate::line::{push_float, push_int, push_string, TimestampWriter, TIMESTAMP_BYTES};

enum Values<'a> {
    Text(&'a StringArray),
    Number(&'a Int64Array),
    Time(&'a TimestampNanosecondArray),
}

enum PromotedValues<'a> {
    Text(&'a StringArray),
    Number(&'a Int64Array),
    Double(&'a Float64Array),
    Boolean(&'a BooleanArray),
}

impl PromotedValues<'_> {
    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(values) => values.is_null(row),
            Self::Number(values) => values.is_null(row),
            Self::Double(values) => values.is_null(row),
            Self::Boolean(values) => values.is_null(row),
        }
    }

    fn push(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Text(values) => push_string(out, values.value(row)),
            Self::Number(values) => push_int(out, values.value(row)),
            Self::Double(values) => push_float(out, values.value(row)),
            Self::Boolean(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            }
        }
    }
}

/// The rows of a batch, ready to become lines. A row that contradicts itself gives `None`: it was
/// not written by us.
pub(super) struct Batch<'a> {
    indexes: &'a Int64Array,
    /// Those in which there is something, in the order of the record.
    columns: Vec<(Key, Values<'a>)>,
    promoted: Vec<(usize, &'a str, PromotedValues<'a>)>,
    /// Places in `promoted`.
    by_group: [Vec<usize>; 3],
    layout: &'a StringArray,
    verbatim: &'a BinaryArray,
}

impl<'a> Batch<'a> {
    /// `None` when a column is missing or of another type.
    pub fn new(batch: &'a RecordBatch, plan: &'a Plan) -> Option<Self> {
        let columns = KEYS.map(|(name, key)| {
            let column = batch.column_by_name(name)?;
            let is_empty = column.null_count() == column.len() && !GROUPS.contains(&key);
            let values = match kind(key) {
                Kind::Text | Kind::Json => Values::Text(column.as_string_opt()?),
                Kind::Number => Values::Number(column.as_primitive_opt::<Int64Type>()?),
                Kind::Timestamp => {
                    Values::Time(column.as_primitive_opt::<TimestampNanosecondType>()?)
                }
            };
            Some((!is_empty).then_some((key, values)))
        });
        let columns: Vec<_> = columns.into_iter().collect::<Option<_>>()?;
        let promoted = plan.columns.iter().map(|column| {
            use super::FieldType;
            let values = batch.column_by_name(&column.name())?;
            let values = match column.kind {
                FieldType::String => PromotedValues::Text(values.as_string_opt()?),
                FieldType::Boolean => PromotedValues::Boolean(values.as_boolean_opt()?),
                FieldType::Int64 => PromotedValues::Number(values.as_primitive_opt::<Int64Type>()?),
                FieldType::Double => {
                    PromotedValues::Double(values.as_primitive_opt::<Float64Type>()?)
                }
            };
            Some((column.group, column.spelled.as_str(), values))
        });
        let promoted: Vec<_> = promoted.collect::<Option<_>>()?;
        let mut by_group: [Vec<usize>; 3] = Default::default();
        for (at, (group, ..)) in promoted.iter().enumerate() {
            by_group[*group].push(at);
        }
        Some(Self {
            indexes: batch.column_by_name(INDEX)?.as_primitive_opt::<Int64Type>()?,
            columns: columns.into_iter().flatten().collect(),
            promoted,
            by_group,
            layout: batch.column_by_name(LAYOUT)?.as_string_opt()?,
            verbatim: batch.column_by_name(VERBATIM)?.as_binary_opt()?,
        })
    }

    pub fn len(&self) -> usize {
        self.indexes.len()
    }

    pub fn index(&self, row: usize) -> Option<u64> {
        u64::try_from(self.indexes.value(row)).ok()
    }

    /// Appends a row's line, without line feed.
    pub fn push_line(&self, row: usize, times: &mut Times, out: &mut Vec<u8>) -> Option<()> {
        let begin = out.len();
        if self.verbatim.is_valid(row) {
            out.extend_from_slice(self.verbatim.value(row));
        } else {
            self.push_record(row, times, out)?;
        }
        let line = &out[begin..];
        (!line.is_empty() && memchr::memchr(b'\n', line).is_none()).then_some(())
    }

    fn push_record(&self, row: usize, times: &mut Times, out: &mut Vec<u8>) -> Option<()> {
        let begin = out.len();
        for (key, values) in &self.columns {
            let before = out.len();
            out.push(b',');
            out.extend_from_slice(CANONICAL[*key as usize].as_bytes());
            let is_there = match values {
                Values::Text(values) if kind(*key) == Kind::Json => {
                    let json = values.is_valid(row).then(|| values.value(row));
                    match GROUPS.iter().position(|group| group == key) {
                        Some(group) => self.push_group(group, json, row, out)?,
                        None => push_present(json, out),
                    }
                }
                Values::Text(values) if values.is_valid(row) => {
                    push_string(out, values.value(row));
                    true
                }
                Values::Number(values) if values.is_valid(row) => {
                    push_int(out, values.value(row));
                    true
                }
                Values::Time(values) if values.is_valid(row) => {
                    times.push(u64::try_from(values.value(row)).ok()?, out);
                    true
                }
                _ => false,
            };
            if !is_there {
                out.truncate(before);
            }
        }
        if out.len() == begin {
            out.push(b'{');
        } else {
            out[begin] = b'{';
        }
        out.push(b'}');
        Some(())
    }

    /// Appends an object with its promoted members; false when there is none.
    fn push_group(
        &self,
        group: usize,
        json: Option<&str>,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Option<bool> {
        let of_group = self.by_group[group].iter().map(|at| &self.promoted[*at]);
        let mut promoted = of_group.filter(|(.., values)| !values.is_null(row)).peekable();
        if promoted.peek().is_none() {
            return Some(push_present(json, out));
        }
        let rest = json.unwrap_or("{}");
        let layout = if self.layout.is_valid(row) { self.layout.value(row) } else { "" };
        let layout = layout.split(';').nth(group).unwrap_or_default();
        let begin = out.len();
        if layout.is_empty() {
            for (_, key, values) in promoted {
                push_member(key, out);
                values.push(row, out);
            }
            let inside = rest.strip_prefix('{')?.strip_suffix('}')?;
            if !inside.is_empty() {
                out.push(b',');
                out.extend_from_slice(inside.as_bytes());
            }
        } else {
            let count = promoted.count();
            self.push_laid_out(group, rest, layout, row, count, out)?;
        }
        out[begin] = b'{';
        out.push(b'}');
        Some(true)
    }

    fn push_laid_out(
        &self,
        group: usize,
        rest: &str,
        layout: &str,
        row: usize,
        count: usize,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let mut others = Raw::new(rest).entries();
        let mut placed = 0;
        for place in layout.split(',') {
            if place == "-" {
                let (key, value) = others.next()?;
                push_member(key.json(), out);
                out.extend_from_slice(value.json().as_bytes());
                continue;
            }
            let (of, key, values) = self.promoted.get(place.parse::<usize>().ok()?)?;
            if *of != group || values.is_null(row) {
                return None;
            }
            push_member(key, out);
            values.push(row, out);
            placed += 1;
        }
        for (key, value) in others {
            push_member(key.json(), out);
            out.extend_from_slice(value.json().as_bytes());
        }
        (placed == count).then_some(())
    }
}

fn push_present(json: Option<&str>, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(json.unwrap_or_default().as_bytes());
    json.is_some()
}

fn push_member(key: &str, out: &mut Vec<u8>) {
    out.push(b',');
    out.extend_from_slice(key.as_bytes());
    out.push(b':');
}

/// Writes timestamps.
#[derive(Debug, Default)]
pub(super) struct Times(TimestampWriter);

impl Times {
    #[allow(unsafe_code)]
    fn push(&mut self, timestamp_ns: u64, out: &mut Vec<u8>) {
        let mut bytes = [0; TIMESTAMP_BYTES];
        // SAFETY: it has room for a timestamp.
        unsafe { self.0.write(bytes.as_mut_ptr(), timestamp_ns) };
        out.push(b'"');
        out.extend_from_slice(&bytes);
        out.push(b'"');
    }
}
