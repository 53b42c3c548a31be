//! The text of a batch, cut between records only.

/// Text of records that follow one another, each ended by a line feed.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    bytes: &'a [u8],
    /// Where each record ends, when that is not at every line feed.
    ends: Option<&'a [usize]>,
}

impl<'a> Text<'a> {
    #[must_use]
    pub fn of_lines(bytes: &'a [u8]) -> Self {
        Self { bytes, ends: None }
    }

    /// `ends` rise and the last of them is the end of `bytes`.
    #[must_use]
    pub fn of_records(bytes: &'a [u8], ends: &'a [usize]) -> Self {
        Self { bytes, ends: Some(ends) }
    }

    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the record that begins at `from` ends.
    #[must_use]
    pub fn end_of_first(&self, from: usize) -> usize {
        if let Some(ends) = self.ends {
            return ends[ends.partition_point(|end| *end <= from)];
        }
        let rest = &self.bytes[from..];
        from + memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
    }

    /// The end of the last record that ends at `to` or before; `from` when none after it does.
    #[must_use]
    pub fn end_before(&self, from: usize, to: usize) -> usize {
        if to >= self.bytes.len() {
            return self.bytes.len();
        }
        match self.ends {
            Some(ends) => match ends.partition_point(|end| *end <= to) {
                0 => from,
                count => ends[count - 1].max(from),
            },
            None => memchr::memrchr(b'\n', &self.bytes[from..to]).map_or(from, |at| from + at + 1),
        }
    }

    /// How many records end at `to` or before.
    #[must_use]
    pub fn count(&self, to: usize) -> usize {
        match self.ends {
            Some(ends) => ends.partition_point(|end| *end <= to),
            None => memchr::memchr_iter(b'\n', &self.bytes[..to]).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Text;

    proptest! {
        #[test]
        fn both_kinds_agree_where_every_record_is_a_line(
            lines in prop::collection::vec("[a-z]{0,9}", 1..20), cut in 0_usize..200,
        ) {
            let text = lines.join("\n") + "\n";
            let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            let lines = Text::of_lines(text.as_bytes());
            let records = Text::of_records(text.as_bytes(), &ends);
            let cut = cut.min(text.len());
            prop_assert_eq!(lines.count(cut), records.count(cut));
            prop_assert_eq!(lines.end_before(0, cut), records.end_before(0, cut));
            for from in ends.iter().copied().filter(|end| *end < text.len()) {
                prop_assert_eq!(lines.end_of_first(from), records.end_of_first(from));
                prop_assert_eq!(
                    lines.end_before(from, cut.max(from)), records.end_before(from, cut.max(from))
                );
            }
        }
    }
}
