//! Giving a namespace its addresses and routes over rtnetlink (RFC 3549, `linux/rtnetlink.h`), since `ip` may not be installed.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;

use redan_runtime::{Mac, Prefix};

use super::sys;

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const NLMSG_ERROR: u16 = 2;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_CREATE: u16 = 0x400;

const IFLA_ADDRESS: u16 = 1;
const IFLA_MTU: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

/// The address is used at once, without asking whether somebody else has it.
const IFA_F_NODAD: u32 = 2;
const IFF_UP: u32 = 1;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_BOOT: u8 = 3;
const RTN_UNICAST: u8 = 1;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;

/// Bytes of a message's header.
const HEADER_LEN: usize = 16;

/// Requests to the kernel about this namespace.
pub(super) struct Netlink {
    socket: File,
    sequence: u32,
}

impl Netlink {
    /// Opens a socket.
    pub(super) fn open() -> io::Result<Self> {
        let socket = sys::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE)?;
        Ok(Self {
            socket: socket.into(),
            sequence: 0,
        })
    }

    /// Sets an interface up, with a link address and MTU where given.
    pub(super) fn set_up(&mut self, index: u32, link: Option<(Mac, u32)>) -> io::Result<()> {
        let mut body = vec![0, 0, 0, 0];
        for word in [index, IFF_UP, IFF_UP] {
            body.extend(word.to_ne_bytes());
        }
        if let Some((mac, mtu)) = link {
            attribute(&mut body, IFLA_ADDRESS, &mac.0);
            attribute(&mut body, IFLA_MTU, &mtu.to_ne_bytes());
        }
        self.request(RTM_NEWLINK, 0, &body)
    }

    /// Gives an interface an address.
    pub(super) fn add_address(&mut self, index: u32, prefix: Prefix) -> io::Result<()> {
        let mut body = vec![family(prefix.address), prefix.bits, 0, 0];
        body.extend(index.to_ne_bytes());
        let address = octets(prefix.address);
        attribute(&mut body, IFA_LOCAL, &address);
        attribute(&mut body, IFA_ADDRESS, &address);
        attribute(&mut body, IFA_FLAGS, &IFA_F_NODAD.to_ne_bytes());
        self.request(RTM_NEWADDR, NLM_F_CREATE, &body)
    }

    /// Sends everything of a family to a gateway, or to the link where there is none.
    pub(super) fn add_default_route(
        &mut self,
        index: u32,
        of: IpAddr,
        gateway: Option<IpAddr>,
    ) -> io::Result<()> {
        let scope = if gateway.is_some() || of.is_ipv6() {
            RT_SCOPE_UNIVERSE
        } else {
            RT_SCOPE_LINK
        };
        let mut body = vec![
            family(of),
            0,
            0,
            0,
            RT_TABLE_MAIN,
            RTPROT_BOOT,
            scope,
            RTN_UNICAST,
            0,
            0,
            0,
            0,
        ];
        if let Some(gateway) = gateway {
            attribute(&mut body, RTA_GATEWAY, &octets(gateway));
        }
        attribute(&mut body, RTA_OIF, &index.to_ne_bytes());
        self.request(RTM_NEWROUTE, NLM_F_CREATE, &body)
    }

    fn request(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        self.sequence += 1;
        let length = u32::try_from(HEADER_LEN + body.len()).unwrap_or(0);
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend((NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(body);
        self.socket.write_all(&message)?;
        let mut answer = [0_u8; 4096];
        let length = self.socket.read(&mut answer)?;
        outcome(answer.get(..length).unwrap_or(&[]))
    }
}

/// Reads the acknowledgement: an error message whose number is 0 when all is well.
fn outcome(answer: &[u8]) -> io::Result<()> {
    let kind = answer
        .get(4..6)
        .and_then(|bytes| bytes.try_into().ok())
        .map(u16::from_ne_bytes);
    let code = answer
        .get(HEADER_LEN..HEADER_LEN + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(io::Error::from_raw_os_error(-code)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Appends an attribute, padded to 4 bytes.
fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(0);
    body.extend(length.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    u8::try_from(family).unwrap_or(0)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded() {
        let mut body = Vec::new();
        attribute(&mut body, IFLA_ADDRESS, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(body.len(), 12);
        assert_eq!(body.get(4..10), Some(&[1, 2, 3, 4, 5, 6][..]));
    }

    #[test]
    fn answers_are_read_without_trust() {
        assert!(outcome(&[]).is_err());
        let mut answer = vec![0; 20];
        answer[4] = 2;
        assert!(outcome(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-17_i32).to_ne_bytes());
        assert_eq!(outcome(&answer).unwrap_err().raw_os_error(), Some(17));
    }
}
