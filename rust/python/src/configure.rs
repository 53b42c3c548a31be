//! Starting, changing, flushing and ending this process's logging; levels; statistics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use treering_core::error::Error;
use treering_core::format::SpecError;
use treering_core::journal::{component_name, Durability, Journal, SettingsChange};
use treering_core::level::{self, Level};
use treering_core::line::visible;
use treering_core::process::{LevelChange, Options, Overflow};
use treering_core::redact::{Action, Pattern, Redactor, RulesChange};

use crate::callsite::Location;
use crate::encode::{self, Ancestors};
use crate::errors::{level_number, raise};
use crate::exception;
use crate::pipeline;
use crate::record::Record;

/// How long a replaced or ended process may take to hand its records over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What Python has validated and passes whole.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Settings {
    directory: Option<PathBuf>,
    levels: Vec<(String, Level)>,
    console: bool,
    console_format: String,
    console_date_format: Option<String>,
    console_level: Level,
    console_colour: bool,
    ring_bytes: usize,
    overflow: String,
    block_timeout_s: f64,
    max_message_bytes: usize,
    security_enabled: bool,
    audit_enabled: bool,
    segment_max_bytes: Option<u64>,
    segment_max_age_s: Option<u64>,
    durability: Option<String>,
    seal: Option<bool>,
    origin: Option<String>,
    seal_keys: Option<String>,
    checkpoint_interval_s: Option<u64>,
    epoch_max_age_s: Option<u64>,
    retention_min_age_s: Option<u64>,
    archive: Option<bool>,
    archive_after_s: Option<u64>,
    archive_cpu: Option<f64>,
    archive_recipients: Option<Vec<String>>,
    retention_max_age_s: Option<u64>,
    retention_max_bytes: Option<u64>,
    retention_max_files: Option<u64>,
    retention_min_free: Option<String>,
    retention_keep: Option<BTreeMap<String, String>>,
    archive_to: Option<String>,
    redaction: Option<bool>,
    redaction_keys: Option<Vec<String>>,
    redaction_allow_keys: Option<Vec<String>>,
    redaction_patterns: Option<BTreeMap<String, PatternValue>>,
    redaction_action: Option<BTreeMap<String, String>>,
    redaction_text: Option<String>,
    redaction_key_file: Option<String>,
}

/// A regular expression, or a built-in rule switched on or off.
#[derive(FromPyObject)]
enum PatternValue {
    Switch(bool),
    Expression(String),
}

/// The rules of redaction that a configuration names.
fn rules_of(settings: &mut Settings) -> RulesChange {
    RulesChange {
        enabled: settings.redaction,
        keys: settings.redaction_keys.take(),
        allow_keys: settings.redaction_allow_keys.take(),
        patterns: settings.redaction_patterns.take().map(|patterns| {
            let pattern = |value| match value {
                PatternValue::Switch(is_on) => Pattern::Switch(is_on),
                PatternValue::Expression(text) => Pattern::Expression(text),
            };
            patterns.into_iter().map(|(name, value)| (name, pattern(value))).collect()
        }),
        actions: settings.redaction_action.take().map(|actions| {
            let named = |(rule, action): (String, String)| Some((rule, Action::named(&action)?));
            actions.into_iter().filter_map(named).collect()
        }),
        text: settings.redaction_text.take(),
        key_file: settings.redaction_key_file.take(),
    }
}

/// Starts logging anew, and says which levels that changed for the journal's processes.
#[pyfunction]
pub fn configure(py: Python<'_>, mut settings: Settings) -> PyResult<Vec<LevelChange>> {
    let redaction = rules_of(&mut settings);
    let change = SettingsChange {
        segment_max_bytes: settings.segment_max_bytes,
        segment_max_age_s: settings.segment_max_age_s,
        durability: settings.durability.as_deref().map(|word| match word {
            "batch" => Durability::Batch,
            _ => Durability::Process,
        }),
        seal: settings.seal,
        origin: settings.origin,
        seal_keys: settings.seal_keys,
        checkpoint_interval_s: settings.checkpoint_interval_s,
        epoch_max_age_s: settings.epoch_max_age_s,
        retention_min_age_s: settings.retention_min_age_s,
        archive: settings.archive,
        archive_after_s: settings.archive_after_s,
        archive_cpu: settings.archive_cpu,
        archive_recipients: settings.archive_recipients,
        retention: treering_core::retention::RulesChange {
            max_age_s: settings.retention_max_age_s,
            max_bytes: settings.retention_max_bytes,
            max_files: settings.retention_max_files,
            min_free: settings.retention_min_free.take(),
            keep: settings.retention_keep.take(),
            archive_to: settings.archive_to.take(),
        },
        redaction: redaction.clone(),
    };
    let overflow = match settings.overflow.as_str() {
        "drop_oldest" => Overflow::DropOldest,
        "drop_newest" => Overflow::DropNewest,
        other => match other.strip_prefix("drop_below=").and_then(|level| level.parse().ok()) {
            Some(level) => Overflow::DropBelow(level),
            None => Overflow::Block,
        },
    };
    let console = |format: &str, date_format| {
        crate::console::factory(
            format,
            date_format,
            settings.console_colour,
            settings.console_level,
        )
    };
    let output = settings
        .console
        .then(|| console(&settings.console_format, settings.console_date_format))
        .transpose()
        .map_err(|error| unusable(&settings.console_format, &error))?;
    let options = Options {
        journal: settings.directory.map(|directory| (directory, change)),
        ring_bytes: settings.ring_bytes,
        overflow,
        block_timeout: Duration::from_secs_f64(settings.block_timeout_s),
        levels: settings.levels,
        output,
        redaction,
    };
    pipeline::start(py, options, CLOSE_TIMEOUT)?;
    #[allow(unsafe_code)]
    // SAFETY: the GIL is held; no Python code runs.
    let state = unsafe { pipeline::state() };
    state.max_message_bytes = settings.max_message_bytes;
    state.security_enabled = settings.security_enabled;
    state.audit_enabled = settings.audit_enabled;
    Ok(pipeline::process().map_or_else(Vec::new, |process| process.level_changes().to_vec()))
}

