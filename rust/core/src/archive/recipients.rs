//! Who can read an encrypted file of the archive.

/// True for an age recipient: a public key as `age-keygen` shows it.
#[must_use]
pub fn is_recipient(text: &str) -> bool {
    text.parse::<age::x25519::Recipient>().is_ok()
}
