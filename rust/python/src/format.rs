//! Records as outputs show them, many at a time.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyRange, PyRangeMethods};
use treering_core::format::{self, Batch, Options, PRESETS, SHAPES};

/// A format, read once.
#[pyclass(module = "treering._core", frozen)]
pub struct Formatter(format::Formatter);

/// Which index each line has.
#[derive(Debug)]
enum Indexes {
    From(u64),
    Each(Vec<u64>),
}

impl Indexes {
    fn of(indexes: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(first) = indexes.extract::<u64>() {
            return Ok(Self::From(first));
        }
        match indexes.cast::<PyRange>() {
            Ok(range) if range.step()? == 1 && range.start()? >= 0 => {
                // Its length is compared with that of the lines, as any sequence's.
                let (start, stop) =
                    (range.start()? as u64, range.stop()?.max(range.start()?) as u64);
                Ok(Self::Each((start..stop).collect()))
            }
            _ => Ok(Self::Each(indexes.extract()?)),
        }
    }

    fn check(&self, lines: usize) -> PyResult<()> {
        match self {
            Self::Each(indexes) if indexes.len() != lines => Err(PyValueError::new_err(format!(
                "indexes has {} elements: {lines}, one for each line, would be right",
                indexes.len()
            ))),
            _ => Ok(()),
        }
    }

    fn get(&self, at: usize) -> Option<u64> {
        match self {
            Self::From(first) => Some(first + at as u64),
            Self::Each(indexes) => indexes.get(at).copied(),
        }
    }
}

fn split(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = data.strip_suffix(b"\n").unwrap_or(data);
    let whole = (!data.is_empty()).then(|| lines.split(|byte| *byte == b'\n'));
    whole.into_iter().flatten()
}

impl Formatter {
    /// All records in one piece, and where each ends.
    fn render(&self, data: &[u8], indexes: &Indexes, end: &[u8]) -> (Vec<u8>, Vec<usize>) {
        let (mut out, mut ends) = (Vec::with_capacity(data.len()), Vec::new());
        let mut batch = Batch::default();
        for (at, line) in split(data).enumerate() {
            self.0.push(line, indexes.get(at), &mut batch, &mut out);
            if !line.is_empty() {
                out.extend_from_slice(end);
            }
            ends.push(out.len());
        }
        (out, ends)
    }
}

#[pymethods]
impl Formatter {
    #[new]
    #[pyo3(signature = (spec, *, date_format = None, utc = false, options = None))]
    fn new(
        spec: &str,
        date_format: Option<String>,
        utc: bool,
        options: Option<BTreeMap<String, String>>,
    ) -> PyResult<Self> {
        let mut options: Vec<_> = options.unwrap_or_default().into_iter().collect();
        let colour = options.iter().position(|(name, _)| name == "colour");
        let colour = colour.is_some_and(|at| options.remove(at).1 == "true");
        let options = Options { date_format, utc, colour, named: options };
        format::Formatter::new(spec, options)
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// One text for each line.
    fn lines<'py>(
        &self,
        py: Python<'py>,
        data: &[u8],
        indexes: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let indexes = Indexes::of(indexes)?;
        let (text, ends) = py.detach(|| self.render(data, &indexes, b""));
        indexes.check(ends.len())?;
        let begins = std::iter::once(0).chain(ends.iter().copied());
        PyList::new(
            py,
            begins
                .zip(&ends)
                .map(|(begin, end)| PyBytes::new(py, &text[begin..*end]))
                .collect::<Vec<_>>(),
        )
    }

    /// The same in one piece, each ended by a line feed.
    fn text<'py>(
        &self,
        py: Python<'py>,
        data: &[u8],
        indexes: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let indexes = Indexes::of(indexes)?;
        let (text, ends) = py.detach(|| self.render(data, &indexes, b"\n"));
        indexes.check(ends.len())?;
        Ok(PyBytes::new(py, &text))
    }
}

/// For each line the fields of an entry in systemd's journal, in its native protocol.
#[pyfunction]
pub fn journald_fields<'py>(
    py: Python<'py>,
    data: &[u8],
    indexes: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let indexes = Indexes::of(indexes)?;
    let entries = py.detach(|| {
        let mut spelled = String::new();
        let fields = |(at, line)| {
            let mut out = Vec::new();
            format::journald_fields(line, indexes.get(at).unwrap_or(0), &mut spelled, &mut out);
            out
        };
        split(data).enumerate().map(fields).collect::<Vec<_>>()
    });
    indexes.check(entries.len())?;
    PyList::new(py, entries.iter().map(|entry| PyBytes::new(py, entry)))
}

/// Names and templates of the presets, and names of the shapes.
#[pyfunction]
pub fn formats() -> (Vec<(&'static str, &'static str)>, Vec<&'static str>) {
    (PRESETS.to_vec(), SHAPES.to_vec())
}

/// Text on one line that nobody obeys.
#[pyfunction]
pub fn neutralise<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyBytes> {
    let mut out = Vec::with_capacity(text.len());
    format::push_neutral(text, &mut out);
    PyBytes::new(py, &out)
}
