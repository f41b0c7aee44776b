//! Reading what the user names: files, and `-` for stdin. Every failure names the file and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use redan_lang::source::read_whole;

/// The argument that means stdin.
pub(crate) const STDIN: &str = "-";

/// How stdin is called in messages.
pub(crate) const STDIN_NAME: &str = "<stdin>";

/// The name under which messages speak of an input.
pub(crate) fn display_name(path: &Path) -> String {
    if is_stdin(path) {
        STDIN_NAME.to_owned()
    } else {
        path.display().to_string()
    }
}

/// Whether the user means stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// Reads a file or stdin whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    read_whole(open(path)?).with_context(|| cannot_read(&display_name(path)))
}

/// Opens a file or stdin.
pub(crate) fn open(path: &Path) -> Result<Box<dyn io::Read>> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin()));
    }
    let name = display_name(path);
    let file = std::fs::File::open(path).with_context(|| cannot_read(&name))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        bail!("cannot read {name}: it is a directory; name a file in it");
    }
    Ok(Box::new(file))
}

/// A file as it is named; of a folder, all files in it and below that end so, sorted. Links to folders are not followed.
pub(crate) fn with_endings(path: &Path, endings: &[&str]) -> Result<Vec<PathBuf>> {
    if is_stdin(path) || !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let name = display_name(&folder);
        for entry in std::fs::read_dir(&folder).with_context(|| cannot_read(&name))? {
            let entry = entry.with_context(|| cannot_read(&name))?;
            let path = entry.path();
            let ends = path.extension().and_then(|end| end.to_str());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if ends.is_some_and(|end| endings.contains(&end)) {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        let endings = endings.join(", .");
        bail!(
            "there is nothing to read in {}: no file in it ends in .{endings}",
            path.display()
        );
    }
    files.sort();
    Ok(files)
}

fn cannot_read(name: &str) -> String {
    format!("cannot read {name}")
}
