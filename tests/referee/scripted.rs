//! Cases that are written down, each about one subject: rules and a conversation. What Linux makes of them is kept beside the tests.

use crate::lab::Lab;
use crate::traffic::{Frame, script};

/// A written case.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// The service port, and the packets in [`script::frames`]' words; IPv6 when the third is set.
    talk: (u16, &'static str, bool),
    pub(crate) rules: &'static str,
    pub(crate) lab: Lab,
}

impl Script {
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let (service, words, six) = self.talk;
        script::frames(six, service, words)
    }
}

/// Fields behind the network header, asked of fragments: those that are aligned numbers, and others.
const LATER: &str = "table netdev dev {
  chain in { type filter hook ingress device \"lan0\" priority 0; policy accept;
    udp dport != 5000 counter
    udp length > 100 counter
    th dport != 40000 counter
    tcp flags != syn counter
    tcp sequence != 0 counter
    @th,0,8 > 0x10 counter
    @th,8,16 != 0 counter
    @th,0,24 != 0 counter
    @th,0,64 != 0 counter
    @th,384,8 != 0 counter
    @ih,0,8 != 0 counter
    @nh,320,8 != 0 counter
    icmp type != echo-request counter
    icmpv6 type != echo-request counter
    tcp option maxseg exists counter
    udp dport set 5000 counter
  }
  chain out { type filter hook egress device \"wan0\" priority 0; policy accept;
    udp dport != 5000 counter
    udp length > 100 counter
    th dport vmap { 0-514 : continue, 515-60000 : accept }
    tcp flags != syn counter
    @th,0,8 > 0x10 counter
    @th,0,24 != 0 counter
    ip daddr . udp sport != { 198.51.100.7 . 40000 } counter
    ip6 daddr . udp sport != { 2001:db8::7 . 40000 } counter
  }
}
table inet t {
  chain pre { type filter hook prerouting priority -450; policy accept;
    udp dport != 5000 counter
    udp sport . udp dport { 40000 . 5000 } counter
    tcp flags != syn counter
  }
  chain through { type filter hook forward priority 0; policy accept;
    meta l4proto { tcp, udp } th dport != 5000 counter
    udp checksum != 0 counter
  }
}
";

/// Replies come in, SSH may be begun from the inside, all else is dropped.
const GATEWAY: &str = "table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname \"lan0\" tcp dport 22 ct state new counter accept
    iifname \"lan0\" udp dport { 53, 5000 } counter accept
    counter
  }
}
";

/// Everything passes; the probe says what conntrack thinks of it.
const WATCH: &str = "table inet t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state new counter
    ct state established counter
    ct state invalid counter
    ct status assured counter
  }
}
";

/// Packets are remembered, limited and counted by who sent them.
const REMEMBER: &str = "table ip t {
  set met { type ipv4_addr; size 1; flags dynamic; }
  set rated { type ipv4_addr . inet_service; size 10; flags dynamic; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip saddr @met counter
    add @met { ip saddr counter } counter
    add @rated { ip saddr . udp dport limit rate over 2/day burst 1 packets } counter drop
    udp length 28 delete @met { ip saddr } counter
  }
}
";

const BUDGETS: &str = "table ip t {
  counter total { }
  quota some { over 100 bytes }
  limit few { rate 2/day burst 2 packets }
  chain forward {
    type filter hook forward priority 0; policy accept;
    counter name \"total\" limit rate 1/day burst 3 packets counter
    limit rate over 80 bytes/day burst 60 bytes counter
    quota name \"some\" counter
    quota until 90 bytes counter
    limit name \"few\" counter
  }
}
";

const REFUSE: &str = "table inet t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    tcp dport 80 tcp flags & (fin|syn|rst|ack) == syn counter reject with tcp reset
    tcp dport 80 tcp flags & ack == ack counter reject with icmpx admin-prohibited
    udp length 18 counter reject
    udp length 28 counter reject with icmpx no-route
    udp length 38 counter reject with icmpx host-unreachable
  }
}
";

