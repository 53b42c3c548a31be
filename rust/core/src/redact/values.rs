//! Finding secrets in text: one search for all literals with which they begin, then the matcher of the
//! rule whose literal it was.

use std::ops::Range;

use aho_corasick::packed::{self, MatchKind};
use aho_corasick::{AhoCorasick, Input};

use super::assignment;
use super::card;
use super::keys::Keys;
use super::literals::BuiltIn::{
    ApiKey, Assignment, AwsKey, Bearer, Card, GithubToken, GoogleKey, Jwt, Keys as ByKey,
    PrivateKey, SlackToken, UrlPassword,
};
use super::literals::{BuiltIn, BUILT_IN, FIRST, SECOND};
use super::patterns::{self, Expression};
use super::pseudonym;
use super::rules::{Pattern, Rules, MASK};
use super::secrets::{self, Hit};
use crate::error::Result;

/// Searches of all literals: two of the built-in ones, and one of the keys that were added.
pub const SEARCHES: usize = 3;

/// A literal that was found: where it begins, and which of its search it is.
pub type Found = Option<(usize, usize)>;

/// A secret in a text, and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub place: Range<usize>,
    pub rule: usize,
}

#[derive(Debug)]
enum Engine {
    Packed(packed::Searcher),
    /// Where the machine has no vectors for it, or the literals are too many.
    Automaton(AhoCorasick),
    Nothing,
}

/// One pass over a text for some literals.
#[derive(Debug)]
struct Search {
    engine: Engine,
    /// By pattern: the rule, and the literal's length.
    literals: Vec<(BuiltIn, usize)>,
}

impl Search {
    fn new(literals: &[(String, BuiltIn)]) -> Self {
        let texts = || literals.iter().map(|(text, _)| text.as_str());
        let packed = packed::Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .builder()
            .extend(texts())
            .build();
        let engine = match packed {
            _ if literals.is_empty() => Engine::Nothing,
            Some(packed) => Engine::Packed(packed),
            None => AhoCorasick::new(texts()).map_or(Engine::Nothing, Engine::Automaton),
        };
        let literals = literals.iter().map(|(text, rule)| (*rule, text.len())).collect();
        Self { engine, literals }
    }

    #[inline]
    fn find(&self, text: &[u8], at: usize) -> Found {
        let found = match &self.engine {
            Engine::Packed(packed) => packed.find_in(text, (at..text.len()).into()),
            Engine::Automaton(automaton) => automaton.find(Input::new(text).span(at..text.len())),
            Engine::Nothing => None,
        }?;
        Some((found.start(), found.pattern().as_usize()))
    }
}

/// All rules for text, compiled.
#[derive(Debug)]
pub struct Values {
    searches: [Search; SEARCHES],
    cards: bool,
    expressions: Vec<Expression>,
    mask: String,
    /// Names of all rules; `Match::rule` is an index into it.
    pub names: Vec<String>,
}

impl Values {
    /// # Errors
    /// A pattern that cannot be used.
    pub fn new(rules: &Rules) -> Result<Self> {
        let is_on = |rule: BuiltIn| {
            rules.patterns.get(BUILT_IN[rule as usize]) != Some(&Pattern::Switch(false))
        };
        let by_name = is_on(Assignment) && is_on(ByKey);
        let built_in = |literals: &[(&str, BuiltIn)]| {
            let is_wanted = |rule| if rule == Assignment { by_name } else { is_on(rule) };
            let wanted = literals.iter().filter(|(_, rule)| is_wanted(*rule));
            Search::new(&wanted.map(|(text, rule)| ((*text).to_owned(), *rule)).collect::<Vec<_>>())
        };
        let mut added: Vec<String> = rules
            .keys
            .iter()
            .filter(|key| by_name && !key.is_empty())
            .flat_map(|key| [key.clone(), key.to_ascii_lowercase(), key.to_ascii_uppercase()])
            .collect();
        added.sort();
        added.dedup();
        let added: Vec<_> = added.into_iter().map(|word| (word, Assignment)).collect();
        let (expressions, added_names) = patterns::compile(rules)?;
        let names = BUILT_IN.iter().map(|name| (*name).to_owned()).chain(added_names).collect();
        Ok(Self {
            searches: [built_in(&FIRST), built_in(&SECOND), Search::new(&added)],
            cards: is_on(Card),
            expressions,
            mask: rules.text.clone(),
            names,
        })
    }

