//! How records look: the console as a process output, and single lines for the command line.

use std::sync::{Arc, LazyLock};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use treering_core::console::{self, ConsoleOutput, Style};
use treering_core::filter;
use treering_core::format::{Batch, Options, SpecError};
use treering_core::level::Level;
use treering_core::process::OutputFactory;

const STANDARD_ERROR: i32 = 2;

/// Makes the console of this process, and of its forked children.
pub fn factory(
    format: &str,
    date_format: Option<String>,
    colour: bool,
    level: Level,
) -> Result<OutputFactory, SpecError> {
    let options = Options { date_format, colour, ..Options::default() };
    let style = Arc::new(Style { level, ..Style::new(format, options, true)? });
    Ok(Arc::new(move || Box::new(ConsoleOutput::new(style.clone(), STANDARD_ERROR))))
}

/// One canonical line as a person reads it, with its line feed.
#[pyfunction]
#[pyo3(signature = (line, colour = false, sources = false))]
pub fn render<'py>(
    py: Python<'py>,
    line: &[u8],
    colour: bool,
    sources: bool,
) -> Bound<'py, PyBytes> {
    static STYLES: LazyLock<[Style; 4]> = LazyLock::new(|| {
        [(false, false), (false, true), (true, false), (true, true)].map(|(colour, sources)| {
            let options = Options { colour, ..Options::default() };
            Style::new("text", options, sources).expect("a format of ours")
        })
    });
    let style = &STYLES[usize::from(colour) * 2 + usize::from(sources)];
    let mut out = Vec::new();
    console::render(line, None, style, &mut Batch::default(), &mut out);
    PyBytes::new(py, &out)
}

/// Nanoseconds since the epoch of an RFC 3339 time.
#[pyfunction]
pub fn parse_time(text: &str) -> Option<u64> {
    treering_core::clock::parse_rfc3339(text)
}

type Ranges = Vec<(u64, u64)>;

/// Which records a reader wants; see the core's `Filter`.
#[pyclass(module = "treering._core", frozen)]
pub struct Filter(pub(crate) filter::Filter);

impl Filter {
    pub fn inner(&self) -> &filter::Filter {
        &self.0
    }
}

#[pymethods]
impl Filter {
    #[new]
    #[pyo3(signature = (*, level = None, component = None, category = None, since_ns = None,
                        until_ns = None, grep = None, fields = Vec::new(), journal = false, events = None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        level: Option<Level>,
        component: Option<String>,
        category: Option<String>,
        since_ns: Option<u64>,
        until_ns: Option<u64>,
        grep: Option<String>,
        fields: Vec<(String, String)>,
        journal: bool,
        events: Option<(Ranges, Ranges)>,
    ) -> Self {
        Self(filter::Filter {
            level,
            component,
            category,
            since_ns,
            until_ns,
            grep,
            fields,
            events: events.map(|(included, excluded)| filter::Events { included, excluded }),
            journal,
        })
    }

    fn matches(&self, line: &[u8]) -> bool {
        self.0.matches(line)
    }

    /// The matching lines of a batch, each with its index.
    fn select<'py>(
        &self,
        py: Python<'py>,
        first: u64,
        lines: &[u8],
    ) -> Vec<(u64, Bound<'py, PyBytes>)> {
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        lines
            .split(|byte| *byte == b'\n')
            .zip(first..)
            .filter(|(line, _)| self.0.matches(line))
            .map(|(line, index)| (index, PyBytes::new(py, line)))
            .collect()
    }
}
