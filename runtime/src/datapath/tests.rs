//! Each mode, frame by frame.
