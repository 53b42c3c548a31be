use super::*;

fn mine(messages: &[&str]) -> (Vec<String>, Miner) {
    mine_group(FOREIGN, messages)
}

fn mine_group(group: u32, messages: &[&str]) -> (Vec<String>, Miner) {
    let mut miner = Miner::new(Limits::default());
    let ids: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(at, message)| {
            miner.add(group, Seen { time_ns: at as i64, index: at as u64 }, message)
        })
        .collect();
    let templates = miner.templates();
    let text = |id: u32| {
        let id = miner.settled(id);
        templates.iter().find(|one| one.id == id).map_or(String::new(), |one| one.text.clone())
    };
    let found = ids.into_iter().map(text).collect();
    (found, miner)
}

fn site() -> u32 {
    Groups::default().group(Source { file: "shop.py", line: 12, ..Source::default() })
}

#[test]
fn values_are_taken_out_of_single_messages() {
    for (message, template) in [
        ("took 12.5ms for 3 rows", "took <*> for <*> rows"),
        ("peer 10.0.0.1:8080 gone", "peer <*>:<*> gone"),
        ("peer fe80:0:0:1:2:3:4:5 gone", "peer <*> gone"),
        ("mac aa:bb:cc:00:11:22, ip fe80::1", "mac <*>, ip <*>"),
        ("id b9000564-fe1a-409b-b8cc-1e88b294cd1d.", "id <*>."),
        ("at 0x7fff12 (deadbeef01)", "at <*> (<*>)"),
        ("open '/var/log/a b'", "open '<*> b'"),
        ("GET https://example.org/a?b=1", "GET https://<*>"),
        ("block blk_-1608999687919862906 done", "block blk_<*> done"),
        ("key=value path=/tmp/x n=-3", "key=value path=<*> n=<*>"),
        ("seen Fri Jun 17 07:07:00 2005 last", "seen <*> last"),
        ("seen Jun 17 07:07:00 last", "seen <*> last"),
        ("ssh2 utf8 IPv6 log4j", "ssh2 utf8 IPv6 log4j"),
        ("größer als 5€", "größer als <*>"),
        ("", ""),
    ] {
        assert_eq!(mine(&[message]).0, [template], "{message}");
    }
}

#[test]
fn names_merge_at_once_and_states_do_not() {
    let (found, _) = mine(&[
        "session opened for user cyrus",
        "session opened for user root",
        "VM started on demand",
        "VM stopped on demand",
    ]);
    let opened = "session opened for user <*>";
    assert_eq!(found, [opened, opened, "VM started on demand", "VM stopped on demand"]);
}

#[test]
fn a_word_with_many_values_is_a_variable_in_the_end() {
    let messages: Vec<_> = ["ann", "bob", "cid", "dan", "eve", "fay"]
        .map(|name| format!("{name} has left the room"))
        .into();
    let (found, miner) = mine(&messages.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(found.iter().all(|text| text == "<*> has left the room"), "{found:?}");
    assert_eq!(miner.templates()[0].count, 6);
}

#[test]
fn units_are_part_of_their_number() {
    let (found, _) = mine(&["size 5.2 KB, free", "size 3.1 MB, free", "size 7 B, free"]);
    assert_eq!(found, ["size <*>, free"; 3]);
}

#[test]
fn a_constant_call_site_says_exactly_what_it_says() {
    let (found, _) = mine_group(site(), &["Retry 3 of 5", "Retry 3 of 5"]);
    assert_eq!(found, ["Retry 3 of 5"; 2]);
    let (found, _) = mine_group(site(), &["Retry 3 of 5", "Retry 4 of 5"]);
    assert_eq!(found, ["Retry <*> of <*>"; 2]);
}

#[test]
fn one_call_site_merges_plain_words() {
    let (found, _) = mine_group(site(), &["order paid by card", "order paid by cash"]);
    assert_eq!(found, ["order paid by <*>"; 2]);
}

#[test]
fn groups_are_call_sites_or_components() {
    let mut groups = Groups::default();
    let shop = Source { component: "shop", ..Source::default() };
    let site = Source { file: "shop.py", line: 3, ..shop };
    let found = [shop, site, Source { line: 4, ..site }, shop, Source::default()]
        .map(|source| groups.group(source));
    assert_eq!(found[0], found[3]);
    assert_eq!(found[4], FOREIGN);
    assert!(found[0] != found[1] && found[1] != found[2]);
    assert!(groups::is_site(found[1]) && !groups::is_site(found[0]));
}

#[test]
fn memory_is_bounded_and_what_is_forgotten_is_counted() {
    let mut miner = Miner::new(Limits { templates: 64, ..Limits::default() });
    let letters = |number: u64| -> String {
        number.to_string().bytes().map(|digit| (digit - b'0' + b'a') as char).collect()
    };
    let ids: Vec<_> = (0..1_500)
        .map(|at| {
            let words: Vec<_> = (0..=at % 50).map(|word| letters(at * 977 + word * 31)).collect();
            miner.add(FOREIGN, Seen { time_ns: 0, index: at }, &words.join(" "))
        })
        .collect();
    let kept: u64 = miner.templates().iter().map(|template| template.count).sum();
    let (templates, messages) = miner.forgotten();
    assert!(miner.templates().len() <= 64);
    assert!(templates > 0);
    assert_eq!(kept + messages, 1_500);
    let rest = ids.iter().filter(|&&id| miner.settled(id) == REST).count() as u64;
    assert_eq!(rest, messages);
}

#[test]
fn first_last_and_examples_are_kept() {
    let (_, miner) = mine(&["a 1", "a 2", "a 2", "a 3", "a 4"]);
    let [template] = &miner.templates()[..] else { panic!("one template") };
    assert_eq!((template.first.index, template.last.index), (0, 4));
    let examples: Vec<_> = template.examples.iter().map(|one| &*one.message).collect();
    assert_eq!(examples, ["a 1", "a 2", "a 3"]);
}

proptest::proptest! {
    #[test]
    fn any_messages_are_counted_once(messages in proptest::collection::vec("[ab<*>=./ 0-9é:]{0,24}", 0..60)) {
        let mut miner = Miner::new(Limits { templates: 8, ..Limits::default() });
        for (at, message) in messages.iter().enumerate() {
            let group = if at % 3 == 0 { site() } else { FOREIGN };
            miner.add(group, Seen { time_ns: 0, index: at as u64 }, message);
        }
        let kept: u64 = miner.templates().iter().map(|template| template.count).sum();
        proptest::prop_assert_eq!(kept + miner.forgotten().1, messages.len() as u64);
    }
}
