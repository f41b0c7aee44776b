//! What the header views share: fields of fixed width at fixed offsets, read and written without panics.

/// A value of fixed width in a header: numbers in network order on the wire, host order here.
pub(super) trait Field: Copy {
    /// Reads at a byte offset; zero when it does not lie within `bytes` (which `new_checked` rules out).
    fn read(bytes: &[u8], at: usize) -> Self;
    /// Writes at a byte offset; does nothing when it does not lie within `bytes`.
    fn write(self, bytes: &mut [u8], at: usize);
}

/// The `N` bytes at `at`; zeros when they are not all there.
#[inline]
pub(super) fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<N>)
        .copied()
        .unwrap_or([0; N])
}

/// Writes at `at`; does nothing where it does not fit.
#[inline]
pub(super) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(value.len())) {
        place.copy_from_slice(value);
    }
}

macro_rules! numbers {
    ($($ty:ident)*) => {$(
        impl Field for $ty {
            #[inline]
            fn read(bytes: &[u8], at: usize) -> Self {
                Self::from_be_bytes(chunk(bytes, at))
            }
            #[inline]
            fn write(self, bytes: &mut [u8], at: usize) {
                put(bytes, at, &self.to_be_bytes());
            }
        }
    )*};
}
numbers!(u8 u16 u32);

impl<const N: usize> Field for [u8; N] {
    #[inline]
    fn read(bytes: &[u8], at: usize) -> Self {
        chunk(bytes, at)
    }
    #[inline]
    fn write(self, bytes: &mut [u8], at: usize) {
        put(bytes, at, &self);
    }
}

impl Field for std::net::Ipv4Addr {
    #[inline]
    fn read(bytes: &[u8], at: usize) -> Self {
        Self::from(chunk::<4>(bytes, at))
    }
    #[inline]
    fn write(self, bytes: &mut [u8], at: usize) {
        put(bytes, at, &self.octets());
    }
}

impl Field for std::net::Ipv6Addr {
    #[inline]
    fn read(bytes: &[u8], at: usize) -> Self {
        Self::from(chunk::<16>(bytes, at))
    }
    #[inline]
    fn write(self, bytes: &mut [u8], at: usize) {
        put(bytes, at, &self.octets());
    }
}

/// Declares a view over a header: its name, its bytes without options, and one row a field that starts and ends on a byte boundary.
macro_rules! header {
    ($(#[$doc:meta])* $name:ident, $len:literal { $($(#[$fdoc:meta])* $get:ident, $set:ident: $ty:ty = $at:literal;)* }) => {
        /// Bytes of the header without options.
        pub const LEN: usize = $len;

        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<T>(T);

        impl<T: AsRef<[u8]>> $name<T> {
            #[doc = concat!("The header at the front of `bytes`; `None` when there are fewer than ", stringify!($len), " bytes.")]
            #[inline]
            pub fn new_checked(bytes: T) -> Option<Self> {
                (bytes.as_ref().len() >= LEN).then_some(Self(bytes))
            }

            /// The header and whatever lies behind it.
            #[inline]
            pub fn bytes(&self) -> &[u8] {
                self.0.as_ref()
            }

            $(
                $(#[$fdoc])*
                #[inline]
                pub fn $get(&self) -> $ty {
                    $crate::packet::header::Field::read(self.0.as_ref(), $at)
                }
            )*
        }

        impl<T: AsRef<[u8]> + AsMut<[u8]>> $name<T> {
            /// The header and whatever lies behind it, for writing.
            #[inline]
            pub fn bytes_mut(&mut self) -> &mut [u8] {
                self.0.as_mut()
            }

            $(
                #[doc = concat!("Writes [`Self::", stringify!($get), "`]; checksums are the caller's.")]
                #[inline]
                pub fn $set(&mut self, value: $ty) {
                    $crate::packet::header::Field::write(value, self.0.as_mut(), $at);
                }
            )*
        }
    };
}
pub(super) use header;
