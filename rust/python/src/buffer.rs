//! Records in memory as `treering.outputs.MemoryOutput` keeps them.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use treering_core::buffer::{self, Kept, WhenFull};

use crate::console::Filter;

/// The newest records, within bounds.
///
/// Its lock is held only with the GIL, so that a child forked by Python never finds it taken.
#[pyclass(module = "treering._core", frozen)]
pub struct RecordBuffer(buffer::RecordBuffer);

type Found<'py> = Vec<(u64, Bound<'py, PyBytes>)>;

#[pymethods]
impl RecordBuffer {
    #[new]
    #[pyo3(signature = (max_records, max_bytes, refuse))]
    fn new(max_records: usize, max_bytes: usize, refuse: bool) -> Self {
        let when_full = if refuse { WhenFull::Refuse } else { WhenFull::DropOldest };
        Self(buffer::RecordBuffer::new(max_records, max_bytes, when_full))
    }

    fn append(&self, lines: &[u8], indexes: Vec<u64>) -> (usize, usize) {
        let appended = self.0.append(lines, &indexes);
        (appended.taken, appended.too_large)
    }

    #[pyo3(signature = (newest = None, filter = None))]
    fn records<'py>(
        &self,
        py: Python<'py>,
        newest: Option<usize>,
        filter: Option<&Filter>,
    ) -> Found<'py> {
        let records = self.0.records();
        let filter = filter.map(|filter| &filter.0);
        found(py, py.detach(|| buffer::select(records, newest, filter)))
    }

    fn drain<'py>(&self, py: Python<'py>) -> Found<'py> {
        found(py, self.0.drain())
    }

    fn oldest<'py>(&self, py: Python<'py>, count: usize) -> (u64, Found<'py>) {
        let (gone, oldest) = self.0.oldest(count);
        (gone, found(py, oldest))
    }

    fn let_go(&self, gone: u64) {
        self.0.let_go(gone);
    }

    /// Records, bytes, and how many were dropped to make room.
    fn fill(&self) -> (usize, usize, u64) {
        let fill = self.0.fill();
        (fill.records, fill.bytes, fill.dropped)
    }

    fn __len__(&self) -> usize {
        self.0.fill().records
    }
}

fn found(py: Python<'_>, records: Vec<Kept>) -> Found<'_> {
    records.into_iter().map(|(index, line)| (index, PyBytes::new(py, &line))).collect()
}
