//! Real networks.
