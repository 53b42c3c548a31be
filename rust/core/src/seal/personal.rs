//! Values that can be forgotten: encrypted under a key of their subject's.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};

const NONCE_BYTES: usize = 24;

/// Encrypts a value; the random nonce comes first, the subject is authenticated with it.
///
/// # Errors
/// When the kernel gives no random bytes.
pub fn seal(key: &[u8; 32], subject: &str, value: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(std::io::Error::from)?;
    let payload = Payload { msg: value, aad: subject.as_bytes() };
    let encrypted = XChaCha20Poly1305::new(&Key::from(*key))
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidInput))?;
    Ok([&nonce[..], &encrypted].concat())
}

/// Decrypts; `None` when it was not made with this key for this subject.
#[must_use]
pub fn open(key: &[u8; 32], subject: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, encrypted) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload { msg: encrypted, aad: subject.as_bytes() };
    XChaCha20Poly1305::new(&Key::from(*key)).decrypt(&XNonce::from(*nonce), payload).ok()
}
