//! Rows on their way into a record batch.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, Float64Builder, Int16Builder, Int64Builder,
    StringBuilder,
};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::columns::{self, kind, Kind, Row, COUNT, GROUPS};
use super::promote::{Plan, Shares, Typed};
use super::FieldType;
use crate::format::record::{Key, KEYS};

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Number(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
}

impl Builder {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Float64 => Self::Double(Float64Builder::new()),
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            _ => Self::Number(Int64Builder::new()),
        }
    }

    /// The value of row number `row`; the rows that were left out before it have none.
    #[inline]
    fn text(&mut self, row: usize, text: &str) {
        self.leave_out(row);
        if let Self::Text(builder) = self {
            builder.append_value(text);
        }
    }

    #[inline]
    fn number(&mut self, row: usize, number: i64) {
        self.leave_out(row);
        if let Self::Number(builder) = self {
            builder.append_value(number);
        }
    }

    fn value(&mut self, row: usize, typed: &Typed<'_>) {
        self.leave_out(row);
        match (self, typed) {
            (Self::Text(builder), Typed::String(text)) => builder.append_value(text),
            (Self::Text(builder), Typed::Unescaped(text)) => builder.append_value(text),
            (Self::Number(builder), Typed::Int64(number)) => builder.append_value(*number),
            (Self::Double(builder), Typed::Double(number)) => builder.append_value(*number),
            (Self::Boolean(builder), Typed::Boolean(truth)) => builder.append_value(*truth),
            (builder, _) => builder.leave_out(row + 1),
        }
    }

    /// No values up to row number `row`.
    #[inline]
    fn leave_out(&mut self, row: usize) {
        let missing = row - self.len();
        if missing == 0 {
            return;
        }
        match self {
            Self::Text(builder) => builder.append_nulls(missing),
            Self::Number(builder) => builder.append_nulls(missing),
            Self::Double(builder) => builder.append_nulls(missing),
            Self::Boolean(builder) => builder.append_nulls(missing),
        }
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.leave_out(rows);
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Rows that become a record batch.
#[derive(Debug)]
pub(super) struct Rows {
    schema: SchemaRef,
    indexes: Vec<i64>,
    /// By `Key`.
    columns: [Builder; COUNT],
    /// The others stay empty; by `Key`.
    wanted: [bool; COUNT],
    level_numbers: Int16Builder,
    promoted: Vec<Builder>,
    layout: StringBuilder,
    verbatim: BinaryBuilder,
    bytes: usize,
}

impl Rows {
    pub fn new(plan: &Plan) -> Self {
        let data_type = |key| match kind(key) {
            Kind::Text | Kind::Json => DataType::Utf8,
            Kind::Timestamp | Kind::Number => DataType::Int64,
        };
        let promoted = plan.columns.iter().map(|column| column.kind);
        Self {
            schema: schema(plan),
            indexes: Vec::new(),
            columns: KEYS.map(|(_, key)| Builder::new(&data_type(key))),
            wanted: [true; COUNT],
            level_numbers: Int16Builder::new(),
            promoted: promoted.map(|kind| Builder::new(&promoted_type(kind))).collect(),
            layout: StringBuilder::new(),
            verbatim: BinaryBuilder::new(),
            bytes: 0,
        }
    }

    /// Fills only these columns, so that the others cost nothing.
    pub fn want(&mut self, fields: &[FieldRef]) {
        let is_wanted = |name| fields.iter().any(|field| field.name() == name);
        self.wanted = KEYS.map(|(name, _)| is_wanted(name));
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub fn len(&self) -> usize {
        self.indexes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.indexes.is_empty()
    }

    /// About the memory they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn push(&mut self, index: u64, row: &Row<'_>, shares: &Shares<'_>, line_bytes: usize) {
        self.bytes += line_bytes;
        let at = self.indexes.len();
        self.indexes.push(index as i64);
        for ((_, key), builder) in KEYS.iter().zip(&mut self.columns) {
            if row.json(*key).is_none() || !self.wanted[*key as usize] {
                continue;
            }
            match kind(*key) {
                Kind::Timestamp => row.timestamp.into_iter().for_each(|ns| builder.number(at, ns)),
                Kind::Number => {
                    row.number(*key).into_iter().for_each(|number| builder.number(at, number));
                }
                Kind::Text => row.text(*key).iter().for_each(|text| builder.text(at, text)),
                Kind::Json if *key == Key::Exception => {
                    row.json(*key).into_iter().for_each(|json| builder.text(at, json));
                }
                Kind::Json => {}
            }
        }
        for (key, text) in GROUPS.iter().zip(&shares.texts) {
            if let Some(text) = text.as_deref().filter(|_| self.wanted[*key as usize]) {
                self.columns[*key as usize].text(at, text);
            }
        }
        self.level_numbers.append_option(row.level().and_then(|level| i16::try_from(level).ok()));
        for (column, typed) in &shares.values {
            self.promoted[*column].value(at, typed);
        }
        if !shares.layout.is_empty() {
            self.layout.append_nulls(at - self.layout.len());
            self.layout.append_value(&shares.layout);
        }
        if let Some(line) = row.verbatim {
            self.verbatim.append_nulls(at - self.verbatim.len());
            self.verbatim.append_value(line);
        }
    }

    /// What has been pushed, and begins anew.
    pub fn finish(&mut self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        self.bytes = 0;
        let indexes = std::mem::take(&mut self.indexes);
        let rows = indexes.len();
        self.layout.append_nulls(rows - self.layout.len());
        self.verbatim.append_nulls(rows - self.verbatim.len());
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(indexes))];
        for ((_, key), builder) in KEYS.iter().zip(&mut self.columns) {
            builder.leave_out(rows);
            arrays.push(match builder {
                Builder::Number(numbers) if kind(*key) == Kind::Timestamp => {
                    let numbers = numbers.finish().into_parts();
                    let times = TimestampNanosecondArray::new(numbers.1, numbers.2);
                    Arc::new(times.with_timezone("UTC"))
                }
                builder => builder.finish(rows),
            });
            if *key == Key::Level {
                arrays.push(Arc::new(self.level_numbers.finish()));
            }
        }
        arrays.extend(self.promoted.iter_mut().map(|builder| builder.finish(rows)));
        arrays.push(Arc::new(self.layout.finish()));
        arrays.push(Arc::new(self.verbatim.finish()));
        RecordBatch::try_new(self.schema.clone(), arrays)
    }
}

impl Builder {
    fn len(&self) -> usize {
        match self {
            Self::Text(builder) => builder.len(),
            Self::Number(builder) => builder.len(),
            Self::Double(builder) => builder.len(),
            Self::Boolean(builder) => builder.len(),
        }
    }
}

pub(super) fn promoted_type(kind: FieldType) -> DataType {
    match kind {
        FieldType::Int64 => DataType::Int64,
        FieldType::Double => DataType::Float64,
        FieldType::String => DataType::Utf8,
        FieldType::Boolean => DataType::Boolean,
    }
}

/// The columns of a file with these promoted ones.
pub(super) fn schema(plan: &Plan) -> SchemaRef {
    let mut fields = columns::fields();
    let last = fields.split_off(fields.len() - 2);
    for column in &plan.columns {
        fields.push(Field::new(column.name(), promoted_type(column.kind), true));
    }
    fields.extend(last);
    Arc::new(Schema::new(fields))
}
