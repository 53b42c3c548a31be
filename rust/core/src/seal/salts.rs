//! Salts: one for every record, none of them stored.

use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use chacha20::ChaCha20;
use zeroize::Zeroizing;

use super::hash::{Salt, SALT_BYTES};

/// Salts are made a block of the cipher's at a time.
const AHEAD: usize = 64;

/// The salts of one segment: the `ChaCha20` key stream under its seed, 16 bytes for each record.
pub struct Salts {
    cipher: ChaCha20,
    ready: Zeroizing<[u8; SALT_BYTES * AHEAD]>,
    used: usize,
}

impl std::fmt::Debug for Salts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Salts")
    }
}

impl Salts {
    /// The salts from the segment's record number `from` on.
    #[must_use]
    pub fn new(seed: &[u8; 32], from: u64) -> Self {
        let mut cipher = ChaCha20::new(seed.into(), &[0; 12].into());
        cipher.seek(from * SALT_BYTES as u64);
        Self { cipher, ready: Zeroizing::new([0; SALT_BYTES * AHEAD]), used: AHEAD }
    }

    #[inline]
    pub fn next_salt(&mut self) -> Salt {
        if self.used == AHEAD {
            self.ready.fill(0);
            self.cipher.apply_keystream(&mut *self.ready);
            self.used = 0;
        }
        let at = self.used * SALT_BYTES;
        self.used += 1;
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&self.ready[at..at + SALT_BYTES]);
        salt
    }
}