const MARKS: &str = "table ip t {
  map marks { type ipv4_addr : mark; flags interval; elements = { 192.168.0.0/16 : 0x105, 198.51.100.7 : 9 }; }
  chain pre {
    type filter hook prerouting priority -150; policy accept;
    meta mark set ip saddr map @marks ct mark set meta mark and 0xff or 0x10 counter
    ct direction reply meta mark set ct mark xor 0xf0 counter
    meta mark set meta mark << 2 counter
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    meta mark 0x414 counter
    meta mark vmap { 0x394 : accept, 0x24 : drop } counter
    ct mark 0x15 meta l4proto udp ct original proto-dst 5000 ct reply ip saddr 198.51.100.7 counter
  }
}
";

const MAPS: &str = "table inet t {
  set boxes { type ipv4_addr . inet_service; flags interval; elements = { 192.168.0.0/20 . 0-100, 10.0.0.0/8 . 5000 }; }
  map ways { type ipv4_addr . inet_service : verdict; flags interval; elements = { 198.51.100.0/24 . 4000-6000 : drop }; }
  chain deep { counter return; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip saddr . udp sport @boxes counter
    ip saddr . udp dport @boxes counter
    ip saddr . ip daddr . udp dport { 192.168.0.0/16 . 198.51.100.0-198.51.100.9 . 1-5000 } counter
    meta l4proto . th dport vmap { udp . 5000 : jump deep, tcp . 22 : drop } counter
    udp dport vmap { 1-4999 : drop, 5000 : continue } counter
    ip daddr . udp dport vmap @ways counter
  }
}
";

const REWRITE: &str = "table inet t {
  chain pre {
    type filter hook prerouting priority 0; policy accept;
    ip ttl set 17 udp dport set 4444 counter
    ip6 hoplimit set 17 udp dport set 4444 counter
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip saddr set 192.168.1.77 udp sport set 99 counter
    ip6 saddr set fd10::77 udp sport set 99 counter
    udp dport 4444 udp length > 8 counter
  }
}
";

const OPTIONS: &str = "table ip t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    tcp option maxseg size 1460 counter
    tcp option sack-perm exists counter
    tcp flags syn tcp option maxseg size set 1200 counter
    tcp option maxseg size set 9000 counter
    tcp option maxseg size 1200 counter
    reset tcp option sack-perm counter
    tcp option sack-perm missing counter
    tcp option 99 exists counter
  }
}
";

const UNTRACKED: &str = "table inet t {
  chain raw {
    type filter hook prerouting priority raw; policy accept;
    udp dport 5000 notrack counter
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state untracked counter
    ct state new counter
    ct direction original counter
  }
}
";

const HEADERS: &str = "table ip6 t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    exthdr hbh exists counter
    exthdr dst missing counter
    hbh nexthdr 43 counter
    rt type 4 rt seg-left 0 counter
    frag frag-off 0 counter
    udp dport 5000 counter
    ip6 nexthdr udp counter
  }
}
";

const INGRESS: &str = "table netdev t {
  counter seen { }
  chain in {
    type filter hook ingress device \"lan0\" priority 0; policy accept;
    ether saddr 02:00:00:00:01:02 counter name \"seen\"
    meta mark set numgen inc mod 3 offset 1 counter
    meta mark 3 udp length > 20 counter drop
    ip ttl set 9 counter
  }
}
";

/// Copies by a route: from every hook, to either side, with a device that has a route and with one that has none.
const COPIES: &str = "table ip t {
  chain pre { type filter hook prerouting priority 0; udp length 18 dup to 10.1.0.2; }
  chain in { type filter hook input priority 0; dup to 10.2.0.2 counter; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    udp length 28 ip ttl 63 dup to 10.2.0.2 device \"wan0\" counter drop
    udp length 38 dup to 203.0.113.1 counter
  }
  chain post { type filter hook postrouting priority 0; meta l4proto icmp dup to ip saddr map { 192.168.1.10 : 10.1.0.2, 198.51.100.7 : 10.2.0.2 } counter; }
  chain out { type filter hook output priority 0; ct state untracked counter meta mark set 7 oifname \"wan0\" ip ttl 63 dup to 10.1.0.2 counter; }
}
";

