//! Making sure that a file gives back what was there.

use super::source::{lines as lines_of, Input, Source};
use super::{Archived, Identities, Lines};
use crate::error::{Error, Result};
use crate::seal::{each_commitment, Hash, Salt, SaltKind, Salts, SegmentSeal};

/// What the lines of a file are compared with.
#[derive(Debug, Clone, Copy)]
pub enum Against<'a> {
    /// Commitments of segments that follow each other.
    Seals(&'a [SegmentSeal]),
    /// What the file was made of.
    Inputs(&'a [Input]),
}

/// What a check has found. Nothing that is there was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    pub rows: u64,
    /// Ranges of indexes that have no row though they were not erased; the end is exclusive.
    pub missing: Vec<(u64, u64)>,
}

impl Checked {
    fn miss(&mut self, index: u64) {
        match self.missing.last_mut() {
            Some((_, end)) if *end == index => *end += 1,
            _ => self.missing.push((index, index + 1)),
        }
    }
}

/// Reads a whole file and compares every line of it with what was sealed, or with what it was made
/// of.
///
/// # Errors
/// When it cannot be read, or one line differs.
pub fn check(file: &Archived, against: Against<'_>, identities: &Identities) -> Result<Checked> {
    check_while(file, against, identities, &|| true)
}

/// `check`, asked after every piece whether it should go on.
///
/// # Errors
/// As `check`, and when it should not.
pub fn check_while(
    file: &Archived,
    against: Against<'_>,
    identities: &Identities,
    go_on: &dyn Fn() -> bool,
) -> Result<Checked> {
    super::guarded(&file.path, || {
        let mut expected: Box<dyn Expected> = match against {
            Against::Seals(seals) => Box::new(Sealed::new(seals)),
            Against::Inputs(inputs) => Box::new(Original::new(inputs, identities)),
        };
        let mut lines = Lines::open(file, file.facts.first, identities)?;
        let mut checked = Checked::default();
        let mut next = file.facts.first;
        while let Some((first, piece)) = lines.next_piece()? {
            expected.absent(next..first, &mut checked)?;
            let lines: Vec<&[u8]> = lines_of(&piece).collect();
            next = first + lines.len() as u64;
            if let Some(wrong) = expected.first_wrong(first, &lines, &mut checked)? {
                let what = format!("record {wrong} is not what was there");
                return Err(Error::Damaged { path: file.path.clone(), what });
            }
            if !go_on() {
                return Err(super::stopped(&file.path));
            }
        }
        expected.absent(next..file.facts.end, &mut checked)?;
        if checked.rows != file.facts.rows {
            let what = format!("it gives {} of {} records", checked.rows, file.facts.rows);
            return Err(Error::Damaged { path: file.path.clone(), what });
        }
        Ok(checked)
    })
}

/// What lines are compared with; asked in the order of indexes.
trait Expected {
    /// Notes which of the indexes without a row should have one.
    fn absent(&mut self, range: std::ops::Range<u64>, checked: &mut Checked) -> Result<()>;

    /// The first of some lines that is wrong; empty ones are absent.
    fn first_wrong(
        &mut self,
        first: u64,
        lines: &[&[u8]],
        checked: &mut Checked,
    ) -> Result<Option<u64>>;
}

struct Sealed<'a> {
    seals: &'a [SegmentSeal],
    /// The stream of a segment's salts, and the record that its next one is for.
    stream: Option<(u64, Salts)>,
}

impl<'a> Sealed<'a> {
    fn new(seals: &'a [SegmentSeal]) -> Self {
        Self { seals, stream: None }
    }