    /// Are there patterns of the user's?
    pub fn has_expressions(&self) -> bool {
        !self.expressions.is_empty()
    }

    /// May a pattern of the user's match in some string of this line?
    pub fn expressions_suspect(&self, line: &[u8], has_escapes: bool) -> bool {
        let text = std::str::from_utf8(line);
        self.expressions.iter().any(|expression| match text {
            Ok(text) if !has_escapes => expression.may_match_in(text),
            _ => true,
        })
    }

    pub fn cards_suspect(&self, line: &[u8]) -> bool {
        self.cards && card::is_suspect(line)
    }

    /// Is this the text of a JSON number that is secret?
    pub fn number(&self, token: &[u8]) -> Option<usize> {
        (self.cards && card::is_number(token)).then_some(Card as usize)
    }

    /// The next literal of a search from `at` on.
    #[inline]
    pub fn literal(&self, search: usize, text: &[u8], at: usize) -> Found {
        self.searches[search].find(text, at)
    }

    /// What the rule of a literal says about the text around it.
    pub fn judge(&self, search: usize, text: &[u8], found: (usize, usize), keys: &Keys) -> Hit {
        let (at, literal) = found;
        let (rule, length) = self.searches[search].literals[literal];
        let hit = match rule {
            Assignment => assignment::find(text, at, length, keys, &self.mask),
            UrlPassword => secrets::url_password(text, at),
            Bearer => secrets::bearer(text, at),
            PrivateKey => secrets::private_key(text, at),
            Jwt => secrets::jwt(text, at),
            AwsKey => secrets::aws(text, at),
            GoogleKey => secrets::google(text, at),
            GithubToken => secrets::github(text, at),
            SlackToken => secrets::slack(text, at),
            ApiKey => secrets::api_key(text, at),
            ByKey | Card => Hit::Nothing(at + 1),
        };
        match hit {
            Hit::Secret(place) if self.is_redacted(&text[place.clone()]) => Hit::Nothing(place.end),
            hit => hit,
        }
    }

    /// Is this what a redactor has left?
    pub fn is_redacted(&self, secret: &[u8]) -> bool {
        secret == MASK.as_bytes() || secret == self.mask.as_bytes() || pseudonym::is_one(secret)
    }

    /// All secrets of a text, in order; none overlaps another.
    pub fn find(&self, text: &str, keys: &Keys) -> Vec<Match> {
        let mut found = Vec::new();
        let bytes = text.as_bytes();
        for (number, search) in self.searches.iter().enumerate() {
            let mut at = 0;
            // What one rule has read and found harmless may still be another one's.
            let mut read = [0; BUILT_IN.len()];
            while let Some((begin, literal)) = search.find(bytes, at) {
                let rule = search.literals[literal].0 as usize;
                at = begin + 1;
                if begin < read[rule] {
                    continue;
                }
                match self.judge(number, bytes, (begin, literal), keys) {
                    Hit::Secret(place) => {
                        at = at.max(place.end);
                        found.push(Match { place, rule });
                    }
                    Hit::Nothing(next) => read[rule] = next,
                }
            }
        }
        if self.cards {
            card::find(bytes, |place| found.push(Match { place, rule: Card as usize }));
        }
        for expression in &self.expressions {
            let places = expression.places(text);
            found.extend(places.map(|place| Match { place, rule: expression.rule }));
        }
        united(found)
    }
}

/// In order; of matches that overlap, one with the rule of the first.
fn united(mut found: Vec<Match>) -> Vec<Match> {
    found.sort_by_key(|found| (found.place.start, found.rule));
    found.dedup_by(|later, earlier| {
        let overlaps = later.place.start < earlier.place.end;
        if overlaps {
            earlier.place.end = earlier.place.end.max(later.place.end);
        }
        overlaps
    });
    found
}
