//! Asks for huge pages behind large tables: packets of random connections miss the TLB otherwise. Advice only; nothing depends on it.

/// Advises the kernel that all of a vector's memory, used or not yet, is worth huge pages. Call it before the memory is first touched.
#[cfg(target_os = "linux")]
pub(super) fn advise<T>(memory: &mut Vec<T>) {
    /// Huge pages start and end at this many bytes on every machine that has any.
    const HUGE: usize = 2 << 20;
    let bytes = memory.capacity() * size_of::<T>();
    let start = memory.as_mut_ptr().cast::<u8>();
    let ahead = start.align_offset(HUGE);
    let len = bytes.saturating_sub(ahead) / HUGE * HUGE;
    if len == 0 {
        return;
    }
    #[expect(unsafe_code, reason = "memory hints have no safe interface")]
    // SAFETY: the range lies within the vector's own allocation, and MADV_HUGEPAGE changes nothing that a program can see.
    let _ = unsafe { libc::madvise(start.wrapping_add(ahead).cast(), len, libc::MADV_HUGEPAGE) };
}

/// Other systems decide alone.
#[cfg(not(target_os = "linux"))]
pub(super) const fn advise<T>(_memory: &mut Vec<T>) {}
