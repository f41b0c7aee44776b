//! Symbols of packet headers: TCP flags, DCCP packet types, DSCP, ECN.

use super::symbols;

symbols! {
    /// `tcp_flag`.
    TCP_FLAG { "fin" = 1, "syn" = 2, "rst" = 4, "psh" = 8, "ack" = 0x10, "urg" = 0x20, "ecn" = 0x40, "cwr" = 0x80, }
    /// `dccp_pkttype`.
    DCCP_PKTTYPE {
        "request" = 0, "response" = 1, "data" = 2, "ack" = 3, "dataack" = 4, "closereq" = 5, "close" = 6, "reset" = 7,
        "sync" = 8, "syncack" = 9,
    }
    /// Subtypes of the TCP option MPTCP (RFC 8684, 8).
    MPTCP_SUBTYPE {
        "mp-capable" = 0, "mp-join" = 1, "dss" = 2, "add-addr" = 3, "remove-addr" = 4, "mp-prio" = 5, "mp-fail" = 6,
        "mp-fastclose" = 7, "mp-tcprst" = 8,
    }
    /// `dscp`.
    DSCP {
        "cs0" = 0x00, "cs1" = 0x08, "cs2" = 0x10, "cs3" = 0x18, "cs4" = 0x20, "cs5" = 0x28, "cs6" = 0x30, "cs7" = 0x38,
        "df" = 0x00, "be" = 0x00, "lephb" = 0x01, "af11" = 0x0a, "af12" = 0x0c, "af13" = 0x0e, "af21" = 0x12,
        "af22" = 0x14, "af23" = 0x16, "af31" = 0x1a, "af32" = 0x1c, "af33" = 0x1e, "af41" = 0x22, "af42" = 0x24,
        "af43" = 0x26, "va" = 0x2c, "ef" = 0x2e,
    }
    /// `ecn`.
    ECN { "not-ect" = 0, "ect1" = 1, "ect0" = 2, "ce" = 3, }
}
