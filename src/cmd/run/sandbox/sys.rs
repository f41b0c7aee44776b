//! System calls of the sandbox that the standard library does not have: namespaces, TAPs, raw sockets, passing file descriptors.
#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// `linux/if_tun.h: TUNSETIFF`, `_IOW('T', 202, int)`.
const TUNSETIFF: u64 = 0x4004_54ca;

/// `linux/if_tun.h`: a link device, without the packet information header.
const IFF_TAP_NO_PI: i16 = 0x0002 | 0x1000;

/// Bytes of `struct ifreq`.
const IFREQ_LEN: usize = 40;

/// Bytes of an interface name with its closing zero.
const IFNAMSIZ: usize = 16;

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Whether this process runs as root.
pub(super) fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// The user and group that this process runs as.
pub(super) fn ids() -> (u32, u32) {
    // SAFETY: geteuid has no preconditions and cannot fail.
    let user = unsafe { libc::geteuid() };
    // SAFETY: getegid has no preconditions and cannot fail.
    let group = unsafe { libc::getegid() };
    (user, group)
}

/// Moves this process into a network namespace of its own, and before it into a user namespace if asked.
pub(super) fn unshare(user_namespace: bool) -> io::Result<()> {
    let flags = libc::CLONE_NEWNET
        | if user_namespace {
            libc::CLONE_NEWUSER
        } else {
            0
        };
    // SAFETY: takes flags only.
    checked(unsafe { libc::unshare(flags) }).map(drop)
}

/// Has the kernel end this process when the one that started it ends.
pub(super) fn die_with_parent() -> io::Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes a signal number.
    checked(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }).map(drop)
}

/// Makes a TAP device in this namespace; it lives as long as the file is open somewhere.
pub(super) fn open_tap(name: &str) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")?;
    let mut request = [0_u8; IFREQ_LEN];
    for (to, from) in request.iter_mut().zip(name.bytes().take(IFNAMSIZ - 1)) {
        *to = from;
    }
    for (to, from) in request
        .iter_mut()
        .skip(IFNAMSIZ)
        .zip(IFF_TAP_NO_PI.to_ne_bytes())
    {
        *to = from;
    }
    // SAFETY: the request is a whole `struct ifreq`, which the call reads and writes; the file is open.
    checked(unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF as _, request.as_mut_ptr()) })?;
    Ok(file)
}