    /// Salt and commitment of a record; no salt when it was erased.
    fn of(&mut self, index: u64) -> Option<(Option<Salt>, &'a Hash)> {
        while self.seals.get(1).is_some_and(|next| next.first <= index) {
            self.seals = &self.seals[1..];
            self.stream = None;
        }
        let seal = self.seals.first()?;
        let at = index.checked_sub(seal.first)?;
        let hash = seal.commitments.get(at as usize)?;
        let salt = match (seal.salts, &seal.seed) {
            (SaltKind::Seed, Some(seed)) => {
                if self.stream.as_ref().is_none_or(|(next, _)| *next != index) {
                    self.stream = Some((index, Salts::new(seed, at)));
                }
                self.stream.as_mut().map(|(next, salts)| {
                    *next += 1;
                    salts.next_salt()
                })
            }
            (SaltKind::Table, _) => {
                seal.table.get(at as usize).copied().filter(|salt| *salt != Salt::default())
            }
            _ => {
                let kept = seal.kept.binary_search_by_key(&index, |kept| kept.index).ok()?;
                Some(seal.kept[kept].salt)
            }
        };
        Some((salt, hash))
    }
}

impl Expected for Sealed<'_> {
    fn absent(&mut self, range: std::ops::Range<u64>, checked: &mut Checked) -> Result<()> {
        for index in range {
            if self.of(index).is_none_or(|(salt, _)| salt.is_some()) {
                checked.miss(index);
            }
        }
        Ok(())
    }

    fn first_wrong(
        &mut self,
        first: u64,
        lines: &[&[u8]],
        checked: &mut Checked,
    ) -> Result<Option<u64>> {
        let mut salted = Vec::with_capacity(lines.len());
        let mut expected = Vec::with_capacity(lines.len());
        for (index, line) in (first..).zip(lines) {
            if line.is_empty() {
                self.absent(index..index + 1, checked)?;
                continue;
            }
            let Some((Some(salt), hash)) = self.of(index) else { return Ok(Some(index)) };
            salted.push((salt, *line));
            expected.push((index, hash));
        }
        checked.rows += salted.len() as u64;
        let hashes = each_commitment(&salted);
        let mut pairs = hashes.iter().zip(&expected);
        Ok(pairs.find(|(found, (_, hash))| found != hash).map(|(_, (index, _))| *index))
    }
}

/// The inputs once more.
struct Original<'a> {
    inputs: std::slice::Iter<'a, Input>,
    identities: &'a Identities,
    source: Option<Source<'a>>,
    piece: Vec<u8>,
    /// Index and place of the line that is next in the piece.
    next: (u64, usize),
}

impl<'a> Original<'a> {
    fn new(inputs: &'a [Input], identities: &'a Identities) -> Self {
        let (inputs, piece) = (inputs.iter(), Vec::new());
        Self { inputs, identities, source: None, piece, next: (0, 0) }
    }

    /// The line of a record; empty when there is none.
    fn line(&mut self, index: u64) -> Result<&[u8]> {
        loop {
            let rest = &self.piece[self.next.1..];
            if rest.is_empty() {
                if !self.next_piece()? {
                    return Ok(b"");
                }
            } else if index < self.next.0 {
                return Ok(b"");
            } else {
                let begin = self.next.1;
                let end = begin + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let found = self.next.0;
                self.next = (found + 1, (end + 1).min(self.piece.len()));
                if found == index {
                    return Ok(&self.piece[begin..end]);
                }
            }
        }
    }

    fn next_piece(&mut self) -> Result<bool> {
        loop {
            if let Some(source) = &mut self.source {
                if let Some((first, piece)) = source.next_piece()? {
                    self.piece = piece;
                    self.next = (first, 0);
                    return Ok(true);
                }
            }
            let Some(input) = self.inputs.next() else { return Ok(false) };
            self.source = Some(Source::open(input, self.identities)?);
        }
    }
}

impl Expected for Original<'_> {
    fn absent(&mut self, range: std::ops::Range<u64>, checked: &mut Checked) -> Result<()> {
        for index in range {
            if !self.line(index)?.is_empty() {
                checked.miss(index);
            }
        }
        Ok(())
    }

    fn first_wrong(
        &mut self,
        first: u64,
        lines: &[&[u8]],
        checked: &mut Checked,
    ) -> Result<Option<u64>> {
        for (index, line) in (first..).zip(lines) {
            let expected = self.line(index)?;
            if line.is_empty() {
                if !expected.is_empty() {
                    checked.miss(index);
                }
                continue;
            }
            checked.rows += 1;
            if expected != *line {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}
