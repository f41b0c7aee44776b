//! Versions of nft and Linux, as `--target` names them.

use std::fmt;
use std::str::FromStr;

/// A version of nft, such as 1.0.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u8, pub u8, pub u8);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Reads `1.0.6`, `nft-1.0.6`, `1.1`.
impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("nft-").unwrap_or(text);
        let mut parts = [0_u8; 3];
        let mut given = digits.split('.');
        let mut count = 0;
        for (part, digits) in parts.iter_mut().zip(given.by_ref()) {
            *part = digits.parse().map_err(|_| {
                format!("`{text}` is no version: write it like nft-1.0.6 or kernel-5.10")
            })?;
            count += 1;
        }
        if count < 2 || given.next().is_some() {
            return Err(format!(
                "`{text}` is no version: write it like nft-1.0.6 or kernel-5.10"
            ));
        }
        let [major, minor, patch] = parts;
        Ok(Self(major, minor, patch))
    }
}

/// What is to load a ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A version of nft.
    Nft(Version),
    /// A version of Linux, by whatever nft.
    Kernel(Version),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nft(version) => write!(f, "nft {version}"),
            Self::Kernel(Version(major, minor, _)) => write!(f, "Linux {major}.{minor}"),
        }
    }
}

/// Reads `nft-1.0.6`, `1.0.6` or `kernel-5.10`.
impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("kernel-") {
            Some(digits) => digits.parse().map(Self::Kernel),
            None => text.parse().map(Self::Nft),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("nft-1.0.6", Some(Version(1, 0, 6))),
            ("0.9.8", Some(Version(0, 9, 8))),
            ("1.1", Some(Version(1, 1, 0))),
            ("1", None),
            ("1.0.6.1", None),
            ("1.x", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), wanted, "{text}");
        }
        let linux = "kernel-5.10".parse();
        assert_eq!(linux, Ok(Target::Kernel(Version(5, 10, 0))));
    }
}