/// The number of an interface of this namespace.
pub(super) fn interface_index(name: &str) -> io::Result<u32> {
    let name = std::ffi::CString::new(name)?;
    // SAFETY: the name is a string that ends in a zero.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

/// Opens a socket, closed on exec.
pub(super) fn socket(domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let fd = checked(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Ethernet frames of every kind, in network order, for packet sockets (packet(7)).
const ETH_P_ALL: u16 = 3;

/// `linux/if_packet.h`: what this host sends itself does not come back.
const PACKET_IGNORE_OUTGOING: i32 = 23;

/// A socket that sends frames through an interface as they are, and gets those that come in by it.
pub(super) fn packet_socket(interface: u32) -> io::Result<File> {
    let socket = socket(libc::AF_PACKET, libc::SOCK_RAW, ETH_P_ALL.to_be().into())?;
    set_option(socket.as_fd(), libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
    // SAFETY: `sockaddr_ll` is plain data for which zeros mean "nothing".
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or(0);
    address.sll_protocol = ETH_P_ALL.to_be();
    address.sll_ifindex = i32::try_from(interface).unwrap_or(0);
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap_or(0);
    // SAFETY: the address is read for its length; the socket is open.
    let done = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    checked(done)?;
    Ok(socket.into())
}

/// An address as the kernel takes it, and its length.
fn kernel_address(of: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: `sockaddr_storage` is plain data for which zeros mean "nothing".
    let mut room: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let length = match of {
        SocketAddr::V4(of) => {
            let address = libc::sockaddr_in {
                sin_family: u16::try_from(libc::AF_INET).unwrap_or(0),
                sin_port: of.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: of.ip().to_bits().to_be(),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: the storage is larger than any address and aligned for it.
            unsafe { (&raw mut room).cast::<libc::sockaddr_in>().write(address) };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(of) => {
            let address = libc::sockaddr_in6 {
                sin6_family: u16::try_from(libc::AF_INET6).unwrap_or(0),
                sin6_port: of.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr {
                    s6_addr: of.ip().octets(),
                },
                sin6_scope_id: 0,
            };
            // SAFETY: the storage is larger than any address and aligned for it.
            unsafe { (&raw mut room).cast::<libc::sockaddr_in6>().write(address) };
            size_of::<libc::sockaddr_in6>()
        }
    };
    (room, libc::socklen_t::try_from(length).unwrap_or(0))
}

/// Gives a socket its address.
pub(super) fn bind(socket: BorrowedFd<'_>, to: SocketAddr) -> io::Result<()> {
    let (address, length) = kernel_address(to);
    // SAFETY: the address is read for its length; the socket is open.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })
        .map(drop)
}

/// A TCP connection from an address that is chosen; an error of EINPROGRESS means that nothing came in time (socket(7), `SO_SNDTIMEO`).
pub(super) fn connect(
    from: SocketAddr,
    to: SocketAddr,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let domain = if from.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    let stream = TcpStream::from(socket(domain, libc::SOCK_STREAM, 0)?);
    set_option(stream.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    stream.set_write_timeout(Some(timeout))?;
    bind(stream.as_fd(), from)?;
    let (address, length) = kernel_address(to);
    // SAFETY: the address is read for its length; the socket is open.
    let done = unsafe { libc::connect(stream.as_raw_fd(), (&raw const address).cast(), length) };
    checked(done)?;
    Ok(stream)
}

/// Sets an integer option of a socket.
pub(super) fn set_option(
    socket: BorrowedFd<'_>,
    level: i32,
    option: i32,
    value: i32,
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<i32>()).unwrap_or(4);
    // SAFETY: the value is read for its length; the socket is open.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            length,
        )
    };
    checked(done).map(drop)
}

/// Waits until one of the files can be read, for `timeout` at most; which ones can.
pub(super) fn wait_readable(files: &[BorrowedFd<'_>], timeout: Duration) -> io::Result<Vec<bool>> {
    let mut polled: Vec<libc::pollfd> = files
        .iter()
        .map(|file| libc::pollfd {
            fd: file.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let millis = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    let count = libc::nfds_t::try_from(polled.len()).unwrap_or(0);
    // SAFETY: the array holds `count` entries, which the call reads and writes.
    match checked(unsafe { libc::poll(polled.as_mut_ptr(), count, millis) }) {
        Ok(_) => Ok(polled.iter().map(|entry| entry.revents != 0).collect()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(vec![false; files.len()]),
        Err(error) => Err(error),
    }
}

/// Room for one file descriptor in a control message, aligned as `struct cmsghdr` is.
#[repr(C, align(8))]
struct Control([u8; 32]);

/// Sends an open file over a socket, with one byte to carry it.
pub(super) fn send_file(socket: &UnixStream, file: &File) -> io::Result<()> {
    let mut byte = *b"f";
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: byte.len(),
    };
    let mut control = Control([0; 32]);
    let message = message(&mut part, &mut control);
    // SAFETY: the message has a control buffer with room for a header.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if header.is_null() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the header lies in `control`, which is aligned for it and zeroed.
    let header_ref = unsafe { &mut *header };
    header_ref.cmsg_level = libc::SOL_SOCKET;
    header_ref.cmsg_type = libc::SCM_RIGHTS;
    // SAFETY: computes a length only.
    header_ref.cmsg_len = unsafe { libc::CMSG_LEN(FD_LEN) } as _;
    // SAFETY: the data follows the header within `control`.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: there is room for an int; it may lie unaligned.
    unsafe { data.cast::<i32>().write_unaligned(file.as_raw_fd()) };
    // SAFETY: every pointer of the message is valid for the call.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, 0) };
    if sent < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Receives a file that [`send_file`] sent.
pub(super) fn receive_file(socket: &UnixStream) -> io::Result<File> {
    let mut byte = [0_u8; 1];
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: byte.len(),
    };
    let mut control = Control([0; 32]);
    let mut message = message(&mut part, &mut control);
    // SAFETY: every pointer of the message is valid for the call.
    let got =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    if got < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has filled the message's control buffer.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if header.is_null() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // SAFETY: the header lies in `control`, which is aligned for it.
    let header_ref = unsafe { &*header };
    if (header_ref.cmsg_level, header_ref.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the data follows the header within `control`.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: the message carries one int; it may lie unaligned.
    let fd = unsafe { data.cast::<i32>().read_unaligned() };
    // SAFETY: the kernel has made the descriptor for this process.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// Bytes of a file descriptor.
const FD_LEN: u32 = 4;

fn message(part: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: `msghdr` is plain data for which zeros mean "nothing".
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    // SAFETY: computes a length only.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(FD_LEN) } as _;
    message
}
