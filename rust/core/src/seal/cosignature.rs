//! Cosignatures (C2SP tlog-cosignature): a witness says when it saw a checkpoint as the largest.

use ed25519_dalek::{Signer, SigningKey};

use super::note::{verifies, KeyKind, Note, SignatureLine, Vkey};

fn message(time_s: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes()
}

/// The line that cosigns `note` at `time_s`, seconds since 1970.
#[must_use]
pub fn cosign(note: &Note, name: &str, key: &SigningKey, time_s: u64) -> SignatureLine {
    let vkey = Vkey::new(name, KeyKind::Cosignature, key.verifying_key());
    let mut payload = time_s.to_be_bytes().to_vec();
    payload.extend_from_slice(&key.sign(&message(time_s, &note.text)).to_bytes());
    SignatureLine::new(&vkey, payload)
}

/// When `vkey` cosigned, seconds since 1970; `None` when it did not.
#[must_use]
pub fn time(note: &Note, line: &SignatureLine, vkey: &Vkey) -> Option<u64> {
    let (time, signature) = line.payload.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    let good = vkey.kind == KeyKind::Cosignature
        && line.is_by(vkey)
        && verifies(&vkey.key, &message(time, &note.text), signature);
    good.then_some(time)
}
