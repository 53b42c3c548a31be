//! Pseudonyms: HMAC-SHA-256 (RFC 2104) of a secret under a key that only the journal's owner has.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{At, Error, Result};

const KEY_BYTES: usize = 32;
const LEAST_KEY_BYTES: usize = 16;
const BLOCK_BYTES: usize = 64;
/// Bytes of the code that are shown: two secrets among four billion share a pseudonym.
const SHOWN_BYTES: usize = 8;

const BEGIN: &str = "[HMAC:";
/// Bytes of a pseudonym.
pub const BYTES: usize = BEGIN.len() + 2 * SHOWN_BYTES + 1;

/// Gives pseudonyms under one key.
pub struct Pseudonyms {
    block: Zeroizing<[u8; BLOCK_BYTES]>,
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK_BYTES]);
        if key.len() > BLOCK_BYTES {
            block[..KEY_BYTES].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        Self { block }
    }

    /// A key that nobody has, for a process without a journal.
    #[must_use]
    pub fn of_this_process() -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        // Without randomness the pseudonyms could be tried out; then nobody's key is as good as none.
        if getrandom::fill(&mut *key).is_err() {
            key[..8].copy_from_slice(&crate::clock::now_ns().to_le_bytes());
        }
        Self::new(&*key)
    }

    /// The key in a file, which is made when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no key.
    pub fn open(path: &Path) -> Result<Self> {
        let read = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(path).at("making the key for pseudonyms", path)?;
                fs::read(path)
            }
            other => other,
        };
        let key = Zeroizing::new(read.at("reading the key for pseudonyms", path)?);
        if key.len() < LEAST_KEY_BYTES {
            return Err(Error::Setting {
                name: "redaction_key_file",
                found: path.display().to_string(),
                wanted: "a file with a key of 16 bytes or more, or none yet, would be right",
            });
        }
        Ok(Self::new(&key))
    }

    fn code(&self, secret: &[u8]) -> [u8; KEY_BYTES] {
        let pad = |with: u8| {
            let mut block = Zeroizing::new(*self.block);
            block.iter_mut().for_each(|byte| *byte ^= with);
            Sha256::new().chain_update(*block)
        };
        let inner = pad(0x36).chain_update(secret).finalize();
        pad(0x5c).chain_update(inner).finalize().into()
    }

    /// `[HMAC:` and 16 hex digits and `]`.
    #[must_use]
    pub fn of(&self, secret: &[u8]) -> String {
        let mut text = String::from(BEGIN);
        for byte in &self.code(secret)[..SHOWN_BYTES] {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push(']');
        text
    }
}

/// Does this text look like a pseudonym already?
#[must_use]
pub fn is_one(text: &[u8]) -> bool {
    let digits = text.strip_prefix(BEGIN.as_bytes()).and_then(|rest| rest.strip_suffix(b"]"));
    digits.is_some_and(|digits| {
        digits.len() == 2 * SHOWN_BYTES && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

/// Makes the file complete under another name, then links it: of two processes one wins.
fn make(path: &Path) -> std::io::Result<()> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *key).map_err(std::io::Error::other)?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(
        |mut file| {
            crate::owner::give(&file, path.parent().unwrap_or(path));
            file.write_all(&*key)?;
            file.sync_all()?;
            fs::hard_link(&draft, path)
        },
    );
    let _ = fs::remove_file(&draft);
    match made {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_one, Pseudonyms};

    /// RFC 4231, test cases 1, 2 and 6.
    #[test]
    fn codes_are_those_of_the_standard() {
        let long = [0xaa; 131];
        let cases: [(&[u8], &[u8], &str); 3] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db3853"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e"),
            (&long, b"Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f"),
        ];
        for (key, data, code) in cases {
            assert_eq!(Pseudonyms::new(key).of(data), format!("[HMAC:{code}]"));
            assert!(is_one(Pseudonyms::new(key).of(data).as_bytes()));
        }
    }

    #[test]
    fn the_key_is_made_once_and_only_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("redaction.key");
        let first = Pseudonyms::open(&path).expect("a key").of(b"secret");
        assert_eq!(Pseudonyms::open(&path).expect("the key").of(b"secret"), first);
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, b"short").expect("written");
        assert!(Pseudonyms::open(&path).is_err());
    }
}
