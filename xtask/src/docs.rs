//! The book's generated pages, which a test of the main package writes: it can see the tables that they are made from.

use anyhow::{Context as _, Result};

use crate::tests::cargo;

/// Writes every generated page; whether all could be written.
pub(crate) fn write() -> Result<bool> {
    let status = cargo()
        .args(["test", "--quiet", "--package", "redan", "--test", "book"])
        .env("UPDATE_EXPECT", "1")
        .status()
        .context("cannot run cargo test")?;
    Ok(status.success())
}
