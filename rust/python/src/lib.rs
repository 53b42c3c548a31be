//! The module `treering._core`: registration only.

use pyo3::prelude::*;

mod archive;
mod archiving;
mod buffer;
mod call;
mod callsite;
mod configure;
mod console;
mod context;
mod encode;
mod encryption;
mod errors;
mod event;
mod exception;
mod format;
mod frame;
mod journal;
mod logger;
mod methods;
mod mine;
mod otlp;
mod pipeline;
mod recognise;
mod record;
mod retention;
mod seal;
mod tap;
mod textfile;
mod trace;
mod transparency;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    #[allow(unsafe_code)]
    // SAFETY: imports run with the GIL held.
    let fast_frames = unsafe { frame::choose() };
    module.add("fast_frames", fast_frames)?;
    module.add_class::<archive::ActiveBatches>()?;
    module.add_class::<archive::LineBatches>()?;
    module.add_class::<buffer::RecordBuffer>()?;
    module.add_class::<console::Filter>()?;
    module.add_class::<context::Ambient>()?;
    module.add_class::<encryption::Identities>()?;
    module.add_class::<encryption::MemoryFile>()?;
    module.add_class::<format::Formatter>()?;
    module.add_class::<journal::Drain>()?;
    module.add_class::<journal::Reader>()?;
    module.add_class::<logger::Logger>()?;
    module.add_class::<mine::Miner>()?;
    module.add_class::<recognise::Recogniser>()?;
    module.add_class::<tap::Lock>()?;
    module.add_class::<tap::Tap>()?;
    module.add_class::<textfile::TextFile>()?;
    encryption::register(module)?;
    retention::register(module)?;
    methods::register(module)?;
    for function in [
        wrap_pyfunction!(archive::archive_lines, module)?,
        wrap_pyfunction!(archive::archive_lines_at, module)?,
        wrap_pyfunction!(archive::archive_list, module)?,
        wrap_pyfunction!(archiving::archive_now, module)?,
        wrap_pyfunction!(archive::archive_write, module)?,
        wrap_pyfunction!(archive::lines_to_arrow, module)?,
        wrap_pyfunction!(configure::close, module)?,
        wrap_pyfunction!(configure::close_at_exit, module)?,
        wrap_pyfunction!(configure::configure, module)?,
        wrap_pyfunction!(configure::configure_levels, module)?,
        wrap_pyfunction!(configure::flush, module)?,
        wrap_pyfunction!(configure::frames_agree, module)?,
        wrap_pyfunction!(configure::get_level, module)?,
        wrap_pyfunction!(configure::is_started, module)?,
        wrap_pyfunction!(configure::levels, module)?,
        wrap_pyfunction!(configure::log_record, module)?,
        wrap_pyfunction!(configure::parse_level, module)?,
        wrap_pyfunction!(configure::redact, module)?,
        wrap_pyfunction!(configure::redact_arguments, module)?,
        wrap_pyfunction!(configure::set_level, module)?,
        wrap_pyfunction!(event::log_event, module)?,
        wrap_pyfunction!(configure::statistics, module)?,
        wrap_pyfunction!(console::parse_time, module)?,
        wrap_pyfunction!(console::render, module)?,
        wrap_pyfunction!(context::set_context_variable, module)?,
        wrap_pyfunction!(format::formats, module)?,
        wrap_pyfunction!(format::journald_fields, module)?,
        wrap_pyfunction!(format::neutralise, module)?,
        wrap_pyfunction!(journal::journal_levels, module)?,
        wrap_pyfunction!(journal::journal_status, module)?,
        wrap_pyfunction!(journal::recover, module)?,
        wrap_pyfunction!(journal::set_journal_level, module)?,
        wrap_pyfunction!(otlp::otlp_logs, module)?,
        wrap_pyfunction!(transparency::checkpoint_parse, module)?,
        wrap_pyfunction!(transparency::consistency_proof, module)?,
        wrap_pyfunction!(transparency::consistency_verify, module)?,
        wrap_pyfunction!(transparency::cosign, module)?,
        wrap_pyfunction!(transparency::cosignature_verify, module)?,
        wrap_pyfunction!(transparency::cosignature_vkey, module)?,
        wrap_pyfunction!(transparency::ed25519_generate, module)?,
        wrap_pyfunction!(transparency::inclusion_proof, module)?,
        wrap_pyfunction!(transparency::inclusion_verify, module)?,
        wrap_pyfunction!(transparency::leaf_hash, module)?,
        wrap_pyfunction!(transparency::note_sign, module)?,
        wrap_pyfunction!(transparency::note_verify, module)?,
        wrap_pyfunction!(transparency::note_vkey, module)?,
        wrap_pyfunction!(seal::personal_open, module)?,
        wrap_pyfunction!(seal::personal_seal, module)?,
        wrap_pyfunction!(transparency::seal_commitment, module)?,
        wrap_pyfunction!(seal::seal_consistency, module)?,
        wrap_pyfunction!(seal::seal_declare, module)?,
        wrap_pyfunction!(seal::seal_erase, module)?,
        wrap_pyfunction!(seal::seal_export_tiles, module)?,
        wrap_pyfunction!(seal::seal_prove, module)?,
        wrap_pyfunction!(seal::seal_prove_lines, module)?,
        wrap_pyfunction!(seal::seal_prune, module)?,
        wrap_pyfunction!(seal::seal_request, module)?,
        wrap_pyfunction!(seal::seal_rotate_key, module)?,
        wrap_pyfunction!(trace::set_trace_source, module)?,
        wrap_pyfunction!(transparency::seal_salts, module)?,
        wrap_pyfunction!(seal::seal_seen, module)?,
        wrap_pyfunction!(seal::seal_verify, module)?,
        wrap_pyfunction!(seal::seal_verify_proof, module)?,
        wrap_pyfunction!(seal::seal_verify_tiles, module)?,
        wrap_pyfunction!(tap::pick, module)?,
        wrap_pyfunction!(transparency::tree_root, module)?,
        wrap_pyfunction!(transparency::vkey_name, module)?,
    ] {
        module.add_function(function)?;
    }
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
