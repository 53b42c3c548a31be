//! Signed notes (C2SP signed-note 1.0.0): a text and who signed it.

use std::fmt::Write;

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};

use super::hash::sha256;
use super::text::{base64, from_base64, from_hex, hex, shown};
use super::Malformed;

/// Largest note that is looked at.
const MAX_NOTE_BYTES: usize = 1 << 20;
/// More signatures than any real note has; Go rejects above as well.
const MAX_SIGNATURES: usize = 100;
const DASH: &str = "\u{2014} ";

/// Kinds of keys, as their type byte names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the text.
    Ed25519,
    /// 0x04: timestamped Ed25519 cosignature (C2SP tlog-cosignature).
    Cosignature,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A public key with its name: `name+hash+base64(type || key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vkey {
    pub name: String,
    pub kind: KeyKind,
    pub id: [u8; 4],
    pub key: VerifyingKey,
}

/// True for a key name that a note can carry.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn key_id(name: &str, kind: KeyKind, key: &VerifyingKey) -> [u8; 4] {
    let mut bytes = name.as_bytes().to_vec();
    bytes.push(b'\n');
    bytes.push(kind.byte());
    bytes.extend_from_slice(key.as_bytes());
    let hash = sha256(&bytes);
    [hash[0], hash[1], hash[2], hash[3]]
}

impl Vkey {
    #[must_use]
    pub fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), kind, id: key_id(name, kind, &key), key }
    }

    /// # Errors
    /// When the text is not a vkey, or its key ID is not that of its key.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let wrong = |what: &str| {
            Malformed::new(format!(
                "vkey '{}' {what}; name+8 hex digits+base64 would be right",
                shown(text)
            ))
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("has not three parts"));
        };
        if !is_name(name) {
            return Err(wrong("has a name that no key can have"));
        }
        let id: [u8; 4] = from_hex(id).ok_or_else(|| wrong("has no 8 lower-case hex digits"))?;
        let bytes = from_base64(key).ok_or_else(|| wrong("is not canonical base64"))?;
        let kind = match bytes.first() {
            Some(0x01) => KeyKind::Ed25519,
            Some(0x04) => KeyKind::Cosignature,
            _ => return Err(wrong("is of a type that is not known (0x01 and 0x04 are)")),
        };
        let key = <[u8; 32]>::try_from(&bytes[1..])
            .ok()
            .and_then(|key| VerifyingKey::from_bytes(&key).ok())
            .ok_or_else(|| wrong("holds no Ed25519 public key"))?;
        let vkey = Self::new(name, kind, key);
        if vkey.id != id {
            return Err(wrong("has a key ID that is not its key's"));
        }
        Ok(vkey)
    }
}

impl std::fmt::Display for Vkey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(out, "{}+{}+{}", self.name, hex(&self.id), base64(&key))
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    pub name: String,
    pub id: [u8; 4],
    /// What follows the key ID.
    pub payload: Vec<u8>,
}

impl SignatureLine {
    /// The line for `payload` by the key `vkey`.
    #[must_use]
    pub fn new(vkey: &Vkey, payload: Vec<u8>) -> Self {
        Self { name: vkey.name.clone(), id: vkey.id, payload }
    }

    /// # Errors
    /// When `line`, without line feed, is not a signature line in its one right spelling.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let wrong = |what: &str| Malformed::new(format!("signature line '{}' {what}", shown(line)));
        let rest = line.strip_prefix(DASH).ok_or_else(|| wrong("begins without an em dash"))?;
        let (name, signature) = rest.split_once(' ').ok_or_else(|| wrong("has no key name"))?;
        if !is_name(name) {
            return Err(wrong("has a name that no key can have"));
        }
        let bytes = from_base64(signature).ok_or_else(|| wrong("is not canonical base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((id, payload)) if !payload.is_empty() => {
                Ok(Self { name: name.to_owned(), id: *id, payload: payload.to_vec() })
            }
            _ => Err(wrong("is too short")),
        }
    }

    #[must_use]
    pub fn is_by(&self, vkey: &Vkey) -> bool {
        self.id == vkey.id && self.name == vkey.name
    }
}

impl std::fmt::Display for SignatureLine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.payload);
        writeln!(out, "{DASH}{} {}", self.name, base64(&bytes))
    }
}

/// A text and the lines under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Ends in a line feed.
    pub text: String,
    pub signatures: Vec<SignatureLine>,
}

impl Note {
    /// # Errors
    /// When the bytes are not a signed note; the message names the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(Malformed::new(format!(
                "note of {} bytes; {MAX_NOTE_BYTES} at most would be right",
                bytes.len()
            )));
        }
        let whole = std::str::from_utf8(bytes)
            .map_err(|error| Malformed::new(format!("note is not UTF-8: {error}")))?;
        if let Some(at) = whole.find(|c: char| c < ' ' && c != '\n') {
            return Err(Malformed::new(format!("note has a control character at byte {at}")));
        }
        let blank = whole
            .rfind("\n\n")
            .ok_or_else(|| Malformed::new("note has no blank line before its signatures"))?;
        let text = &whole[..=blank];
        let below = &whole[blank + 2..];
        let Some(lines) = below.strip_suffix('\n') else {
            return Err(Malformed::new("note does not end in a signature line and a line feed"));
        };
        let signatures =
            lines.split('\n').map(SignatureLine::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(Malformed::new(format!(
                "note has {} signatures; {MAX_SIGNATURES} at most would be right",
                signatures.len()
            )));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Adds a signature by an Ed25519 note key.
    pub fn sign(&mut self, name: &str, key: &SigningKey) {
        use ed25519_dalek::Signer;
        let vkey = Vkey::new(name, KeyKind::Ed25519, key.verifying_key());
        let signature = key.sign(self.text.as_bytes());
        self.signatures.push(SignatureLine::new(&vkey, signature.to_bytes().to_vec()));
    }

    /// Which of the keys signed, as positions in `known`.
    ///
    /// # Errors
    /// When a line names a known key and does not verify, or a key signs twice.
    pub fn verify(&self, known: &[Vkey]) -> Result<Vec<usize>, Malformed> {
        let mut signers = Vec::new();
        for line in &self.signatures {
            let Some(at) = known.iter().position(|vkey| line.is_by(vkey)) else {
                continue;
            };
            let vkey = &known[at];
            let good = match vkey.kind {
                KeyKind::Ed25519 => verifies(&vkey.key, self.text.as_bytes(), &line.payload),
                KeyKind::Cosignature => super::cosignature::time(self, line, vkey).is_some(),
            };
            if !good {
                return Err(Malformed::new(format!(
                    "signature of '{}' ({}) is wrong",
                    vkey.name,
                    hex(&vkey.id)
                )));
            }
            if signers.contains(&at) {
                return Err(Malformed::new(format!("'{}' signs twice", shown(&vkey.name))));
            }
            signers.push(at);
        }
        Ok(signers)
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text)?;
        out.write_char('\n')?;
        self.signatures.iter().try_for_each(|line| write!(out, "{line}"))
    }
}

/// Plain RFC 8032 Ed25519; signatures that are not unique are wrong.
#[must_use]
pub(super) fn verifies(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}
