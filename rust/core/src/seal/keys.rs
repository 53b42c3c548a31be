//! The keys of a journal: one identity for its life, one epoch key at a time.
//!
//! ```text
//! identity   Go's private key text for the name = origin
//! epoch      number, private key text and begin of the running epoch; overwritten in place
//! next       the same for the epoch that is about to begin; gone once it has begun
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::note::{KeyKind, Note, Vkey};
use super::secret::Secret;
use super::text::{base64, from_base64, hex};
use crate::error::{At, Error, Result};
use crate::journal::{make_directory, replace_file, sync_directory};

/// A fresh private key.
///
/// # Errors
/// When the kernel gives no random bytes.
pub fn generate() -> std::io::Result<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(std::io::Error::from)?;
    Ok(seed)
}

/// Go's text of a private note key.
fn private_text(name: &str, seed: &[u8; 32]) -> Zeroizing<String> {
    let id = note_key(name, &SigningKey::from_bytes(seed)).id;
    let mut key = Zeroizing::new(vec![0x01]);
    key.extend_from_slice(seed);
    Zeroizing::new(format!("PRIVATE+KEY+{name}+{}+{}", hex(&id), base64(&key)))
}

fn parse_private(text: &str, name: &str) -> Option<Zeroizing<[u8; 32]>> {
    let rest = text.strip_prefix("PRIVATE+KEY+")?.strip_prefix(name)?.strip_prefix('+')?;
    let (_, key) = rest.split_once('+')?;
    let bytes = Zeroizing::new(from_base64(key)?);
    let seed: [u8; 32] = bytes.strip_prefix(&[0x01])?.try_into().ok()?;
    let seed = Zeroizing::new(seed);
    (*private_text(name, &seed) == text).then_some(seed)
}

/// The public note key of a private one.
#[must_use]
pub fn note_key(name: &str, key: &SigningKey) -> Vkey {
    Vkey::new(name, KeyKind::Ed25519, key.verifying_key())
}

/// Time that no clock step touches: the boot it counts from, and nanoseconds since then.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Uptime {
    boot: String,
    ns: u64,
}

impl Uptime {
    #[allow(unsafe_code)]
    fn now() -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the kernel fills the struct.
        unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
        let ns = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
        Self { boot: boot.trim().replace(' ', "-"), ns }
    }

    /// How long ago it was; very long when the machine was booted since.
    fn elapsed(&self) -> Duration {
        let now = Self::now();
        if now.boot == self.boot {
            Duration::from_nanos(now.ns.saturating_sub(self.ns))
        } else {
            Duration::MAX
        }
    }
}

/// One epoch's key.
#[derive(Debug)]
pub struct Epoch {
    pub number: u64,
    secret: Secret,
    since: Uptime,
}

impl Epoch {
    fn fresh(number: u64) -> std::io::Result<Self> {
        Ok(Self { number, secret: Secret::new(&*generate()?)?, since: Uptime::now() })
    }

    fn text(&self, name: &str) -> Zeroizing<String> {
        let key = private_text(name, &self.secret.seed());
        let Uptime { boot, ns } = &self.since;
        Zeroizing::new(format!("{:020} {} {ns:020} {boot}\n", self.number, key.as_str()))
    }

    /// `None` when the text is no key of `name`; an error when there is no memory for it.
    fn parse(text: &str, name: &str) -> Option<std::io::Result<Self>> {
        let mut words = text.strip_suffix('\n')?.split(' ');
        let number = words.next()?.parse().ok()?;
        let seed = parse_private(words.next()?, name)?;
        let ns = words.next()?.parse().ok()?;
        let since = Uptime { boot: words.next()?.to_owned(), ns };
        Some(Secret::new(&seed).map(|secret| Self { number, secret, since }))
    }
}

/// What signs a journal's checkpoints.
#[derive(Debug)]
pub struct Keys {
    directory: PathBuf,
    origin: String,
    identity: Secret,
    epoch: Epoch,
    next: Option<Epoch>,
}

