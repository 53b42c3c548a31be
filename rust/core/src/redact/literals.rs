//! The built-in rules, and the literals without which a text breaks none of them.
//!
//! The literals are searched for in two passes, each of at most 32: as many as vectors take at full speed.
//! Which literal is in which pass, and the order in it, decides how often the vectors stop for nothing:
//! the engine (Teddy, in `aho-corasick`) keeps eight sets, one for every place modulo eight, and mixes
//! what is in a set. The order below was found by trying a hundred thousand of them on log lines of eight
//! systems; it stops at 2 of 1,000 bytes, as an order by rules does at 21.

/// The built-in rules by name, in the order of `BuiltIn`.
pub const BUILT_IN: [&str; 12] = [
    super::rules::KEYS,
    "assignment",
    "url_password",
    "bearer",
    "private_key",
    "jwt",
    "aws_key",
    "google_key",
    "github_token",
    "slack_token",
    "api_key",
    "card",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    Keys,
    Assignment,
    UrlPassword,
    Bearer,
    PrivateKey,
    Jwt,
    AwsKey,
    GoogleKey,
    GithubToken,
    SlackToken,
    ApiKey,
    Card,
}

use BuiltIn::{
    ApiKey, Assignment, AwsKey, Bearer, GithubToken, GoogleKey, Jwt, PrivateKey, SlackToken,
    UrlPassword,
};

pub const FIRST: [(&str, BuiltIn); 28] = [
    ("OKEN", Assignment),
    ("glpat-", ApiKey),
    ("://", UrlPassword),
    ("-----BEGIN ", PrivateKey),
    ("AGE-SECRET-KEY-1", PrivateKey),
    ("PI key", Assignment),
    ("k_live_", ApiKey),
    ("gho_", GithubToken),
    ("eyJ", Jwt),
    ("jwt", Assignment),
    ("Key", Assignment),
    ("earer ", Bearer),
    ("AIza", GoogleKey),
    ("xapp-", SlackToken),
    ("pypi-", ApiKey),
    ("ghr_", GithubToken),
    ("OOKIE", Assignment),
    ("oken", Assignment),
    ("UTHORIZ", Assignment),
    ("ECRET", Assignment),
    ("cvv", Assignment),
    ("_pass", Assignment),
    ("github_pat_", GithubToken),
    ("hf_", ApiKey),
    ("ecret", Assignment),
    ("ookie", Assignment),
    ("SSN", Assignment),
    ("pi key", Assignment),
];

pub const SECOND: [(&str, BuiltIn); 29] = [
    ("SG.", ApiKey),
    ("GOCSPX-", GoogleKey),
    ("REDENTIAL", Assignment),
    ("asic ", Bearer),
    ("CVV", Assignment),
    ("_key", Assignment),
    ("ya29.", GoogleKey),
    ("pwd", Assignment),
    ("sk-", ApiKey),
    ("uthoriz", Assignment),
    ("pikey", Assignment),
    ("redential", Assignment),
    ("PWD", Assignment),
    ("xox", SlackToken),
    ("_KEY", Assignment),
    ("k_test_", ApiKey),
    ("ghu_", GithubToken),
    ("JWT", Assignment),
    ("AKIA", AwsKey),
    ("assph", Assignment),
    ("ghp_", GithubToken),
    ("-key", Assignment),
    ("ASIA", AwsKey),
    ("npm_", ApiKey),
    ("ghs_", GithubToken),
    ("PIKEY", Assignment),
    ("assw", Assignment),
    ("ASSW", Assignment),
    ("otp", Assignment),
];
