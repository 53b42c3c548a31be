//! The keys of `NetLink`'s structured entries, eleven with the stack trace of an exception.
//!
//! A record that does not know its module has its component there; anything else that it does not
//! have is `""`, 0 or `null`. Trace ids, which are context there, go into the context.

use super::json::{push_integer, push_key, push_object, push_time, push_traceback};
use super::raw::Raw;
use super::record::{Key, Record};
use super::spec::{Options, Result};
use super::time::TimeFormat;
use super::{Format, Scratch};

pub const OPTIONS: [&str; 0] = [];

#[derive(Debug)]
pub struct Netlink {
    time: TimeFormat,
}

impl Netlink {
    pub fn new(options: &mut Options) -> Result<Self> {
        options.refuse_date_format("netlink")?;
        Ok(Self { time: TimeFormat::own("%Y-%m-%dT%H:%M:%S.%3fZ", true) })
    }
}

impl Format for Netlink {
    fn push(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"timestamp\":");
        push_time(&self.time, record, scratch, out);
        let module = record.get(Key::Module);
        let module = if module.is_empty() { record.get(Key::Component) } else { module };
        for (name, value) in [
            ("level", record.get(Key::Level)),
            ("category", record.get(Key::Category)),
            ("message", record.get(Key::Message)),
            ("module", module),
            ("function", record.get(Key::Function)),
        ] {
            push_key(name, out);
            value.push_string(out);
        }
        push_key("line", out);
        push_integer(record.get(Key::Line), "0", out);
        push_key("context", out);
        push_context(record, scratch, out);
        push_key("metadata", out);
        if record.others().is_empty() {
            record.get(Key::Metadata).push_json(out);
        } else {
            let fields = record.get(Key::Metadata).entries().chain(record.others().iter().copied());
            push_object(fields, &mut scratch.names, out);
        }
        push_key("performance_data", out);
        record.get(Key::PerformanceData).push_json(out);
        if record.get(Key::Exception).is_object() {
            push_key("stack_trace", out);
            push_traceback(record, "null", out);
        }
        out.push(b'}');
    }
}

fn push_context(record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let context = record.get(Key::Context);
    let traced = [("\"trace_id\"", Key::TraceId), ("\"span_id\"", Key::SpanId)]
        .map(|(name, key)| (Raw::new(name), record.get(key)))
        .into_iter()
        .filter(|(name, value)| !value.is_absent() && context.get(name.inside()).is_absent());
    let mut traced = traced.peekable();
    if traced.peek().is_none() {
        return context.push_json(out);
    }
    push_object(context.entries().chain(traced), &mut scratch.names, out);
}
