//! Single records of a file, without reading what lies between them.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::arrow::ProjectionMask;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::statistics::Statistics;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use super::known::{identity, Identity, Known};
use super::promote::Plan;
use super::read::{damaged, parse_facts};
use super::rebuild::{Batch, Times};
use crate::error::{At, Error, Result};

const BATCH_ROWS: usize = 1024;
/// Bytes of footers and page indexes that are kept.
const ROOM: usize = 64 << 20;

/// What must be known of a file before a record of it can be read.
struct Opened {
    metadata: ArrowReaderMetadata,
    plan: Plan,
}

static OPENED: Known<Identity, Opened> = Known::new(ROOM);

/// The lines of the records with these indexes, which must rise, without line feeds; empty where the
/// file has no such record.
///
/// # Errors
/// When the file cannot be read, or is not what its facts say.
pub fn lines_at(path: &Path, indexes: &[u64]) -> Result<Vec<Vec<u8>>> {
    super::guarded(path, || read(path, indexes))
}

fn read(path: &Path, indexes: &[u64]) -> Result<Vec<Vec<u8>>> {
    let wrong = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
    let file = File::open(path).at("opening", path)?;
    let opened = open(path, &file)?;
    let Opened { metadata, plan } = &*opened;
    let (groups, ranges) = places(path, &file, metadata, indexes)?;
    let rows: usize = groups.iter().map(|group| rows_of(metadata.metadata(), *group)).sum();
    let selection = RowSelection::from_consecutive_ranges(ranges.into_iter(), rows);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
        .with_row_groups(groups)
        .with_row_selection(selection)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| damaged(path, error))?;
    let mut found = vec![Vec::new(); indexes.len()];
    let mut times = Times::default();
    for batch in reader {
        let batch = batch.map_err(|error| wrong(&error.to_string()))?;
        let rows = Batch::new(&batch, plan)
            .ok_or_else(|| wrong("its columns are not those of the format"))?;
        for row in 0..rows.len() {
            let at = rows.index(row).and_then(|index| indexes.binary_search(&index).ok());
            let at = at.ok_or_else(|| wrong("its rows are not where its statistics say"))?;
            rows.push_line(row, &mut times, &mut found[at]).ok_or_else(|| {
                wrong(&format!("the row of record {} contradicts itself", indexes[at]))
            })?;
        }
    }
    Ok(found)
}

fn open(path: &Path, file: &File) -> Result<Arc<Opened>> {
    let key = identity(&file.metadata().at("looking at", path)?);
    if let Some(opened) = OPENED.get(&key) {
        return Ok(opened);
    }
    let options = ArrowReaderOptions::new()
        .with_skip_arrow_metadata(true)
        .with_page_index_policy(PageIndexPolicy::Optional);
    let metadata =
        ArrowReaderMetadata::load(file, options).map_err(|error| damaged(path, error))?;
    let facts = parse_facts(path, metadata.metadata())?;
    let what = "its facts name a column that cannot be".to_owned();
    let plan =
        Plan::from_facts(&facts.promoted).ok_or(Error::Damaged { path: path.to_owned(), what })?;
    let bytes = metadata.metadata().memory_size();
    Ok(OPENED.keep(key, Opened { metadata, plan }, bytes))
}

/// Row groups that have some of the records, and which rows, counted over these groups only.
fn places(
    path: &Path,
    file: &File,
    metadata: &ArrowReaderMetadata,
    indexes: &[u64],
) -> Result<(Vec<usize>, Vec<std::ops::Range<usize>>)> {
    let (mut groups, mut ranges, mut before) = (Vec::new(), Vec::new(), 0);
    for group in 0..metadata.metadata().num_row_groups() {
        let rows = rows_of(metadata.metadata(), group);
        let bounds = bounds(metadata.metadata(), group);
        let wanted = match bounds {
            Some((low, high)) => {
                let begin = indexes.partition_point(|index| *index < low);
                let end = indexes.partition_point(|index| *index <= high);
                &indexes[begin..end.max(begin)]
            }
            None => indexes,
        };
        if wanted.is_empty() {
            continue;
        }
        let dense = bounds.filter(|(low, high)| (high - low).checked_add(1) == Some(rows as u64));
        let found: Vec<usize> = match dense {
            Some((low, _)) => wanted.iter().map(|index| (index - low) as usize).collect(),
            None => search(path, file, metadata, group, wanted)?,
        };
        if !found.is_empty() {
            ranges.extend(found.into_iter().map(|row| before + row..before + row + 1));
            groups.push(group);
            before += rows;
        }
    }
    Ok((groups, ranges))
}

fn rows_of(metadata: &ParquetMetaData, group: usize) -> usize {
    usize::try_from(metadata.row_group(group).num_rows()).unwrap_or_default()
}

/// The lowest and the highest index in a row group.
fn bounds(metadata: &ParquetMetaData, group: usize) -> Option<(u64, u64)> {
    match metadata.row_group(group).columns().first()?.statistics()? {
        Statistics::Int64(statistics) => {
            let low = u64::try_from(*statistics.min_opt()?).ok()?;
            let high = u64::try_from(*statistics.max_opt()?).ok()?;
            (low <= high).then_some((low, high))
        }
        _ => None,
    }
}

/// The rows of a group, of which some are missing, that have these indexes.
fn search(
    path: &Path,
    file: &File,
    metadata: &ArrowReaderMetadata,
    group: usize,
    wanted: &[u64],
) -> Result<Vec<usize>> {
    let file = file.try_clone().at("opening again", path)?;
    let mask = ProjectionMask::roots(metadata.parquet_schema(), [0]);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
        .with_row_groups(vec![group])
        .with_projection(mask)
        .build()
        .map_err(|error| damaged(path, error))?;
    let (mut found, mut row) = (Vec::new(), 0);
    for batch in reader {
        let wrong = |what: String| Error::Damaged { path: path.to_owned(), what };
        let batch = batch.map_err(|error| wrong(error.to_string()))?;
        let indexes = batch.column(0).as_primitive_opt::<Int64Type>();
        let indexes = indexes.ok_or_else(|| wrong("it has no indexes".to_owned()))?;
        for index in indexes.values() {
            let is_wanted =
                u64::try_from(*index).is_ok_and(|index| wanted.binary_search(&index).is_ok());
            if is_wanted {
                found.push(row);
            }
            row += 1;
        }
    }
    Ok(found)
}
