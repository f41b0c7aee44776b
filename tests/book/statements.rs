//! Statements: what each is written like, what it does, and what it compiles to.

use std::fmt::Write as _;

use crate::code;
use crate::page::GENERATED;

/// A statement.
struct Statement {
    title: &'static str,
    /// How it is written; `[ ]` may be left out, `|` is a choice.
    form: &'static str,
    about: &'static str,
    /// An example rule.
    rule: &'static str,
    /// What stands in the table before the chain.
    before: &'static str,
    /// What stands in the chain before the rule.
    chain: &'static str,
    family: &'static str,
}

const fn statement(
    title: &'static str,
    form: &'static str,
    about: &'static str,
    rule: &'static str,
) -> Statement {
    Statement {
        title,
        form,
        about,
        rule,
        before: "",
        chain: "",
        family: "inet",
    }
}

impl Statement {
    const fn with(mut self, before: &'static str) -> Self {
        self.before = before;
        self
    }

    const fn at(mut self, chain: &'static str) -> Self {
        self.chain = chain;
        self
    }

    const fn family(mut self, family: &'static str) -> Self {
        self.family = family;
        self
    }
}

const PREROUTING_NAT: &str = "type nat hook prerouting priority dstnat;";
const POSTROUTING_NAT: &str = "type nat hook postrouting priority srcnat;";

