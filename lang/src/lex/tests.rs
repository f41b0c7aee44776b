use super::*;
use proptest::prelude::*;

/// Token texts joined by blanks, with the terminal of those that are not words or signs.
fn lexed(text: &str) -> String {
    let show = |lexeme: Lexeme| {
        let slice = &text[lexeme.start as usize..lexeme.end as usize];
        match lexeme.class {
            Class::Blank => None,
            Class::Comment => Some("#".to_owned()),
            Class::Token(kind) => Some(match kind.row().terminal.strip_prefix("t_") {
                Some("word") | None => slice.to_owned(),
                Some("newline") => "\\n".to_owned(),
                Some(name) => format!("{name}<{slice}>"),
            }),
        }
    };
    Lexer::new(text)
        .filter_map(show)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn tokens() {
    let check = |text: &str, want: &str| assert_eq!(lexed(text), want, "{text}");
    check("tcp dport {22,80}", "tcp dport { number<22> , number<80> }");
    check("10.0.0.1-10.0.0.5", "ipv4<10.0.0.1> - ipv4<10.0.0.5>");
    check(
        "10.0.0.0/8 fe80::/10 ::",
        "ipv4<10.0.0.0> / number<8> ipv6<fe80::> / number<10> ipv6<::>",
    );
    check("[::1]:80", "[ ipv6<::1> ] : number<80>");
    check("::ffff:1.2.3.4", "ipv6<::ffff:1.2.3.4>");
    check("00:11:22:aa:bb:cc", "mac<00:11:22:aa:bb:cc>");
    check("1:2:3:4:5:6:7:8", "ipv6<1:2:3:4:5:6:7:8>");
    check("dead::beef", "ipv6<dead::beef>");
    check(
        "1d2h3m4s5ms 10m 5ms 0x1d",
        "time<1d2h3m4s5ms> time<10m> time<5ms> number<0x1d>",
    );
    check(
        "eth* \"eth*\" * et\\*",
        "wildcard_word<eth*> str<\"eth*\"> * wildcard_word<et\\*>",
    );
    check("$net/24", "var<$net/24>");
    check(
        "@s @nh,0,8 @34",
        "set_ref<@s> @nh , number<0> , number<8> @ number<34>",
    );
    check("a # b\nc \\\n d", "a # \\n c d");
    check(
        "10/second 3 mbytes/second",
        "number<10> / second number<3> mbytes / second",
    );
    check("80:90", "number<80> : number<90>");
    check(
        "meta priority 1:ffff abcd:1 1d:2\n1:2",
        "meta priority class_id<1:ffff> class_id<abcd:1> class_id<1d:2> \\n number<1> : number<2>",
    );
    check(
        "hour 08:00-17:00 8:00:30 \n1:2",
        "hour class_id<08:00> - class_id<17:00> class_id<8:00:30> \\n number<1> : number<2>",
    );
    check(
        "hour { 08:00,\n17:00 }\n1:2",
        "hour { class_id<08:00> , \\n class_id<17:00> } \\n number<1> : number<2>",
    );
    check(
        "10/hour 22:80 \n hour 22:accept",
        "number<10> / hour number<22> : number<80> \\n hour number<22> : accept",
    );
    check("type hour\n1:2", "type hour \\n class_id<1:2>");
    check("\"abc\nd", "unclosed_str<\"abc> \\n d");
    check("a.b . c", "a.b . c");
    check("ip saddr\u{e4}?", "ip saddr bad<\u{e4}> bad<?>");
    check("!= ! <= << < & |", "!= ! <= << < & |");
    check(
        "1:2:3:4:5:6:7:::accept ::2:3:4:5:6:7:8",
        "ipv6<1:2:3:4:5:6:7::> : accept ipv6<::2:3:4:5:6:7:8>",
    );
    check("64:ff9b::1.2.3.4 8021q", "ipv6<64:ff9b::1.2.3.4> 8021q");
    check("22:accept", "number<22> : accept");
}

proptest! {
    #[test]
    fn tokens_tile_the_text(text in "[a-f0-9:./*\"\\\\$@# \n\r{}()-]{0,200}|\\PC{0,50}") {
        let mut at = 0;
        for lexeme in Lexer::new(&text) {
            prop_assert_eq!(lexeme.start, at);
            prop_assert!(lexeme.end > at);
            at = lexeme.end;
        }
        prop_assert_eq!(at as usize, text.len());
    }
}
