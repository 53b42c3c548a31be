//! What the fuzz targets check, over their seeds and many small changes of them.
#![cfg(not(loom))]

mod checks;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use treering_core::seal::Policy;

/// Mutations of the seeds of each target.
const MUTATIONS: usize = 2000;

/// Marsaglia's xorshift64, with a fixed beginning: every run tries the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("reading '{}': {error}", directory.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
}

/// One small change, as damage, forgers and other people's programs make them.
fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    const TELLING: &[u8] = b"\0\n\r \t+=-0:\"\\{}[],x\x7f\x80\xe2\xff";
    let at = random.below(input.len() + 1);
    let to = at + random.below(input.len() - at + 1);
    match random.below(9) {
        0 => input.truncate(at),
        1 => drop(input.drain(at..to)),
        2 => input.insert(at, random.next() as u8),
        3 => input.insert(at, TELLING[random.below(TELLING.len())]),
        4 => input.extend_from_within(at..to),
        5 => {
            let from = random.below(other.len() + 1);
            input.splice(at..to, other[from..].iter().copied());
        }
        _ if at == input.len() => input.push(b'\n'),
        6 => input[at] = TELLING[random.below(TELLING.len())],
        7 => input[at] = random.next() as u8,
        _ => input[at] ^= 1 << random.below(8),
    }
}

/// The first input for which the claim does not hold.
fn counterexample(target: &str, claim: checks::Check) -> Option<String> {
    let fails = |input: &[u8]| {
        let fails = catch_unwind(|| claim(input)).is_err();
        fails.then(|| format!("'{target}' does not hold for b\"{}\"", input.escape_ascii()))
    };
    let seeds = seeds(target);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mutations = (0..MUTATIONS).map(|_| {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(3) {
            mutate(&mut input, &seeds[random.below(seeds.len())], &mut random);
        }
        input
    });
    seeds.iter().cloned().chain(mutations).find_map(|input| fails(&input))
}

#[test]
fn groups_nested_without_end_are_refused() {
    let witness = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
    let mut policy = format!("witness g0 {witness}\n");
    for at in 1..40_000 {
        policy.push_str(&format!("group g{at} 1 g{}\n", at - 1));
    }
    policy.push_str("quorum g39999\n");

    let refused = Policy::parse(&policy).expect_err("too deep to be asked");

    assert_eq!(refused.what, "policy line 258: is one group more than 256");
}

#[test]
fn every_seed_and_its_mutations_are_refused_or_read_in_one_way() {
    let found: Vec<String> = checks::ALL
        .into_iter()
        .filter_map(|(target, claim)| counterexample(target, claim))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
