//! SCTP. Chunks by number: 0 DATA, 1 INIT, 2 INIT ACK, 4 HEARTBEAT, 5 HEARTBEAT ACK, 6 ABORT, 7 SHUTDOWN, 8 SHUTDOWN ACK, 10 COOKIE ECHO,
//! 11 COOKIE ACK, 14 SHUTDOWN COMPLETE.

use super::check;

const OPEN: &str = "
    0 a>b sctp kinds=1 init=0xaa => new CLOSED 10 unreplied
    0 b>a sctp kinds=2 tag=0xaa init=0xbb => est COOKIE_WAIT 3
    0 a>b sctp kinds=10 tag=0xbb => est COOKIE_ECHOED 3
    0 b>a sctp kinds=11 tag=0xaa => est ESTABLISHED 210 assured
";

fn check_open(text: &str) {
    check(&format!("{OPEN}{text}"));
}

#[test]
fn association_opens_and_closes() {
    check_open(
        "
        0 a>b sctp kinds=0 tag=0xbb => est ESTABLISHED 210 assured
        0 a>b sctp kinds=7 tag=0xbb => est SHUTDOWN_SENT 3 assured
        0 b>a sctp kinds=8 tag=0xaa => est SHUTDOWN_ACK_SENT 3 assured
        0 a>b sctp kinds=14 tag=0xbb => est CLOSED 10 assured
        ",
    );
    check_open("0 b>a sctp kinds=7 tag=0xaa => est SHUTDOWN_RECD 3 assured");
}

#[test]
fn packets_out_of_the_blue() {
    for kinds in ["0", "6", "11", "14", "3"] {
        check(&format!(
            "0 a>b sctp kinds={kinds} tag=5 => inv(no-entry) -"
        ));
    }
    check("0 a>b sctp kinds=4 tag=5 => new HEARTBEAT_SENT 30 unreplied");
    check("0 a>b sctp kinds=1 tag=5 init=1 => inv(bad-tag) -");
}

#[test]
fn malformed_packets() {
    check(
        "
        0 a>b sctp kinds=1,0 init=1 => inv(bad-chunk) -
        0 a>b sctp kinds=0,10 => inv(bad-chunk) -
        0 a>b sctp kinds=1 init=1 chunklen=0 => inv(bad-chunk) -
        0 a>b sctp kinds=1 init=1 badsum => inv(bad-checksum) -
        set checksum 0
        0 a>b sctp kinds=0 cut=8 => inv(bad-chunk) -
        ",
    );
}

#[test]
fn tags() {
    check_open(
        "
        0 a>b sctp kinds=0 tag=0xaa => inv(bad-tag)
        0 a>b sctp kinds=6 tag=0xaa => inv(bad-tag)
        0 a>b sctp kinds=6 flags=1 tag=0xaa => est CLOSED 10 assured
        ",
    );
}

#[test]
fn foreign_heartbeat_is_ignored_once_and_its_answer_restarts() {
    check_open(
        "
        1 a>b sctp kinds=4 tag=0xcc => est ESTABLISHED 209 assured
        1 b>a sctp kinds=5 tag=0xdd => est ESTABLISHED 210 assured
        1 a>b sctp kinds=4 tag=0xcc => est ESTABLISHED 210 assured
        ",
    );
}

#[test]
fn repeated_init_does_not_refresh() {
    check(
        "
        0 a>b sctp kinds=1 init=0xaa => new CLOSED 10 unreplied
        1 a>b sctp kinds=1 init=0xaa => new CLOSED 9 unreplied
        ",
    );
}

#[test]
fn inits_that_cross_keep_the_association() {
    check(
        "
        0 a>b sctp kinds=1 init=0xaa => new CLOSED 10 unreplied
        0 b>a sctp kinds=1 init=0xbb => est CLOSED 10
        0 b>a sctp kinds=2 tag=0xaa init=0xb2 => inv(bad-tag)
        0 b>a sctp kinds=2 tag=0xaa init=0xbb => est COOKIE_WAIT 3
        0 a>b sctp kinds=10 tag=0xbb => est COOKIE_ECHOED 3
        0 b>a sctp kinds=11 tag=0xaa => est ESTABLISHED 210 assured
        ",
    );
}

#[test]
fn init_ack_with_another_tag_needs_an_init_that_asked_for_it() {
    check(
        "
        0 a>b sctp kinds=8 tag=0xaa => new SHUTDOWN_ACK_SENT 3 unreplied
        0 a>b sctp kinds=1 init=0xaa => new SHUTDOWN_ACK_SENT 3 unreplied
        0 b>a sctp kinds=2 tag=0xaa init=0xbb => est SHUTDOWN_ACK_SENT 3
        0 b>a sctp kinds=2 tag=0xaa init=0xcc => inv(bad-tag)
        ",
    );
    check_open(
        "
        0 a>b sctp kinds=1 init=0xa2 => est ESTABLISHED 210 assured
        0 b>a sctp kinds=2 tag=0xa2 init=0xb2 => est ESTABLISHED 210 assured
        ",
    );
}

#[test]
fn only_shutdown_ack_announces_the_other_sides_tag() {
    check(
        "
        0 a>b sctp kinds=5 tag=0xaa => new CLOSED 10 unreplied
        0 b>a sctp kinds=5 tag=0xbb => est
        ",
    );
    check(
        "
        0 a>b sctp kinds=8 tag=0xaa => new SHUTDOWN_ACK_SENT 3 unreplied
        0 b>a sctp kinds=14 tag=0xaa => est CLOSED 10
        ",
    );
}