const COPIES_6: &str = "table ip6 t {
  chain pre { type filter hook prerouting priority 0; udp length 18 dup to fd01::2; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    udp length 28 dup to fd02::2 device \"wan0\" counter drop
    udp length 38 dup to fd02::2 device \"lan0\" counter
    udp length 108 dup to fd01::2 counter
  }
  chain out { type filter hook output priority 0; ct state untracked counter ip6 hoplimit 63 counter iiftype ether counter; }
}
";

/// A reset ends a connection in every state that it may have, and only once.
const CUT_OFF: &str = "table inet t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state invalid counter
    tcp flags & psh == psh counter reject with tcp reset
    tcp flags & fin == fin counter reject with icmpx admin-prohibited
  }
}
";

/// A device refuses on its own link, in the words of the packet's destination.
const DEVICE_REFUSES: &str = "table netdev t {
  chain in {
    type filter hook ingress device \"lan0\" priority 0; policy accept;
    tcp flags syn counter reject with tcp reset
    udp length 18 counter reject
    udp length 28 counter reject with icmpx admin-prohibited
    udp length > 600 counter reject with icmpx no-route
  }
  chain out {
    type filter hook egress device \"lan0\" priority 0; policy accept;
    meta length 14-2000 counter
    iiftype ether counter
    ether type ip counter
    iifname \"wan0\" counter
    oifname \"lan0\" counter
  }
}
";

/// Frames that a device hands on: as they are, and to another neighbour.
const HAND_ON: &str = "table netdev t {
  chain in {
    type filter hook ingress device \"lan0\" priority 0; policy accept;
    udp length 18 dup to \"wan0\" counter
    meta rtclassid 0 counter
    udp length 28 fwd to \"wan0\"
    udp length 38 fwd ip to 10.2.0.2 device \"wan0\"
    udp length 38 fwd ip6 to fd02::2 device \"wan0\"
    counter
  }
  chain out {
    type filter hook egress device \"wan0\" priority 0; policy accept;
    ip protocol udp counter
    udp length 48 dup to \"wan0\"
    counter
  }
}
";

/// An inet table's chain at a device sees IP alone, by its family; what it refuses is answered by a route.
const INET_INGRESS: &str = "table inet t {
  chain in {
    type filter hook ingress device \"lan0\" priority 0; policy accept;
    ip ttl 64 counter
    ip6 hoplimit 64 counter
    meta nfproto ipv4 counter
    udp length 18 counter reject with icmpx host-unreachable
  }
}
";

/// Three connections of one host: a datagram's, a ping's, a TCP connection.
const CONNECTIONS: &str = "table ip t {
  set busy { type ipv4_addr; size 10; flags dynamic; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct count over 2 counter
    ct count 1 counter
    ct state new add @busy { ip saddr ct count over 1 } counter
  }
}
";

