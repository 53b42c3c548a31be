//! Encrypted files: [age](https://c2sp.org/age) around a Parquet file, so that the stock tool opens them.
//!
//! Nothing of them ever lies on a disk in plain: what is to be encrypted is made in a [`MemoryFile`].

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use age::stream::StreamReader;
use age::{DecryptError, Decryptor, Encryptor};
use sha2::{Digest, Sha256};

use super::{outside, Identities, MemoryFile, Recipients};
use crate::error::{At, Error, Result};

/// What lies on the disk now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub bytes: u64,
    /// Of the file as it lies there.
    pub sha256: [u8; 32],
}

/// Encrypts `plain` to all of the recipients, into the new or emptied file `draft` (0600), and waits for
/// the device.
///
/// # Errors
/// When there is no recipient, or the file cannot be written; the draft is removed then.
pub fn encrypt_file(plain: impl Read, draft: &Path, recipients: &Recipients) -> Result<Written> {
    let written = write_encrypted(plain, draft, recipients);
    if written.is_err() {
        std::fs::remove_file(draft).ok();
    }
    written
}

fn write_encrypted(mut plain: impl Read, draft: &Path, recipients: &Recipients) -> Result<Written> {
    let encryptor = Encryptor::with_recipients(recipients.keys()).map_err(|error| {
        Error::Refused { path: draft.to_owned(), what: format!("cannot be encrypted: {error}") }
    })?;
    let write = || {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(draft)?;
        crate::owner::give(&file, draft.parent().unwrap_or(draft));
        let hashing = Hashing { file: BufWriter::new(file), digest: Sha256::new(), bytes: 0 };
        let mut stream = encryptor.wrap_output(hashing)?;
        io::copy(&mut plain, &mut stream)?;
        let mut hashing = stream.finish()?;
        hashing.flush()?;
        hashing.file.get_ref().sync_all()?;
        Ok(Written { bytes: hashing.bytes, sha256: hashing.digest.finalize().into() })
    };
    let written: io::Result<Written> = write();
    written.at("writing the encrypted file", draft)
}

struct Hashing {
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.digest.update(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The content of an encrypted file, decrypted in chunks of 64 KiB where it is read, each chunk only
/// after it was found to be authentic.
pub struct Decrypted {
    stream: StreamReader<BufReader<File>>,
    length: u64,
    position: u64,
    /// Where `stream` stands; none after a failure, which leaves it anywhere.
    stands_at: Option<u64>,
}

/// Opens an encrypted file.
///
/// # Errors
/// When it cannot be read, is damaged or cut short, or is not for any of the identities.
pub fn open_decrypted(path: &Path, identities: &Identities) -> Result<Decrypted> {
    let file = File::open(path).at("opening the encrypted file", path)?;
    let decryptor = Decryptor::new_buffered(BufReader::new(file))
        .map_err(|error| not_opened(path, identities, &error))?;
    if identities.is_empty() {
        return Err(not_opened(path, identities, &DecryptError::NoMatchingKeys));
    }
    let mut stream = decryptor
        .decrypt(identities.keys())
        .map_err(|error| not_opened(path, identities, &error))?;
    let measure = |stream: &mut StreamReader<_>| {
        let length = stream.seek(SeekFrom::End(0))?;
        stream.seek(SeekFrom::Start(0)).map(|_| length)
    };
    let length = measure(&mut stream).map_err(|error| Error::Damaged {
        path: path.to_owned(),
        what: format!("its end is not what was encrypted ({error})"),
    })?;
    Ok(Decrypted { stream, length, position: 0, stands_at: Some(0) })
}

fn not_opened(path: &Path, identities: &Identities, error: &DecryptError) -> Error {
    let path = path.to_owned();
    match error {
        DecryptError::NoMatchingKeys => {
            let what = wanted_identity(&path, identities);
            Error::Refused { path, what }
        }
        DecryptError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            let source = source
                .raw_os_error()
                .map_or_else(|| io::Error::from(source.kind()), io::Error::from_raw_os_error);
            Error::Io { what: "reading the encrypted file", path, source }
        }
        other => Error::Damaged { path, what: format!("it is no file of age ({other})") },
    }
}

/// Whose identity would open the file, as far as is known: age's recipients are anonymous, but the
/// facts beside a file name them.
fn wanted_identity(path: &Path, identities: &Identities) -> String {
    let named = outside::read(path).map(|outside| outside.recipients).unwrap_or_default();
    let of = if named.is_empty() { "one of its recipients".to_owned() } else { named.join(" or ") };
    if identities.is_empty() {
        return format!("is encrypted: the identity of {of} is needed");
    }
    let given = identities.names().join(", ");
    let origin = identities.origin();
    format!("is encrypted to {of}, not to {given} from {origin}")
}

impl Decrypted {
    /// Bytes in all.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// When a part of it is not what was encrypted, or memory is short.
    pub fn into_memory(mut self, path: &Path) -> Result<MemoryFile> {
        let mut memory = MemoryFile::new()?;
        self.position = 0;
        io::copy(&mut self, memory.rewound()?).at("decrypting", path)?;
        memory.rewound()?;
        Ok(memory)
    }

    fn read_here(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let here = self.position;
        // age's reader may only be asked for places before the end, and not again after a failure.
        match self.stands_at.take() {
            None => return Err(io::Error::other("reading it failed before")),
            Some(place) if place == here => {}
            Some(_) => drop(self.stream.seek(SeekFrom::Start(here))?),
        }
        let taken = self.stream.read(into)?;
        self.position += taken as u64;
        self.stands_at = Some(self.position);
        Ok(taken)
    }
}

impl Read for Decrypted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = self.length.saturating_sub(self.position);
        let wanted = into.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        if wanted == 0 {
            Ok(0)
        } else {
            self.read_here(&mut into[..wanted])
        }
    }
}

impl Seek for Decrypted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Encrypts the file anew into `draft`, for other recipients. Its content stays what it is, and with it
/// everything that the seal says about the records.
///
/// The file gets a new key, too: a recipient who is no longer one and has kept the key of the old file
/// cannot open the new one with it.
///
/// # Errors
/// Those of [`open_decrypted`] and [`encrypt_file`]; a damaged file is not encrypted again.
pub fn rewrap(
    path: &Path,
    draft: &Path,
    identities: &Identities,
    recipients: &Recipients,
) -> Result<Written> {
    encrypt_file(open_decrypted(path, identities)?, draft, recipients)
}
