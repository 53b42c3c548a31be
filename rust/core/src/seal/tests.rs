//! Part C of the specification, the vectors of other implementations, and properties of the tree.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use serde_json::Value;

use super::tree::Growing;
use super::*;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

fn hash_of(text: &str) -> Hash {
    unhex(text).try_into().expect("32 bytes")
}

fn seed(first: u8) -> [u8; 32] {
    std::array::from_fn(|at| first + at as u8)
}

/// The leaf hashes of the deterministic log of part C4.
fn log(size: usize) -> Vec<Hash> {
    (0..size).map(|number| leaf(format!("record {number}").as_bytes())).collect()
}

const ORIGIN: &str = "example.com/logs/app";
const VKEY: &str = "example.com/logs/app+1608a558+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const WITNESS: &str = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
const PROOF: &str = "c2sp.org/tlog-proof@v1
index 123
1xxkbtZgit1EcSzcGeWziongbqxhe/tghfU+INBp/os=
k4BFs8+F8hOF+t+J9QxnyPg5lduuiW2tR3vCdB5hDzE=
lJgXXW+VjQNgzgtqrRzcjZ8fFaRyBt4mXNBBiJpQ/nI=
LEjxHxvGSBuP8NPcH8nJJxTmTNz9K8m7q2BWB3XltG8=
y8INO4frni0fE0fCPlT4Vcys0FgNjyshCMhUAOuuoik=
tkJ9ZUJDynaivnV0YeWE0Zr0/ku44aFN5DROKhaxUCI=
tNmI7XQ4V8ZkwmxNSmCn7NPkT8xyTNXzL1L3mvqojcg=
yLG1nn/eywY2+aI+2+hYZWFLKkmVE30DZVCTumCqmbY=
uwaa/GEGqF4PM03Df+GfKIyZ5+fHBsK9y3f1tqCMyf8=

example.com/logs/app
300
gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=

\u{2014} example.com/logs/app FgilWM+3aNal8RjRS1Ha6IvnW09K7/5fQNA9SQxb5zsc4W2B+C9ZcQ1DbHikhKaMdIbRGPNVW2C2bdP4q/Si8G4PMQc=
\u{2014} witness.example/w1 IDJKvgAAAABoTuGA2u9WwRhipCc4wgjlXJ9kMbXmmGb+bYTYT8ny02EFvphrOi0Up4o3EufF3vfnMvwLEjh8JlZo8ENUsqPhPEu4Dg==
";

#[test]
fn c1_trees_of_rfc_6962() {
    let inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<Hash> = inputs.iter().map(|input| leaf(&unhex(input))).collect();
    for (size, expected) in roots.iter().enumerate() {
        assert_eq!(root(&leaves[..size]), hash_of(expected), "size {size}");
    }
    assert_eq!(
        leaf(b"L123456"),
        hash_of("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56")
    );
    let digest = sha256(b"\x01N123N456");
    assert_eq!(digest, hash_of("aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"));
}

/// Cases of transparency-dev/merkle, valid and broken. Hashes that are not 32 bytes cannot be given to a
/// verifier that is typed to them: those cases count as refused.
#[test]
fn c1_proofs_of_transparency_dev() {
    let text = include_str!("../../../../tests/seal/vectors/rfc6962.json");
    let cases: Value = serde_json::from_str(text).expect("json");
    let bytes = |value: &Value| from_base64(value.as_str().unwrap_or_default()).expect("base64");
    let typed = |value: &Value| Hash::try_from(bytes(value)).ok();
    let list = |value: &Value| -> Option<Vec<Hash>> {
        value.as_array().map_or(Some(Vec::new()), |items| items.iter().map(typed).collect())
    };
    let mut seen = 0;
    for case in cases["inclusion"].as_array().expect("cases") {
        let accepted = (|| {
            Some(verify_inclusion(
                case["leafIdx"].as_u64()?,
                case["treeSize"].as_u64()?,
                &typed(&case["leafHash"])?,
                &list(&case["proof"])?,
                &typed(&case["root"])?,
            ))
        })();
        let wanted = !case["wantErr"].as_bool().expect("wantErr");
        assert_eq!(accepted.unwrap_or(false), wanted, "{}", case["desc"]);
        seen += 1;
    }
    for case in cases["consistency"].as_array().expect("cases") {
        let accepted = (|| {
            Some(verify_consistency(
                case["size1"].as_u64()?,
                &typed(&case["root1"])?,
                case["size2"].as_u64()?,
                &typed(&case["root2"])?,
                &list(&case["proof"])?,
            ))
        })();
        let wanted = !case["wantErr"].as_bool().expect("wantErr");
        // Two cases compare equal roots that are no hashes.
        let placeholder = bytes(&case["root1"]).len() != 32 && wanted;
        assert_eq!(accepted.unwrap_or(false), wanted && !placeholder, "{}", case["desc"]);
        seen += 1;
    }
    assert_eq!(seen, 195);
}

