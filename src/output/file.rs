//! Files that a command writes: whole or not at all, and never over what it reads.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Puts bytes in a file's place; see [`Pending`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Pending::create(path)?;
    file.write_all(bytes).with_context(|| cannot_write(path))?;
    file.commit()
}

/// A file being written beside the one whose place it takes in the end, so that nobody ever sees half of it. Keeps the permissions of the
/// file that was there, and goes through a symbolic link to the file that it names. A device or pipe is written to as it is; `-` is stdout.
pub(crate) struct Pending {
    path: PathBuf,
    to: BufWriter<Box<dyn Write + Send>>,
    place: Option<Place>,
}

/// Where a finished file goes.
struct Place {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    before: Option<fs::Metadata>,
}

impl Pending {
    /// Starts a file.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let (to, place) = start(path).with_context(|| cannot_write(path))?;
        Ok(Self {
            path: path.to_owned(),
            to: BufWriter::with_capacity(1 << 16, to),
            place,
        })
    }

    /// Puts it in its place.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.to
            .flush()
            .and_then(|()| self.place.as_ref().map_or(Ok(()), Place::take))
            .with_context(|| cannot_write(&self.path))?;
        self.place = None;
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            _ = fs::remove_file(&place.temporary);
        }
    }
}

impl Place {
    fn take(&self) -> io::Result<()> {
        if let Some(meta) = &self.before {
            fs::set_permissions(&self.temporary, meta.permissions())?;
        }
        self.file.sync_data()?;
        fs::rename(&self.temporary, &self.target)
    }
}

fn start(path: &Path) -> io::Result<(Box<dyn Write + Send>, Option<Place>)> {
    if is_stdout(path) {
        return Ok((Box::new(io::stdout()), None));
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = fs::metadata(&target).ok();
    if before.as_ref().is_some_and(|meta| !meta.is_file()) {
        let file = fs::OpenOptions::new().write(true).open(&target)?;
        return Ok((Box::new(file), None));
    }
    if (before.as_ref()).is_some_and(|meta| meta.permissions().readonly()) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let temporary = beside(&target);
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)?;
    let place = Place {
        file: file.try_clone()?,
        temporary,
        target,
        before,
    };
    Ok((Box::new(file), Some(place)))
}

/// Whether the user means stdout.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Refuses outputs that are inputs, by whatever name or link, and outputs that are one another. Each output comes with its option.
pub(crate) fn keep_apart(outputs: &[(&str, &Path)], inputs: &[&Path]) -> Result<()> {
    for (at, (option, output)) in outputs.iter().enumerate() {
        if let Some(input) = inputs
            .iter()
            .find(|input| !is_stdout(output) && is_same(input, output))
        {
            bail!(
                "{option} {} would overwrite {}, which is read; name another file",
                output.display(),
                input.display()
            );
        }
        let before = outputs.get(..at).unwrap_or(&[]);
        if let Some((other, _)) = before.iter().find(|(_, path)| is_same(path, output)) {
            bail!(
                "{other} and {option} both name {}; give each its own file",
                output.display()
            );
        }
    }
    Ok(())
}

/// Whether two paths are one file, also through links.
fn is_same(one: &Path, other: &Path) -> bool {
    if is_stdout(one) || is_stdout(other) {
        return one == other;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) {
            return one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino());
        }
    }
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
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
    fn what_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut file = Pending::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn outputs_are_kept_apart_from_inputs_and_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("in"), b"x").unwrap();
        fs::write(path("old"), b"x").unwrap();
        fs::hard_link(path("in"), path("hard")).unwrap();
        let check = |outputs: &[&str], fine: bool| {
            let paths: Vec<PathBuf> = outputs.iter().map(|name| path(name)).collect();
            let outputs: Vec<(&str, &Path)> = paths
                .iter()
                .map(|path| ("--write", path.as_path()))
                .collect();
            let done = keep_apart(&outputs, &[&path("in"), Path::new("-")]);
            assert_eq!(done.is_ok(), fine, "{outputs:?}");
        };
        check(&["old", "new"], true);
        check(&["in"], false);
        check(&["hard"], false);
        check(&["new", "new"], false);
        check(&["old", "old"], false);
        let stdout = [("--write", Path::new("-"))];
        assert!(keep_apart(&stdout, &[Path::new("-")]).is_ok());
        assert!(keep_apart(&[stdout, stdout].concat(), &[]).is_err());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = write(Path::new("/nowhere/x"), b"").unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/x"), "{error:#}");
    }
}
