//! Indexes in runs: what a thinned journal lacks are millions of records, in few places.

/// Indexes in rising order, as runs `[from, to)` that do not touch.
#[derive(Debug, Default, Clone)]
pub struct Runs(Vec<(u64, u64)>);

impl Runs {
    /// Adds a run that begins at or after the end of all others.
    pub fn push(&mut self, from: u64, to: u64) {
        match self.0.last_mut() {
            Some((_, end)) if *end >= from => *end = (*end).max(to),
            _ if from < to => self.0.push((from, to)),
            _ => {}
        }
    }

    pub fn append(&mut self, other: &Self) {
        other.0.iter().for_each(|(from, to)| self.push(*from, *to));
    }

    pub fn contains(&self, index: u64) -> bool {
        let at = self.0.partition_point(|(_, to)| *to <= index);
        self.0.get(at).is_some_and(|(from, _)| *from <= index)
    }

    /// The runs inside `[first, end)`.
    pub fn within(&self, first: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let at = self.0.partition_point(|(_, to)| *to <= first);
        self.0[at..]
            .iter()
            .take_while(move |(from, _)| *from < end)
            .map(move |(from, to)| ((*from).max(first), (*to).min(end)))
    }

    /// How many of `[first, end)` are in it.
    pub fn count(&self, first: u64, end: u64) -> u64 {
        self.within(first, end).map(|(from, to)| to - from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Runs;

    #[test]
    fn runs_that_touch_become_one_and_are_cut_at_the_borders_of_a_question() {
        let mut runs = Runs::default();
        for (from, to) in [(3, 5), (5, 6), (6, 6), (10, 20)] {
            runs.push(from, to);
        }
        assert_eq!(runs.within(4, 12).collect::<Vec<_>>(), [(4, 6), (10, 12)]);
        assert_eq!(runs.count(0, 100), 13);
        let held: Vec<u64> = (0..12).filter(|index| runs.contains(*index)).collect();
        assert_eq!(held, [3, 4, 5, 10, 11]);
    }
}
