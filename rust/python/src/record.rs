//! The other road of a record: whatever may run Python code is rendered first, then one whole line is
//! written.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use treering_core::clock::{now_ns, rfc3339};
use treering_core::level::Level;
use treering_core::line::push_string;

use crate::callsite::{self, push_begin, push_process, Location};
use crate::encode::{self, Ancestors};
use crate::logger::Logger;
use crate::{call, context, exception, frame, pipeline, trace};

/// A record that is being put together.
#[derive(Debug, Default)]
pub struct Record {
    pub level: Level,
    pub category: Option<String>,
    pub component: String,
    pub message: String,
    /// `,"event_id":…,"event_name":…,"cause":…` or nothing.
    pub event: Vec<u8>,
    /// As `Location::push` writes it.
    pub location: Vec<u8>,
    /// As `trace::split` writes it.
    pub trace: Vec<u8>,
    /// `"key":value,…`, as are the next two.
    pub context: Vec<u8>,
    pub metadata: Vec<u8>,
    pub performance_data: Vec<u8>,
    /// A JSON object or nothing.
    pub exception: Vec<u8>,
    /// Values that were redacted while it was put together.
    pub redactions: u64,
}

impl Record {
    /// The canonical line.
    fn line(&self, timestamp_ns: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + self.message.len() + self.metadata.len());
        out.extend_from_slice(b"{\"timestamp\":\"");
        out.extend_from_slice(rfc3339(timestamp_ns).as_bytes());
        out.extend_from_slice(b"\",");
        push_begin(&mut out, self.level, self.category.as_deref(), &self.component);
        push_string(&mut out, &self.message);
        out.extend_from_slice(&self.event);
        out.extend_from_slice(&self.location);
        push_process(&mut out);
        let (thread, length) = call::thread_digits();
        out.extend_from_slice(&thread[..usize::from(length)]);
        out.extend_from_slice(&self.trace);
        for (key, fields) in [
            (&b",\"context\":{"[..], &self.context),
            (&b",\"metadata\":{"[..], &self.metadata),
            (&b",\"performance_data\":{"[..], &self.performance_data),
        ] {
            if !fields.is_empty() {
                out.extend_from_slice(key);
                out.extend_from_slice(fields);
                out.push(b'}');
            }
        }
        if !self.exception.is_empty() {
            out.extend_from_slice(b",\"exception\":");
            out.extend_from_slice(&self.exception);
        }
        out.push(b'}');
        out
    }

    /// Gives up the largest parts until the line fits, leaving their sizes.
    fn shorten(&mut self, max_bytes: usize) {
        let budget = max_bytes.saturating_sub(2048) / 2;
        cut(&mut self.message, budget / 2);
        for part in [&mut self.metadata, &mut self.context, &mut self.performance_data] {
            if part.len() > budget / 4 {
                *part = format!("\"<truncated>\":{}", part.len()).into_bytes();
            }
        }
        if self.exception.len() > budget / 4 {
            self.exception = format!("{{\"<truncated>\":{}}}", self.exception.len()).into_bytes();
        }
    }

    /// Writes the record, cut visibly where it is too long. True when it was committed.
    pub fn write(mut self, py: Python<'_>) -> bool {
        if !pipeline::make_ready(py) {
            return false;
        }
        #[allow(unsafe_code)]
        // SAFETY: the GIL is held; no Python code runs.
        let (max_message, max_line) =
            unsafe { (pipeline::state().max_message_bytes, pipeline::state().max_line_bytes) };
        let mut truncated = cut(&mut self.message, max_message);
        let timestamp_ns = now_ns();
        let mut line = self.line(timestamp_ns);
        if line.len() > max_line {
            self.shorten(max_line);
            line = self.line(timestamp_ns);
            truncated = true;
        }
        if truncated {
            pipeline::count_truncated();
        }
        let written = pipeline::write_line(py, &line, self.level, timestamp_ns);
        if written && self.redactions > 0 {
            pipeline::count_redacted(self.redactions);
        }
        written
    }
}

/// Cuts text to about `max_bytes`, saying how much is missing. True when it did.
fn cut(text: &mut String, max_bytes: usize) -> bool {
    if text.len() <= max_bytes {
        return false;
    }
    let mut at = max_bytes;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let missing = text.len() - at;
    text.truncate(at);
    text.push_str(&format!("…<{missing} more bytes>"));
    true
}

