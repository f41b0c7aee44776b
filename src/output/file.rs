//! Files that a command writes: whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Puts bytes in a file's place by way of a temporary file beside it, so that nobody ever sees half of them. Keeps the permissions of the
/// file that was there, and goes through a symbolic link to the file that it names. A device or pipe is written to as it is.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = fs::metadata(&target).ok();
    if before.as_ref().is_some_and(|meta| !meta.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(&target)
            .and_then(|mut file| file.write_all(bytes))
            .with_context(context);
    }
    if let Some(meta) = &before
        && meta.permissions().readonly()
    {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied)).with_context(context);
    }
    let temporary = beside(&target);
    let done = write_new(&temporary, bytes)
        .and_then(|()| {
            before.map_or(Ok(()), |meta| {
                fs::set_permissions(&temporary, meta.permissions())
            })
        })
        .and_then(|()| fs::rename(&temporary, &target));
    if done.is_err() {
        _ = fs::remove_file(&temporary);
    }
    done.with_context(context)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// A name that nobody else uses, in the same folder, since a rename does not leave its file system.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = write(Path::new("/nowhere/x"), b"").unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/x"), "{error:#}");
    }
}