/// Takes up changed levels while everything else goes on.
#[pyfunction]
pub fn configure_levels(
    py: Python<'_>,
    configured: Vec<(String, Level)>,
    removed: Vec<(String, Level)>,
) -> Vec<LevelChange> {
    let Some(process) = pipeline::process() else {
        return Vec::new();
    };
    py.detach(|| process.configure_levels(&configured, &removed))
}

/// The error for a console that cannot look as asked: format and date format do not go together.
fn unusable(format: &str, error: &SpecError) -> PyErr {
    let found = format.escape_debug().to_string();
    raise(Error::Format { name: "console_format", found, what: error.to_string() })
}

/// Waits until everything logged so far is in the journal and on the console.
#[pyfunction]
#[pyo3(signature = (timeout_s, durable = false))]
pub fn flush(py: Python<'_>, timeout_s: f64, durable: bool) -> bool {
    let Some(process) = pipeline::process() else {
        return true;
    };
    py.detach(|| process.flush(Duration::from_secs_f64(timeout_s.max(0.0)), durable))
}

/// Ends this process's logging: flushes, gives the lead away. Later records start it anew.
#[pyfunction]
pub fn close(py: Python<'_>, timeout_s: f64) -> bool {
    let Some(process) = pipeline::process() else {
        return true;
    };
    let timeout = Duration::from_secs_f64(timeout_s.max(0.0));
    let flushed = py.detach(|| process.flush(timeout, false));
    let old = pipeline::take();
    py.detach(|| old.is_none_or(|process| process.close(timeout))) && flushed
}

/// Has the process closed when the interpreter is gone: records of its last moments count as well.
#[pyfunction]
pub fn close_at_exit() {
    extern "C" fn close() {
        pipeline::close_quietly(CLOSE_TIMEOUT);
    }
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        #[allow(unsafe_code)]
        // SAFETY: the function stays where it is: extension modules are not unloaded.
        unsafe {
            libc::atexit(close);
        }
    });
}

/// Has logging been set up, here or in the parent this process was forked from?
#[pyfunction]
pub fn is_started() -> bool {
    pipeline::is_started()
}

/// A text without what the built-in rules, or those of a journal, take for secrets.
#[pyfunction]
#[pyo3(signature = (text, directory = None))]
pub fn redact(text: &str, directory: Option<PathBuf>) -> PyResult<String> {
    let redactor = match directory {
        Some(directory) => {
            let (journal, settings) = Journal::open(&directory).map_err(raise)?;
            Redactor::open(&settings.redaction, Some(journal.directory())).map_err(raise)?
        }
        None => Redactor::default(),
    };
    if text.starts_with('{') {
        let mut out = Vec::new();
        let secrets = redactor.whole(text.as_bytes(), &mut out);
        return Ok(if secrets > 0 { visible(&out).into_owned() } else { text.to_owned() });
    }
    Ok(redactor.text(text).map_or_else(|| text.to_owned(), |(redacted, _)| redacted))
}

/// The arguments of `%(name)s` in a message, with texts under sensitive keys redacted; as a new dict.
#[pyfunction]
pub fn redact_arguments<'py>(arguments: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    encode::mapping_arguments(arguments)
}

/// The number of a level as people write it.
#[pyfunction]
pub fn parse_level(level: &Bound<'_, PyAny>) -> PyResult<Level> {
    level_number(level)
}

#[pyfunction]
pub fn set_level(component: &str, level: Option<Level>) -> bool {
    pipeline::process().is_some_and(|process| process.levels().set(component, level))
}

