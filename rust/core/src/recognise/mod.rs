//! Foreign text as records: what `treering pipe` does with each line it gets.
//!
//! Every form is tried in turn, most certain first: JSON object, logfmt, syslog, a line that begins with
//! a time, plain text. Lines that belong to the one before (tracebacks, stack traces, indented text) are
//! joined to it as `metadata.stack`.

mod json;
mod logfmt;
mod plain;
mod poseidonos;
mod prefixed;
mod syslog;
#[cfg(all(test, not(loom)))]
mod tests;
mod times;

use serde_json::{Map, Value};

use crate::clock::{now_ns, rfc3339};
use crate::level::{self, Level};
use crate::line::{push_string, visible};

pub use times::Zone;

/// A line longer than this is cut.
const MAX_LINE_BYTES: usize = 1 << 20;
/// Of lines joined to a record this much is kept.
const MAX_STACK_BYTES: usize = 256 << 10;

/// A private key of 16,384 bits has 200 lines of 64 characters.
const MAX_BLOCK_LINES: usize = 250;

/// What could be read from one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Foreign {
    pub timestamp_ns: Option<u64>,
    pub level: Option<Level>,
    pub category: Option<String>,
    pub component: Option<String>,
    pub host: Option<String>,
    pub process: Option<u64>,
    pub thread: Option<u64>,
    pub message: String,
    pub event_id: Option<String>,
    pub event_name: Option<String>,
    pub cause: Option<String>,
    pub module: Option<String>,
    pub function: Option<String>,
    pub file: Option<String>,
    pub line: Option<u64>,
    pub context: Map<String, Value>,
    pub metadata: Map<String, Value>,
    /// The line is a canonical one already and stays as it is.
    pub verbatim: Option<Vec<u8>>,
}

/// How many lines had which form, and what had to be done to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub records: u64,
    pub json: u64,
    pub logfmt: u64,
    pub syslog: u64,
    pub prefixed: u64,
    pub plain: u64,
    pub joined: u64,
    pub cut: u64,
    pub not_utf8: u64,
}

/// Takes what is read as it comes, and gives records.
#[derive(Debug)]
pub struct Recogniser {
    component: String,
    zone: Zone,
    rest: Vec<u8>,
    /// The rest of an over-long line is being thrown away.
    skipping: bool,
    pending: Option<Foreign>,
    stack: String,
    /// Between `Traceback (…)` and its last line.
    in_traceback: bool,
    /// Lines of a PEM block that may still follow; all of it must be seen as one to be redacted.
    block_lines: usize,
    counts: Counts,
}

/// Where finished records go.
pub type Emit<'a> = dyn FnMut(Level, u64, &[u8]) + 'a;

impl Recogniser {
    /// `component` is for records whose line names none; `zone` for times that name none.
    #[must_use]
    pub fn new(component: &str, zone: Zone) -> Self {
        Self {
            component: component.to_owned(),
            zone,
            rest: Vec::new(),
            skipping: false,
            pending: None,
            stack: String::new(),
            in_traceback: false,
            block_lines: 0,
            counts: Counts::default(),
        }
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes more bytes; whole lines become records.
    pub fn feed(&mut self, bytes: &[u8], emit: &mut Emit<'_>) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            if self.rest.is_empty() && !self.skipping {
                self.line(&bytes[from..end], emit);
            } else {
                self.keep(&bytes[from..end]);
                let line = std::mem::take(&mut self.rest);
                self.skipping = false;
                self.line(&line, emit);
            }
            from = end + 1;
        }
        self.keep(&bytes[from..]);
    }

    /// Takes what is left when nothing more will come.
    pub fn finish(&mut self, emit: &mut Emit<'_>) {
        if !self.rest.is_empty() {
            let line = std::mem::take(&mut self.rest);
            self.skipping = false;
            self.line(&line, emit);
        }
        self.flush(emit);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (MAX_LINE_BYTES + 1).saturating_sub(self.rest.len());
        self.rest.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.skipping |= bytes.len() > room;
    }

    fn line(&mut self, bytes: &[u8], emit: &mut Emit<'_>) {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let is_cut = bytes.len() > MAX_LINE_BYTES;
        let mut text = visible(&bytes[..bytes.len().min(MAX_LINE_BYTES)]);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.counts.not_utf8 += 1;
        }
        if is_cut {
            self.counts.cut += 1;
            text.to_mut().push_str("…<cut>");
        }
        if text.trim().is_empty() {
            return;
        }
        if self.joins(&text) {
            self.join(&text);
            self.follow_block(&text);
            return;
        }
        self.flush(emit);
        let (foreign, count) = recognise(&text, self.zone, &mut self.counts);
        *count += 1;
        self.in_traceback = foreign.message.starts_with("Traceback (most recent call last)");
        self.pending = Some(foreign);
        self.follow_block(&text);
    }

    /// Keeps account of the PEM block that this line begins, goes on with or ends.
    fn follow_block(&mut self, text: &str) {
        self.block_lines = match text.rfind("-----BEGIN ") {
            Some(begin) if text[begin..].contains("-----END ") => 0,
            Some(_) => MAX_BLOCK_LINES,
            None if text.contains("-----END ") => 0,
            None => self.block_lines.saturating_sub(1),
        };
    }

    /// Does this line continue the record before it?
    fn joins(&self, text: &str) -> bool {
        let in_block = self.block_lines > 0
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-:, ".contains(&byte));
        let continues = in_block
            || text.starts_with([' ', '\t', '}', ')'])
            || text.starts_with("Caused by:")
            || text.starts_with("Traceback (most recent call last)")
            || text.starts_with("During handling of the above exception")
            || text.starts_with("The above exception was the direct cause")
            || self.in_traceback && plain::is_exception(text);
        self.pending.is_some() && continues
    }

    fn join(&mut self, text: &str) {
        self.counts.joined += 1;
        self.in_traceback = text.starts_with("Traceback (")
            || self.in_traceback && !plain::is_exception(text)
            || self.in_traceback && text.starts_with(' ');
        if self.block_lines > 0 && self.stack.is_empty() {
            if let Some(pending) = &mut self.pending {
                // To where the block began.
                pending.message.push('\n');
                pending.message.push_str(text);
                pending.verbatim = None;
                return;
            }
        }
        if self.stack.len() + text.len() < MAX_STACK_BYTES {
            if !self.stack.is_empty() {
                self.stack.push('\n');
            }
            self.stack.push_str(text);
        } else if !self.stack.ends_with("…<cut>") {
            self.stack.push_str("\n…<cut>");
            self.counts.cut += 1;
        }
    }

    fn flush(&mut self, emit: &mut Emit<'_>) {
        let Some(mut foreign) = self.pending.take() else {
            return;
        };
        if !self.stack.is_empty() {
            let stack = std::mem::take(&mut self.stack);
            foreign.metadata.insert("stack".into(), stack.into());
            foreign.verbatim = None;
        }
        if foreign.component.as_deref() == Some(crate::journal::COMPONENT) {
            // Another journal's records about itself must not be taken for this one's.
            foreign.verbatim = None;
        }
        let level = foreign.level.unwrap_or(level::INFO);
        let timestamp_ns = foreign.timestamp_ns.unwrap_or_else(now_ns);
        let line = match foreign.verbatim.take() {
            Some(line) => line,
            None => canonical(&foreign, level, timestamp_ns, &self.component),
        };
        self.counts.records += 1;
        emit(level, timestamp_ns, &line);
    }
}

