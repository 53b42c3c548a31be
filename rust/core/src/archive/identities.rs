//! Who can read encrypted files: recipients, by which they are encrypted, and identities, which open
//! them. Both are native X25519 keys of [age](https://c2sp.org/age), as `age-keygen` makes them.

use std::path::{Path, PathBuf};

use age::x25519;
use zeroize::Zeroizing;

use crate::error::{At, Error, Result};

/// Longest identity file that is read, in bytes.
const MAX_IDENTITY_FILE: u64 = 1 << 20;

const SECRET: &str = "AGE-SECRET-KEY-";

/// Public keys, `age1…`.
#[derive(Debug, Clone, Default)]
pub struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// Recipients as a setting names them; naming one twice is naming it once.
    ///
    /// # Errors
    /// When one of them is none; a secret key that stands there by mistake is not repeated.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self> {
        let mut found: Vec<x25519::Recipient> = Vec::new();
        for text in texts {
            let recipient = parse_recipient(text.as_ref().trim())?;
            if !found.contains(&recipient) {
                found.push(recipient);
            }
        }
        Ok(Self(found))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As they were given.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.0.iter().map(|key| key as &dyn age::Recipient)
    }
}

fn parse_recipient(text: &str) -> Result<x25519::Recipient> {
    let refused = |found: &str, wanted| Error::Setting {
        name: "archive_recipients",
        found: found.to_owned(),
        wanted,
    };
    if text.to_ascii_uppercase().starts_with(SECRET) {
        let wanted = "that is a secret key, whose public half `age-keygen -y FILE` prints";
        return Err(refused("AGE-SECRET-KEY-…", wanted));
    }
    let wanted = "a public key of age would be right, `age1` and 58 more characters";
    let recipient = text.parse::<x25519::Recipient>().map_err(|_| refused(text, wanted))?;
    if is_of_low_order(&recipient) {
        return Err(refused(text, "that key would protect nothing: its point is of low order"));
    }
    Ok(recipient)
}

/// Whether every exchange with the key gives zeros (RFC 7748 section 6.1), at which `age` panics.
fn is_of_low_order(recipient: &x25519::Recipient) -> bool {
    const CHARACTERS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let text = recipient.to_string();
    let digits = text.bytes().skip("age1".len()).take(52);
    let (mut bytes, mut pending, mut bits) = (Vec::with_capacity(32), 0u32, 0);
    for digit in digits {
        let value = CHARACTERS.bytes().position(|known| known == digit).unwrap_or(0);
        pending = (pending << 5 | value as u32) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits) as u8);
        }
    }
    if let Some(last) = bytes.last_mut() {
        *last &= 0x7f;
    }
    LOW_ORDER.iter().any(|point| bytes == point)
}

/// The points of low order as X25519 reads them (<https://cr.yp.to/ecdh.html#validate>).
const LOW_ORDER: [[u8; 32]; 7] = [
    little_endian(0, 0, 0),
    little_endian(1, 0, 0),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    little_endian(0xec, 0xff, 0x7f),
    little_endian(0xed, 0xff, 0x7f),
    little_endian(0xee, 0xff, 0x7f),
];

const fn little_endian(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Secret keys, `AGE-SECRET-KEY-1…`; overwritten in memory when they are let go.
#[derive(Clone, Default)]
pub struct Identities {
    keys: Vec<x25519::Identity>,
    /// For messages: where they came from.
    files: Vec<PathBuf>,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Identities of {:?}", self.names())
    }
}

impl Identities {
    /// Nobody: only files that are not encrypted can be read.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The keys of all the files, each one a line among comments (`#`) and empty lines.
    ///
    /// # Errors
    /// When a file cannot be read, holds no key, or anything else.
    pub fn from_files<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        let mut all = Self::none();
        for path in paths {
            all.add_file(path.as_ref())?;
        }
        Ok(all)
    }

    fn add_file(&mut self, path: &Path) -> Result<()> {
        let length = path.metadata().at("reading the identity file", path)?.len();
        if length > MAX_IDENTITY_FILE {
            return Err(refused(path, "is too large for an identity file of age".to_owned()));
        }
        let bytes = Zeroizing::new(std::fs::read(path).at("reading the identity file", path)?);
        let keys = Self::parse(&bytes).map_err(|what| refused(path, what))?;
        self.keys.extend(keys.keys);
        self.files.push(path.to_owned());
        Ok(())
    }

    /// The keys in the text of an identity file.
    ///
    /// # Errors
    /// What is wrong with it, by line; never a part of a line, which may be half a key.
    pub fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        if text.starts_with(b"age-encryption.org/") || text.starts_with(b"-----BEGIN AGE") {
            return Err("is itself encrypted: `age -d` gives the identity file in it".to_owned());
        }
        let text = std::str::from_utf8(text).map_err(|_| "is no text in UTF-8".to_owned())?;
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line.parse().map_err(|_| {
                format!("line {number} is no identity of age: AGE-SECRET-KEY-1… would be right")
            })?;
            keys.push(key);
        }
        if keys.is_empty() {
            return Err("holds no identity of age: AGE-SECRET-KEY-1… would be right".to_owned());
        }
        Ok(Self { keys, files: Vec::new() })
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whose files they open: their public halves.
    pub fn names(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.to_public().to_string()).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys.iter().map(|key| key as &dyn age::Identity)
    }

    /// Where the keys came from, in words.
    pub(super) fn origin(&self) -> String {
        let files: Vec<String> =
            self.files.iter().map(|path| format!("'{}'", path.display())).collect();
        if files.is_empty() {
            "the given text".to_owned()
        } else {
            files.join(", ")
        }
    }
}

fn refused(path: &Path, what: String) -> Error {
    Error::Refused { path: path.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_file_of_age_keygen_is_read_with_its_comments() {
        let key = x25519::Identity::generate();
        let secret = age::secrecy::ExposeSecret::expose_secret(&key.to_string()).to_owned();
        let text = format!("# created: 2026-11-21\r\n# public key: x\r\n{secret}\r\n\n{secret}");

        let identities = Identities::parse(text.as_bytes()).expect("identities");

        assert_eq!(identities.names(), vec![key.to_public().to_string(); 2]);
    }

    #[test]
    fn a_mistake_in_an_identity_file_is_named_by_line_without_repeating_it() {
        let refused = Identities::parse(b"# mine\nAGE-SECRET-KEY-1HALF\n").err();

        let expected = "line 2 is no identity of age: AGE-SECRET-KEY-1… would be right";
        assert_eq!(refused.as_deref(), Some(expected));
    }

    #[test]
    fn a_secret_key_given_as_recipient_is_refused_and_not_repeated() {
        let refused = Recipients::parse(&["age-secret-key-1qqqq"]).expect_err("no recipient");

        assert!(refused.to_string().contains("secret key"), "{refused}");
        assert!(!refused.to_string().contains("1qqqq"), "{refused}");
    }

    #[test]
    fn a_recipient_that_is_none_is_named() {
        let refused = Recipients::parse(&["age1nonsense"]).expect_err("no recipient");

        assert!(refused.to_string().starts_with("setting archive_recipients is 'age1nonsense'"));
    }

    #[test]
    fn keys_that_protect_nothing_are_refused() {
        let of_zeros = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z";
        let refused = Recipients::parse(&[of_zeros]).expect_err("refused");

        assert!(refused.to_string().contains("low order"), "{refused}");
        let usual = x25519::Identity::generate().to_public();
        assert!(!is_of_low_order(&usual));
    }
}
