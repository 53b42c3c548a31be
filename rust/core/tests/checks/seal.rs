//! The formats of the seal.

use std::str::from_utf8;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use treering_core::seal::{
    self, entry_leaves, is_name, series, Checkpoint, Event, Hash, Note, Policy, SegmentSeal,
    TlogProof, Trust, Vkey,
};

/// Real public keys, and all texts under which a seed has a signature of theirs.
static SIGNED: LazyLock<Vec<(Vkey, &[&str])>> = LazyLock::new(|| {
    let vkey = |text| Vkey::parse(text).expect("a vkey");
    vec![
        (
            vkey("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"),
            &[
                "go.sum database tree\n31700353\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n",
                "go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n",
            ],
        ),
        (
            vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
            &["This is an example message.\n"],
        ),
        (
            vkey("example.com/logs/app+1608a558+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"),
            &[
                "example.com/logs/app\n300\ngw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=\n",
                "example.com/logs/app\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
                "example.com/logs/app\n70000\n25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY=\n",
            ],
        ),
    ]
});

/// A proof about one record of a log, cosigned by `witness.example/w1` at 1,750,000,000.
static PROVEN: LazyLock<TlogProof> = LazyLock::new(|| {
    let text = include_str!("../../../fuzz/seeds/tlog_proof/record-123-of-300");
    TlogProof::parse(text).expect("a proof")
});

static PROVEN_LEAF: LazyLock<Hash> = LazyLock::new(|| seal::leaf(b"record 123"));

static PROVEN_TRUST: LazyLock<Trust> =
    LazyLock::new(|| Trust { pin: vec![SIGNED[2].0.clone()], policy: None });

/// A note has one spelling, and a genuine signature is on its own text only.
pub fn note(input: &[u8]) {
    let Ok(note) = Note::parse(input) else { return };
    let spelled = note.to_string();
    assert_eq!(spelled.as_bytes(), input, "a note has one spelling");
    assert_eq!(Note::parse(spelled.as_bytes()), Ok(note.clone()), "it means the same again");
    for (vkey, texts) in SIGNED.iter() {
        let signers = note.verify(std::slice::from_ref(vkey)).unwrap_or_default();
        assert!(
            signers.is_empty() || texts.contains(&note.text.as_str()),
            "{vkey} did not sign this"
        );
    }
}

/// A checkpoint has one spelling, and a series is exactly the notes that stand in it.
pub fn checkpoint(input: &[u8]) {
    if let Some(checkpoint) = from_utf8(input).ok().and_then(|text| Checkpoint::parse(text).ok()) {
        assert_eq!(checkpoint.text().as_bytes(), input, "a checkpoint has one spelling");
    }
    let found = series(input);
    let whole = usize::try_from(found.whole).expect("a size");
    assert!(whole <= input.len(), "nothing is found behind the end");
    let mut end = 0;
    for (begin, note, checkpoint) in &found.notes {
        assert_eq!(*begin, end as u64, "notes follow each other");
        let spelled = note.to_string();
        assert!(input[end..].starts_with(spelled.as_bytes()), "the note stands where it was found");
        assert_eq!(checkpoint.text(), note.text, "the checkpoint is the note's text");
        end += spelled.len();
    }
    assert_eq!(end, whole, "what is whole is notes");
    let again = series(&input[..whole]);
    assert_eq!(again.whole, found.whole, "nothing is lost once the torn end is cut off");
    assert_eq!(again.notes, found.notes, "the same is found once the torn end is cut off");
}

/// A vkey has one spelling.
pub fn vkey(input: &[u8]) {
    let Some((text, vkey)) = from_utf8(input).ok().and_then(|t| Some((t, Vkey::parse(t).ok()?)))
    else {
        return;
    };
    assert_eq!(vkey.to_string(), text, "a vkey has one spelling");
    assert_eq!(Vkey::new(&vkey.name, vkey.kind, vkey.key), vkey, "its ID is that of its key");
    assert!(is_name(&vkey.name), "its name fits into a note");
}