#[rustfmt::skip]
const STATEMENTS: &[Statement] = &[
    statement("match", "FIELD [==|!=|<|>|<=|>=] VALUE|RANGE|PREFIX|SET", "Goes on with the rule only if the comparison holds. Without an operator a single value means equality; a list of flags means \"any of them\"; a set means \"one of them\". What a field implies (its protocol) is tested first, unless the rule has said it already.", "ip saddr 10.0.0.0/8 tcp dport { 22, 443 }"),
    statement("match of flags", "FIELD & MASK ==|!= VALUE; FIELD VALUE / MASK; FIELD ! FLAGS", "Compares some bits of a field. `tcp flags syn / syn,ack` is SYN set and ACK not; `tcp flags ! syn` is SYN not set.", "tcp flags syn / fin,syn,rst,ack"),
    statement("match of several fields", "FIELD . FIELD ... SET", "Looks the fields up together: every element of the set has a value for each.", "ip saddr . tcp dport { 192.0.2.1 . 22, 192.0.2.2 . 443 }"),
    statement("accept", "accept", "Ends this base chain; base chains of later priorities still see the packet.", "accept"),
    statement("drop", "drop", "The packet is gone, with no answer.", "drop"),
    statement("jump", "jump CHAIN; jump { RULES }", "Goes through a chain without a hook, and on behind this rule when that chain ends. No more than 16 deep.", "jump services").with("chain services { }"),
    statement("goto", "goto CHAIN", "As jump, but what follows that chain is what would follow this one.", "goto services").with("chain services { }"),
    statement("return", "return", "Back behind the rule that jumped here; in a base chain, its policy.", "return"),
    statement("continue", "continue", "On with the next rule, as without any verdict; for verdict maps.", "continue"),
    statement("vmap", "FIELD vmap { VALUE : VERDICT, ... }; FIELD vmap @MAP", "The verdict that a map has for a value; on with the next rule where it has none.", "tcp dport vmap { 22 : accept, 23 : drop }"),
    statement("counter", "counter [packets N bytes N]; counter name NAME", "Counts the packets and bytes that come this far in the rule. A named counter may be shared.", "counter"),
    statement("limit", "limit rate [over] N[UNIT]/second|minute|hour|day|week [burst N packets|bytes]", "Matches as long as packets come no faster than that, or with `over` as soon as they do. Units are bytes, kbytes and mbytes; the burst is 5 packets unless it is given.", "limit rate 10/minute burst 20 packets"),
    statement("quota", "quota [over|until] N bytes|kbytes|mbytes [used N UNIT]", "Matches until that many bytes have passed, or with `over` from then on.", "quota over 500 mbytes drop"),
    statement("last", "last", "Remembers when a packet last came this far.", "last"),
    statement("ct count", "ct count [over] N", "Matches while there are no more than N connections, or with `over` as soon as there are more. In an element of a set it counts for each element of its own.", "tcp dport 22 ct state new ct count over 10 drop"),
    statement("log", "log [prefix STRING] [level LEVEL] [flags FLAGS] [group N [snaplen N] [queue-threshold N]]", "Writes a line about the packet, in the kernel's format.", "log prefix \"refused: \" level info"),
    statement("reject", "reject [with icmp|icmpv6|icmpx CODE | with tcp reset]", "Drops the packet and tells its sender: by a TCP reset or an ICMP error, port unreachable unless another code is given. `icmpx` serves both IP families.", "meta l4proto tcp reject with tcp reset"),
    statement("snat", "snat [ip|ip6] to ADDRESS[-ADDRESS][:PORT[-PORT]] [random|fully-random] [persistent]", "Sets the source address of a connection, in chains of type nat at postrouting and input.", "oifname \"wan0\" snat ip to 192.0.2.1").at(POSTROUTING_NAT),
    statement("dnat", "dnat [ip|ip6] to ADDRESS[-ADDRESS][:PORT[-PORT]]", "Sets the destination of a connection, in chains of type nat at prerouting and output.", "tcp dport 80 dnat ip to 10.1.0.2:8080").at(PREROUTING_NAT),
    statement("masquerade", "masquerade [to :PORT[-PORT]] [random|fully-random|persistent]", "Source NAT to the address of the port that the packet leaves by.", "oifname \"wan0\" masquerade").at(POSTROUTING_NAT),
    statement("redirect", "redirect [to :PORT[-PORT]]", "Destination NAT to the machine itself.", "tcp dport 80 redirect to :3128").at(PREROUTING_NAT),
    statement("notrack", "notrack", "Keeps conntrack off the packet. Only of use before conntrack runs, at priority raw.", "udp dport 53 notrack").at("type filter hook prerouting priority raw;"),
    statement("set a field", "FIELD set VALUE", "Writes a field of the packet, and mends the checksums over it.", "ip dscp set cs1"),
    statement("set a key", "meta KEY set VALUE; ct KEY set VALUE", "Writes a key of the packet or its connection: `mark`, `priority`, `nftrace`, `pkttype`; `ct mark`, `ct label`, `ct zone`, `ct event`.", "ct mark set meta mark"),
    statement("set from a map", "... set FIELD map { VALUE : VALUE, ... }", "Writes what a map has for another field; does not match where it has nothing.", "meta mark set tcp dport map { 22 : 1, 80 : 2 }"),
    statement("set a TCP option", "tcp option NAME FIELD set VALUE; reset tcp option NAME", "Writes an option that is there (a larger `maxseg size` is never written), or overwrites it with NOPs.", "tcp flags syn tcp option maxseg size set rt mtu"),
    statement("add to a set", "add|update|delete @SET { KEY [timeout T] [STATEMENT] }", "Changes a set that has `flags dynamic`. `update` also begins the element's timeout anew. A statement behind the key is kept for each element.", "update @seen { ip saddr timeout 1m limit rate over 5/second } drop").with("set seen { type ipv4_addr; size 65535; flags dynamic, timeout; }"),
    statement("named objects", "counter|quota|limit name NAME; ct helper set NAME", "Runs an object of the table, which several rules may share.", "counter name \"web\"").with("counter web { }"),
    statement("queue", "queue [to N[-N]] [bypass] [fanout]", "Hands the packet to a program.", "queue to 1-3 bypass"),
    statement("tproxy", "tproxy [ip|ip6] to [ADDRESS][:PORT]", "Hands the packet to a transparent proxy.", "meta l4proto tcp tproxy ip to :8080").at("type filter hook prerouting priority mangle;"),
    statement("dup", "dup to ADDRESS [device NAME]", "Sends a copy somewhere else.", "dup to 10.0.0.9 device \"lan0\"").family("ip"),
    statement("fwd", "fwd to NAME", "Sends the packet out of a device, in netdev tables.", "fwd to \"wan0\"").family("netdev").at("type filter hook ingress device \"lan0\" priority 0;"),
    statement("synproxy", "synproxy [mss N] [wscale N] [timestamp] [sack-perm]", "Answers TCP handshakes in the server's place.", "tcp dport 80 synproxy mss 1460 wscale 7").at("type filter hook input priority 0;"),
    statement("flow", "flow add @FLOWTABLE", "Takes the connection's further packets past the rules.", "ct state established flow add @fast").with("flowtable fast { hook ingress priority 0; devices = { \"lan0\" }; }").at("type filter hook forward priority 0;"),
];

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Statements\n\n\
         A rule is a row of matches and statements, which run from left to right; a match that does not hold ends the rule, and what ran before stays done. \
         In the forms below, what stands in brackets may be left out, `|` is a choice, and capitals stand for something. Under each example is what it compiles to, \
         as `nft --debug=netlink` prints it: `reg 1` is a register of 16 bytes, numbers are shown as a little-endian machine reads them. What compiles and what \
         runs are two things: [differences.md](../differences.md) says what does not run yet.\n",
    );
    for statement in STATEMENTS {
        let code = code::rule(
            statement.family,
            statement.before,
            statement.chain,
            statement.rule,
        );
        let code: String = code
            .lines()
            .filter(|line| line.starts_with(['[', '_', '\t']))
            .map(|line| format!("{line}\n"))
            .collect();
        _ = write!(out, "\n## {}\n\n", statement.title);
        for form in statement.form.split("; ") {
            _ = writeln!(out, "    {form}");
        }
        _ = write!(out, "\n{}\n", statement.about);
        if !statement.before.is_empty() || !statement.chain.is_empty() {
            let given: Vec<&str> = [statement.before, statement.chain]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect();
            let given: Vec<String> = given.iter().map(|text| format!("`{text}`")).collect();
            _ = write!(out, "\nWith {}:\n", given.join(" and "));
        }
        _ = write!(out, "\n```text\n{}\n\n{code}```\n", statement.rule);
    }
    out
}
