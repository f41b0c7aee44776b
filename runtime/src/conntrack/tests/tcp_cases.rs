//! TCP, case by case as in the specification's list.

use super::check;

/// A connection open both ways.
const OPEN: &str = "
    0 a>b S => new SYN_SENT 120 unreplied p1/0
    0 b>a SA => est SYN_RECV 60 p1/1
    0 a>b A => est ESTABLISHED 432000 assured p2/1
";

/// After [`OPEN`]: closed from both sides, `a` first.
const CLOSE: &str = "
    0 a>b FA => est FIN_WAIT 120 assured
    0 b>a A ack=2 => est CLOSE_WAIT 60 assured
    0 b>a FA ack=2 => est LAST_ACK 30 assured
    0 a>b A seq=2 ack=2 => est TIME_WAIT 120 assured
";

fn check_open(text: &str) {
    check(&format!("{OPEN}{text}"));
}

#[test]
fn handshake_and_close_pass_through_every_state() {
    check_open(CLOSE);
}

#[test]
fn repeated_syn_neither_refreshes_nor_counts() {
    check(
        "
        0 a>b S => new SYN_SENT 120 unreplied p1/0
        1.2 a>b S => new SYN_SENT 118 unreplied p1/0
        ",
    );
}

#[test]
fn second_syn_with_higher_number_is_the_one_that_counts() {
    check(
        "
        0 a>b S => new
        0 a>b S seq=5000 => new
        0 b>a SA ack=5001 => est SYN_RECV 60
        ",
    );
}

#[test]
fn pickup_in_the_middle_is_assured_by_the_packet_after_the_answer() {
    check(
        "
        0 a>b A => new ESTABLISHED 300 unreplied
        0 b>a A => est ESTABLISHED 300
        0 a>b A => est ESTABLISHED 432000 assured
        ",
    );
}

#[test]
fn no_pickup_without_tcp_loose() {
    check("set tcp_loose 0\n 0 a>b A => inv(not-loose) -");
}

#[test]
fn segments_that_start_nothing() {
    for flags in ["FA", "R", "RA", "SA", "FAU"] {
        check(&format!("0 a>b {flags} => inv(no-entry) -"));
    }
}

#[test]
fn flags_that_make_no_sense() {
    for flags in [
        "SF", "0", "FPU", "F", "SR", "U", "P", "SFA", "SFAR", "SAU", "RU", "FR",
    ] {
        check(&format!("0 a>b {flags} => inv(bad-flags) -"));
    }
    for flags in ["SU", "SPU", "SEC", "AP", "AU", "A"] {
        check(&format!("0 a>b {flags} => new"));
    }
}

#[test]
fn lengths_and_checksums() {
    check(
        "
        0 a>b S doff=4 => inv(bad-length) -
        0 a>b S doff=6 => inv(bad-length) -
        0 a>b S cut=1 => inv(truncated) -
        0 a>b S badsum => inv(bad-checksum) -
        0 a>b S badsum output cport=2 => new
        set checksum 0
        0 a>b S badsum => new
        ",
    );
}

#[test]
fn reset_in_answer_to_a_syn_removes_the_entry() {
    check("0 a>b S => new\n 0 b>a RA => est -\n 0 b>a RA => inv(no-entry) -");
    check("0 a>b S => new\n 0 b>a RA ack=1 cport=1 => inv(no-entry) -");
}

#[test]
fn nothing_but_the_answer_fits_behind_a_syn() {
    check(
        "
        0 a>b S => new
        0 a>b A => inv(bad-state) -
        0 a>b FA => inv(bad-state) -
        0 b>a A => est SYN_SENT 120 p1/0
        ",
    );
}

#[test]
fn stale_syn_ack_is_invalid_and_the_right_one_still_fits() {
    check(
        "
        0 a>b S => new
        0 b>a SA ack=99999 => inv(ack-over)
        1 a>b S => new SYN_SENT 119 unreplied
        1 b>a SA => est SYN_RECV 60
        ",
    );
}

#[test]
fn reset_in_answer_to_a_challenge_ack_lets_the_next_syn_start_anew() {
    check(
        "
        0 a>b S => new
        0 b>a A seq=500 ack=777 => est SYN_SENT 120
        0 a>b R seq=777 => est CLOSE 10
        0 a>b S => new SYN_SENT 120 unreplied
        0 b>a SA => est SYN_RECV 60
        0 a>b A => est ESTABLISHED 432000 assured
        ",
    );
}

