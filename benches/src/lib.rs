//! What the claims of this repository are measured with.
