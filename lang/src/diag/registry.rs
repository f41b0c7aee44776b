//! The one table of every code: number, kebab-case name, level, explanation.
//!
//! Adding a code is one row. Codes never change their meaning and are never used again.

use super::Level;

/// What the registry says about a code.
#[derive(Debug, Clone, Copy)]
pub struct CodeInfo {
    /// `E001` for errors, `L001` for lints.
    pub code: &'static str,
    /// Kebab-case; names the bad pattern.
    pub name: &'static str,
    /// The level that findings have unless changed.
    pub level: Level,
    /// What it does, why, an example, what to use instead.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $code:literal $name:literal $level:ident $explanation:literal;)+) => {
        /// A kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $code, "` ", $name)] $variant,)+
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its row of the table.
            pub fn info(self) -> &'static CodeInfo {
                match self {
                    $(Self::$variant => &CodeInfo {
                        code: $code,
                        name: $name,
                        level: Level::$level,
                        explanation: $explanation,
                    },)+
                }
            }
        }
    };
}

codes! {
    // E001 to E029: characters, tokens, blocks
    NotUtf8 = "E001" "not-utf8" Error "What it does: reports text that is not UTF-8.\nWhy: rules are UTF-8; nft takes other bytes only inside strings.\nExample: a file saved as Latin-1 with an umlaut in a comment.\nUse instead: convert the file, for example with `iconv -t utf-8`.";
    UnexpectedCharacter = "E002" "unexpected-character" Error "What it does: reports a character that starts no token.\nWhy: nothing in the language is written with it.\nExample: `tcp dport 22 ; ?`.\nUse instead: remove it, or put it into a string.";
    UnclosedString = "E003" "unclosed-string" Error "What it does: reports a string whose closing quote is not on its line.\nWhy: one lost quote would otherwise swallow the rules below it.\nExample: `log prefix \"in: accept`.\nUse instead: `log prefix \"in: \" accept`.";
    UnclosedBrace = "E004" "unclosed-brace" Error "What it does: reports an opening brace or parenthesis that is not closed.\nWhy: everything behind it would belong to it.\nExample: `tcp dport { 22, 80 accept`.\nUse instead: `tcp dport { 22, 80 } accept`.";
    StrayBrace = "E005" "stray-brace" Error "What it does: reports a `}` that closes nothing.\nWhy: a block above was closed too early, or the brace is one too many.\nExample: two `}` behind a table.\nUse instead: remove it.";
    MissingBrace = "E006" "missing-brace" Error "What it does: reports a block that starts where another one should have ended.\nWhy: a `}` is missing above; nft reports a syntax error at the new block.\nExample: `chain a {` inside `chain b {`.\nUse instead: close the chain first.";
    BraceOnNextLine = "E007" "brace-on-next-line" Error "What it does: reports a block whose `{` stands on the line below its name.\nWhy: nft ends the declaration at the line's end and then meets a lone brace.\nExample: `table inet filter`, newline, `{`.\nUse instead: `table inet filter {`.";
    TooDeep = "E008" "too-deep" Error "What it does: reports braces or parentheses nested deeper than 16, and variables nested deeper than 128.\nWhy: no rule needs it, and unbounded nesting exhausts memory.\nExample: sets in sets in sets.\nUse instead: a flat set; nested sets mean the same.";
    TooLong = "E009" "too-long" Error "What it does: reports a statement of more than 16,384 tokens, and a variable that stands for more than 4,194,304 values of other variables.\nWhy: no rule needs it, and unbounded statements exhaust memory.\nExample: a lost newline in a generated file.\nUse instead: several rules, or a set.";
    SyntaxError = "E010" "syntax-error" Error "What it does: reports a statement that is not in nft's language, with what was expected in its place.\nWhy: it cannot be understood, so it cannot be enforced.\nExample: `tcp dprot 22 accept`.\nUse instead: what the message suggests.";
    TableInTable = "E012" "table-in-table" Error "What it does: reports a table inside another block.\nWhy: tables do not nest, so a `}` is missing above.\nExample: `table ip a {`, then `table ip b {`.\nUse instead: close the first table.";
    TooManyErrors = "E013" "too-many-errors" Error "What it does: says that further errors of a file are not shown.\nWhy: they usually follow from the first ones.\nExample: a binary file.\nUse instead: mend the first errors and run again.";
    BadNumber = "E014" "bad-number" Error "What it does: reports a number that does not fit.\nWhy: it would be cut off silently.\nExample: a number of 60 digits.\nUse instead: a number in the range that the message names.";
    BadAddress = "E015" "bad-address" Error "What it does: reports an address that is not one.\nWhy: it would match nothing, or the wrong hosts.\nExample: `10.0.0.256`.\nUse instead: a valid address.";
    BadString = "E016" "bad-string" Error "What it does: reports a string that is empty, only a `*`, or too long.\nWhy: nft refuses it.\nExample: `iifname \"\"`.\nUse instead: leave the match out.";
    IncludeNotFound = "E020" "include-not-found" Error "What it does: reports an include of a file that is not there or cannot be read.\nWhy: its rules would be missing.\nExample: `include \"missing.nft\"`.\nUse instead: the right path, or a pattern, which may match nothing.";
    IncludeLoop = "E021" "include-loop" Error "What it does: reports a file that includes itself, directly or through others.\nWhy: it would never end.\nExample: `include \"a.nft\"` in a.nft.\nUse instead: remove the include.";
    IncludeTooDeep = "E022" "include-too-deep" Error "What it does: reports includes nested deeper than 16.\nWhy: nft stops there too.\nExample: a chain of 17 files.\nUse instead: include them from one file.";
    // E100 to E199: names, types, placement
    UnknownVariable = "E100" "unknown-variable" Error "What it does: reports `$x` without a `define x` before it.\nWhy: nothing says what it stands for.\nExample: `ip saddr $lan accept` in a file that defines no `lan`.\nUse instead: `define lan = 10.0.0.0/8` above the rule, in the same block or around it.";
    UnknownTable = "E101" "unknown-table" Error "What it does: reports a command on a table that does not exist at that point of the file.\nWhy: commands run in file order, as one transaction.\nExample: `add rule inet filtr input accept`.\nUse instead: the table's name, or add the table first.";
    UnknownChain = "E102" "unknown-chain" Error "What it does: reports a jump to, or a command on, a chain that does not exist.\nWhy: the rules could not be loaded.\nExample: `jump servces`.\nUse instead: the name of a chain of the same table.";
    UnknownSet = "E103" "unknown-set" Error "What it does: reports `@name` or a command for a set or map that does not exist.\nWhy: the rule could not be loaded.\nExample: `ip saddr @blackist drop`.\nUse instead: the name of a set of the same table.";
    UnknownObject = "E104" "unknown-object" Error "What it does: reports a named counter, quota, limit, helper or flowtable that does not exist.\nWhy: the rule could not be loaded.\nExample: `counter name \"web\"` without `counter web { }` in the table.\nUse instead: the name of an object of the same table.";
    AlreadyExists = "E105" "already-exists" Error "What it does: reports a second declaration that contradicts the first one.\nWhy: nft refuses to change what exists.\nExample: `create table inet t` twice, or one chain with two priorities.\nUse instead: `add`, one declaration, or delete the first.";
    StillUsed = "E106" "still-used" Error "What it does: reports the deletion of a chain that is jumped to, of a set that a rule looks into, or of an object that a rule or a map names.\nWhy: the kernel refuses it.\nExample: `delete chain inet t services` while `jump services` stands in another chain.\nUse instead: delete or flush what uses it first, or delete the whole table.";
    UnknownSymbol = "E110" "unknown-symbol" Error "What it does: reports a word that the field's type does not know.\nWhy: it has no value to compare with.\nExample: `ct state establishd`.\nUse instead: one of the type's symbols, or a number.";
    ValueOutOfRange = "E111" "value-out-of-range" Error "What it does: reports a number that does not fit its field.\nWhy: no packet could match it.\nExample: `ip protocol 256`.\nUse instead: a number in the range that the message names.";
    WrongType = "E112" "wrong-type" Error "What it does: reports a value or set of one type where another one is wanted.\nWhy: the comparison would never hold.\nExample: `ip saddr ::1`.\nUse instead: a value of the field's type.";
    HostName = "E113" "host-name" Error "What it does: reports a host name in place of an address.\nWhy: names are resolved once, when rules are loaded, and that fails at boot.\nExample: `ip saddr example.org accept`.\nUse instead: the address, or a set that a script fills.";
    EmptySet = "E114" "empty-set" Error "What it does: reports a set without elements in a rule.\nWhy: nothing could match it.\nExample: `define hosts = {}` and `ip saddr $hosts accept`.\nUse instead: a named set, which may be empty.";
    BadRange = "E115" "bad-range" Error "What it does: reports a range whose end lies before its start, or a prefix that is too long.\nWhy: it contains nothing.\nExample: `tcp dport 80-22`.\nUse instead: `tcp dport 22-80`.";
    NotConstant = "E116" "not-constant" Error "What it does: reports something other than a constant where one is needed.\nWhy: the machine compares fields with constants only.\nExample: `ip saddr ip daddr`.\nUse instead: a value, a set or a map.";
    UnknownField = "E117" "unknown-field" Error "What it does: reports a header, field or key that does not exist.\nWhy: there is nothing to load.\nExample: `tcp option sack window`.\nUse instead: a field that the header has.";
    UnknownType = "E118" "unknown-type" Error "What it does: reports a data type that does not exist or cannot be a set's key.\nWhy: the set could not be made.\nExample: `type ipv4_adr`.\nUse instead: a type that `nft describe` lists, or `typeof`.";
    UnknownKeyword = "E119" "unknown-keyword" Error "What it does: reports a word that is none of those that may stand in its place.\nWhy: it means nothing there.\nExample: `log level loud`.\nUse instead: one of the words that the message lists.";
    ConflictingProtocols = "E120" "conflicting-protocols" Error "What it does: reports a rule that asks for two protocols at once.\nWhy: no packet is both.\nExample: `tcp dport 53 udp dport 53`.\nUse instead: two rules, or `meta l4proto { tcp, udp } th dport 53`.";
    MissingProtocol = "E121" "missing-protocol" Error "What it does: reports a port, address or field that needs a protocol which the rule does not fix.\nWhy: the bytes mean something only in that protocol.\nExample: `redirect to :8080`.\nUse instead: `tcp dport 80 redirect to :8080`.";
    WrongFamily = "E122" "wrong-family" Error "What it does: reports an expression or statement that a table of this family cannot have.\nWhy: such a table never sees the packets or data that it needs.\nExample: `ip6 saddr ::1` in a table of family ip.\nUse instead: a table of another family.";
    WrongHook = "E123" "wrong-hook" Error "What it does: reports a hook that the family or chain type does not have, or a statement that cannot run at the chain's hook.\nWhy: the kernel refuses it.\nExample: `masquerade` in a prerouting chain.\nUse instead: a chain at one of the hooks that the message names.";
    WrongChainType = "E124" "wrong-chain-type" Error "What it does: reports a statement in a chain of the wrong type, or an unknown type.\nWhy: the kernel refuses it.\nExample: `dnat to 10.0.0.1` in a chain of type filter.\nUse instead: a chain of type nat.";
    BadPriority = "E125" "bad-priority" Error "What it does: reports a priority that is no number and no name of the family and hook.\nWhy: the place of the chain would be unknown.\nExample: `priority srcnat` at prerouting.\nUse instead: `dstnat` at prerouting, `srcnat` at postrouting, or a number.";
    BadPolicy = "E126" "bad-policy" Error "What it does: reports a policy other than accept or drop, or on a chain without a hook.\nWhy: only base chains have a policy.\nExample: `policy reject`.\nUse instead: `policy drop`, and a reject rule at the end.";
    StatementAfterVerdict = "E130" "statement-after-verdict" Error "What it does: reports a statement behind one that ends the rule.\nWhy: it would never run.\nExample: `drop log`.\nUse instead: `log drop`.";
    ConflictingIntervals = "E131" "conflicting-intervals" Error "What it does: reports elements of a set or map that overlap.\nWhy: it would not be clear which one counts.\nExample: `{ 10.0.0.0/8 : accept, 10.1.0.0/16 : drop }`.\nUse instead: disjoint elements, or `auto-merge` for a set.";
    IntervalFlagMissing = "E132" "interval-flag-missing" Error "What it does: reports a range or prefix in a set without `flags interval`.\nWhy: such a set holds single values only.\nExample: `set s { type ipv4_addr; elements = { 10.0.0.0/8 } }`.\nUse instead: `flags interval` in the set.";
    DataMismatch = "E133" "data-mismatch" Error "What it does: reports an element with data in a set, or without data in a map.\nWhy: the element does not fit.\nExample: `ip saddr { 10.0.0.1 : accept }`.\nUse instead: `vmap` or `map` in the rule, or no data.";
    BadFlag = "E134" "bad-flag" Error "What it does: reports a flag or option that does not exist, or does not go with the others.\nWhy: nft refuses it.\nExample: `log level audit group 2`.\nUse instead: one of both.";
    BadDeclaration = "E135" "bad-declaration" Error "What it does: reports a set, chain or object that lacks what it needs.\nWhy: it could not be made.\nExample: a set without a type.\nUse instead: what the message asks for.";
    TooWide = "E136" "too-wide" Error "What it does: reports a concatenation or value that needs more room than the machine's registers have.\nWhy: keys are at most 64 bytes.\nExample: five IPv6 addresses in one key.\nUse instead: a shorter key.";
    JumpLoop = "E137" "jump-loop" Error "What it does: reports a jump to a base chain.\nWhy: the kernel refuses it.\nExample: `jump input`.\nUse instead: a chain without a hook.";
    UnsupportedYet = "E190" "unsupported-yet" Error "What it does: reports what is nft's language but is not compiled here yet.\nWhy: to leave it out silently would change what the rules do.\nExample: a rule that needs more registers than the machine has.\nUse instead: another way to write it, for the time being.";
    // L001 and on: what a ruleset that compiles does
    UnreachableAfterTerminal = "L001" "unreachable-after-terminal" Error "What it does: reports rules behind one of their chain that takes every packet.\nWhy: they are never evaluated, so what they were meant to allow or forbid is decided elsewhere.\nExample: `drop`, and below it `tcp dport 22 accept`.\nUse instead: the rule that takes everything as the last one.";
    ShadowedRule = "L002" "shadowed-rule" Error "What it does: reports a rule of which every packet is taken by one earlier rule of its chain.\nWhy: it never decides anything; where the earlier rule decides otherwise, what was meant is lost (where it decides the same, this is a warning).\nExample: `ip saddr 10.0.0.0/8 drop`, and below it `ip saddr 10.1.1.1 accept`.\nUse instead: the narrower rule first.";
    DuplicateRule = "L003" "duplicate-rule" Warning "What it does: reports a rule with the matches and the verdict of an earlier one of its chain.\nWhy: the second never decides anything; often a file was loaded twice without a flush.\nExample: `tcp dport 443 accept` twice.\nUse instead: one of them.";
    DropNoEstablished = "L006" "drop-no-established" Error "What it does: reports an input chain that drops by default and accepts no answers to the machine's own connections.\nWhy: the machine can open connections but never hears back.\nExample: `policy drop` and only `tcp dport 22 accept`.\nUse instead: `ct state established,related accept` as the first rule.";
    DropNoLoopback = "L007" "drop-no-loopback" Warning "What it does: reports an input chain that drops by default and does not accept the loopback interface.\nWhy: local services (resolver, database, mail) talk to the machine over lo and break.\nExample: `policy drop` without a rule for lo.\nUse instead: `iif \"lo\" accept` near the top.";
    DropNoNdp = "L008" "drop-no-ndp" Error "What it does: reports an input chain that sees IPv6, drops by default and does not accept neighbour solicitations and advertisements.\nWhy: neighbours no longer find the machine, and IPv6 stops within seconds to minutes; conntrack leaves these messages untracked, so `ct state established,related` does not cover them.\nExample: an inet input chain with `policy drop` and `icmpv6 type echo-request accept`.\nUse instead: `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept`.";
    DropNoPmtu = "L010" "drop-no-pmtu" Warning "What it does: reports an input or forward chain that drops by default, accepts answers, and drops ICMP messages that say a packet was too big.\nWhy: connections over links with a smaller MTU hang after the handshake.\nExample: `ct state established accept` without `related` and without a rule for ICMP.\nUse instead: `ct state established,related accept`.";
    AcceptBeforeInvalid = "L012" "accept-before-invalid" Warning "What it does: reports a rule that accepts packets of any connection state above `ct state invalid drop`.\nWhy: invalid packets that it matches are accepted, and never translated by NAT.\nExample: `tcp dport 22 accept` above `ct state invalid drop`.\nUse instead: `ct state invalid drop` first.";
    LogWithoutLimit = "L013" "log-without-limit" Warning "What it does: reports a log of refused packets that nothing limits.\nWhy: anybody can fill the disk and keep the processor busy by sending packets that are refused.\nExample: `log prefix \"drop: \" drop` as the last rule.\nUse instead: `limit rate 10/minute log prefix \"drop: \"`, and the drop below it.";
    LimitFallthrough = "L014" "limit-fallthrough" Warning "What it does: reports a rule that accepts packets up to a limit, where a later rule or the policy accepts the rest.\nWhy: a limit only decides whether its own rule matches; what exceeds it goes on, and is accepted after all.\nExample: `tcp dport 22 limit rate 10/minute accept` in a chain with `policy accept`.\nUse instead: `policy drop`, or `tcp dport 22 drop` as the next rule.";
    IpProtocolInInet = "L018" "ip-protocol-in-inet" Warning "What it does: reports `ip protocol X` in an inet table.\nWhy: it matches IPv4 packets alone, so the rule does not hold for IPv6.\nExample: `ip protocol tcp accept` in `table inet filter`.\nUse instead: `meta l4proto tcp accept`.";
    Ip6Nexthdr = "L019" "ip6-nexthdr" Warning "What it does: reports `ip6 nexthdr X`.\nWhy: it compares the first header behind the IPv6 header, so that packets with extension headers pass by; multicast listener reports always have one.\nExample: `ip6 nexthdr icmpv6 accept`.\nUse instead: `meta l4proto icmpv6 accept`.";
    PortWithoutProtocol = "L020" "port-without-protocol" Error "What it does: reports a test of a port in a rule that does not ask for the protocol.\nWhy: the bytes are compared whatever the packet is, so that an ICMP message or an ESP packet can match.\nExample: `th dport 53 accept`.\nUse instead: `meta l4proto { tcp, udp } th dport 53 accept`.";
    FamilyDeadMatch = "L022" "family-dead-match" Error "What it does: reports a rule that no packet of its table and hook can match.\nWhy: nft accepts it, and it does nothing.\nExample: `oifname \"eth0\" accept` in an input chain, or `icmpv6 type echo-request accept` in a table of family ip.\nUse instead: a chain or table where such packets pass.";
    NotEqualFlagList = "L023" "not-equal-flag-list" Error "What it does: reports `!=` with a list of flags.\nWhy: the list is one number with all flags set, and hardly a packet has that, so the match is true for everything.\nExample: `ct state != established,related drop`.\nUse instead: `ct state != { established, related } drop`.";
    CtStatusSet = "L025" "ct-status-set" Error "What it does: reports `ct status` compared with a set.\nWhy: a set compares the whole number, and the status of a connection always has several bits.\nExample: `ct status { snat, dnat } accept`, which never matches.\nUse instead: `ct status snat,dnat accept`.";
    SlashZero = "L032" "slash-zero" Warning "What it does: reports a prefix of length 0, or a range of all values.\nWhy: it matches always, or with `!=` never, and hides what was meant.\nExample: `ip saddr 0.0.0.0/0 accept`.\nUse instead: no match, or `meta nfproto ipv4`.";
    HostBitsSet = "L033" "host-bits-set" Warning "What it does: reports a prefix whose address has bits behind its length.\nWhy: nft cuts them off silently, and one host may have been meant.\nExample: `ip saddr 10.0.0.1/8 accept`.\nUse instead: `10.0.0.0/8`, or `10.0.0.1`.";
    IfnameWildcardLiteral = "L034" "ifname-wildcard-literal" Warning "What it does: reports an interface name that ends in `+` or `\\*`.\nWhy: the wildcard of iptables is `+`, that of nft is `*`; another sign, or an asterisk behind a backslash, stands for itself, so the rule waits for an interface of that very name.\nExample: `iifname \"cali+\" accept`.\nUse instead: `iifname \"cali*\" accept`.";
    JumpLoopOrDepth = "L036" "jump-loop-or-depth" Error "What it does: reports jumps that lead back to where they started, or more than 16 chains deep.\nWhy: the kernel refuses to load them with `Too many links`; `nft -c` does not notice.\nExample: `jump b` in chain a and `jump a` in chain b.\nUse instead: chains in one direction.";
    UnusedChain = "L037" "unused-chain" Warning "What it does: reports a chain without a hook that no rule and no verdict map leads to.\nWhy: its rules never run.\nExample: `chain tcp-in { ... }` and nobody jumps there; often the `type ... hook ...` line was forgotten.\nUse instead: a jump, a hook, or nothing.";
    UnusedSet = "L038" "unused-set" Info "What it does: reports a set, a map or a definition that nothing uses.\nWhy: often a rule that should use it was forgotten.\nExample: `set blocklist { ... }` and no rule with `@blocklist`.\nUse instead: a rule, or nothing.";
    PolicyAcceptWithAllowList = "L040" "policy-accept-with-allow-list" Warning "What it does: reports an input chain that accepts by policy and whose rules only accept.\nWhy: what no rule allows is accepted too, so the rules protect nothing.\nExample: `policy accept` and `tcp dport 22 accept`.\nUse instead: `policy drop`.";
    MasqueradeUnscoped = "L043" "masquerade-unscoped" Warning "What it does: reports a `masquerade` as the first rule of a chain that asks for no device and no address.\nWhy: packets into the own network are rewritten too, so that servers there do not see who speaks to them.\nExample: `masquerade` alone in a postrouting chain.\nUse instead: `oifname \"wan0\" masquerade`.";
    NatChainFiltering = "L044" "nat-chain-filtering" Warning "What it does: reports packets dropped in a chain of type nat.\nWhy: such a chain sees the first packet of each connection alone, and none that conntrack calls invalid.\nExample: `policy drop` in a chain of `type nat hook prerouting`.\nUse instead: a chain of type filter.";
    NotrackTooLate = "L045" "notrack-too-late" Error "What it does: reports `notrack` in a chain that runs after conntrack.\nWhy: the packet has its connection by then, and the statement does nothing, silently.\nExample: `notrack` in a chain of `hook prerouting priority filter`.\nUse instead: `hook prerouting priority raw`.";
    CtInRaw = "L046" "ct-in-raw" Warning "What it does: reports `ct state` in a chain that runs before conntrack.\nWhy: every packet reads as `invalid` there.\nExample: `ct state invalid drop` in a chain of `priority raw`, which drops everything.\nUse instead: `priority mangle` or later.";
    VersionSensitive = "L062" "version-sensitive" Warning "What it does: with `--target`, reports what a version of nft or of Linux does not know yet, and where it is said that it came later.\nWhy: it refuses the whole file.\nExample: `last` with `--target nft-1.0.6`; the catch-all element `*` with `--target kernel-5.10`.\nUse instead: a newer nft, or another way to write it.";
    MiscompiledByOldNft = "L063" "miscompiled-by-old-nft" Warning "What it does: with `--target`, reports rules that a version of nft compiles to something else than they say.\nWhy: the kernel does what the bytecode says, silently.\nExample: `tcp sport != 1 tcp dport != 2` with nft 1.0.6, which matches unless both ports are as named.\nUse instead: a newer nft, or a named set for one of both: `tcp sport != @s`.";
    ForeignRule = "L069" "foreign-rule" Warning "What it does: reports rules with matches or targets of iptables, which are left out.\nWhy: nft lists their names without what they say, as `xt match \"conntrack\"`, and refuses to load them; what the other rules do may depend on them.\nExample: `oifname \"docker0\" xt match \"conntrack\" counter accept` in a dump of a machine with Docker.\nUse instead: the rule in nft's own words: `iptables-save` shows it whole, `iptables-translate` translates most.";
    KernelOnly = "L070" "kernel-only" Info "What it does: reports, once each, matches and statements that need what only a kernel has: sockets and their owners, control groups, security marks, IPsec, SYN proxies.\nWhy: in redan they behave as for a forwarded packet that has none of it, so such a rule usually never matches.\nExample: `meta skuid 1000 accept`.\nUse instead: addresses, interfaces or marks, where the ruleset is to run in redan.";
    // L060 and on: file format
    CarriageReturn = "L060" "carriage-return" Warning "What it does: reports a file with Windows line ends.\nWhy: nft 1.0.6 refuses it with a bare syntax error.\nExample: a file edited on Windows.\nUse instead: `redan fmt`, which writes plain line ends.";
    OneLineBlock = "L065" "one-line-block" Info "What it does: reports a `}` without a newline or `;` before it.\nWhy: nft before 1.0.7 refuses it.\nExample: `chain input { accept }`.\nUse instead: `chain input { accept; }`, or `redan fmt`.";
    TrailingTokens = "L067" "trailing-tokens" Warning "What it does: reports text behind a block's closing brace on the same line.\nWhy: nft wants a newline or `;` there.\nExample: `chain a { } chain b { }`.\nUse instead: a new line.";
    UnknownMember = "L068" "unknown-member" Warning "What it does: reports a member of a JSON object that says nothing there.\nWhy: it is passed over, as nft passes over it; a misspelt name leaves out what was meant.\nExample: `{\"chain\": {\"table\": \"t\", \"name\": \"c\", \"polcy\": \"drop\"}}`.\nUse instead: the name that libnftables-json(5) has for it.";
    NoFinalNewline = "L066" "no-final-newline" Info "What it does: reports a file whose last line is a comment without a newline.\nWhy: nft 1.0.6 refuses it.\nExample: `# end` as the last bytes.\nUse instead: end the file with a newline, or `redan fmt`.";
    // T001 and on: translations of other programs' rules
    ForeignLine = "T001" "foreign-line" Warning "What it does: reports a line or command of the input that is not one of iptables, or that cannot be read.\nWhy: it is left out of the translation.\nExample: `for i in 1 2; do`, `$IPT -A INPUT -j DROP`.\nUse instead: run the script and translate what `iptables-save` prints.";
    UntranslatedRule = "T002" "untranslated-rule" Warning "What it does: reports a rule that nft cannot say, or that cannot be read.\nWhy: it is left out, so that packets it decided about are decided by the rules behind it; a comment stands in its place.\nExample: `-A INPUT -m string --string x --algo bm -j DROP`.\nUse instead: what the message suggests; look at what the rules behind it do.";
    ApproximatedRule = "T003" "approximated-rule" Warning "What it does: reports a rule that nft says nearly, and how it differs.\nWhy: some packets may be decided otherwise; a comment above the rule says it too.\nExample: `-m recent --update --seconds 60 --hitcount 4 -j DROP`.\nUse instead: look whether the difference matters to you.";
    UndeclaredChain = "T004" "undeclared-chain" Warning "What it does: reports a chain that the input uses and does not make.\nWhy: iptables would refuse it; in the translation it is a chain without the rules that it has elsewhere.\nExample: `iptables -A INPUT -j LOGDROP` alone.\nUse instead: translate the whole of what `iptables-save` prints.";
    RenamedChain = "T005" "renamed-chain" Info "What it does: says that a chain has another name in the translation.\nWhy: nft takes letters, digits and `-_./` in names, and reserves some words.\nExample: a chain `log` becomes `log_`.\nUse instead: nothing; scripts that name the chain need the new name.";
    NothingToTranslate = "T006" "nothing-to-translate" Error "What it does: reports input without a single line of iptables, or without a single network policy, that could be translated.\nWhy: an empty ruleset lets everything through.\nExample: a picture; a dump of nft.\nUse instead: what `iptables-save`, `ip6tables-save` or `kubectl get networkpolicies -A -o yaml` prints.";
    DeadRule = "T008" "dead-rule" Info "What it does: says that no packet reaches a rule of the input, because the rules before it decide about all of them.\nWhy: nft loads it, and `redan lint` would call it an error; it is a comment in the translation.\nExample: `-A INPUT -j DROP` above `-A INPUT -p tcp --dport 22 -j ACCEPT`.\nUse instead: remove it, or put it where it was meant to stand.";
    UnfinishedTable = "T009" "unfinished-table" Warning "What it does: reports a table of a dump that does not end in COMMIT.\nWhy: the dump may have been cut off; iptables-restore would not load the table, and the translation has not the rules behind the cut.\nExample: `*filter` and rules, and the file ends.\nUse instead: take the dump again; add `COMMIT` where the table is whole.";
    FaultyTranslation = "T007" "faulty-translation" Error "What it does: reports a translation that cannot be read back.\nWhy: this is a mistake in redan, not in the input.\nExample: none is known.\nUse instead: leave the rule that the message shows out of the input, and report it.";
    MalformedYaml = "T010" "malformed-yaml" Error "What it does: reports text that is neither YAML nor JSON.\nWhy: nothing of a file is translated that can be read in part only.\nExample: a list item that is indented less than its list; a key that stands twice in one mapping.\nUse instead: text that `kubectl apply --dry-run=client -f FILE` takes.";
    WrongField = "T011" "wrong-field" Error "What it does: reports a field of an object that Kubernetes' API does not know, that is missing, or that has a value that the API server would refuse.\nWhy: a misspelt `podSelector` is no selector, and a policy with an empty one is about every pod.\nExample: `podselector: {}`, `port: 70000`, an `except` outside its `cidr`.\nUse instead: the field's right name and type.";
    UnknownKind = "T012" "unknown-kind" Error "What it does: reports an object of a kind that is not known, or a policy of another API that is not translated.\nWhy: rules that leave a policy out let packets through that it denies.\nExample: `kind: NetworkPolcy`, `kind: AdminNetworkPolicy`.\nUse instead: leave the object out of the input if the rest is wanted without it.";
    PassedOverObject = "T013" "passed-over-object" Warning "What it does: reports an object that is passed over: one of another project's API, a file of a folder that is none of Kubernetes, a policy that stands twice.\nWhy: if it decides about traffic, the translation does not know it.\nExample: `kind: UserDefinedNetwork`.\nUse instead: look whether it matters; leave it out of the input.";
    MissingAddress = "T014" "missing-address" Warning "What it does: reports a pod whose address the input does not say, or which has its node's.\nWhy: no set holds it, so that no policy is about it and no policy lets it in.\nExample: a Deployment without its pods.\nUse instead: add what `kubectl get pods -A -o yaml` prints to the input, or add the addresses to the sets.";
    PolicyWithoutEffect = "T015" "policy-without-effect" Warning "What it does: reports a policy that selects no pod of the input, that has rules for a direction that its `policyTypes` do not name, or that selects every pod since it has no `podSelector`.\nWhy: it does not do what it seems to do.\nExample: `policyTypes: [Ingress]` and rules under `egress`.\nUse instead: name the direction, or remove the rules.";
}

impl Code {
    /// The code with this number (`L060`) or name (`carriage-return`).
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| {
            let info = code.info();
            info.code.eq_ignore_ascii_case(text) || info.name == text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_names_are_unique_and_explained() {
        let mut seen = BTreeSet::new();
        for code in Code::ALL {
            let info = code.info();
            assert!(seen.insert(info.code), "{} twice", info.code);
            assert!(seen.insert(info.name), "{} twice", info.name);
            for part in [
                "What it does: ",
                "\nWhy: ",
                "\nExample: ",
                "\nUse instead: ",
            ] {
                assert!(
                    info.explanation.contains(part),
                    "{}: no {part:?}",
                    info.code
                );
            }
        }
    }
}