#[test]
fn syn_in_an_open_connection_changes_nothing_until_it_is_answered() {
    check_open(
        "
        0 a>b S seq=90000 => est ESTABLISHED 432000 assured p2/1
        0 b>a SA seq=70000 ack=90001 => est SYN_RECV 60 assured
        0 a>b A seq=90001 ack=70001 => est ESTABLISHED 432000 assured
        0 a>b PA seq=90001 ack=70001 len=100 => est ESTABLISHED 300 assured
        ",
    );
}

#[test]
fn exact_reset_after_a_challenge_ack_closes() {
    check_open(
        "
        0 a>b S seq=90000 => est
        0 b>a A => est ESTABLISHED 432000 assured
        0 a>b R => est CLOSE 10 assured
        0 a>b S seq=90000 => new SYN_SENT 120 unreplied
        ",
    );
}

#[test]
fn challenge_ack_does_not_acknowledge_the_last_fin() {
    check_open(
        "
        0 a>b FA => est FIN_WAIT 120 assured
        0 b>a A ack=2 => est CLOSE_WAIT 60 assured
        0 b>a FA ack=2 => est LAST_ACK 30 assured
        0 a>b S seq=90000 => est LAST_ACK 30 assured
        0 b>a A seq=2 ack=2 => est LAST_ACK 30 assured
        ",
    );
}

#[test]
fn syn_opens_a_closed_connection_again_from_either_side() {
    check_open(&format!(
        "{CLOSE} 1 a>b S seq=90000 => new SYN_SENT 120 unreplied p1/0"
    ));
    check_open(&format!(
        "{CLOSE} 1 b>a S seq=90000 => new SYN_SENT 120 unreplied p1/0"
    ));
}

#[test]
fn syn_does_not_reopen_when_the_reset_was_not_the_last_word() {
    check_open(
        "
        0 a>b R => est CLOSE 10 assured
        0 b>a PA len=100 => est CLOSE 10 assured
        1 a>b S seq=90000 => est CLOSE 9 assured
        ",
    );
}

#[test]
fn simultaneous_open() {
    check(
        "
        0 a>b S => new SYN_SENT 120 unreplied p1/0
        0 b>a S => est SYN_SENT2 120 p1/0
        0 a>b SA => est SYN_RECV 60
        0 b>a SA => est SYN_RECV 60
        0 a>b A => est ESTABLISHED 432000 assured
        ",
    );
}

#[test]
fn resets() {
    check_open(
        "
        0 b>a PA len=100 => est ESTABLISHED 300 assured
        0 a>b A ack=101 => est ESTABLISHED 432000 assured
        0 b>a R seq=50 => inv(rst-under)
        0 b>a R seq=500 => est ESTABLISHED 10 assured
        0 b>a A seq=101 => est ESTABLISHED 300 assured
        0 b>a R seq=101 => est CLOSE 10 assured
        ",
    );
    check_open("0 b>a R => est CLOSE 10 assured");
    check_open(
        "0 a>b FA => est FIN_WAIT 120 assured\n 0 b>a R seq=9999999 => est CLOSE 10 assured",
    );
    check_open(
        "
        set tcp_ignore_invalid_rst 1
        0 b>a PA len=100 => est
        0 a>b A ack=101 => est
        0 b>a R seq=50 => est ESTABLISHED 10 assured
        ",
    );
}

#[test]
fn data_beyond_the_window() {
    check_open(
        "
        0 a>b PA seq=8194 len=100 => est ESTABLISHED 432000 assured p2/1
        0 a>b PA seq=90000 len=100 => inv(seq-over)
        0 b>a A ack=50000 => inv(ack-over)
        ",
    );
}

#[test]
fn retransmitted_old_data_is_not_invalid() {
    check(
        "
        0 a>b S ws=7 => new
        0 b>a SA ws=7 => est
        0 a>b A => est
        0 b>a A => est
        0 a>b PA seq=1 len=40000 => est
        0 a>b PA seq=40001 len=40000 => est
        0 b>a A ack=80001 => est
        0 a>b PA seq=14466 len=1000 => est
        ",
    );
}

