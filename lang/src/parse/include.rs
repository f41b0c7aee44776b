//! Where included files come from.

use std::io;
use std::path::{Path, PathBuf};

use crate::source::read_whole;

/// Gives the parser the files that a ruleset includes.
pub trait Loader {
    /// The bytes of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The files that an include's path means: one for a plain path (also where it is missing), any number in alphabetical order for a pattern.
    fn resolve(&self, path: &str) -> Vec<PathBuf>;

    /// A name that two paths share if they are the same file.
    fn identity(&self, path: &Path) -> PathBuf;
}

/// Reads the file system. Relative paths are looked for in each directory of `search`, then from the working directory.
#[derive(Debug, Clone, Default)]
pub struct FileLoader {
    /// Where nft looks (1.1.0 and newer): the directory of the file that is read, the `-I` directories, `/etc`.
    pub search: Vec<PathBuf>,
}

impl FileLoader {
    /// Looks where nft looks for what `file` includes.
    pub fn beside(file: &Path, include: &[PathBuf]) -> Self {
        let beside = file.parent().map(Path::to_path_buf);
        let dirs = beside.into_iter().chain(include.iter().cloned());
        Self {
            search: dirs.chain([PathBuf::from("/etc")]).collect(),
        }
    }
}

impl Loader for FileLoader {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read_whole(std::fs::File::open(path)?)
    }

    fn resolve(&self, path: &str) -> Vec<PathBuf> {
        let given = Path::new(path);
        // nft searches its directories only for names without `./` or `../` in front
        let searched = given.is_relative() && !path.starts_with("./") && !path.starts_with("../");
        let dirs = self.search.iter().filter(|_| searched);
        let places: Vec<PathBuf> = dirs.map(|dir| dir.join(given)).collect();
        if !path.contains(['*', '?', '[']) {
            let found = places.into_iter().find(|place| place.exists());
            return vec![found.unwrap_or_else(|| given.to_path_buf())];
        }
        // nft puts what it finds on a stack, so that the last directory comes first
        let mut files: Vec<PathBuf> = Vec::new();
        for file in places.iter().rev().flat_map(|place| matching(place)) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        if files.is_empty() {
            return matching(given);
        }
        files
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
    }
}

/// The files that a pattern names, in alphabetical order.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let paths = pattern.to_str().and_then(|text| glob::glob(text).ok());
    let found = paths.into_iter().flatten().flatten();
    found.filter(|path| path.is_file()).collect()
}

/// No files: every include fails. For texts that come from elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLoader;

impl Loader for NoLoader {
    fn read(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Err(io::Error::new(io::ErrorKind::NotFound, "no files here"))
    }

    fn resolve(&self, path: &str) -> Vec<PathBuf> {
        vec![PathBuf::from(path)]
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.to_path_buf()
    }
}
