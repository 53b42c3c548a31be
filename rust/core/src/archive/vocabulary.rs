//! The words of a file's rows, block by block.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema};

use super::words::{hash_json, hash_words};
use crate::line::{push_float, push_int};

/// Rows of a block.
pub(super) const BLOCK_ROWS: usize = 1 << 14;

/// The words of rows that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Index of the first record.
    pub first: u64,
    /// One more than the index of the last one.
    pub end: u64,
    /// Hashes of the words, sorted, each one once.
    pub words: Vec<u64>,
}

/// Takes rows, gives blocks.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    words: HashSet<u64, BuildHasherDefault<Hashed>>,
    rows: usize,
    first: u64,
    end: u64,
}

/// Of what is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only 64-bit hashes are kept")
    }

    fn write_u64(&mut self, hash: u64) {
        // FNV's upper bits, which the table looks at first, differ too little for short words.
        self.0 = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Whether words of a column are kept: texts, promoted fields, and lines kept verbatim.
pub(super) fn is_kept(name: &str, data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 => !matches!(name, "level" | "layout"),
        DataType::Binary => true,
        DataType::Int64 | DataType::Float64 | DataType::Boolean => name.contains('.'),
        _ => false,
    }
}

impl Vocabulary {
    /// Takes rows, whose column `index` rises, and hands over each block that is full with them.
    /// `None` when the columns are not those of the format.
    pub fn push(&mut self, rows: &RecordBatch, mut full: impl FnMut(Block)) -> Option<()> {
        let index = rows.column_by_name("index")?.as_primitive_opt::<Int64Type>()?;
        let mut from = 0;
        while from < rows.num_rows() {
            let count = (rows.num_rows() - from).min(BLOCK_ROWS - self.rows);
            let (first, last) = (index.value(from), index.value(from + count - 1));
            if self.rows == 0 {
                self.first = u64::try_from(first).ok()?;
            }
            self.end = u64::try_from(last).ok()? + 1;
            self.rows += count;
            let part = rows.slice(from, count);
            for (field, column) in part.schema_ref().fields().iter().zip(part.columns()) {
                if is_kept(field.name(), field.data_type()) {
                    self.add_column(field.name(), column);
                }
            }
            if self.rows == BLOCK_ROWS {
                full(self.block());
            }
            from += count;
        }
        Some(())
    }

    /// The rest.
    pub fn finish(mut self) -> Option<Block> {
        (self.rows > 0).then(|| self.block())
    }

    fn block(&mut self) -> Block {
        let mut words: Vec<u64> = self.words.drain().collect();
        words.sort_unstable();
        self.rows = 0;
        Block { first: self.first, end: self.end, words }
    }

    fn add_column(&mut self, name: &str, column: &dyn Array) {
        match column.data_type() {
            DataType::Utf8 => self.add_texts(name, column),
            DataType::Binary => {
                for line in column.as_binary::<i32>().iter().flatten() {
                    let text = String::from_utf8_lossy(line);
                    self.add(|add| hash_words(&text, add));
                    self.add(|add| hash_json(&text, add));
                }
            }
            DataType::Int64 => {
                let mut text = Vec::new();
                for value in column.as_primitive::<Int64Type>().iter().flatten() {
                    text.clear();
                    push_int(&mut text, value);
                    self.add_ascii(&text);
                }
            }
            DataType::Float64 => {
                let mut text = Vec::new();
                for value in column.as_primitive::<Float64Type>().iter().flatten() {
                    text.clear();
                    push_float(&mut text, value);
                    self.add_ascii(&text);
                }
            }
            DataType::Boolean => {
                let values = column.as_boolean();
                if values.true_count() > 0 {
                    self.add_ascii(b"true");
                }
                if values.false_count() > 0 {
                    self.add_ascii(b"false");
                }
            }
            _ => {}
        }
    }

    fn add_texts(&mut self, name: &str, column: &dyn Array) {
        let is_json = matches!(name, "context" | "metadata" | "performance_data" | "exception");
        // The same text often comes many times in a row.
        let mut before = "";
        for text in column.as_string::<i32>().iter().flatten() {
            if text == before {
                continue;
            }
            before = text;
            if is_json {
                self.add(|add| hash_json(text, add));
            } else {
                self.add(|add| hash_words(text, add));
            }
        }
    }

    fn add_ascii(&mut self, text: &[u8]) {
        let text = std::str::from_utf8(text).unwrap_or_default();
        self.add(|add| hash_words(text, add));
    }

    #[inline]
    fn add(&mut self, words: impl FnOnce(&mut dyn FnMut(u64))) {
        let known = &mut self.words;
        words(&mut |hash| {
            known.insert(hash);
        });
    }
}

/// The columns whose words are kept, and `index`, by their places.
pub(super) fn columns(schema: &Schema) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    let wanted = |name: &str, data_type| name == "index" || is_kept(name, data_type);
    fields.filter(|(_, field)| wanted(field.name(), field.data_type())).map(|(at, _)| at).collect()
}