#[test]
fn c2_the_go_checksum_database_is_accepted_although_its_origin_is_not_its_key_name() {
    let vkey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    let vkey = Vkey::parse(vkey).expect("vkey");
    let notes = [
        "go.sum database tree\n31700353\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n\u{2014} sum.golang.org Az3grnmrIUEDFqHzAElIQCPNoRFRAAdFo47fooyWKMHb89k11GJh5zHIfNCOBmwn/C3YI8oW9/C8DJ87F61QqspBYwM=\n",
        "go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n\n\u{2014} sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCExixSfwQ=\n",
    ];
    for (text, size) in notes.iter().zip([31_700_353, 35_225_469]) {
        let note = Note::parse(text.as_bytes()).expect("note");
        assert_eq!(note.verify(std::slice::from_ref(&vkey)), Ok(vec![0]));
        let checkpoint = Checkpoint::parse(&note.text).expect("checkpoint");
        assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("go.sum database tree", size));
        assert_eq!(note.to_string(), *text);
    }
}

#[test]
fn c3_the_example_of_signed_note() {
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let text = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note = Note::parse(text.as_bytes()).expect("note");
    assert_eq!(note.verify(&[Vkey::parse(vkey).expect("vkey")]), Ok(vec![0]));
}

#[test]
fn c4_our_own_log_with_test_keys() {
    let key = SigningKey::from_bytes(&seed(0));
    assert_eq!(note_key(ORIGIN, &key).to_string(), VKEY);
    let witness = SigningKey::from_bytes(&seed(0x20));
    let cosigner = Vkey::new("witness.example/w1", KeyKind::Cosignature, witness.verifying_key());
    assert_eq!(cosigner.to_string(), WITNESS);
    let leaves = log(70_000);
    for (size, expected) in [
        (1, "3b367d6db7bc51726d918b18e9a79e0fce53f867fbe38671f609e6bb59d46035"),
        (2, "5c34a11205877ecf2c4f28e25495d08301b33dbfb862419f7946fa6fdf8124ef"),
        (3, "11139f0ae3789cb227ab8c3e57d66e8925e3adb96c24d57311832150d6ac905b"),
        (5, "ab5ba240d5c5f66d57c43fc3e948d87beca519d4da8b028b6c582fda7bbf99b4"),
        (6, "82f5c795482bda2c381dd6d771361424993aecbf82450c3fd8cd6eb13f379026"),
        (7, "6650979f6c878aad85f380ec89c9e2a7af10d2a64aa96a8918aa7f507b20f98e"),
        (8, "036ed096a7d3f31b5e8368cd4965acaf828b50cbf464089db58dbbbffa6dec1f"),
        (255, "12d20e0393b2b10464b55a5269dd066f0b836ea9512a34f13e3ad5c72575f43b"),
        (256, "dc9349f9787ed0086da6d97f679c51a5198f98e456e95b1d87fa3abc012fec31"),
        (257, "7bc95338d9eb756fddd6fcde386a6cd7692116c13bf5abef15dfb7e5358e68ae"),
        (300, "830df5c90aea65909c10e3ebcd7f9ba72de727a4209e04ca9fc1b59b48badae5"),
        (65_536, "1a282a1c4af74dba856a32f9ea63a23259cff8bdd7955affe669e18c2db15aed"),
        (70_000, "db95a5c3802aae796452d22b34d53e749c9bc06fbe9ad229954d80d8eaa3ee16"),
    ] {
        assert_eq!(root(&leaves[..size]), hash_of(expected), "size {size}");
    }
    let mut note = Checkpoint::new(ORIGIN, 300, root(&leaves[..300])).to_note();
    note.sign(ORIGIN, &key);
    note.signatures.push(cosign(&note, "witness.example/w1", &witness, 1_750_000_000));
    let Ok(hashes) = inclusion(&mut &leaves[..], 123, 300);
    let proof = TlogProof { extra: None, index: 123, hashes, note };
    assert_eq!(proof.to_string(), PROOF);
    assert_eq!(PROOF.chars().count(), 752);
    let Ok(three) = consistency(&mut &leaves[..], 3, 7);
    assert_eq!(three.len(), 4);
    assert_eq!(hex(&three[3])[..8], *"12dc80a9");
    let Ok(six) = consistency(&mut &leaves[..], 6, 8);
    assert_eq!(hex(&six[0])[..8], *"d210d33b");
    for (size, payload) in [
        (0, "FgilWPcV5r+b95OoMzkmCu7FJ1yS2fl7oYgBm2H4XDxi3Ymgz0sPgpND+xhfTudtZpEZAWJmAZ3zjmB5wz0i3m1hGAs="),
        (70_000, "FgilWEwaY7X/oBve+HAQJAeQgzR25Hmkg1KrnRBWMr/d6vIAIKfqyP2+cBHHAFBjv+dn9J8vyDkkYyyy3WW5Biz9kwA="),
    ] {
        let mut note = Checkpoint::new(ORIGIN, size as u64, root(&leaves[..size])).to_note();
        note.sign(ORIGIN, &key);
        assert!(note.to_string().ends_with(&format!("{payload}\n")), "size {size}");
    }
}

