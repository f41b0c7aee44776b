//! Symbols of connection tracking.

use super::symbols;

symbols! {
    /// `ct_state`.
    CT_STATE { "invalid" = 1, "new" = 8, "established" = 2, "related" = 4, "untracked" = 64, }
    /// `ct_dir`.
    CT_DIR { "original" = 0, "reply" = 1, }
    /// `ct_status`.
    CT_STATUS {
        "expected" = 1, "seen-reply" = 2, "assured" = 4, "confirmed" = 8, "snat" = 0x10, "dnat" = 0x20, "dying" = 0x200,
    }
    /// `ct_event`.
    CT_EVENT {
        "new" = 1, "related" = 2, "destroy" = 4, "reply" = 8, "assured" = 0x10, "protoinfo" = 0x20, "helper" = 0x40,
        "mark" = 0x80, "seqadj" = 0x100, "secmark" = 0x200, "label" = 0x400,
    }
}
