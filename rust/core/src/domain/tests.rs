use std::sync::atomic::Ordering;

use super::Domain;
use crate::level::{DEBUG, ERROR, INFO, WARNING};

#[test]
fn levels_are_inherited_down_the_dots_and_pointers_see_changes() {
    let domain = Domain::private().expect("memory");
    let levels = domain.levels();
    let slot = levels.slot("shop.cart.items");
    assert_eq!(slot.load(Ordering::Relaxed), DEBUG);
    assert!(levels.set("", Some(INFO)));
    assert_eq!(slot.load(Ordering::Relaxed), INFO);
    assert!(levels.set("shop", Some(ERROR)));
    assert!(levels.set("shop.cart", Some(WARNING)));
    assert_eq!(slot.load(Ordering::Relaxed), WARNING);
    assert_eq!(levels.effective("shop.till"), ERROR);
    assert_eq!(levels.effective("shopping"), INFO);
    assert!(levels.set("shop.cart", None));
    assert_eq!(slot.load(Ordering::Relaxed), ERROR);
}

#[test]
fn a_name_too_long_for_a_slot_shares_its_ancestors_threshold() {
    let domain = Domain::private().expect("memory");
    let levels = domain.levels();
    let long = format!("shop.{}", "x".repeat(200));
    levels.set("shop", Some(ERROR));
    assert_eq!(levels.slot(&long).load(Ordering::Relaxed), ERROR);
    assert!(!levels.set(&long, Some(DEBUG)));
}

#[test]
fn attaching_twice_gives_the_same_memory_and_the_last_to_leave_removes_it() {
    let base = tempfile::tempdir().expect("tempdir");
    let place = base.path().join("treering-test").join("id");
    let first = Domain::attach(&place, |_| {}).expect("attach");
    let second = Domain::attach(&place, |_| panic!("made twice")).expect("attach");
    assert_eq!(first.control().id(), second.control().id());
    first.levels().set("", Some(ERROR));
    assert_eq!(second.levels().effective("any"), ERROR);
    first.detach();
    assert!(place.exists());
    second.detach();
    assert!(!place.exists());
}

#[test]
fn a_runtime_directory_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().expect("tempdir");
    let place = base.path().join("treering-test").join("id");
    std::fs::create_dir_all(&place).expect("dirs");
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o777)).expect("chmod");
    assert!(Domain::attach(&place, |_| {}).is_err());
}
