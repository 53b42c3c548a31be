//! How a record looks at an output: one line of text or JSON for each.
//!
//! A format gets a record whose values lie in its canonical line (`record`), and appends to a
//! buffer. Every kind is a file: options, a constructor that takes them, and `push`. Whatever a
//! record says, the result is one line without anything that a terminal would obey, and JSON where
//! JSON was asked for.

use std::fmt::Debug;

mod console;
mod ecs;
mod gelf;
mod journald;
mod json;
mod logfmt;
mod names;
mod netlink;
pub(crate) mod neutral;
mod otel;
mod otlp;
mod percent;
mod poseidonos;
pub(crate) mod raw;
pub(crate) mod record;
mod rfc3164;
mod rfc5424;
pub(crate) mod scan;
mod spec;
mod specifier;
mod strftime;
mod syslog;
mod template;
#[cfg(test)]
mod tests;
mod time;
pub(crate) mod traceback;
mod treering;
mod wire;

pub use journald::journald_fields;
pub use neutral::push_text as push_neutral;
pub use otlp::otlp_logs;
pub use spec::{Options, SpecError};
pub use specifier::PRESETS;
pub(crate) use time::offset as local_offset;

use record::Record;
use spec::Result;
use template::Template;

/// Formats by name that are no templates.
pub const SHAPES: [&str; 10] = [
    "treering",
    "netlink",
    "poseidonos",
    "poseidonos-flat",
    "ecs",
    "otel",
    "gelf",
    "logfmt",
    "rfc5424",
    "rfc3164",
];

/// One way for a record to look.
trait Format: Debug + Send + Sync {
    /// Appends one line, without its end.
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>);
}

/// What one thread remembers from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    time: time::TimeCache,
    names: names::Names,
    text: Vec<u8>,
}

#[derive(Debug)]
enum Kind {
    Treering,
    Template(Template),
    /// Text for people, after which a traceback may stand.
    Console(console::Console),
    Shape(Box<dyn Format>),
}

/// A way for records to look, ready to use from any thread.
#[derive(Debug)]
pub struct Formatter {
    kind: Kind,
}

impl Formatter {
    /// Understands the name of a preset or a shape, a template with `%t`, `%m` and so on, and the
    /// standard library's `%(message)s`.
    ///
    /// # Errors
    /// What cannot be understood, with its place in the format.
    pub fn new(format: &str, options: Options) -> Result<Self> {
        Self::with_tracebacks(format, options, false)
    }

    /// The same, for an output that shows tracebacks below lines that lack them.
    ///
    /// # Errors
    /// As `new`.
    pub fn with_tracebacks(format: &str, mut options: Options, follow: bool) -> Result<Self> {
        let known: &[&str];
        let kind;
        (kind, known) = Self::kind(format, &mut options, follow)?;
        options.finish(format, known)?;
        Ok(Self { kind })
    }

    fn kind(
        format: &str,
        options: &mut Options,
        follow: bool,
    ) -> Result<(Kind, &'static [&'static str])> {
        fn shape<F: Format + 'static>(shape: F) -> Kind {
            Kind::Shape(Box::new(shape))
        }
        Ok(match format {
            "treering" | "json" => {
                options.refuse_date_format(format)?;
                (Kind::Treering, &[])
            }
            "CONSOLE" | "text" => {
                (Kind::Console(console::Console::new(options, !follow)?), &console::OPTIONS)
            }
            "netlink" => (shape(netlink::Netlink::new(options)?), &netlink::OPTIONS),
            "poseidonos" => {
                (shape(poseidonos::Poseidonos::new(options, false)?), &poseidonos::OPTIONS)
            }
            "poseidonos-flat" => {
                (shape(poseidonos::Poseidonos::new(options, true)?), &poseidonos::OPTIONS)
            }
            "ecs" => (shape(ecs::Ecs::new(options)?), &ecs::OPTIONS),
            "otel" => (shape(otel::Otel::new(options)?), &otel::OPTIONS),
            "gelf" => (shape(gelf::Gelf::new(options)?), &gelf::OPTIONS),
            "logfmt" => (shape(logfmt::Logfmt::new(options)?), &logfmt::OPTIONS),
            "rfc5424" => (shape(rfc5424::Rfc5424::new(options)?), &rfc5424::OPTIONS),
            "rfc3164" => (shape(rfc3164::Rfc3164::new(options)?), &rfc3164::OPTIONS),
            name => {
                let preset = specifier::PRESETS.iter().find(|(preset, _)| *preset == name);
                let text = preset.map_or(name, |(_, text)| *text);
                (Kind::Template(template_of(text, options)?), &[])
            }
        })
    }

    /// Appends one canonical line as this format has it, without line feed. Nothing for an empty
    /// one, which an erased record has left.
    pub fn push(&self, line: &[u8], index: Option<u64>, batch: &mut Batch, out: &mut Vec<u8>) {
        if line.is_empty() {
            return;
        }
        let mut record = Record::read(line, &mut batch.spelled);
        record.index = index;
        self.push_record(&record, line, &mut batch.scratch, out);
    }

    fn push_record(
        &self,
        record: &Record<'_>,
        line: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        match &self.kind {
            Kind::Treering => treering::push(line, record.is_broken, out),
            Kind::Template(template) => template.push(record, scratch, out),
            Kind::Console(console) => console.push(record, scratch, out),
            Kind::Shape(shape) => shape.push(record, scratch, out),
        }
    }

    /// `push`, a line feed, and the traceback, indented, where the line lacks it.
    pub(crate) fn push_shown(
        &self,
        line: &[u8],
        index: Option<u64>,
        sources: bool,
        batch: &mut Batch,
        out: &mut Vec<u8>,
    ) {
        let mut record = Record::read(line, &mut batch.spelled);
        record.index = index;
        self.push_record(&record, line, &mut batch.scratch, out);
        out.push(b'\n');
        let lacks_traceback = match &self.kind {
            Kind::Console(_) => true,
            Kind::Template(template) => template.lacks_traceback(),
            Kind::Treering | Kind::Shape(_) => false,
        };
        if lacks_traceback {
            if let Some(exception) = traceback::of(&record) {
                traceback::push(&exception, sources, out);
            }
        }
    }
}

fn template_of(text: &str, options: &mut Options) -> Result<Template> {
    if text.contains("%(") {
        return percent::template(text, options);
    }
    if text.contains('%') {
        return specifier::template(text, options);
    }
    let presets = specifier::PRESETS.map(|(name, _)| name).join(", ");
    Err(SpecError::new(format!(
        "'{}' is no format: one of {presets}, {}, or a template such as '[%t] %m' would be right",
        text.escape_debug(),
        SHAPES.join(", "),
    )))
}

/// What formatting many records one after the other makes use of.
#[derive(Debug, Default)]
pub struct Batch {
    spelled: String,
    scratch: Scratch,
}
