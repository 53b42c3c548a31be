//! Foreign text into this process's ring: the road of `treering pipe`.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use treering_core::level::Level;
use treering_core::recognise::{self, Zone};

use crate::pipeline;

/// Makes records of lines and logs them.
#[pyclass(module = "treering._core")]
pub struct Recogniser(recognise::Recogniser);

#[pymethods]
impl Recogniser {
    #[new]
    #[pyo3(signature = (component, utc = false))]
    fn new(component: &str, utc: bool) -> Self {
        Self(recognise::Recogniser::new(component, if utc { Zone::Utc } else { Zone::Local }))
    }

    /// Takes more bytes; returns how many records were logged.
    fn feed(&mut self, py: Python<'_>, data: &[u8]) -> usize {
        let mut found = Vec::new();
        py.detach(|| self.0.feed(data, &mut collect(&mut found)));
        write(py, &found)
    }

    /// Takes what is left; returns how many records were logged.
    fn finish(&mut self, py: Python<'_>) -> usize {
        let mut found = Vec::new();
        self.0.finish(&mut collect(&mut found));
        write(py, &found)
    }

    /// The same without logging: canonical lines of the records that are complete.
    fn parse<'py>(&mut self, py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
        let mut lines = Vec::new();
        py.detach(|| self.0.feed(data, &mut append(&mut lines)));
        PyBytes::new(py, &lines)
    }

    fn parse_rest<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut lines = Vec::new();
        self.0.finish(&mut append(&mut lines));
        PyBytes::new(py, &lines)
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.0.counts();
        let out = PyDict::new(py);
        for (name, count) in [
            ("records", counts.records),
            ("json", counts.json),
            ("logfmt", counts.logfmt),
            ("syslog", counts.syslog),
            ("prefixed", counts.prefixed),
            ("plain", counts.plain),
            ("joined", counts.joined),
            ("cut", counts.cut),
            ("not_utf8", counts.not_utf8),
        ] {
            out.set_item(name, count)?;
        }
        Ok(out)
    }
}

fn append(lines: &mut Vec<u8>) -> impl FnMut(Level, u64, &[u8]) + '_ {
    |_, _, line| {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
}

type Found = Vec<(Level, u64, Vec<u8>)>;

fn collect(found: &mut Found) -> impl FnMut(Level, u64, &[u8]) + '_ {
    |level, timestamp_ns, line| found.push((level, timestamp_ns, line.to_vec()))
}

/// The time in the ring is when the record came in: the journal's order is that of arrival.
fn write(py: Python<'_>, found: &Found) -> usize {
    let now = treering_core::clock::now_ns();
    let redactor = pipeline::redactor();
    let mut out = Vec::new();
    let write = |(level, _, line): &&(Level, u64, Vec<u8>)| {
        out.clear();
        let secrets = redactor.whole(line, &mut out);
        let written = pipeline::write_line(py, if secrets > 0 { &out } else { line }, *level, now);
        if written && secrets > 0 {
            pipeline::count_redacted(secrets);
        }
        written
    };
    found.iter().filter(write).count()
}
