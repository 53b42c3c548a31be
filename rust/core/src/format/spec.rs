//! What a formatter is asked for, and how it says what is wrong with that.

use std::fmt;

/// A specification that cannot be used: what was found where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// In characters from the beginning of the format; nothing when it is not about a place in it.
    pub position: Option<usize>,
    pub message: String,
}

impl SpecError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { position: None, message: message.into() }
    }

    /// At byte `at` of `text`.
    pub(super) fn at(text: &str, at: usize, message: impl Into<String>) -> Self {
        let position = text.char_indices().take_while(|(place, _)| *place < at).count();
        Self { position: Some(position), message: message.into() }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(out, "at position {position}: ")?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for SpecError {}

pub type Result<T> = std::result::Result<T, SpecError>;

/// How to format, besides the format itself.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// As `strftime` takes it, for formats with a time of their own choosing.
    pub date_format: Option<String>,
    /// UTC instead of the zone of this process.
    pub utc: bool,
    /// Level and keys in colour, where a format has them as text for people.
    pub colour: bool,
    /// What only some formats know, by name.
    pub named: Vec<(String, String)>,
}

impl Options {
    /// Takes a named option.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.named.iter().position(|(known, _)| known == name)?;
        Some(self.named.remove(at).1)
    }

    /// Takes a named option that is one of a few words or a number of a range.
    pub(super) fn take_number(&mut self, name: &str, wanted: &str) -> Result<Option<u64>> {
        self.take(name).map(|text| text.parse().map_err(|_| wrong(name, &text, wanted))).transpose()
    }

    /// Takes `true` or `false`.
    pub(super) fn take_flag(&mut self, name: &str) -> Result<Option<bool>> {
        self.take(name)
            .map(|text| match text.as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(wrong(name, &text, "true or false")),
            })
            .transpose()
    }

    /// Nothing may be left that the format did not know.
    pub(super) fn finish(&self, format: &str, known: &[&str]) -> Result<()> {
        let Some((name, _)) = self.named.first() else { return Ok(()) };
        let wanted = match known {
            [] => format!("{format} has no options"),
            known => format!("one of {} would be right", known.join(", ")),
        };
        Err(SpecError::new(format!("option '{}' is unknown: {wanted}", name.escape_debug())))
    }

    /// For formats whose time is given by their standard.
    pub(super) fn refuse_date_format(&self, format: &str) -> Result<()> {
        match self.date_format {
            None => Ok(()),
            Some(_) => Err(SpecError::new(format!("date_format has no effect on {format}"))),
        }
    }
}

/// The error for an option's value.
pub fn wrong(name: &str, found: &str, wanted: &str) -> SpecError {
    let found = found.escape_debug();
    SpecError::new(format!("option {name} is '{found}': {wanted} would be right"))
}
