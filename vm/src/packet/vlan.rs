//! The rest of a VLAN tag (802.1Q, 802.1ad): what follows the EtherType that announces it.

use super::header::header;

header! {
    /// A VLAN tag behind its own EtherType.
    Vlan, 4 {
        /// Priority (3 bits), drop eligible (1 bit), id (12 bits).
        tci, set_tci: u16 = 0;
        /// EtherType of what follows.
        ethertype, set_ethertype: u16 = 2;
    }
}

impl<T: AsRef<[u8]>> Vlan<T> {
    /// VLAN id, 0 to 4095.
    pub fn id(&self) -> u16 {
        self.tci() & 0x0fff
    }

    /// Drop eligible indicator.
    pub fn is_drop_eligible(&self) -> bool {
        self.tci() & 0x1000 != 0
    }

    /// Priority, 0 to 7.
    pub fn priority(&self) -> u16 {
        self.tci() >> 13
    }
}
