//! Everything but TCP and SCTP.

use super::check;

#[test]
fn udp_becomes_a_stream_after_two_seconds() {
    check(
        "
        0 a>b udp => new 30 unreplied
        0 b>a udp => est 30
        1 a>b udp => est 30
        2.1 a>b udp => est 120 assured
        ",
    );
    check(
        "
        0 a>b udp => new 30 unreplied
        5 b>a udp => est 30
        5 a>b udp => est 120 assured
        125.1 a>b udp => new 30 unreplied
        ",
    );
}

#[test]
fn udp_lengths_and_checksums() {
    check(
        "
        0 a>b udp nosum => new
        0 a6>b6 udp nosum => new
        0 a>b udp badsum => inv(bad-checksum) -
        0 a>b udp udplen=20 => inv(bad-length) -
        0 a>b udp udplen=7 => inv(bad-length) -
        0 a>b udp nosum len=20 udplen=10 cport=9 => new
        0 a>b udp cut=2 len=0 => inv(truncated) -
        0 a>b udp cut=5 len=0 => inv(truncated) -
        0 a>b udp cport=0 sport=0 => new
        ",
    );
}

#[test]
fn udp_lite() {
    check(
        "
        0 a>b udplite udplen=0 pseudo=17 => new 30 unreplied
        0 b>a udplite udplen=0 pseudo=17 => est 30
        0 a>b udplite udplen=0 pseudo=17 => est 120 assured
        0 a>b udplite udplen=0 nosum => inv(bad-checksum)
        0 a>b udplite udplen=7 pseudo=17 => inv(bad-length)
        0 a>b udplite udplen=99 pseudo=17 => inv(bad-length)
        0 a>b udplite udplen=0 => inv(bad-checksum)
        ",
    );
}

#[test]
fn icmp_queries() {
    check(
        "
        0 a>b icmp => new 30 unreplied
        0 b>a icmp type=0 => est 30
        1 b>a icmp type=0 => est 30
        0 a>b icmp code=5 => new 30 unreplied
        0 b>a icmp type=0 id=99 => inv(no-entry) -
        0 a>b icmp type=13 => new
        0 a>b icmp type=15 => new
        0 a>b icmp type=17 => new
        0 a>b icmp type=9 => inv(bad-type) -
        0 a>b icmp type=10 => inv(bad-type) -
        0 a>b icmp type=19 => inv(bad-type) -
        0 a>b icmp type=42 => inv(bad-type) -
        0 a>b icmp badsum => inv(bad-checksum) -
        0 a>b icmp cut=1 => inv(truncated) -
        ",
    );
    check(
        "
        0 a6>b6 icmp6 type=128 => new 30 unreplied
        0 b6>a6 icmp6 type=129 => est 30
        0 a6>b6 icmp6 type=139 => new 30 unreplied
        0 a6>b6 icmp6 type=129 id=8 => inv(no-entry) -
        0 a6>b6 icmp6 type=200 => inv(bad-type) -
        0 a6>b6 icmp => inv(bad-type) -
        ",
    );
}

#[test]
fn icmp_errors_belong_to_what_they_quote() {
    check(
        "
        0 a>b udp => new 30 unreplied p1/0
        1 b>a icmp type=3 code=3 quote=1 bytes=24 => rel-reply 29 unreplied p1/0
        0 b>a icmp type=3 code=3 quote=1 bytes=23 => inv(bad-inner) -
        0 c>a icmp type=11 quote=1 => rel-reply
        0 b>c icmp type=3 code=3 quote=1 => inv(inner-destination) -
        0 b>a udp => est
        0 a>b icmp type=3 code=3 quote=6 => rel
        0 a>b udp cport=5 dropped => new -
        0 b>a icmp type=3 code=3 quote=8 => inv(no-inner-entry) -
        0 b>a icmp type=3 code=3 quote=2 => inv(bad-inner) -
        0 a>b udp frag=1 => inv(fragment) -
        0 b>a icmp type=3 code=3 quote=11 => inv(bad-inner) -
        0 a>b icmp => new
        0 b>a icmp type=3 quote=13 => rel-reply
        0 b>a icmp type=3 quote=13 bytes=27 => inv(bad-inner) -
        ",
    );
}

#[test]
fn icmpv6_errors_and_redirects() {
    check(
        "
        0 a6>b6 udp => new
        0 b6>a6 icmp6 type=2 quote=1 => rel-reply
        0 b6>a6 icmp6 type=1 quote=1 => rel-reply
        0 c6>a6 icmp6 type=137 hl=255 skip=32 option=4 quote=1 => inv(bad-redirect) -
        0 cll>a6 icmp6 type=137 hl=64 skip=32 option=4 quote=1 => inv(bad-redirect) -
        0 cll>a6 icmp6 type=137 hl=255 skip=32 option=4 quote=1 => rel-reply
        0 cll>a6 icmp6 type=137 hl=255 skip=32 option=2 quote=1 => inv(bad-type) -
        0 cll>a6 icmp6 type=137 hl=255 => inv(truncated) -
        ",
    );
}

#[test]
fn neighbour_discovery_is_not_tracked() {
    for kind in [130, 131, 132, 133, 134, 135, 136, 143] {
        check(&format!("0 a6>b6 icmp6 type={kind} len=16 => untracked -"));
    }
}

#[test]
fn other_protocols_are_one_flow_a_pair() {
    check(
        "
        0 a>b ip proto=50 => new 600 unreplied
        0 b>a ip proto=50 => est 600
        0 a>b ip proto=50 => est 600
        0 a>b ip proto=255 len=0 => new
        0 a>b ip proto=0 => new
        0 a>b ip proto=33 => new 600 unreplied
        0 a>b gre => new 30 unreplied
        0 b>a gre ethertype=1 => est 30
        0 a>b gre => est 180 assured
        0 a>b gre version=1 call=5 => new 30 unreplied
        0 a>b gre version=1 call=6 => new 30 unreplied
        0 a>b gre version=1 ethertype=0x800 => inv(bad-gre) -
        ",
    );
}

#[test]
fn extension_headers() {
    check(
        "
        0 a6>b6 udp ext=0 => new 30 unreplied
        0 b6>a6 udp ext=60,43 => est 30
        0 a6>b6 udp ext=44 => est 30
        0 a6>b6 udp ext=44 frag=8 => inv(fragment) -
        0 a6>b6 udp ext=59 => inv(truncated) -
        0 a6>b6 ip proto=59 len=0 => inv(truncated) -
        0 a6>b6 ip proto=0 len=0 => inv(truncated) -
        ",
    );
}

#[test]
fn dropped_first_packet_leaves_nothing() {
    check("0 a>b udp dropped => new -\n 0 a>b udp => new 30 unreplied");
}

#[test]
fn notrack_leaves_no_entry() {
    check("0 a>b udp notrack => untracked -\n 0 b>a udp => new 30 unreplied");
}
