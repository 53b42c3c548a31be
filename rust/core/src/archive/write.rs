//! Writing a file of the archive.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::batch::Rows;
use super::columns::{kind, Kind, Row, Splitter, GROUPS, INDEX, LAYOUT, VERBATIM};
use super::counts::Counts;
use super::look::look;
use super::promote::{Column, Plan, Shares};
use super::source::{lines, Input, Source};
use super::{Facts, FieldType, Identities, FACTS_KEY, FORMAT};
use crate::clock::rfc3339;
use crate::error::{At, Error, Result};
use crate::format::record::{Key, KEYS};
use crate::level::Level;

/// Zstandard's levels above this one cost far more than they save here.
const COMPRESSION: i32 = 3;
const GROUP_ROWS: usize = 1 << 17;
const GROUP_BYTES: usize = 24 << 20;
const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: usize = 4 << 20;
const PAGE_BYTES: usize = 512 << 10;

/// What can be asked about a record before it is kept.
#[derive(Debug)]
pub struct About<'a> {
    pub index: u64,
    /// Nanoseconds since the epoch.
    pub timestamp_ns: Option<i64>,
    pub level: Option<Level>,
    pub category: Option<&'a str>,
    pub component: Option<&'a str>,
    /// Without line feed.
    pub line: &'a [u8],
}

/// How a file is written.
#[derive(Clone, Copy)]
pub struct WriteOptions<'a> {
    pub journal_id: &'a str,
    /// Records for which it says no get no row.
    pub keep: Option<&'a dyn Fn(&About<'_>) -> bool>,
    /// Keys of inputs that are encrypted.
    pub identities: &'a Identities,
}

impl std::fmt::Debug for WriteOptions<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "WriteOptions({:?})", self.journal_id)
    }
}

/// Writes the records of segments and files that follow each other into one file, synced.
///
/// Empty lines stand for what was erased, and get no row. Memory is bounded by the longest line.
///
/// # Errors
/// When an input cannot be read or does not follow the one before, or the file cannot be written;
/// then there is none.
pub fn write(inputs: &[Input], draft: &Path, options: &WriteOptions<'_>) -> Result<Facts> {
    super::guarded(draft, || {
        let written = write_new(inputs, draft, options);
        if written.is_err() {
            // The error says more than a failure to clean up would.
            let _ = std::fs::remove_file(draft);
        }
        written
    })
}

fn write_new(inputs: &[Input], draft: &Path, options: &WriteOptions<'_>) -> Result<Facts> {
    let plan = look(inputs, options.identities)?;
    let mut writer = Writer::create(draft, plan)?;
    let mut expected = None;
    let (mut first, mut segments) = (None, Vec::new());
    for input in inputs {
        let begin = input.first();
        if expected.is_some_and(|expected| expected > begin) {
            let what = format!("it begins at {begin}, before the one in front of it ends");
            return Err(Error::Damaged { path: input.path().to_owned(), what });
        }
        first.get_or_insert(begin);
        match input {
            Input::Segment { first, .. } => segments.push(*first),
            Input::Archived(archived) => segments.extend(&archived.facts.segments),
        }
        let mut source = Source::open(input, options.identities)?;
        while let Some((first, piece)) = source.next_piece()? {
            writer.push_piece(first, &piece, options)?;
        }
        expected = Some(source.end);
    }
    let (Some(first), Some(end)) = (first, expected) else {
        let what = "nothing to archive".to_owned();
        return Err(Error::Refused { path: draft.to_owned(), what });
    };
    let facts = Facts { first, end, segments, ..writer.facts(options.journal_id) };
    writer.finish(facts)
}

/// A file that is being written.
struct Writer {
    path: PathBuf,
    inner: ArrowWriter<File>,
    plan: Plan,
    rows: Rows,
    splitter: Splitter,
    counts: Counts,
}