/// Logs a call that the fast road did not take.
///
/// # Safety
/// `args` holds `count` values and then those that `kwnames` names, as vectorcall promises.
#[allow(unsafe_code)]
pub unsafe fn log(
    py: Python<'_>,
    logger: &Logger,
    args: *const *mut ffi::PyObject,
    count: usize,
    kwnames: *mut ffi::PyObject,
    level: Level,
    exc_info: bool,
) {
    // An exception that is on its way must not be seen by what runs here, nor be lost to it.
    let pending = PyErr::take(py);
    // SAFETY: promised by the caller.
    let (values, names) = unsafe {
        let names = Bound::from_borrowed_ptr_or_opt(py, kwnames)
            .map(|names| names.cast_into_unchecked::<PyTuple>());
        let total = count + names.as_ref().map_or(0, PyTupleMethods::len);
        let values: Vec<_> =
            (0..total).map(|at| Bound::from_borrowed_ptr(py, *args.add(at))).collect();
        (values, names)
    };
    // Without a process every level passes; now its real threshold is known.
    if !pipeline::make_ready(py) || !logger.is_enabled(level) {
        return;
    }
    logger.fields.refresh(py);
    let location = site_location(py, logger, level, &values, names.as_ref());
    let call =
        Call { logger, level, exc_info, location, positional: &values[..count.min(values.len())] };
    let named: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)> =
        names.iter().flatten().zip(values[count..].iter().cloned()).collect();
    call.record(py, named).write(py);
    if let Some(pending) = pending {
        pending.restore(py);
    }
}

/// The location of this call site, which is remembered for next time if it was not.
#[allow(unsafe_code)]
fn site_location(
    py: Python<'_>,
    logger: &Logger,
    level: Level,
    values: &[Bound<'_, PyAny>],
    names: Option<&Bound<'_, PyTuple>>,
) -> Option<Vec<u8>> {
    let message = values.first().filter(|message| message.is_exact_instance_of::<PyString>())?;
    let kwnames = names.map_or(std::ptr::null_mut(), pyo3::Bound::as_ptr);
    // SAFETY: the GIL is held, and no Python code runs while the table is borrowed.
    unsafe {
        let place = frame::place()?;
        if let Some(site) = pipeline::state().sites.find(place, logger, level, kwnames) {
            return Some(site.location().to_vec());
        }
        let site = callsite::build(py, place, logger, level, message, names).ok()?;
        let location = site.location().to_vec();
        let replaced = pipeline::state().sites.put(site);
        // What the table gave up is dropped only now: that may run Python code.
        drop(replaced);
        Some(location)
    }
}

/// The record of a call whose message and fields have been found elsewhere; fields as keyword arguments
/// of a log call, those with a meaning of their own included.
pub fn of_fields<'py>(
    logger: &Logger,
    level: Level,
    message: &Bound<'py, PyAny>,
    fields: Vec<Pair<'py>>,
) -> Record {
    let positional = std::slice::from_ref(message);
    let call = Call { logger, level, exc_info: false, location: None, positional };
    call.record(message.py(), fields)
}

struct Call<'a, 'py> {
    logger: &'a Logger,
    level: Level,
    exc_info: bool,
    location: Option<Vec<u8>>,
    positional: &'a [Bound<'py, PyAny>],
}

pub type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

