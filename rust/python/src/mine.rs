//! Templates of messages: many messages in, an id for each out.

use std::ptr::NonNull;

use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};
use treering_core::mine::{self, Groups, Limits, Seen, Source, FOREIGN, REST};

/// Finds templates; ids are little-endian `u32`, four bytes for each message.
#[pyclass(module = "treering._core")]
pub struct Miner {
    inner: mine::Miner,
    groups: Groups,
    ids: Vec<u8>,
}

#[pymethods]
impl Miner {
    #[new]
    #[pyo3(signature = (*, similarity = 0.5, site_similarity = 0.4, variants = 5, templates = 20_000))]
    fn new(
        similarity: f64,
        site_similarity: f64,
        variants: usize,
        templates: usize,
    ) -> PyResult<Self> {
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        if !is_share(similarity) || !is_share(site_similarity) || variants < 2 || templates < 8 {
            return Err(PyValueError::new_err(
                "a miner needs similarities from 0 to 1, at least 2 variants and 8 templates",
            ));
        }
        let limits = Limits { similarity, site_similarity, variants, templates };
        Ok(Self { inner: mine::Miner::new(limits), groups: Groups::default(), ids: Vec::new() })
    }

    #[pyo3(signature = (data, first = 0))]
    fn add_lines<'py>(&mut self, py: Python<'py>, data: &[u8], first: u64) -> Bound<'py, PyBytes> {
        py.detach(|| {
            for (index, line) in (first..).zip(lines(data)) {
                let seen = Seen { time_ns: 0, index };
                let message = String::from_utf8_lossy(line);
                let id = self.inner.add(FOREIGN, seen, &message);
                self.ids.extend_from_slice(&id.to_le_bytes());
            }
        });
        self.taken(py)
    }

    #[pyo3(signature = (data, first = 0))]
    fn add_records<'py>(
        &mut self,
        py: Python<'py>,
        data: &[u8],
        first: u64,
    ) -> Bound<'py, PyBytes> {
        py.detach(|| {
            for (index, line) in (first..).zip(lines(data)) {
                let id = match line {
                    b"" => REST,
                    line => self.inner.add_record(&mut self.groups, index, line),
                };
                self.ids.extend_from_slice(&id.to_le_bytes());
            }
        });
        self.taken(py)
    }

    fn add_arrow<'py>(
        &mut self,
        py: Python<'py>,
        stream: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let reader = reader(stream)?;
        py.detach(|| {
            for batch in reader {
                let batch = batch.map_err(|error| PyValueError::new_err(error.to_string()))?;
                self.add_batch(&batch)?;
            }
            PyResult::Ok(())
        })?;
        Ok(self.taken(py))
    }

    fn settle<'py>(&self, py: Python<'py>, ids: &[u8]) -> Bound<'py, PyBytes> {
        let settled: Vec<u8> = ids
            .chunks_exact(4)
            .map(|id| u32::from_le_bytes([id[0], id[1], id[2], id[3]]))
            .flat_map(|id| self.inner.settled(id).to_le_bytes())
            .collect();
        PyBytes::new(py, &settled)
    }

    fn templates<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.inner.templates().into_iter().map(|template| described(py, template)).collect()
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (templates, messages) = self.inner.forgotten();
        let out = PyDict::new(py);
        out.set_item("templates", self.inner.len())?;
        out.set_item("forgotten_templates", templates)?;
        out.set_item("forgotten_messages", messages)?;
        Ok(out)
    }
}

impl Miner {
    fn taken<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &std::mem::take(&mut self.ids))
    }

    fn add_batch(&mut self, batch: &RecordBatch) -> PyResult<()> {
        let messages = strings(batch, "message")?
            .ok_or_else(|| PyValueError::new_err("the table has no column 'message'"))?;
        let [component, module, file] =
            [strings(batch, "component")?, strings(batch, "module")?, strings(batch, "file")?];
        let [line, index, time] =
            [numbers(batch, "line")?, numbers(batch, "index")?, numbers(batch, "timestamp")?];
        for row in 0..batch.num_rows() {
            let source = Source {
                component: string(component, row),
                module: string(module, row),
                file: string(file, row),
                line: number(line, row) as u64,
            };
            let seen = Seen { time_ns: number(time, row), index: number(index, row) as u64 };
            let group = self.groups.group(source);
            let id = self.inner.add(group, seen, string(Some(messages), row));
            self.ids.extend_from_slice(&id.to_le_bytes());
        }
        Ok(())
    }
}

fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = data.strip_suffix(b"\n").unwrap_or(data);
    let count = usize::from(!data.is_empty());
    std::iter::repeat_n(whole, count).flat_map(|all| all.split(|&byte| byte == b'\n'))
}

fn reader(stream: &Bound<'_, PyAny>) -> PyResult<RecordBatchStreamReader> {
    let capsule = stream.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer: NonNull<FFI_ArrowArrayStream> =
        capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast();
    #[allow(unsafe_code)]
    // SAFETY: a capsule of this name holds a valid, aligned stream (Arrow PyCapsule interface), which is
    // moved out here; the capsule's destructor then finds it released.
    let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) };
    reader.map_err(|error| PyValueError::new_err(error.to_string()))
}

fn strings<'a>(batch: &'a RecordBatch, name: &str) -> PyResult<Option<&'a StringArray>> {
    let Some(column) = batch.column_by_name(name) else { return Ok(None) };
    column.as_string_opt::<i32>().map(Some).ok_or_else(|| wrong(name, column, "string"))
}

fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> PyResult<Option<&'a Int64Array>> {
    let Some(column) = batch.column_by_name(name) else { return Ok(None) };
    column.as_primitive_opt::<Int64Type>().map(Some).ok_or_else(|| wrong(name, column, "int64"))
}

fn wrong(name: &str, column: &dyn Array, wanted: &str) -> PyErr {
    PyValueError::new_err(format!("column '{name}' is {}, not {wanted}", column.data_type()))
}

fn string(column: Option<&StringArray>, row: usize) -> &str {
    column.filter(|column| column.is_valid(row)).map_or("", |column| column.value(row))
}

fn number(column: Option<&Int64Array>, row: usize) -> i64 {
    column.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row))
}

fn described(py: Python<'_>, template: mine::Template) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("id", template.id)?;
    out.set_item("template", template.text)?;
    out.set_item("count", template.count)?;
    out.set_item("first", template.first.index)?;
    out.set_item("last", template.last.index)?;
    out.set_item("first_ns", template.first.time_ns)?;
    out.set_item("last_ns", template.last.time_ns)?;
    let examples = template.examples.into_iter().map(|one| (one.index, one.message));
    out.set_item("examples", examples.collect::<Vec<_>>())?;
    Ok(out)
}
