//! Headless clients that log in, walk and talk, and report what they saw
