//! Compressing a rotated file, so that a death at any point leaves either it or its compressed form.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::GzBuilder;

use super::backups;
use crate::error::{At, Result};

const PIECE_BYTES: usize = 64 << 10;

/// How rotated files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    pub const ALL: [Self; 2] = [Self::Gzip, Self::Zstd];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// Makes the compressed form of `source` beside it and gives its path; the source stays.
///
/// Stops, leaving nothing, when `abandoned` becomes true.
pub(super) fn compress(
    source: &Path,
    kind: Compression,
    abandoned: &AtomicBool,
) -> Result<PathBuf> {
    let mut name = source.as_os_str().to_owned();
    name.push(kind.extension());
    let target = PathBuf::from(name);
    let draft = backups::draft(&target);
    let written = write(source, &draft, kind, abandoned)
        .and_then(|()| fs::rename(&draft, &target).at("renaming", &draft))
        .and_then(|()| sync_directory(&target).at("syncing the directory of", &target));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map(|()| target)
}

fn write(source: &Path, draft: &Path, kind: Compression, abandoned: &AtomicBool) -> Result<()> {
    let mut from = File::open(source).at("opening", source)?;
    let metadata = from.metadata().at("looking at", source)?;
    let mode = metadata.permissions().mode() & 0o7777;
    let to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(draft)
        .at("making", draft)?;
    to.set_permissions(metadata.permissions()).at("setting the permissions", draft)?;
    let copied = match kind {
        Compression::Gzip => {
            let seconds = u32::try_from(metadata.mtime()).unwrap_or(0);
            let level = flate2::Compression::default();
            let mut encoder = GzBuilder::new().mtime(seconds).write(&to, level);
            copy(&mut from, &mut encoder, abandoned).and_then(|()| encoder.finish().map(drop))
        }
        Compression::Zstd => {
            zstd::Encoder::new(&to, zstd::DEFAULT_COMPRESSION_LEVEL).and_then(|mut encoder| {
                encoder.include_checksum(true)?;
                copy(&mut from, &mut encoder, abandoned)?;
                encoder.finish().map(drop)
            })
        }
    };
    copied.at("compressing", source)?;
    // Its age is that of the text in it.
    if let Ok(modified) = metadata.modified() {
        to.set_modified(modified).at("setting the time", draft)?;
    }
    to.sync_all().at("syncing", draft)
}

fn copy(from: &mut impl Read, to: &mut impl Write, abandoned: &AtomicBool) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        if abandoned.load(Ordering::Relaxed) {
            return Err(io::Error::other("the output was closed"));
        }
        match from.read(&mut piece)? {
            0 => return Ok(()),
            count => to.write_all(&piece[..count])?,
        }
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
