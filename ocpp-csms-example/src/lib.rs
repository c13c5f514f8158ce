//! A CSMS you can run.
