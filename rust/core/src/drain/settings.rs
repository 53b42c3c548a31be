//! Settings of the journal that change while it is led.

use super::Leader;
use crate::error::{Error, Result};
use crate::journal::{notice, Journal};
use crate::redact::Redactor;

impl Leader {
    /// Takes up settings that another process has changed.
    ///
    /// # Errors
    /// When `journal.json` cannot be read any more; the old settings stay in force.
    pub fn look_for_settings(&mut self) -> Result<()> {
        let version = self.domain.control().settings_version();
        if version == self.settings_version {
            return Ok(());
        }
        let settings = Journal::open(self.journal.directory())?.1;
        self.settings_version = version;
        if settings == self.settings {
            return Ok(());
        }
        if settings.redaction != self.settings.redaction {
            let place = self.journal.directory();
            let (redactor, error) = Redactor::open_or_mask(&settings.redaction, place);
            self.redactor = redactor;
            self.announce_masking(error);
        }
        self.settings = settings;
        self.notices.push(notice(
            "journal settings changed",
            &[("settings", serde_json::to_value(&self.settings).unwrap_or_default())],
        ));
        Ok(())
    }

    /// Says in the journal that its rules of redaction are not kept to the letter, if so.
    pub(super) fn announce_masking(&mut self, error: Option<Error>) {
        if let Some(error) = error {
            let why = error.to_string();
            self.notices.push(notice("redaction masks instead", &[("error", why.into())]));
        }
    }
}
