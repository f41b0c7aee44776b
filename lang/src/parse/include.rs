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

/// Reads the file system. Relative paths are looked for from the working directory, then in each directory of `search`.
#[derive(Debug, Clone, Default)]
pub struct FileLoader {
    /// `/etc`, where nft looks first, then the `-I` directories.
    pub search: Vec<PathBuf>,
}

impl Loader for FileLoader {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read_whole(std::fs::File::open(path)?)
    }

    fn resolve(&self, path: &str) -> Vec<PathBuf> {
        let given = Path::new(path);
        let mut places = vec![given.to_path_buf()];
        // nft searches its directories only for names without `./` or `../` in front
        if given.is_relative() && !path.starts_with('.') {
            places.extend(self.search.iter().map(|dir| dir.join(given)));
        }
        if !path.contains(['*', '?', '[']) {
            let found = places.iter().find(|place| place.exists());
            return vec![found.unwrap_or(&given.to_path_buf()).clone()];
        }
        for place in places {
            let Some(pattern) = place.to_str() else {
                continue;
            };
            let Ok(paths) = glob::glob(pattern) else {
                continue;
            };
            let files: Vec<PathBuf> = paths.flatten().filter(|path| path.is_file()).collect();
            if !files.is_empty() {
                return files;
            }
        }
        Vec::new()
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
    }
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
