//! A charging station you can run.
