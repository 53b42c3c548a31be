//! The public formats of transparency logs as Python sees them: notes, checkpoints, trees, witnesses.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use treering_core::seal::{
    self, Checkpoint, Hash, KeyKind, Malformed, Note, SignatureLine, SigningKey, Vkey,
};

pub fn malformed(error: Malformed) -> PyErr {
    PyValueError::new_err(error.what)
}

pub fn hash_of(bytes: &[u8]) -> PyResult<Hash> {
    bytes.try_into().map_err(|_| {
        PyValueError::new_err(format!("{} bytes are no hash; 32 would be right", bytes.len()))
    })
}

fn hashes_of(list: Vec<Vec<u8>>) -> PyResult<Vec<Hash>> {
    list.iter().map(|bytes| hash_of(bytes)).collect()
}

fn vkeys_of(texts: &[String]) -> PyResult<Vec<Vkey>> {
    texts.iter().map(|text| Vkey::parse(text)).collect::<Result<_, _>>().map_err(malformed)
}

fn key_of(seed: &[u8]) -> PyResult<SigningKey> {
    Ok(SigningKey::from_bytes(&hash_of(seed)?))
}

fn name_of(name: &str) -> PyResult<()> {
    if seal::is_name(name) {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "key name '{}' is empty or has spaces or plus signs; a URL without scheme would be right",
        seal::shown(name)
    )))
}

/// Names of the known keys that signed a note.
#[pyfunction]
pub fn note_verify(note: &[u8], vkeys: Vec<String>) -> PyResult<Vec<String>> {
    let known = vkeys_of(&vkeys)?;
    let signers = Note::parse(note).and_then(|note| note.verify(&known)).map_err(malformed)?;
    if signers.is_empty() {
        return Err(PyValueError::new_err("note is not signed by a known key"));
    }
    Ok(signers.into_iter().map(|at| known[at].name.clone()).collect())
}

/// A signature line by an Ed25519 note key.
#[pyfunction]
pub fn note_sign(text: &[u8], name: &str, seed: &[u8]) -> PyResult<String> {
    name_of(name)?;
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.ends_with('\n'))
        .ok_or_else(|| PyValueError::new_err("a note's text is UTF-8 and ends in a line feed"))?;
    let mut note = Note { text: text.to_owned(), signatures: Vec::new() };
    note.sign(name, &key_of(seed)?);
    Ok(note.signatures.iter().map(ToString::to_string).collect())
}

/// The name in a vkey.
#[pyfunction]
pub fn vkey_name(vkey: &str) -> PyResult<String> {
    Ok(Vkey::parse(vkey).map_err(malformed)?.name)
}

/// The public key of a note key.
#[pyfunction]
pub fn note_vkey(name: &str, seed: &[u8]) -> PyResult<String> {
    name_of(name)?;
    Ok(seal::note_key(name, &key_of(seed)?).to_string())
}

/// Origin, size and root of a checkpoint; its signatures are not looked at.
#[pyfunction]
pub fn checkpoint_parse<'py>(
    py: Python<'py>,
    note: &[u8],
) -> PyResult<(String, u64, Bound<'py, PyBytes>)> {
    let note = Note::parse(note).map_err(malformed)?;
    let checkpoint = Checkpoint::parse(&note.text).map_err(malformed)?;
    Ok((checkpoint.origin, checkpoint.size, PyBytes::new(py, &checkpoint.root)))
}

#[pyfunction]
pub fn consistency_verify(
    old_size: u64,
    old_root: &[u8],
    new_size: u64,
    new_root: &[u8],
    proof: Vec<Vec<u8>>,
) -> PyResult<bool> {
    let (old_root, new_root) = (hash_of(old_root)?, hash_of(new_root)?);
    let proof = hashes_of(proof)?;
    Ok(seal::verify_consistency(old_size, &old_root, new_size, &new_root, &proof))
}

#[pyfunction]
pub fn inclusion_verify(
    index: u64,
    size: u64,
    leaf: &[u8],
    proof: Vec<Vec<u8>>,
    root: &[u8],
) -> PyResult<bool> {
    let (leaf, root) = (hash_of(leaf)?, hash_of(root)?);
    Ok(seal::verify_inclusion(index, size, &leaf, &hashes_of(proof)?, &root))
}

#[pyfunction]
pub fn tree_root(py: Python<'_>, leaves: Vec<Vec<u8>>) -> PyResult<Bound<'_, PyBytes>> {
    Ok(PyBytes::new(py, &seal::root(&hashes_of(leaves)?)))
}

#[pyfunction]
pub fn consistency_proof(
    py: Python<'_>,
    leaves: Vec<Vec<u8>>,
    old_size: u64,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let leaves = hashes_of(leaves)?;
    if old_size > leaves.len() as u64 {
        return Err(PyValueError::new_err("the old size is larger than the tree"));
    }
    let Ok(proof) = seal::consistency(&mut &leaves[..], old_size, leaves.len() as u64);
    Ok(proof.iter().map(|hash| PyBytes::new(py, hash)).collect())
}

#[pyfunction]
pub fn inclusion_proof(
    py: Python<'_>,
    leaves: Vec<Vec<u8>>,
    index: u64,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let leaves = hashes_of(leaves)?;
    if index >= leaves.len() as u64 {
        return Err(PyValueError::new_err("the tree has no such leaf"));
    }
    let Ok(proof) = seal::inclusion(&mut &leaves[..], index, leaves.len() as u64);
    Ok(proof.iter().map(|hash| PyBytes::new(py, hash)).collect())
}

/// The commitment to a line under a salt.
#[pyfunction]
pub fn seal_commitment<'py>(py: Python<'py>, salt: [u8; 16], line: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &seal::commitment(&salt, line))
}

/// The leaf hash of an entry.
#[pyfunction]
pub fn leaf_hash<'py>(py: Python<'py>, entry: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &seal::leaf(entry))
}

/// The first `count` salts of a segment with this seed.
#[pyfunction]
pub fn seal_salts<'py>(
    py: Python<'py>,
    seed: &[u8],
    count: usize,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let mut salts = seal::Salts::new(&hash_of(seed)?, 0);
    Ok((0..count).map(|_| PyBytes::new(py, &salts.next_salt())).collect())
}

#[pyfunction]
pub fn ed25519_generate(py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
    Ok(PyBytes::new(py, &*seal::generate_key()?))
}

#[pyfunction]
pub fn cosignature_vkey(name: &str, seed: &[u8]) -> PyResult<String> {
    name_of(name)?;
    Ok(Vkey::new(name, KeyKind::Cosignature, key_of(seed)?.verifying_key()).to_string())
}

/// A whole cosignature line.
#[pyfunction]
pub fn cosign(note: &[u8], name: &str, seed: &[u8], time_s: u64) -> PyResult<String> {
    name_of(name)?;
    let note = Note::parse(note).map_err(malformed)?;
    Ok(seal::cosign(&note, name, &key_of(seed)?, time_s).to_string())
}

/// When `vkey` cosigned, seconds since 1970.
#[pyfunction]
pub fn cosignature_verify(note: &[u8], line: &str, vkey: &str) -> PyResult<u64> {
    let note = Note::parse(note).map_err(malformed)?;
    let vkey = Vkey::parse(vkey).map_err(malformed)?;
    let line = SignatureLine::parse(line.strip_suffix('\n').unwrap_or(line)).map_err(malformed)?;
    seal::cosignature_time(&note, &line, &vkey)
        .ok_or_else(|| PyValueError::new_err("the cosignature is wrong, or another witness's"))
}