#[pyfunction]
pub fn get_level(component: &str) -> Level {
    pipeline::process().map_or(level::INFO, |process| process.levels().effective(component))
}

#[pyfunction]
pub fn levels() -> Vec<(String, Level)> {
    pipeline::process().map_or_else(Vec::new, |process| process.levels().list())
}

/// Do the fast and the documented way to the caller's frame agree? `None` when the fast one is off.
#[pyfunction]
pub fn frames_agree() -> Option<bool> {
    #[allow(unsafe_code)]
    // SAFETY: the GIL is held.
    unsafe {
        crate::frame::agree()
    }
}

/// Logs a record that was made elsewhere: the road of the standard library's records.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // one record, part by part, as the standard library has it
#[pyo3(signature = (component, level, message, location, metadata, exc_info = None, category = None))]
pub fn log_record(
    py: Python<'_>,
    component: &str,
    level: Level,
    message: String,
    location: (Option<String>, Option<String>, Option<String>, u64),
    metadata: &Bound<'_, PyDict>,
    exc_info: Option<&Bound<'_, PyAny>>,
    category: Option<String>,
) -> bool {
    let (module, function, file, line) = location;
    let mut ancestors = Ancestors::default();
    let mut record = Record {
        level,
        category,
        component: component_name(component).to_owned(),
        message,
        location: Location { module, function, file, line }.bytes(),
        metadata: encode::fields(metadata, &mut ancestors),
        ..Record::default()
    };
    record.redactions = ancestors.redactions;
    if let Some(ambient) = crate::context::current(py) {
        #[allow(unsafe_code)]
        // SAFETY: the GIL is held; the bytes are copied before Python code runs.
        let context = unsafe { ambient.get().fields.encoded() };
        record.trace.clone_from(&context.trace);
        record.context.clone_from(&context.bytes);
        record.redactions += context.redactions;
    }
    record.trace = crate::trace::of(py, std::mem::take(&mut record.trace));
    if let Some(exc_info) = exc_info {
        exception::push_exc_info(exc_info, &mut record.exception);
    }
    record.write(py)
}

#[pyfunction]
pub fn statistics(py: Python<'_>) -> PyResult<Option<Bound<'_, PyDict>>> {
    let Some(statistics) = pipeline::statistics() else {
        return Ok(None);
    };
    let out = PyDict::new(py);
    out.set_item("logged", statistics.logged)?;
    out.set_item("dropped_newest", statistics.dropped_newest)?;
    out.set_item("dropped_oldest", statistics.dropped_oldest)?;
    out.set_item("dropped_protected", statistics.dropped_protected)?;
    out.set_item("truncated", statistics.truncated)?;
    out.set_item("failed", statistics.failed)?;
    out.set_item("blocked", statistics.blocked)?;
    out.set_item("redacted", statistics.redacted)?;
    out.set_item("redactions", statistics.redactions)?;
    out.set_item("ring_bytes", statistics.ring_bytes)?;
    out.set_item("ring_used_bytes", statistics.ring_used_bytes)?;
    out.set_item("ring_private_because", statistics.ring_private_because)?;
    out.set_item("console_shown", statistics.console_shown)?;
    out.set_item("console_lost", statistics.console_lost)?;
    out.set_item("leads", statistics.leads)?;
    out.set_item("leader", statistics.leader)?;
    out.set_item("journal_end", statistics.journal_end)?;
    out.set_item("journal_batches", statistics.journal_batches)?;
    out.set_item("journal_records", statistics.journal_records)?;
    out.set_item("journal_bytes", statistics.journal_bytes)?;
    out.set_item("journal_rotations", statistics.journal_rotations)?;
    out.set_item("journal_takeovers", statistics.journal_takeovers)?;
    out.set_item("journal_recoveries", statistics.journal_recoveries)?;
    out.set_item("journal_write_errors", statistics.journal_write_errors)?;
    out.set_item("journal_syncs", statistics.journal_syncs)?;
    out.set_item("journal_sync_errors", statistics.journal_sync_errors)?;
    out.set_item("journal_orphans", statistics.journal_orphans)?;
    out.set_item("journal_redacted", statistics.journal_redacted)?;
    out.set_item("journal_redactions", statistics.journal_redactions)?;
    out.set_item("journal_archived_files", statistics.journal_archived_files)?;
    out.set_item("journal_archived_records", statistics.journal_archived_records)?;
    out.set_item("journal_archive_errors", statistics.journal_archive_errors)?;
    out.set_item("journal_pruned_records", statistics.journal_pruned_records)?;
    out.set_item("journal_pruned_bytes", statistics.journal_pruned_bytes)?;
    out.set_item("journal_emergencies", statistics.journal_emergencies)?;
    out.set_item("journal_retention_errors", statistics.journal_retention_errors)?;
    out.set_item("journal_retention_spared", statistics.journal_retention_spared)?;
    out.set_item("last_error", statistics.last_error)?;
    Ok(Some(out))
}