impl Writer {
    fn create(path: &Path, plan: Plan) -> Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.at("making", path)?;
        crate::owner::give(&file, path.parent().unwrap_or(path));
        let rows = Rows::new(&plan);
        // Readers then take the columns for what Parquet says they are.
        let options = ArrowWriterOptions::new()
            .with_properties(properties(&plan))
            .with_skip_arrow_metadata(true);
        let inner = ArrowWriter::try_new_with_options(file, rows.schema().clone(), options)
            .map_err(|error| failed("writing", path, error))?;
        let path = path.to_owned();
        Ok(Self {
            path,
            inner,
            plan,
            rows,
            splitter: Splitter::default(),
            counts: Counts::default(),
        })
    }

    fn push_piece(&mut self, first: u64, piece: &[u8], options: &WriteOptions<'_>) -> Result<()> {
        let mut spelled = String::new();
        for (index, line) in (first..).zip(lines(piece)) {
            if !line.is_empty() {
                self.push_line(index, line, &mut spelled, options);
            }
            if self.rows.len() >= BATCH_ROWS || self.rows.bytes() >= BATCH_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn push_line(
        &mut self,
        index: u64,
        line: &[u8],
        spelled: &mut String,
        options: &WriteOptions<'_>,
    ) {
        let row = self.splitter.split(line, spelled);
        if !is_kept(index, line, &row, options) {
            return;
        }
        self.counts.see(&row);
        let groups = GROUPS.map(|key| row.json(key));
        let mut shares = Shares::default();
        if row.verbatim.is_some() {
            self.plan.leave(groups, &mut shares);
        } else {
            self.plan.divide(groups, &mut shares);
        }
        self.rows.push(index, &row, &shares, line.len());
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let write = |rows: &mut Rows, inner: &mut ArrowWriter<File>| {
            inner.write(&rows.finish()?)?;
            if inner.in_progress_size() >= GROUP_BYTES {
                inner.flush()?;
            }
            Ok(())
        };
        write(&mut self.rows, &mut self.inner).map_err(|error| failed("writing", &self.path, error))
    }

    fn facts(&self, journal_id: &str) -> Facts {
        let counts = &self.counts;
        Facts {
            format: FORMAT,
            journal: journal_id.to_owned(),
            first: 0,
            end: 0,
            rows: counts.rows,
            segments: Vec::new(),
            min_timestamp: counts.times.map(|(earliest, _)| rfc3339(earliest as u64)),
            max_timestamp: counts.times.map(|(_, latest)| rfc3339(latest as u64)),
            levels: counts.levels.named(),
            categories: counts.categories.named(),
            promoted: self.plan.facts(),
            verbatim: counts.verbatim,
        }
    }

    fn finish(mut self, facts: Facts) -> Result<Facts> {
        self.flush()?;
        let text = serde_json::to_string(&facts).unwrap_or_default();
        self.inner.append_key_value_metadata(KeyValue::new(FACTS_KEY.to_owned(), text));
        let file = self.inner.into_inner().map_err(|error| failed("writing", &self.path, error))?;
        file.sync_all().at("syncing", &self.path)?;
        Ok(facts)
    }
}

/// Whether the record is to have a row.
fn is_kept(index: u64, line: &[u8], row: &Row<'_>, options: &WriteOptions<'_>) -> bool {
    let Some(keep) = options.keep else { return true };
    let (category, component) = (row.text(Key::Category), row.text(Key::Component));
    keep(&About {
        index,
        timestamp_ns: row.timestamp,
        level: row.level(),
        category: category.as_deref(),
        component: component.as_deref(),
        line,
    })
}

fn properties(plan: &Plan) -> WriterProperties {
    let level = ZstdLevel::try_new(COMPRESSION).unwrap_or_default();
    let path = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("treering {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for name in [INDEX, "timestamp"] {
        properties = properties
            .set_column_dictionary_enabled(path(name), false)
            .set_column_encoding(path(name), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(path(name), EnabledStatistics::Page);
    }
    // Least and greatest of a text rule out next to nothing, and every value is compared for them.
    for (name, key) in KEYS {
        if matches!(kind(key), Kind::Text | Kind::Json) {
            properties =
                properties.set_column_statistics_enabled(path(name), EnabledStatistics::None);
        }
    }
    // Most of them differ.
    let varied = ["message", "context", "metadata", "performance_data", "exception", "span_id"];
    for name in varied.into_iter().chain([VERBATIM]) {
        properties = properties.set_column_dictionary_enabled(path(name), false);
    }
    for name in [LAYOUT, VERBATIM] {
        properties = properties.set_column_statistics_enabled(path(name), EnabledStatistics::None);
    }
    plan.columns.iter().fold(properties, promoted).build()
}

fn promoted(mut properties: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    let path = ColumnPath::new(vec![column.name()]);
    if column.is_varied {
        properties = properties.set_column_dictionary_enabled(path.clone(), false);
    }
    match column.kind {
        FieldType::String => {
            properties.set_column_statistics_enabled(path, EnabledStatistics::None)
        }
        FieldType::Int64 if column.is_varied => {
            properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        }
        _ => properties,
    }
}

fn failed(what: &'static str, path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => {
            let source = match source.downcast::<std::io::Error>() {
                Ok(source) => *source,
                Err(source) => std::io::Error::other(source),
            };
            Error::Io { what, path: path.to_owned(), source }
        }
        other => Error::Io {
            what,
            path: path.to_owned(),
            source: std::io::Error::other(other.to_string()),
        },
    }
}