/// What FTP and TFTP say is to come.
const HELPERS: &str = "table inet t {
  ct helper file { type \"ftp\" protocol tcp; l3proto inet; }
  ct helper boot { type \"tftp\" protocol udp; l3proto inet; }
  chain begin {
    type filter hook prerouting priority -150; policy accept;
    tcp dport 21 ct mark set 5 ct helper set \"file\" counter
    udp dport 69 ct helper set \"boot\" counter
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct helper \"ftp\" ct mark 5 counter
    ct helper \"tftp\" counter
    ct status expected counter
    ct state related counter
  }
}
";

/// The client's side, the server's side, half a command, a command behind half a line, an address that is not the sender's.
const FTP: &str = "S> SA< A> PA<=220_hi~ PA>=USER_a~ PA<=331_pw~ \
  PA>=PORT_192,168,1,10,156,65~ @20:40002S< @20:40001S< @40001:20SA> PA<=200_ok~ \
  PA>=PASV~ PA<=227_Passive_(198,51,100,7,195,80)~ @41000:50000S> @50000:41000SA< A> \
  PA>=EPRT_|1|192.168.1.10|40003|~ @20:40003S< PA>=EPSV~ PA<=229_Passive_(|||50001|)~ @41001:50001S> \
  PA>=NOOP PA>=_~ PA>=PORT_192,168,1,11,156,68~ @20:40004S< PA>=PORT_192,168,1,10,1 FA>";

/// The same over IPv6.
const FTP6: &str = "S> SA< A> PA<=220_hi~ PA>=USER_a~ PA<=331_pw~ \
  PA>=EPRT_|2|fd10::10|40003|~ @20:40004S< @20:40003S< PA>=EPSV~ PA<=229_Passive_(|||50001|)~ @41001:50001S> \
  PA>=PORT_192,168,1,10,156,65~ @20:40001S< PA>=EPRT_|1|192.168.1.10|40003|~";

/// A request, its answer from another port, and one that nobody asked for.
const TFTP: &str =
    "u>=%0%1file%0octet%0 @3000:40000u<=%0%3%0%1 @40000:3000u>=%0%4%0%1 @3001:40000u<=%0%3%0%1";

/// What lies behind a transport header: of TCP, of UDP, of ICMP nothing.
const INNER: &str = "table inet t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    @ih,0,8 0 counter
    meta rtclassid 0 counter
    @ih,0,8 != 0 counter
    @th,0,4 9 counter
    @nh,4,4 5 counter
    @ll,96,16 0x86dd counter
    @ih,0,8 set 1 counter
    udp sport set 7 @th,16,16 set 4001 counter
  }
}
";

/// The way is chosen once: what rules rewrite behind it does not change it.
const CHOSEN_WAY: &str = "table ip t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    rt ip nexthop 10.2.0.2 counter
    ip daddr set 10.1.0.9 rt ip nexthop 10.2.0.2 counter
    fib daddr . iif oif \"lan0\" counter
    ip daddr set 198.51.100.99 tcp option maxseg size set rt mtu counter
  }
  chain out {
    type filter hook output priority 0;
    rt ip nexthop 10.1.0.2 counter
  }
}
";

/// An ICMPv6 error speaks with the address of the port where its packet came in, wherever rules have moved the packet's source.
const MOVED_SOURCE: &str = "table ip6 t {
  chain pre { type filter hook prerouting priority 0; udp length 18 ip6 saddr set 2001:db8::99; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    udp length 28 ip6 saddr set fd02::2
    udp length 38 ip6 saddr set fd10::77
    udp length 18-38 counter reject
  }
  chain out { type filter hook output priority 0; iiftype ether counter; }
  chain post { type filter hook postrouting priority 0; iiftype ether counter; }
}
";

const ZONES: &str = "table inet t {
  chain raw {
    type filter hook prerouting priority raw; policy accept;
    udp length 18 ct zone set 5 counter
    udp length 28 ct original zone set 7 counter
    meta l4proto icmp ct zone set meta mark map { 0 : 9, 1 : 2 } counter
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct zone 5 counter
    ct original zone 7 counter
    ct reply zone 7 counter
    ct state new counter
    ct label set 5 ct label 5 counter
    ct event set new,destroy ct id != 0 counter
    ct original packets . ct direction { 2-9 . original, 1 . reply } counter
  }
}
";

/// Connections are counted in a set's elements, and nothing else asks for them.
const BUSY: &str = "table ip t {
  set busy { type ipv4_addr; size 10; flags dynamic; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    counter
    add @busy { ip saddr ct count over 2 } counter drop
  }
}
";

/// Connections of IPv4 alone: IPv6 is neither tracked nor put together.
const ONE_FAMILY: &str = "table ip t {
  chain forward { type filter hook forward priority 0; policy accept; ct state new counter; }
}
table ip6 t {
  chain forward { type filter hook forward priority 0; policy accept; counter; }
}
";

/// What the machine answers is turned elsewhere by a chain of type route, and each hook says where it is.
const TURNED: &str = "table inet t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    reject
  }
  chain turn {
    type route hook output priority -10; policy accept;
    ip daddr set 198.51.100.99 counter
    ip6 daddr set 2001:db8::99 counter
  }
  chain out {
    type filter hook output priority 0; policy accept;
    oifname \"lan0\" counter
    oifname \"wan0\" counter
    rt ip nexthop 10.2.0.2 counter
  }
  chain post {
    type filter hook postrouting priority 0; policy accept;
    oifname \"lan0\" counter
    oifname \"wan0\" counter
  }
}
";