#[test]
fn window_scaling_takes_both_sides() {
    check(
        "
        0 a>b S ws=7 => new
        0 b>a SA ws=7 => est
        0 a>b A => est
        0 b>a A => est
        0 a>b PA seq=100001 len=10 => est ESTABLISHED 300 assured
        ",
    );
    check(
        "
        0 a>b S ws=7 => new
        0 b>a SA => est
        0 a>b A => est
        0 b>a A => est
        0 a>b PA seq=100001 len=10 => inv(seq-over)
        ",
    );
}

#[test]
fn keepalive_passes() {
    check_open("0 a>b A seq=0 => est ESTABLISHED 432000 assured\n 0 b>a A => est");
}

#[test]
fn timeouts_of_an_open_connection() {
    check_open(
        "
        0 b>a A win=0 => est ESTABLISHED 300 assured
        0 b>a A => est ESTABLISHED 432000 assured
        0 a>b PA len=10 => est ESTABLISHED 300 assured
        0 b>a A ack=11 => est ESTABLISHED 432000 assured
        ",
    );
}

#[test]
fn repeated_acknowledgements_count_as_retransmissions() {
    check_open(
        "
        0 a>b A => est ESTABLISHED 432000 assured
        0 a>b A => est ESTABLISHED 432000 assured
        0 a>b A => est ESTABLISHED 300 assured
        0 a>b A win=100 => est ESTABLISHED 432000 assured
        ",
    );
}

#[test]
fn sack_blocks_count_as_acknowledgements() {
    check(
        "
        0 a>b S sackok => new
        0 b>a SA sackok => est
        0 a>b A => est
        0 a>b PA seq=1 len=1000 => est
        0 a>b PA seq=1001 len=1000 => est
        0 b>a A ack=1 sack=1001:2001 => est
        0 b>a A ack=1 sack=1001:5001 => inv(ack-over)
        ",
    );
}

#[test]
fn two_ends_outside_the_window_shorten_the_life() {
    check_open(
        "
        0 a>b FA seq=90000 => inv(seq-over)
        0 b>a RA seq=90000 => inv(seq-over)
        0 a>b PA seq=8194 len=10 => est ESTABLISHED 300 assured
        ",
    );
}

#[test]
fn liberal_lets_data_pass_but_no_old_reset() {
    check_open(
        "
        set tcp_be_liberal 1
        0 b>a PA len=100 => est
        0 a>b A ack=101 => est
        0 a>b PA seq=90000 len=100 => est ESTABLISHED 432000 assured
        0 b>a R seq=50 => inv(rst-under)
        0 b>a R seq=900000 => est ESTABLISHED 10 assured
        ",
    );
}

#[test]
fn fast_open() {
    check("0 a>b S len=100 => new\n 0 b>a SA ack=101 => est SYN_RECV 60");
}

#[test]
fn half_closed_connection_lives_by_its_data() {
    check_open(
        "
        0 a>b FA => est FIN_WAIT 120 assured
        0 b>a A ack=2 => est CLOSE_WAIT 60 assured
        50 b>a PA ack=2 len=10 => est CLOSE_WAIT 60 assured
        50 a>b A seq=2 ack=11 => est CLOSE_WAIT 60 assured
        100 b>a PA seq=11 ack=2 len=10 => est CLOSE_WAIT 60 assured
        161 b>a PA seq=21 ack=2 len=10 => new ESTABLISHED 300 unreplied p1/0
        ",
    );
}

#[test]
fn data_after_a_flush_turns_the_directions_round() {
    check_open("flush\n 0 b>a PA len=10 => new ESTABLISHED 300 unreplied p1/0");
}

#[test]
fn entry_dies_when_its_time_is_over_and_not_before() {
    check(
        "0 a>b S => new\n 119.999 a>b S => new SYN_SENT 0 unreplied\n 120 a>b S => new SYN_SENT 120 unreplied",
    );
}

#[test]
fn inexact_reset_closes_what_is_not_assured() {
    check(
        "
        0 a>b PA len=1 => new ESTABLISHED 300 unreplied
        0 b>a PA ack=2 len=10 => est ESTABLISHED 300
        0 a>b R seq=7938 => est CLOSE 10
        ",
    );
}

#[test]
fn reset_behind_crossing_syns_is_checked_against_the_window() {
    check(
        "
        0 a>b S => new
        0 b>a S => est SYN_SENT2 120
        0 b>a R win=3000 ack0 => est CLOSE 10 p1/1
        0 a>b A seq=1001 len=5 => est CLOSE 10 p2/1
        ",
    );
}
