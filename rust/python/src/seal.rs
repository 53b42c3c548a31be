//! The seal as Python sees it: verify and prove, the public formats, and what a person does to a journal.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use treering_core::archive::Identities;
use treering_core::domain::Domain;
use treering_core::drain::{as_leader, Keep, Pruned};
use treering_core::journal::{Journal, EXPORTED, LEVEL_CHANGED};
use treering_core::seal::{
    self, Checkpoint, Note, Prover, Report, TlogProof, Trust, Verdict, VerifyOptions, Vkey,
};

use crate::errors::raise;
use crate::transparency::{hash_of, malformed};

/// How long a person waits for the lead of a journal.
const LEAD_TIMEOUT: Duration = Duration::from_secs(15);

fn trust_of(trust: Option<&str>) -> PyResult<Trust> {
    trust.map_or(Ok(Trust::default()), |text| Trust::parse(text).map_err(malformed))
}

fn report_dict<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyDict>> {
    let verdict = match report.verdict() {
        Verdict::Sealed => "sealed",
        Verdict::Failed => "failed",
        Verdict::NotProven => "not proven",
    };
    let out = PyDict::new(py);
    out.set_item("verdict", verdict)?;
    out.set_item("reason", report.failure.as_ref().map(|failure| &failure.reason))?;
    out.set_item("index", report.failure.as_ref().and_then(|failure| failure.index))?;
    out.set_item("origin", &report.origin)?;
    out.set_item("sealed", report.sealed)?;
    out.set_item("root", seal::hex(&report.root))?;
    out.set_item("tail", report.tail)?;
    out.set_item("torn_bytes", report.torn_bytes)?;
    out.set_item("torn_checkpoint_bytes", report.torn_checkpoint_bytes)?;
    out.set_item("lags", report.lags)?;
    out.set_item("checkpoints", report.checkpoints)?;
    out.set_item("epoch", report.epoch)?;
    out.set_item("erased", report.erased)?;
    out.set_item("erasing", report.erasing)?;
    out.set_item("pruned_below", report.pruned_below)?;
    out.set_item("kept", report.kept)?;
    out.set_item("pruning", report.pruning)?;
    out.set_item("unread", report.unread)?;
    out.set_item("closed", report.closed)?;
    out.set_item("last_time", &report.last_time)?;
    out.set_item("pin", &report.pin)?;
    out.set_item("previous", &report.previous)?;
    out.set_item("pinned", report.pinned)?;
    out.set_item("anchored", report.anchored)?;
    out.set_item("unanchored", report.unanchored)?;
    out.set_item("checkpoint", &report.checkpoint)?;
    out.set_item("bytes", report.bytes)?;
    Ok(out)
}

/// Verifies a journal's directory. `seen` are checkpoints that somebody saw before.
#[pyfunction]
#[pyo3(signature = (
    directory, trust = None, seen = vec![], until = None, threads = 0, progress = None,
    identities = vec![]
))]
#[allow(clippy::too_many_arguments)] // as its Python caller has them
pub fn seal_verify<'py>(
    py: Python<'py>,
    directory: PathBuf,
    trust: Option<&str>,
    seen: Vec<String>,
    until: Option<u64>,
    threads: usize,
    progress: Option<Py<PyAny>>,
    identities: Vec<PathBuf>,
) -> PyResult<Bound<'py, PyDict>> {
    let identities = Identities::from_files(&identities).map_err(raise)?;
    let trust = trust_of(trust)?;
    let mut points = Vec::new();
    for note in &seen {
        let note = Note::parse(note.as_bytes()).map_err(malformed)?;
        if !trust.pin.is_empty() && note.verify(&trust.pin).map_err(malformed)?.is_empty() {
            return Err(PyValueError::new_err("the checkpoint seen before has another key"));
        }
        points.push(Checkpoint::parse(&note.text).map_err(malformed)?);
    }
    let report = py.detach(|| {
        let mut tell = |bytes: u64, total: u64| {
            if let Some(progress) = &progress {
                Python::attach(|py| {
                    // What goes wrong while showing progress does not concern the verdict.
                    let _ = progress.call1(py, (bytes, total));
                });
            }
        };
        let options = VerifyOptions {
            trust,
            seen: points,
            until,
            threads,
            identities,
            progress: progress.is_some().then_some(&mut tell as &mut dyn FnMut(u64, u64)),
        };
        seal::verify(&directory, options)
    });
    report_dict(py, &report)
}