/// Every policy is trust, asks only for cosignatures that it wants, and every pin is one or two keys.
pub fn policy(input: &[u8]) {
    let Ok(text) = from_utf8(input) else { return };
    let trust = Trust::parse(text);
    if let Ok(policy) = Policy::parse(text) {
        let trust = trust.expect("a policy is trust");
        assert_eq!(trust.pin, policy.logs, "its logs are pinned");
        assert_eq!(trust.policy.as_ref(), Some(&policy), "it is the policy");
        if let Ok(Some(time_s)) = policy.quorum_time(&PROVEN.note) {
            assert!(policy.wants_witnesses(), "nobody asked for a quorum");
            assert_eq!(time_s, 1_750_000_000, "the witness said another time");
        }
    } else if let Ok(trust) = trust {
        let keys: Vec<String> = trust.pin.iter().map(Vkey::to_string).collect();
        assert!(trust.policy.is_none() && (1..=2).contains(&keys.len()), "a pin is its keys");
        assert!(text.split_whitespace().eq(&keys), "it pins what it names");
    }
}

/// A proof file has one spelling, and only the genuine proof proves the record.
pub fn tlog_proof(input: &[u8]) {
    let Some((text, proof)) =
        from_utf8(input).ok().and_then(|text| Some((text, TlogProof::parse(text).ok()?)))
    else {
        return;
    };
    assert_eq!(proof.to_string(), text, "a proof has one spelling");
    assert_eq!(TlogProof::parse(text), Ok(proof.clone()), "it means the same again");
    if let Ok(proven) = proof.verify_leaf(&PROVEN_LEAF, &PROVEN_TRUST) {
        assert_eq!(proven.index, PROVEN.index, "the record stands elsewhere");
        assert_eq!(proof.hashes, PROVEN.hashes, "a record has one way to the root");
        assert_eq!(proof.note.text, PROVEN.note.text, "the log did not sign this");
    }
}

/// A seal file has one spelling, and its records have indexes.
pub fn seal_file(input: &[u8]) {
    let Ok(seal) = SegmentSeal::parse(input) else { return };
    assert_eq!(seal.to_bytes(), input, "a seal file has one spelling");
    assert_eq!(SegmentSeal::parse(&seal.to_bytes()), Ok(seal.clone()), "it means the same again");
    let records = seal.records.unwrap_or(0);
    assert_eq!(seal.commitments.len() as u64, records, "a commitment for each record");
    let end = seal.first.checked_add(records).expect("every record has an index");
    assert!(seal.kept.iter().all(|kept| (seal.first..end).contains(&kept.index)), "kept inside");
}

/// A bundle is its entries, one after the other, to its last byte.
pub fn tile_bundle(input: &[u8]) {
    let Some(leaves) = entry_leaves(input) else { return };
    let doubled = entry_leaves(&input.repeat(2)).expect("two bundles are a bundle");
    assert_eq!(doubled, leaves.repeat(2), "with the entries of both");
    if let Some((_, cut)) = input.split_last() {
        assert_eq!(entry_leaves(cut), None, "no byte can be missing");
    }
}

/// What the journal says about itself every reader of JSON understands in the same way.
pub fn event(input: &[u8]) {
    let found = seal::event(input);
    if matches!(found, None | Some(Event::Malformed)) {
        return;
    }
    let record: Map<String, Value> = serde_json::from_slice(input).expect("an event is a record");
    let said = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(said("component"), "treering.journal", "the journal says it");
    assert_eq!(said("level"), "AUDIT", "at its level");
    assert_eq!(said("category"), "journal", "in its category");
    assert_eq!(said("timestamp").as_bytes(), &input[14..44], "with its time in one place");
    assert_eq!(
        matches!(found, Some(Event::Closed)),
        said("message") == seal::CLOSED,
        "in these words"
    );
}
