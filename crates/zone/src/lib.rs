//! Hosts the simulation: tick thread, sessions, saved positions