/// Asks a living leader for a checkpoint over what is there now; gives the index it must cover.
///
/// `None` when nobody leads: then the files are all there is.
#[pyfunction]
pub fn seal_request(py: Python<'_>, directory: PathBuf, timeout_s: f64) -> PyResult<Option<u64>> {
    py.detach(|| -> treering_core::error::Result<Option<u64>> {
        if !directory.join("journal.json").exists() {
            return Ok(None);
        }
        let (journal, settings) = Journal::open(&directory)?;
        if !journal.lock_path().exists() {
            return Ok(None);
        }
        let led = !matches!(journal.try_lead(), Ok(Some(_)));
        let Some(domain) = Domain::look(&journal.domain_place(&settings)?).filter(|_| led) else {
            return Ok(None);
        };
        // By the files alone: what shared memory says is not believed.
        let end = treering_core::journal::end_of_files(&journal)?;
        let control = domain.control();
        let deadline = Instant::now() + Duration::from_secs_f64(timeout_s.clamp(0.0, 3600.0));
        // Without an answer in time the newest checkpoint is what there is.
        let _ = control.wait_synced(control.want_sync(), deadline);
        Ok(Some(end))
    })
    .map_err(raise)
}

/// Pin and checkpoint that this host has seen of the journal with this identity key.
#[pyfunction]
pub fn seal_seen(identity: &str) -> PyResult<Option<(String, String)>> {
    let identity = Vkey::parse(identity).map_err(malformed)?;
    Ok(seal::load_seen(&identity).map(|seen| {
        let pin: Vec<String> = seen.pin.iter().map(ToString::to_string).collect();
        (pin.join(" "), seen.note.to_string())
    }))
}

/// The proof of a record, and its canonical line.
#[pyfunction]
#[pyo3(signature = (directory, index, identities = vec![]))]
pub fn seal_prove(
    py: Python<'_>,
    directory: PathBuf,
    index: u64,
    identities: Vec<PathBuf>,
) -> PyResult<(String, Bound<'_, PyBytes>)> {
    let (proof, line) = py
        .detach(|| -> treering_core::error::Result<_> {
            let mut prover = Prover::open(&directory)?;
            prover.identify(Identities::from_files(&identities)?);
            let proof = prover.prove(index)?;
            Ok((proof.to_string(), prover.record(index)?.1))
        })
        .map_err(raise)?;
    Ok((proof, PyBytes::new(py, &line)))
}

/// The proofs of records whose lines the caller has read, in their order.
#[pyfunction]
pub fn seal_prove_lines(
    py: Python<'_>,
    directory: PathBuf,
    records: Vec<(u64, Vec<u8>)>,
) -> PyResult<Vec<String>> {
    py.detach(|| {
        let mut prover = Prover::open(&directory)?;
        records
            .iter()
            .map(|(index, line)| Ok(prover.prove_line(*index, line)?.to_string()))
            .collect::<treering_core::error::Result<Vec<_>>>()
    })
    .map_err(raise)
}

/// The proof that `old` records are a prefix of `size`, for a witness.
#[pyfunction]
pub fn seal_consistency(
    py: Python<'_>,
    directory: PathBuf,
    old: u64,
    size: u64,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let hashes = py.detach(|| Prover::open(&directory)?.consistency(old, size)).map_err(raise)?;
    Ok(hashes.iter().map(|hash| PyBytes::new(py, hash)).collect())
}

/// Verifies a proof file against a record's line; gives index, origin, size and time of the anchor.
#[pyfunction]
#[pyo3(signature = (proof, line, trust = None))]
pub fn seal_verify_proof(
    proof: &str,
    line: &[u8],
    trust: Option<&str>,
) -> PyResult<(u64, String, u64, Option<u64>)> {
    let proof = TlogProof::parse(proof).map_err(malformed)?;
    let proven = proof.verify(line, &trust_of(trust)?).map_err(malformed)?;
    Ok((proven.index, proven.checkpoint.origin, proven.checkpoint.size, proven.anchored))
}

/// Writes the static tree of tiles; gives its size.
#[pyfunction]
pub fn seal_export_tiles(py: Python<'_>, directory: PathBuf, target: PathBuf) -> PyResult<u64> {
    py.detach(|| seal::export_tiles(&directory, &target)).map_err(raise)
}