#[test]
fn c4_the_proof_verifies_with_its_witness_and_not_without() {
    let proof = TlogProof::parse(PROOF).expect("proof");
    let policy = format!("log {VKEY}\nwitness w {WITNESS}\nquorum w\n");
    let trust = Trust::parse(&policy).expect("policy");
    let proven = proof.verify_leaf(&leaf(b"record 123"), &trust).expect("proven");
    assert_eq!((proven.index, proven.anchored), (123, Some(1_750_000_000)));
    assert!(proof.verify_leaf(&leaf(b"record 124"), &trust).is_err());
    let mut alone = proof.clone();
    alone.note.signatures.pop();
    assert!(alone.verify_leaf(&leaf(b"record 123"), &trust).is_err());
    let other =
        Trust::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    assert!(proof.verify_leaf(&leaf(b"record 123"), &other.expect("vkey")).is_err());
}

#[test]
fn c5_salts_and_commitment() {
    let mut salts = Salts::new(&seed(0), 0);
    let first = salts.next_salt();
    assert_eq!(hex(&first), "39fd2b7dd9c5196a8dbd0377b8dc4a49");
    assert_eq!(hex(&salts.next_salt()), "8a35d86fbcde6accb2cc7d4cd8ea2492");
    assert_eq!(hex(&salts.next_salt()), "2b23cce7a26023ab3f0eef693ac87f64");
    let committed = commitment(&first, br#"{"level":"info","msg":"hello"}"#);
    assert_eq!(hex(&committed), "faec0316075b38fa3b18d4046104516e9fdf590944732392c00e2fe6e31a5878");
    assert_eq!(
        hex(&record_leaf(&committed)),
        "7263a4091d55b375c65b97667cf8d4b49e863bfb07e98db2ad6791cb0afa9ca3"
    );
    assert_eq!(entry(&committed)[..2], [0x01, 0x00]);
}

#[test]
fn salts_can_be_taken_up_anywhere() {
    let mut all = Salts::new(&seed(7), 0);
    let stream: Vec<Salt> = (0..1000).map(|_| all.next_salt()).collect();
    for from in [0, 1, 3, 4, 63, 64, 65, 999] {
        assert_eq!(Salts::new(&seed(7), from).next_salt(), stream[from as usize], "from {from}");
    }
}

#[test]
fn notes_have_one_spelling() {
    let good = &PROOF[PROOF.find("\n\n").expect("blank") + 2..];
    assert!(Note::parse(good.as_bytes()).is_ok());
    // The last character before the padding has unused bits, which Go lets be anything.
    let loose = good.replace("Si8G4PMQc=", "Si8G4PMQd=");
    assert!(Note::parse(loose.as_bytes()).expect_err("loose").what.contains("canonical base64"));
    for (from, to) in [
        ("\n300\n", "\n0300\n"),
        ("\n300\n", "\n+300\n"),
        ("\n300\n", "\n 300\n"),
        ("\n300\n", "\n\n"),
        ("gw31", "gw3"),
        ("2uU=", "2uV="),
    ] {
        let text = good.replacen(from, to, 1);
        let parsed = Note::parse(text.as_bytes()).and_then(|note| Checkpoint::parse(&note.text));
        assert!(parsed.is_err(), "{to:?}");
    }
    for text in
        ["", "\n", "a\n", "a\n\n", "a\n\nb\n", "a\n\n\u{2014} b\n", "a\n\n\u{2014} b QUJDRA==\n"]
    {
        assert!(Note::parse(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_note_of_101_signatures_is_refused_and_one_of_100_is_not() {
    let key = SigningKey::from_bytes(&seed(0));
    let mut note = Checkpoint::new(ORIGIN, 0, empty_root()).to_note();
    for number in 0..100 {
        note.sign(&format!("other.example/{number}"), &key);
    }
    assert!(Note::parse(note.to_string().as_bytes()).is_ok());
    note.sign(ORIGIN, &key);
    assert!(Note::parse(note.to_string().as_bytes()).is_err());
}

#[test]
fn a_proof_of_65_hashes_is_refused() {
    let mut proof = TlogProof::parse(PROOF).expect("proof");
    proof.hashes = vec![[7; 32]; 64];
    assert!(TlogProof::parse(&proof.to_string()).is_ok());
    proof.hashes.push([7; 32]);
    assert!(TlogProof::parse(&proof.to_string()).is_err());
}

#[test]
fn policies_name_their_faults() {
    let good = format!(
        "# ours\nlog {VKEY} https://logs.example\nwitness a {WITNESS}\ngroup g 1 a\nquorum g\n"
    );
    assert!(Policy::parse(&good).is_ok());
    for (text, what) in [
        (format!("log {VKEY}\n"), "no quorum"),
        (format!("log {VKEY}\nquorum x\n"), "line 2: 'x' is not defined"),
        (format!("witness a {VKEY}\nquorum none\n"), "line 1: a witness has a cosignature key"),
        (good.replace("group g 1", "group g 2"), "line 4"),
        (good.replace("group g 1 a", "group g all a a"), "'a' is a member twice"),
        (good.replace("quorum g", "quorum g\nquorum g"), "line 6"),
        ("log x\nquorum none\n".into(), "line 1"),
    ] {
        let error = Policy::parse(&text).expect_err(&text);
        assert!(error.what.contains(what), "{} instead of {what}", error.what);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every prefix is consistent with the whole, every leaf is in it, and nothing else is accepted.
    #[test]
    fn proofs_prove_what_is_and_nothing_else(size in 1_usize..300, old in 0_usize..300, index in 0_usize..300, flip in 0_usize..8192) {
        let (old, index) = (old % (size + 1), index % size);
        let leaves = log(size);
        let whole = root(&leaves);
        let Ok(hashes) = inclusion(&mut &leaves[..], index as u64, size as u64);
        prop_assert!(verify_inclusion(index as u64, size as u64, &leaves[index], &hashes, &whole));
        prop_assert!(!verify_inclusion(index as u64, size as u64, &[1; 32], &hashes, &whole));
        let Ok(mut proof) = consistency(&mut &leaves[..], old as u64, size as u64);
        let before = root(&leaves[..old]);
        prop_assert!(verify_consistency(old as u64, &before, size as u64, &whole, &proof));
        if old > 0 && old < size {
            prop_assert!(!verify_consistency(old as u64, &[1; 32], size as u64, &whole, &proof));
            let at = flip % (proof.len() * 256);
            proof[at / 256][at % 256 / 8] ^= 1 << (at % 8);
            prop_assert!(!verify_consistency(old as u64, &before, size as u64, &whole, &proof));
        }
    }

    /// However a tree grows, it is the same tree.
    #[test]
    fn ranges_join_to_the_same_tree(size in 0_usize..1500, cuts in proptest::collection::vec(0_usize..1500, 0..6)) {
        let leaves = log(size);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (size + 1)).collect();
        cuts.extend([0, size]);
        cuts.sort_unstable();
        let mut joined = Range::empty(0);
        for pair in cuts.windows(2) {
            let mut part = Range::empty(pair[0] as u64);
            leaves[pair[0]..pair[1]].iter().for_each(|leaf| part.push(*leaf));
            joined.append(&part);
        }
        let mut growing = Growing::new(&Range::empty(0));
        for (at, leaf) in leaves.iter().enumerate() {
            growing.push(*leaf);
            if cuts.contains(&at) {
                growing = Growing::new(&growing.frontier());
            }
        }
        prop_assert_eq!(joined.root(), root(&leaves));
        prop_assert_eq!(growing.root(), root(&leaves));
        prop_assert_eq!(growing.frontier(), joined);
    }
}
