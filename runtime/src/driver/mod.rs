//! Where frames come from and go to: capture files, memory, TAP devices.

pub mod capture;
#[cfg(target_os = "linux")]
pub mod live;
#[cfg(target_os = "linux")]
pub mod tap;