impl Keys {
    /// Makes the keys of a new journal, replacing any that are there.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub fn create(directory: &Path, origin: &str) -> Result<Self> {
        make_directory(directory)?;
        let make = || Ok((Secret::new(&*generate()?)?, Epoch::fresh(0)?));
        let (identity, epoch) = make().at("making keys for", directory)?;
        let keys = Self {
            directory: directory.to_owned(),
            origin: origin.to_owned(),
            identity,
            epoch,
            next: None,
        };
        keys.wipe_next()?;
        let text = private_text(origin, &keys.identity.seed());
        replace_file(&keys.place("identity"), format!("{}\n", text.as_str()).as_bytes())?;
        replace_file(&keys.place("epoch"), keys.epoch.text(origin).as_bytes())?;
        Ok(keys)
    }

    /// Loads the keys of a journal that was sealed before.
    ///
    /// # Errors
    /// `Damaged` when a key is not there or is no key of `origin`.
    pub fn load(directory: &Path, origin: &str) -> Result<Self> {
        let read = |name: &str| -> Result<Option<Zeroizing<String>>> {
            let path = directory.join(name);
            let mut bytes = Zeroizing::new(Vec::new());
            match File::open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                file => file.and_then(|file| file.take(4096).read_to_end(&mut bytes)),
            }
            .at("reading the key", &path)?;
            Ok(std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned())))
        };
        let epoch_of = |name: &str| -> Result<Option<Epoch>> {
            let parsed = read(name)?.and_then(|text| Epoch::parse(&text, origin));
            parsed.transpose().at("making memory for", directory)
        };
        let gone = |name: &str| Error::Damaged {
            path: directory.join(name),
            what: format!("the key is missing or is none of '{origin}'"),
        };
        let seed = read("identity")?
            .and_then(|text| parse_private(text.strip_suffix('\n')?, origin))
            .ok_or_else(|| gone("identity"))?;
        let identity = Secret::new(&seed).at("making memory for", directory)?;
        let next = epoch_of("next")?;
        let epoch = epoch_of("epoch")?;
        // A death while the old key was being overwritten: the next one has begun.
        let (epoch, next) = match (epoch, next) {
            (Some(epoch), Some(next)) if next.number == epoch.number + 1 => (epoch, Some(next)),
            (Some(epoch), _) => (epoch, None),
            (None, Some(next)) => (next, None),
            (None, None) => return Err(gone("epoch")),
        };
        let origin = origin.to_owned();
        Ok(Self { directory: directory.to_owned(), origin, identity, epoch, next })
    }

    fn place(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    #[must_use]
    pub fn identity(&self) -> Vkey {
        note_key(&self.origin, &self.identity.signing_key())
    }

    /// Number of the running epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.number
    }

    /// How long the running epoch has lasted, by a clock that is never set.
    #[must_use]
    pub fn epoch_age(&self) -> Duration {
        self.epoch.since.elapsed()
    }

    #[must_use]
    pub fn epoch_key(&self) -> Vkey {
        note_key(&self.origin, &self.epoch.secret.signing_key())
    }

    /// Signs with the identity key and the running epoch's.
    pub fn sign(&self, note: &mut Note) {
        note.sign(&self.origin, &self.identity.signing_key());
        note.sign(&self.origin, &self.epoch.secret.signing_key());
    }

    /// Number and public key of the epoch that has been prepared, if one has.
    #[must_use]
    pub fn next(&self) -> Option<(u64, Vkey)> {
        let next = self.next.as_ref()?;
        Some((next.number, note_key(&self.origin, &next.secret.signing_key())))
    }

    /// Makes the next epoch's key and stores it, so that whoever leads then can go on with it.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn prepare_next(&mut self) -> Result<(u64, Vkey)> {
        if self.next.is_none() {
            let next =
                Epoch::fresh(self.epoch.number + 1).at("making keys for", &self.directory)?;
            replace_file(&self.place("next"), next.text(&self.origin).as_bytes())?;
            self.next = Some(next);
        }
        self.next().ok_or_else(|| Error::Damaged {
            path: self.place("next"),
            what: "the key was not made".into(),
        })
    }

    /// Drops a key that was prepared and never announced.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget_next(&mut self) -> Result<()> {
        self.next = None;
        self.wipe_next()
    }

    /// The running epoch is closed: its key is overwritten, the next one signs from now on.
    ///
    /// # Errors
    /// When the key file cannot be overwritten.
    pub fn begin_next(&mut self) -> Result<()> {
        let Some(next) = &self.next else {
            return Ok(());
        };
        let path = self.place("epoch");
        let overwrite = || {
            let mut options = OpenOptions::new();
            let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            crate::owner::give(&file, &self.directory);
            file.write_all_at(next.text(&self.origin).as_bytes(), 0)?;
            file.sync_all()
        };
        overwrite().at("overwriting the key", &path)?;
        if let Some(next) = self.next.take() {
            self.epoch = next;
        }
        // What is left of it is a copy of the running key, which the next epoch replaces.
        let _ = self.wipe_next();
        Ok(())
    }

    fn wipe_next(&self) -> Result<()> {
        let path = self.place("next");
        match wipe(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => {
                other.at("removing the key", &path)?;
                sync_directory(&self.directory)
            }
        }
    }
}

/// Overwrites a file with zeros and removes it.
pub(super) fn wipe(path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len() as usize;
    file.write_all(&vec![b'0'; length])?;
    file.sync_all()?;
    fs::remove_file(path)
}
