//! What concerns all writers of a journal, kept with it in `journal.json`.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{replace_file, Journal};
use crate::error::{At, Error, Result};
use crate::redact::{Rules, RulesChange};
use crate::retention;

const FORMAT: u32 = 1;
const DEFAULT_SEGMENT_BYTES: u64 = 64 << 20;
const DEFAULT_CHECKPOINT_INTERVAL_S: u64 = 10;
const DEFAULT_EPOCH_MAX_AGE_S: u64 = 60;
const DEFAULT_ARCHIVE_AFTER_S: u64 = 3600;
const DEFAULT_ARCHIVE_CPU: f64 = 0.25;

/// Journals of earlier versions name no setting of the archive; what these were when made is for all.
fn archives() -> bool {
    true
}

fn archives_after() -> u64 {
    DEFAULT_ARCHIVE_AFTER_S
}

fn archives_with() -> f64 {
    DEFAULT_ARCHIVE_CPU
}

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Whether the journal is sealed: decided when it is made, for good.
    #[serde(default)]
    pub seal: bool,
    /// Identity of the tree: a URL without scheme. Empty when it is not sealed.
    #[serde(default)]
    pub origin: String,
    /// Directory for the private keys instead of the journal's own, e.g. on a tmpfs.
    #[serde(default)]
    pub seal_keys: Option<String>,
    /// A checkpoint is signed at most this long after a record arrived.
    #[serde(default)]
    pub checkpoint_interval_s: u64,
    /// An epoch ends after this long with records in it.
    #[serde(default)]
    pub epoch_max_age_s: u64,
    /// Records are pruned only when they are older than this.
    #[serde(default)]
    pub retention_min_age_s: u64,
    /// Whether closed segments become files of the archive.
    #[serde(default = "archives")]
    pub archive: bool,
    /// Seconds after its last record from which on a closed segment is archived.
    #[serde(default = "archives_after")]
    pub archive_after_s: u64,
    /// Share of one core that archiving may use, 0.01 to 1.
    #[serde(default = "archives_with")]
    pub archive_cpu: f64,
    /// Who can read the files of the archive, as age recipients; everybody who gets the file when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archive_recipients: Vec<String>,
    /// What goes when, and what is kept longer.
    #[serde(default, skip_serializing_if = "retention::Rules::is_default")]
    pub retention: retention::Rules,
    /// What is redacted before it is appended.
    #[serde(default, skip_serializing_if = "Rules::is_default")]
    pub redaction: Rules,
}

/// The settings a configuration names; what it leaves open stays as the journal has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingsChange {
    pub segment_max_bytes: Option<u64>,
    pub segment_max_age_s: Option<u64>,
    pub durability: Option<Durability>,
    pub seal: Option<bool>,
    pub origin: Option<String>,
    pub seal_keys: Option<String>,
    pub checkpoint_interval_s: Option<u64>,
    pub epoch_max_age_s: Option<u64>,
    pub retention_min_age_s: Option<u64>,
    pub archive: Option<bool>,
    pub archive_after_s: Option<u64>,
    pub archive_cpu: Option<f64>,
    pub archive_recipients: Option<Vec<String>>,
    pub retention: retention::RulesChange,
    pub redaction: RulesChange,
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
        if let Some(interval) = self.checkpoint_interval_s {
            settings.checkpoint_interval_s = interval;
        }
        if let Some(age) = self.epoch_max_age_s {
            settings.epoch_max_age_s = age;
        }
        self.apply_archive(settings);
        settings.retention = self.retention.applied(&settings.retention);
        settings.redaction = self.redaction.applied(&settings.redaction);
    }

    fn apply_archive(&self, settings: &mut Settings) {
        if let Some(archive) = self.archive {
            settings.archive = archive;
        }
        if let Some(age) = self.archive_after_s {
            settings.archive_after_s = age;
        }
        if let Some(share) = self.archive_cpu {
            settings.archive_cpu = share;
        }
        if let Some(recipients) = &self.archive_recipients {
            settings.archive_recipients.clone_from(recipients);
        }
    }

    /// What can only be said when the journal is made.
    fn found(&self, settings: &mut Settings) {
        settings.seal = self.seal.unwrap_or(true);
        settings.seal_keys.clone_from(&self.seal_keys);
        settings.retention_min_age_s = self.retention_min_age_s.unwrap_or(0);
        if settings.seal {
            settings.origin =
                self.origin.clone().unwrap_or_else(|| format!("{}/{}", host(), settings.id));
        }
    }

    /// Later configurations may repeat what the journal was made with, not change it.
    fn check_founded(&self, settings: &Settings) -> Result<()> {
        let differs = |name, found: String, wanted| Err(Error::Setting { name, found, wanted });
        match self {
            Self { seal: Some(seal), .. } if *seal != settings.seal => differs(
                "seal",
                seal.to_string(),
                "it was decided when the journal was made; a new journal would be right",
            ),
            Self { origin: Some(origin), .. } if *origin != settings.origin => differs(
                "origin",
                origin.clone(),
                "the journal was made with another one, which its signatures name",
            ),
            Self { seal_keys: Some(keys), .. } if settings.seal_keys.as_ref() != Some(keys) => {
                differs(
                    "seal_keys",
                    keys.clone(),
                    "the journal was made with another place; moving keys is done by hand",
                )
            }
            Self { retention_min_age_s: Some(age), .. } if *age != settings.retention_min_age_s => {
                differs(
                    "retention_min_age_s",
                    age.to_string(),
                    "the journal was made with another one, which its first record promises",
                )
            }
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<()> {
        if let Some(origin) = self.origin.as_ref().filter(|origin| !crate::seal::is_name(origin)) {
            return Err(Error::Setting {
                name: "origin",
                found: crate::seal::shown(origin),
                wanted: "a URL without scheme, without spaces and plus signs, would be right",
            });
        }
        if let Some(recipients) = &self.archive_recipients {
            crate::archive::Recipients::parse(recipients)?;
        }
        if let Some(share) = self.archive_cpu.filter(|share| !(0.01..=1.0).contains(share)) {
            return Err(Error::Setting {
                name: "archive_cpu",
                found: share.to_string(),
                wanted: "a share of one core from 0.01 to 1 would be right",
            });
        }
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

/// The host's name as a part of an origin.
pub(crate) fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .collect();
    if name.is_empty() {
        "localhost".into()
    } else {
        name
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
    change.retention.applied(&retention::Rules::default()).check()?;
    let path = journal.settings_path();
    if !path.exists() {
        change.redaction.applied(&Rules::default()).check()?;
        let mut settings = Settings {
            format: FORMAT,
            id: random_id()?,
            created: crate::clock::rfc3339(crate::clock::now_ns()),
            segment_max_bytes: DEFAULT_SEGMENT_BYTES,
            segment_max_age_s: 0,
            durability: Durability::Process,
            seal: true,
            origin: String::new(),
            seal_keys: None,
            checkpoint_interval_s: DEFAULT_CHECKPOINT_INTERVAL_S,
            epoch_max_age_s: DEFAULT_EPOCH_MAX_AGE_S,
            retention_min_age_s: 0,
            archive: archives(),
            archive_after_s: archives_after(),
            archive_cpu: archives_with(),
            archive_recipients: Vec::new(),
            retention: retention::Rules::default(),
            redaction: Rules::default(),
        };
        change.found(&mut settings);
        change.apply(&mut settings);
        create(&path, &settings)?;
    }
    let stored = load(&path)?;
    change.check_founded(&stored)?;
    let mut settings = stored.clone();
    change.apply(&mut settings);
    if settings != stored {
        settings.redaction.check()?;
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