impl<'py> Call<'_, 'py> {
    fn record(&self, py: Python<'py>, named: Vec<Pair<'py>>) -> Record {
        let mut record = Record {
            level: self.level,
            category: self.logger.category.map(str::to_owned),
            component: self.logger.component.name.clone(),
            message: match self.positional {
                [] => {
                    pipeline::count_failed();
                    "<no message>".into()
                }
                [message, values @ ..] => message_text(message, values),
            },
            ..Record::default()
        };
        let (mut up, mut stack_info, mut extra) = (0, false, None);
        let mut exc_info =
            self.exc_info.then(|| true.into_pyobject(py).map(|yes| yes.to_owned().into_any()));
        let mut metadata = Vec::with_capacity(named.len());
        for (name, value) in named {
            match name.extract::<String>().unwrap_or_default().as_str() {
                "extra" => extra = Some(value),
                "exc_info" => exc_info = Some(Ok(value)),
                "stack_info" => stack_info = value.is_truthy().unwrap_or(false),
                "stacklevel" => up = value.extract::<usize>().unwrap_or(1).saturating_sub(1),
                _ => metadata.push((name, value)),
            }
        }
        let context = PyDict::new(py);
        self.gather_context(py, &context);
        let mut performance = Vec::new();
        if let Some(extra) = extra.as_ref().and_then(|extra| extra.cast::<PyDict>().ok()) {
            take_extra(extra, &mut record, &context, &mut metadata, &mut performance);
        }
        match &self.location {
            Some(location) if up == 0 => record.location.clone_from(location),
            _ => Location::here(py, up).push(&mut record.location),
        }
        let mut ancestors = Ancestors::default();
        let (trace, fields) = trace::split(&context, &mut ancestors);
        (record.trace, record.context) = (trace::of(py, trace), fields);
        record.metadata = encode::pairs(&metadata, &mut ancestors);
        record.performance_data = encode::pairs(&performance, &mut ancestors);
        record.redactions = ancestors.redactions;
        if let Some(Ok(exc_info)) = exc_info {
            exception::push_exc_info(&exc_info, &mut record.exception);
        }
        if stack_info && record.exception.is_empty() {
            exception::push_stack(py, up, &mut record.exception);
        }
        record
    }

    /// Ambient fields first; bound ones win over them.
    fn gather_context(&self, py: Python<'py>, context: &Bound<'py, PyDict>) {
        let ambient = context::current(py);
        let ambient = ambient.as_ref().and_then(|ambient| ambient.get().fields.dict(py));
        for fields in ambient.into_iter().chain(self.logger.fields.dict(py)) {
            // Cannot fail between two dicts with text keys.
            let _ = context.update(fields.as_mapping());
        }
    }
}

/// The parts of `extra` go to where their names say, everything else is metadata.
fn take_extra<'py>(
    extra: &Bound<'py, PyDict>,
    record: &mut Record,
    context: &Bound<'py, PyDict>,
    metadata: &mut Vec<Pair<'py>>,
    performance: &mut Vec<Pair<'py>>,
) {
    let pairs = |dict: &Bound<'py, PyAny>| -> Vec<Pair<'py>> {
        let items = dict.cast::<PyDict>().map(pyo3::types::PyDictMethods::items);
        items.map_or_else(
            |_| Vec::new(),
            |items| items.iter().filter_map(|item| item.extract().ok()).collect(),
        )
    };
    for (name, value) in pairs(extra.as_any()) {
        match name.extract::<String>().unwrap_or_default().as_str() {
            "category" => {
                let mut text = Vec::new();
                encode::push_value(&value, &mut text, &mut Ancestors::default());
                let text = String::from_utf8(text).unwrap_or_default();
                record.category = treering_core::line::read_string(&text).or(Some(text));
            }
            "context" if value.is_instance_of::<PyDict>() => {
                for (key, field) in pairs(&value) {
                    let _ = context.set_item(key, field);
                }
            }
            "metadata" if value.is_instance_of::<PyDict>() => metadata.extend(pairs(&value)),
            "performance_data" if value.is_instance_of::<PyDict>() => {
                performance.extend(pairs(&value));
            }
            _ => metadata.push((name, value)),
        }
    }
}

/// The message with its `%` arguments, as the standard library formats them.
fn message_text(message: &Bound<'_, PyAny>, values: &[Bound<'_, PyAny>]) -> String {
    let text = |value: &Bound<'_, PyAny>| {
        if let Ok(text) = value.str() {
            encode::text_of(&text)
        } else {
            let class = value.get_type().name();
            format!("<unprintable {}>", class.map_or("object".into(), |name| name.to_string()))
        }
    };
    if values.is_empty() {
        return text(message);
    }
    let py = message.py();
    // A single mapping is for `%(name)s`.
    let mapping = match values {
        [only] => only.cast::<PyDict>().ok().and_then(|only| encode::mapping_arguments(only).ok()),
        _ => None,
    };
    let mapping = mapping.map(|mapping| [mapping.into_any()]);
    let values = mapping.as_ref().map_or(values, |mapping| mapping);
    let formatted = (|| -> PyResult<String> {
        let arguments = match (&mapping, values) {
            (Some([mapping]), _) => mapping.clone(),
            (None, several) => PyTuple::new(py, several)?.into_any(),
        };
        Ok(encode::text_of(message.str()?.rem(arguments)?.cast::<PyString>()?))
    })();
    formatted.unwrap_or_else(|_| {
        pipeline::count_failed();
        let values: Vec<String> = values.iter().map(text).collect();
        format!("{} <could not be formatted with: {}>", text(message), values.join(", "))
    })
}