/// A filter chain changes the address, and the chain of type route that follows only how long the packet lives.
const TURNED_BEFORE: &str = "table inet t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    reject
  }
  chain change {
    type filter hook output priority -20; policy accept;
    ip daddr set 198.51.100.99 counter
    ip6 daddr set 2001:db8::99 counter
  }
  chain turn {
    type route hook output priority -10; policy accept;
    ip ttl set 9 counter
    ip6 hoplimit set 9 counter
  }
  chain post {
    type filter hook postrouting priority 0; policy accept;
    oifname \"lan0\" counter
    oifname \"wan0\" counter
  }
}
";

/// As before, and the chain of type route changes the mark.
const TURNED_BY_MARK: &str = "table ip t {
  chain forward {
    type filter hook forward priority 0; policy accept;
    reject
  }
  chain change {
    type filter hook output priority -20; policy accept;
    ip daddr set 198.51.100.99 counter
  }
  chain turn {
    type route hook output priority -10; policy accept;
    meta mark set 7 counter
  }
}
";

/// All of them.
pub(crate) const ALL: &[Script] = &[
    alone(script("turned", TURNED, 5000, "u>10")),
    alone(script6("turned-6", TURNED, 5000, "u>10")),
    alone(script("turned-before", TURNED_BEFORE, 5000, "u>10")),
    alone(script6("turned-before-6", TURNED_BEFORE, 5000, "u>10")),
    alone(script("turned-by-mark", TURNED_BY_MARK, 5000, "u>10")),
    alone(script("busy", BUSY, 5000, "u>10 p> u>10 u<10 p< S>")),
    alone(script("one-family", ONE_FAMILY, 5000, "u>100/40 u<10")),
    alone(script6(
        "one-family-6",
        ONE_FAMILY,
        5000,
        "u>100/40 u<90/24 u>10",
    )),
    script(
        "ssh-session",
        GATEWAY,
        22,
        "S> SA< A> PA>20 A< PA<50 A> FA> A< FA< A> PA<9",
    ),
    script("ssh-from-outside", GATEWAY, 22, "S< SA> S> S> SA< R< S>"),
    script(
        "stray-syn-ack",
        WATCH,
        80,
        "SA< A> R> S> SA< SA< A> PA>5+3000 PA>5+900000",
    ),
    script(
        "simultaneous-open",
        WATCH,
        80,
        "S> S< SA> SA< A> A< PA>10 PA<10",
    ),
    script(
        "resets",
        WATCH,
        80,
        "S> SA< A> R>+7 PA>10 R<+90000 PA<3 RA> PA<3 S>",
    ),
    script(
        "icmp-errors",
        GATEWAY,
        5000,
        "u>20 e< u<10 e> u>30 e< p> e< p<",
    ),
    script6(
        "icmp6-errors",
        GATEWAY,
        5000,
        "u>20 e< u<10 e> u>30 e< p> e< p<",
    ),
    script(
        "reject-forms",
        REFUSE,
        80,
        "S> A> PA>9 R> u>10 u>20 u>30 u<30",
    ),
    script6(
        "reject-forms-6",
        REFUSE,
        80,
        "S> A> PA>9 R> u>10 u>20 u>30 u<30",
    ),
    script("fragments", GATEWAY, 5000, "u>100/40 u<90/24 u>64/8 S>/8"),
    script6(
        "fragments-6",
        GATEWAY,
        5000,
        "u>100/40 u<90/24 u>64/8 S>/8 u>20/16",
    ),
    script(
        "dynamic-sets",
        REMEMBER,
        5000,
        "u>10 u>10 u<5 u>20 u<5 u>10 u>10",
    ),
    script(
        "budgets",
        BUDGETS,
        5000,
        "u>10 u>10 u<5 u>20 u<5 u>10 u>10 u>1",
    ),
    script("marks", MARKS, 5000, "u>10 u<10 u>5 u<1"),
    script("maps-and-boxes", MAPS, 5000, "u>10 u<10 S> u>5"),
    script("rewriting", REWRITE, 5000, "u>10 u<10 x>3"),
    script6("rewriting-6", REWRITE, 5000, "u>10 u<10 x>3"),
    script("tcp-options", OPTIONS, 80, "S> SA< A> PA>30"),
    script("untracked", UNTRACKED, 5000, "u>10 u<10 u>5 p>"),
    script6("extension-headers", HEADERS, 5000, "u>10 x>10 x<4 u>30/16"),
    script(
        "copies",
        COPIES,
        5000,
        "u>10 u<10 u>20 u>30 u<30 p> p< u>200/80 S>",
    ),
    script6(
        "copies-6",
        COPIES_6,
        5000,
        "u>10 u<10 u>20 u>30 u<30 u>100/64",
    ),
    script(
        "cut-off",
        CUT_OFF,
        80,
        "S> SA< A> PA>20 A< PA>20 A> S> PA> SA< PA<5 FA>",
    ),
    script6("cut-off-6", CUT_OFF, 80, "S> SA< A> PA>20 A< FA> PA<5"),
    script(
        "device-refuses",
        DEVICE_REFUSES,
        5000,
        "S> u>10 u<10 u>20 u>1000 u>10/8 A> p> u<40",
    ),
    script6(
        "device-refuses-6",
        DEVICE_REFUSES,
        5000,
        "S> u>10 u<10 u>20 u>1300 A> p> u<40",
    ),
    script("hand-on", HAND_ON, 5000, "u>10 u>20 u>30 u>40 u<10"),
    script6("hand-on-6", HAND_ON, 5000, "u>10 u>20 u>30 u>40 u<10"),
    script("inet-ingress", INET_INGRESS, 5000, "u>10 u>20 u<10 p>"),
    script6("inet-ingress-6", INET_INGRESS, 5000, "u>10 u>20 u<10 p>"),
    script(
        "connections",
        CONNECTIONS,
        5000,
        "u>10 u<10 p> S> u>10 SA< A> p> p< PA>5",
    ),
    script("ftp", HELPERS, 21, FTP),
    script6("ftp-6", HELPERS, 21, FTP6),
    script("tftp", HELPERS, 69, TFTP),
    script6("tftp-6", HELPERS, 69, TFTP),
    script("inner", INNER, 80, "u>10 u<10 S> p> PA>20 x>10"),
    script6("inner-6", INNER, 80, "u>10 u<10 S> p> PA>20 x>10"),
    script("chosen-way", CHOSEN_WAY, 80, "S> u>10 p>"),
    script6(
        "moved-source",
        MOVED_SOURCE,
        5000,
        "u>10 u>20 u<30 u<10 u>30 u<20",
    ),
    script("zones", ZONES, 5000, "u>10 u<10 u>20 u<20 p> p< u>10 u>20"),
    script("ingress", INGRESS, 5000, "u>10 u>20 u>30 u<10 u>40 p> S>"),
    alone(script("later-fragments", LATER, 5000, LATER_WORDS)),
    alone(script6("later-fragments-6", LATER, 5000, LATER_WORDS)),
];

const LATER_WORDS: &str = "u>60/16 PA>70/24 p>60/32 x>90/24 u<3 u<60/16 u>49/56";

const fn script(
    name: &'static str,
    rules: &'static str,
    service: u16,
    words: &'static str,
) -> Script {
    Script {
        name,
        talk: (service, words, false),
        rules,
        lab: Lab::Watched,
    }
}

/// A case in which the ruleset's own needs are all that there is.
const fn alone(script: Script) -> Script {
    Script {
        lab: Lab::Router,
        ..script
    }
}

const fn script6(
    name: &'static str,
    rules: &'static str,
    service: u16,
    words: &'static str,
) -> Script {
    Script {
        name,
        talk: (service, words, true),
        rules,
        lab: Lab::Watched,
    }
}