/// Verifies an exported or mirrored tree; gives origin, size and time of the anchor.
#[pyfunction]
#[pyo3(signature = (directory, trust = None))]
pub fn seal_verify_tiles(
    py: Python<'_>,
    directory: PathBuf,
    trust: Option<&str>,
) -> PyResult<(String, u64, Option<u64>)> {
    let trust = trust_of(trust)?;
    let (checkpoint, anchored) =
        py.detach(|| seal::verify_tiles(&directory, &trust)).map_err(malformed)?;
    Ok((checkpoint.origin, checkpoint.size, anchored))
}

/// Erases records; `request` names who asked for it.
#[pyfunction]
#[pyo3(signature = (directory, indices, reason, request = None))]
pub fn seal_erase(
    py: Python<'_>,
    directory: PathBuf,
    indices: Vec<u64>,
    reason: &str,
    request: Option<&str>,
) -> PyResult<()> {
    py.detach(|| {
        as_leader(&directory, LEAD_TIMEOUT, |leader| {
            leader.erase(&indices, reason, request, &Identities::none())
        })
    })
    .map_err(raise)
}

/// Prunes files of records that lie wholly below `before`, but for what is to be kept. Gives how many
/// segments are gone, how many hold only what was kept, how many records of those are gone and kept, and
/// the index from which on everything is there.
#[pyfunction]
#[pyo3(signature = (directory, before, keep_level = None, keep_categories = vec![]))]
pub fn seal_prune(
    py: Python<'_>,
    directory: PathBuf,
    before: u64,
    keep_level: Option<u16>,
    keep_categories: Vec<String>,
) -> PyResult<(u64, u64, u64, u64, u64)> {
    let keep = Keep { level: keep_level, categories: keep_categories };
    let pruned = py
        .detach(|| {
            as_leader(&directory, LEAD_TIMEOUT, |leader| {
                leader.prune(before, Some(keep), &Identities::none())
            })
        })
        .map_err(raise)?;
    let Pruned { segments, thinned, records, kept, min_index } = pruned;
    Ok((segments, thinned, records, kept, min_index))
}

/// Ends the running epoch: its key is destroyed, the next one signs.
#[pyfunction]
pub fn seal_rotate_key(py: Python<'_>, directory: PathBuf) -> PyResult<u64> {
    py.detach(|| {
        as_leader(&directory, LEAD_TIMEOUT, |leader| {
            leader.end_epoch_now()?;
            Ok(leader.seal().map_or(0, |seal| seal.keys().2))
        })
    })
    .map_err(raise)
}

/// Appends a sealed AUDIT record about the journal. `fields` is a JSON object.
#[pyfunction]
pub fn seal_declare(
    py: Python<'_>,
    directory: PathBuf,
    message: &str,
    fields: &str,
) -> PyResult<()> {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(fields)
        .map_err(|error| PyValueError::new_err(format!("fields: {error}")))?;
    let message = match message {
        seal::ANCHORED => seal::ANCHORED,
        seal::FORGOTTEN => seal::FORGOTTEN,
        EXPORTED => EXPORTED,
        seal::ARCHIVED => seal::ARCHIVED,
        LEVEL_CHANGED => LEVEL_CHANGED,
        _ => return Err(PyValueError::new_err("the journal says this itself")),
    };
    py.detach(|| {
        as_leader(&directory, LEAD_TIMEOUT, |leader| {
            let fields: Vec<(&str, serde_json::Value)> =
                fields.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
            leader.declare(message, &fields)
        })
    })
    .map_err(raise)
}

/// Encrypts for a subject: XChaCha20-Poly1305 with a random nonce, which comes first.
#[pyfunction]
pub fn personal_seal<'py>(
    py: Python<'py>,
    key: &[u8],
    subject: &str,
    value: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let sealed = seal::personal::seal(&hash_of(key)?, subject, value)?;
    Ok(PyBytes::new(py, &sealed))
}

/// Decrypts what `personal_seal` made; `None` when it was not made with this key and subject.
#[pyfunction]
pub fn personal_open<'py>(
    py: Python<'py>,
    key: &[u8],
    subject: &str,
    sealed: &[u8],
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let value = seal::personal::open(&hash_of(key)?, subject, sealed);
    Ok(value.map(|value| PyBytes::new(py, &value)))
}
