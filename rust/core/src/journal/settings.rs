//! What concerns all writers of a journal, kept with it in `journal.json`.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{replace_file, Journal};
use crate::error::{At, Error, Result};

const FORMAT: u32 = 1;
const DEFAULT_SEGMENT_BYTES: u64 = 64 << 20;

/// When appended records reach the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Survives any death of processes; `fdatasync` at least every second while records arrive.
    #[default]
    Process,
    /// `fdatasync` after every batch.
    Batch,
}

/// The facts of one journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub format: u32,
    /// 32 hex digits, random; names the memory that the journal's processes share.
    pub id: String,
    /// RFC 3339, UTC.
    pub created: String,
    pub segment_max_bytes: u64,
    /// Seconds from a segment's first record until it is closed; 0 for no limit.
    pub segment_max_age_s: u64,
    pub durability: Durability,
}

/// The settings a configuration names; what it leaves open stays as the journal has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    pub segment_max_bytes: Option<u64>,
    pub segment_max_age_s: Option<u64>,
    pub durability: Option<Durability>,
}

impl SettingsChange {
    fn apply(&self, settings: &mut Settings) {
        if let Some(bytes) = self.segment_max_bytes {
            settings.segment_max_bytes = bytes;
        }
        if let Some(age) = self.segment_max_age_s {
            settings.segment_max_age_s = age;
        }
        if let Some(durability) = self.durability {
            settings.durability = durability;
        }
    }

    fn check(&self) -> Result<()> {
        match self.segment_max_bytes {
            Some(bytes) if bytes < 4096 => Err(Error::Setting {
                name: "segment_max_bytes",
                found: bytes.to_string(),
                wanted: "4096 or more would be right",
            }),
            _ => Ok(()),
        }
    }
}

fn random_id() -> Result<String> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 16];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).at("reading", path)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Loads the settings, making them when this is a new journal, and stores what `change` changes.
pub(super) fn establish(journal: &Journal, change: &SettingsChange) -> Result<Settings> {
    change.check()?;
    let path = journal.settings_path();
    if !path.exists() {
        let mut settings = Settings {
            format: FORMAT,
            id: random_id()?,
            created: crate::clock::rfc3339(crate::clock::now_ns()),
            segment_max_bytes: DEFAULT_SEGMENT_BYTES,
            segment_max_age_s: 0,
            durability: Durability::Process,
        };
        change.apply(&mut settings);
        create(&path, &settings)?;
    }
    let stored = load(&path)?;
    let mut settings = stored.clone();
    change.apply(&mut settings);
    if settings != stored {
        replace_file(&path, text(&settings).as_bytes())?;
    }
    Ok(settings)
}

fn text(settings: &Settings) -> String {
    let mut text = serde_json::to_string_pretty(settings).unwrap_or_default();
    text.push('\n');
    text
}

/// Makes the file complete under another name, then links it: of two founders one wins.
fn create(path: &Path, settings: &Settings) -> Result<()> {
    use std::io::Write;
    let draft = path.with_extension(format!("draft-{}-{}", std::process::id(), settings.id));
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(text(settings).as_bytes()).and_then(|()| file.sync_all())
        })
        .and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.at("making the journal", path),
    }
}

pub(super) fn load(path: &Path) -> Result<Settings> {
    let text = fs::read_to_string(path).at("opening the journal", path)?;
    let settings: Settings = serde_json::from_str(&text)
        .map_err(|error| Error::Damaged { path: path.to_owned(), what: error.to_string() })?;
    if settings.format != FORMAT {
        return Err(Error::Damaged {
            path: path.to_owned(),
            what: format!("format {} is not known; {FORMAT} would be right", settings.format),
        });
    }
    if settings.id.len() != 32 || !settings.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Damaged {
            path: path.to_owned(),
            what: "id is not 32 hex digits".into(),
        });
    }
    Ok(settings)
}