fn recognise<'a>(text: &str, zone: Zone, counts: &'a mut Counts) -> (Foreign, &'a mut u64) {
    if let Some(foreign) = json::recognise(text, zone) {
        return (foreign, &mut counts.json);
    }
    if let Some(foreign) = syslog::recognise(text, zone) {
        return (foreign, &mut counts.syslog);
    }
    let poseidonos = poseidonos::text(text, zone);
    if let Some(foreign) = poseidonos.or_else(|| prefixed::recognise(text, zone)) {
        return (foreign, &mut counts.prefixed);
    }
    if let Some(foreign) = logfmt::recognise(text, zone) {
        return (foreign, &mut counts.logfmt);
    }
    (plain::recognise(text), &mut counts.plain)
}

fn canonical(foreign: &Foreign, level: Level, timestamp_ns: u64, component: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + foreign.message.len());
    out.extend_from_slice(b"{\"timestamp\":");
    push_string(&mut out, &rfc3339(timestamp_ns));
    push_pair(&mut out, "level", &level::name(level));
    push_pair(&mut out, "category", foreign.category.as_deref().unwrap_or_default());
    let component = foreign.component.as_deref().unwrap_or(component);
    push_pair(&mut out, "component", crate::journal::component_name(component));
    out.extend_from_slice(b",\"message\":");
    push_string(&mut out, &foreign.message);
    push_place(&mut out, foreign);
    if let Some(host) = &foreign.host {
        out.extend_from_slice(b",\"host\":");
        push_string(&mut out, host);
    }
    for (key, fields) in [("context", &foreign.context), ("metadata", &foreign.metadata)] {
        if !fields.is_empty() {
            out.extend_from_slice(format!(",\"{key}\":").as_bytes());
            push_object(&mut out, fields);
        }
    }
    out.push(b'}');
    out
}

fn push_pair(out: &mut Vec<u8>, key: &str, value: &str) {
    if !value.is_empty() {
        out.extend_from_slice(format!(",\"{key}\":").as_bytes());
        push_string(out, value);
    }
}

/// The event, where it was logged, and by whom.
fn push_place(out: &mut Vec<u8>, foreign: &Foreign) {
    for (key, value) in [
        ("event_id", &foreign.event_id),
        ("event_name", &foreign.event_name),
        ("cause", &foreign.cause),
        ("module", &foreign.module),
        ("function", &foreign.function),
        ("file", &foreign.file),
    ] {
        push_pair(out, key, value.as_deref().unwrap_or_default());
    }
    for (key, value) in
        [("line", foreign.line), ("process", foreign.process), ("thread", foreign.thread)]
    {
        if let Some(value) = value {
            out.extend_from_slice(format!(",\"{key}\":{value}").as_bytes());
        }
    }
}

fn push_object(out: &mut Vec<u8>, fields: &Map<String, Value>) {
    out.push(b'{');
    for (at, (key, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_string(out, key);
        out.push(b':');
        push_json(out, value);
    }
    out.push(b'}');
}

/// A JSON value in canonical form.
pub fn push_json(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => push_string(out, text),
        Value::Object(fields) => push_object(out, fields),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_json(out, item);
            }
            out.push(b']');
        }
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (None, None, Some(float)) => crate::line::push_float(out, float),
            _ => out.extend_from_slice(number.to_string().as_bytes()),
        },
        other => out.extend_from_slice(other.to_string().as_bytes()),
    }
}
