//! Whose files a journal's files are: the owner's of its directory, also when root makes them.

use std::fs::File;
use std::os::unix::fs::{chown, fchown, MetadataExt};
use std::path::Path;

/// Root gives what it makes to the owner of `like`, so that looking at somebody's journal as root never
/// takes it away from them. Nobody else can, or needs to.
pub(crate) fn give(file: &File, like: &Path) {
    if let Some((user, group)) = other_owner(like) {
        // A file system without owners has nothing to give.
        let _ = fchown(file, Some(user), Some(group));
    }
}

/// `give` for a directory, to the owner of `like`.
pub(crate) fn give_like(path: &Path, like: &Path) {
    if let Some((user, group)) = other_owner(like) {
        let _ = chown(path, Some(user), Some(group));
    }
}

/// `give` for a directory.
pub(crate) fn give_directory(path: &Path, user: u32) {
    if crate::domain::effective_uid() == 0 && user != 0 {
        let _ = chown(path, Some(user), None);
    }
}

fn other_owner(like: &Path) -> Option<(u32, u32)> {
    if crate::domain::effective_uid() != 0 {
        return None;
    }
    let metadata = std::fs::metadata(like).ok()?;
    (metadata.uid() != 0).then(|| (metadata.uid(), metadata.gid()))
}
